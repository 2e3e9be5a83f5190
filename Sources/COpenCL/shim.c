#include "COpenCL.h"
#include "entry_points.h"

#include <dlfcn.h>

#define MEMBER(name) __typeof__(name) *name;
typedef struct {
    ENTRY_POINTS(MEMBER)
} entry_points;

static entry_points table;

cl_int cop_load(const char *path, const char **detail) {
    void *library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    if (library == NULL) {
        *detail = dlerror();
        return COP_LIBRARY_MISSING;
    }
    entry_points found;
#define FIND(name)                                          \
    found.name = (__typeof__(name) *)dlsym(library, #name); \
    if (found.name == NULL) {                               \
        dlclose(library);                                   \
        *detail = #name;                                    \
        return COP_ENTRY_POINT_MISSING;                     \
    }
    ENTRY_POINTS(FIND)
    table = found;
    *detail = NULL;
    return CL_SUCCESS;
}

// A call, or the status that says that nothing is loaded.
#define FORWARD(name, ...) return table.name ? table.name(__VA_ARGS__) : COP_LIBRARY_MISSING

// The same for functions that return a handle and put the status behind their last parameter.
#define CREATE(result, name, ...)                               \
    cl_int status = COP_LIBRARY_MISSING;                        \
    *result = table.name ? table.name(__VA_ARGS__, &status) : NULL; \
    return status

cl_int cop_get_platform_ids(cl_uint room, cl_platform_id *platforms, cl_uint *count) {
    FORWARD(clGetPlatformIDs, room, platforms, count);
}

cl_int cop_get_platform_info(cl_platform_id platform, cl_platform_info what, size_t room, void *value, size_t *size) {
    FORWARD(clGetPlatformInfo, platform, what, room, value, size);
}

cl_int cop_get_device_ids(
    cl_platform_id platform, cl_device_type type, cl_uint room, cl_device_id *devices, cl_uint *count) {
    FORWARD(clGetDeviceIDs, platform, type, room, devices, count);
}

cl_int cop_get_device_info(cl_device_id device, cl_device_info what, size_t room, void *value, size_t *size) {
    FORWARD(clGetDeviceInfo, device, what, room, value, size);
}

cl_int cop_create_context(cl_platform_id platform, cl_device_id device, cl_context *context) {
    const cl_context_properties properties[] = {CL_CONTEXT_PLATFORM, (cl_context_properties)platform, 0};
    CREATE(context, clCreateContext, properties, 1, &device, NULL, NULL);
}

cl_int cop_get_context_info(cl_context context, cl_context_info what, size_t room, void *value, size_t *size) {
    FORWARD(clGetContextInfo, context, what, room, value, size);
}

cl_int cop_release_context(cl_context context) {
    FORWARD(clReleaseContext, context);
}

cl_int cop_create_command_queue(
    cl_context context, cl_device_id device, cl_command_queue_properties properties, cl_command_queue *queue) {
    CREATE(queue, clCreateCommandQueue, context, device, properties);
}

cl_int cop_release_command_queue(cl_command_queue queue) {
    FORWARD(clReleaseCommandQueue, queue);
}

cl_int cop_flush(cl_command_queue queue) {
    FORWARD(clFlush, queue);
}

cl_int cop_finish(cl_command_queue queue) {
    FORWARD(clFinish, queue);
}

cl_int cop_create_buffer(cl_context context, cl_mem_flags flags, size_t size, void *host_memory, cl_mem *buffer) {
    CREATE(buffer, clCreateBuffer, context, flags, size, host_memory);
}

cl_int cop_release_mem_object(cl_mem object) {
    FORWARD(clReleaseMemObject, object);
}

cl_int cop_enqueue_read_buffer(
    cl_command_queue queue, cl_mem buffer, cl_bool blocking, size_t offset, size_t size, void *destination,
    cl_event *event) {
    FORWARD(clEnqueueReadBuffer, queue, buffer, blocking, offset, size, destination, 0, NULL, event);
}

cl_int cop_enqueue_write_buffer(
    cl_command_queue queue, cl_mem buffer, cl_bool blocking, size_t offset, size_t size, const void *source,
    cl_event *event) {
    FORWARD(clEnqueueWriteBuffer, queue, buffer, blocking, offset, size, source, 0, NULL, event);
}

cl_int cop_enqueue_fill_buffer(
    cl_command_queue queue, cl_mem buffer, const void *pattern, size_t pattern_size, size_t offset, size_t size,
    cl_event *event) {
    FORWARD(clEnqueueFillBuffer, queue, buffer, pattern, pattern_size, offset, size, 0, NULL, event);
}

cl_int cop_enqueue_migrate_mem_object(
    cl_command_queue queue, cl_mem object, cl_mem_migration_flags flags, cl_event *event) {
    FORWARD(clEnqueueMigrateMemObjects, queue, 1, &object, flags, 0, NULL, event);
}

cl_int cop_create_program_with_source(cl_context context, const char *text, size_t length, cl_program *program) {
    CREATE(program, clCreateProgramWithSource, context, 1, &text, &length);
}

cl_int cop_create_program_with_binary(
    cl_context context, cl_device_id device, const unsigned char *binary, size_t length, cl_program *program) {
    cl_int binary_status = CL_SUCCESS;
    cl_int status = COP_LIBRARY_MISSING;
    *program = table.clCreateProgramWithBinary
                   ? table.clCreateProgramWithBinary(context, 1, &device, &length, &binary, &binary_status, &status)
                   : NULL;
    // Some implementations report a refused binary only here, and hand out a program all the same.
    if (status == CL_SUCCESS && binary_status != CL_SUCCESS) {
        table.clReleaseProgram(*program);
        *program = NULL;
        return binary_status;
    }
    return status;
}

cl_int cop_build_program(cl_program program, cl_device_id device, const char *options) {
    FORWARD(clBuildProgram, program, 1, &device, options, NULL, NULL);
}

cl_int cop_get_program_info(cl_program program, cl_program_info what, size_t room, void *value, size_t *size) {
    FORWARD(clGetProgramInfo, program, what, room, value, size);
}

cl_int cop_get_program_build_info(
    cl_program program, cl_device_id device, cl_program_build_info what, size_t room, void *value, size_t *size) {
    FORWARD(clGetProgramBuildInfo, program, device, what, room, value, size);
}

cl_int cop_release_program(cl_program program) {
    FORWARD(clReleaseProgram, program);
}

cl_int cop_create_kernel(cl_program program, const char *name, cl_kernel *kernel) {
    CREATE(kernel, clCreateKernel, program, name);
}

cl_int cop_get_kernel_info(cl_kernel kernel, cl_kernel_info what, size_t room, void *value, size_t *size) {
    FORWARD(clGetKernelInfo, kernel, what, room, value, size);
}

cl_int cop_get_kernel_work_group_info(
    cl_kernel kernel, cl_device_id device, cl_kernel_work_group_info what, size_t room, void *value, size_t *size) {
    FORWARD(clGetKernelWorkGroupInfo, kernel, device, what, room, value, size);
}

cl_int cop_set_kernel_arg(cl_kernel kernel, cl_uint index, size_t size, const void *value) {
    FORWARD(clSetKernelArg, kernel, index, size, value);
}

cl_int cop_release_kernel(cl_kernel kernel) {
    FORWARD(clReleaseKernel, kernel);
}

cl_int cop_enqueue_nd_range_kernel(
    cl_command_queue queue, cl_kernel kernel, cl_uint dimensions, const size_t *global, const size_t *local,
    cl_event *event) {
    FORWARD(clEnqueueNDRangeKernel, queue, kernel, dimensions, NULL, global, local, 0, NULL, event);
}

cl_int cop_wait_for_event(cl_event event) {
    FORWARD(clWaitForEvents, 1, &event);
}

cl_int cop_get_event_info(cl_event event, cl_event_info what, size_t room, void *value, size_t *size) {
    FORWARD(clGetEventInfo, event, what, room, value, size);
}

cl_int cop_get_event_profiling_info(cl_event event, cl_profiling_info what, size_t room, void *value, size_t *size) {
    FORWARD(clGetEventProfilingInfo, event, what, room, value, size);
}

cl_int cop_release_event(cl_event event) {
    FORWARD(clReleaseEvent, event);
}
