#define CL_TARGET_OPENCL_VERSION 120
#include "BadDriver.h"

#include <CL/cl.h>
#include <CL/cl_icd.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

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

// The low bytes of `bits`, which come first on all that this runs on.
static cl_int number(cl_ulong bits, size_t length, size_t room, void *value, size_t *size) {
    if (size) *size = length;
    if (value && room < length) return CL_INVALID_VALUE;
    if (value) memcpy(value, &bits, length);
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
    if (is_told("crashes")) raise(SIGSEGV);
    while (is_told("hangs")) pause();
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
    case CL_DEVICE_VERSION: return answer(is_told("old") ? "OpenCL 1.1 bad" : "OpenCL 1.2 bad", room, value, size);
    case CL_DRIVER_VERSION:
    case CL_DEVICE_VENDOR: return answer("bad", room, value, size);
    default: break;
    }
    // One that looks like a GPU, and in all that follows has no function to call.
    if (is_told("old") || is_told("gpu")) {
        size_t most[3] = {256, 256, 256};
        switch (what) {
        case CL_DEVICE_TYPE: return number(CL_DEVICE_TYPE_GPU, sizeof(cl_device_type), room, value, size);
        case CL_DEVICE_AVAILABLE:
        case CL_DEVICE_COMPILER_AVAILABLE: return number(CL_TRUE, sizeof(cl_bool), room, value, size);
        case CL_DEVICE_MAX_COMPUTE_UNITS: return number(4, sizeof(cl_uint), room, value, size);
        case CL_DEVICE_MAX_WORK_ITEM_DIMENSIONS: return number(3, sizeof(cl_uint), room, value, size);
        case CL_DEVICE_MAX_WORK_GROUP_SIZE: return number(256, sizeof(size_t), room, value, size);
        case CL_DEVICE_MAX_WORK_ITEM_SIZES:
            if (size) *size = sizeof most;
            if (value && room >= sizeof most) memcpy(value, most, sizeof most);
            return CL_SUCCESS;
        case CL_DEVICE_LOCAL_MEM_SIZE: return number(1 << 15, sizeof(cl_ulong), room, value, size);
        case CL_DEVICE_GLOBAL_MEM_SIZE:
        case CL_DEVICE_MAX_MEM_ALLOC_SIZE: return number(1 << 30, sizeof(cl_ulong), room, value, size);
        default: break;
        }
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
