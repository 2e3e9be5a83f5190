#define CL_TARGET_OPENCL_VERSION 120
#include "BadDriver.h"

#include <CL/cl.h>
#include <CL/cl_icd.h>
#include <stdlib.h>
#include <string.h>

static int is_told(const char *word) {
    const char *told = getenv("BAD_DRIVER");
    return told && !strcmp(told, word);
}

// A handle is whatever begins with the table through which the loader calls.
struct object {
    cl_icd_dispatch *table;
};

static cl_icd_dispatch table;
static struct object platform = {&table}, device = {&table};

static cl_int answer(const char *text, size_t room, void *value, size_t *size) {
    size_t length = strlen(text) + 1;
    if (size) *size = length;
    if (!value) return CL_SUCCESS;
    if (room < length) return CL_INVALID_VALUE;
    memcpy(value, text, length);
    return CL_SUCCESS;
}

static cl_int CL_API_CALL
platform_info(cl_platform_id of, cl_platform_info what, size_t room, void *value, size_t *size) {
    (void)of;
    switch (what) {
    case CL_PLATFORM_NAME: return answer("Bad Driver", room, value, size);
    case CL_PLATFORM_EXTENSIONS: return answer("cl_khr_icd", room, value, size);
    case CL_PLATFORM_ICD_SUFFIX_KHR: return answer("BAD", room, value, size);
    case CL_PLATFORM_VERSION: return answer("OpenCL 1.2 bad", room, value, size);
    case CL_PLATFORM_PROFILE: return answer("FULL_PROFILE", room, value, size);
    default: return answer("bad", room, value, size);
    }
}

static cl_int CL_API_CALL
device_ids(cl_platform_id of, cl_device_type type, cl_uint room, cl_device_id *devices, cl_uint *count) {
    (void)of;
    (void)type;
    if (is_told("refuses")) return CL_OUT_OF_HOST_MEMORY;
    if (count) *count = is_told("devices") ? 1000000000 : 1;
    if (devices && room) devices[0] = (cl_device_id)&device;
    return CL_SUCCESS;
}

static cl_int CL_API_CALL device_info(cl_device_id of, cl_device_info what, size_t room, void *value, size_t *size) {
    (void)of;
    if (is_told("nameless") && what == CL_DEVICE_NAME) return CL_INVALID_DEVICE;
    if (is_told("sizes")) {
        if (size) *size = (size_t)1 << 60;
        return value ? CL_INVALID_VALUE : CL_SUCCESS;
    }
    switch (what) {
    case CL_DEVICE_NAME: return answer("Bad Device", room, value, size);
    case CL_DEVICE_VERSION: return answer("OpenCL 1.2 bad", room, value, size);
    case CL_DRIVER_VERSION:
    case CL_DEVICE_VENDOR: return answer("bad", room, value, size);
    default: break;
    }
    if (size) *size = 0;
    if (value) memset(value, 0, room);
    return CL_SUCCESS;
}

static cl_int CL_API_CALL platform_ids(cl_uint room, cl_platform_id *platforms, cl_uint *count) {
    if (is_told("error")) return CL_OUT_OF_RESOURCES;
    if (count) *count = is_told("none") ? 0 : is_told("count") ? 1000000000 : 1;
    if (platforms && room) platforms[0] = is_told("null") ? NULL : (cl_platform_id)&platform;
    return CL_SUCCESS;
}

void *clGetExtensionFunctionAddress(const char *name) {
    table.clGetPlatformIDs = platform_ids;
    table.clGetPlatformInfo = platform_info;
    table.clGetDeviceIDs = device_ids;
    table.clGetDeviceInfo = device_info;
    if (!strcmp(name, "clIcdGetPlatformIDsKHR") || !strcmp(name, "clGetPlatformIDs")) return (void *)platform_ids;
    if (!strcmp(name, "clGetPlatformInfo")) return (void *)platform_info;
    return NULL;
}
