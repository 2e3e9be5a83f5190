#pragma once

// OpenCL without linking it: cop_load finds the library at run time, and each cop_* function below forwards to the
// function of the same name. Every one returns a cl_int (handles come back through the last parameter), prints
// nothing, and keeps nothing but the table of entry points.

#define CL_TARGET_OPENCL_VERSION 120
#include <CL/cl.h>
#include <stddef.h>

/// No OpenCL library has been loaded.
#define COP_LIBRARY_MISSING (-9001)
/// A library was found, and it lacks a function of OpenCL 1.2.
#define COP_ENTRY_POINT_MISSING (-9002)

/// Loads the OpenCL library at `path` (a file, or a name that the dynamic loader looks up) and fills the table. When
/// it fails the table stays as it was, and `*detail` says why: the loader's words, or the function that is missing.
/// Not to be called by two threads at once, nor while another thread is inside a cop_* function.
cl_int cop_load(const char *path, const char **detail);

/// A kernel file as it was when the program was built: its name without ".cl" and its text, ended by a zero byte.
typedef struct {
    const char *name;
    const char *text;
} cop_kernel_source;

/// The number of files carried inside.
size_t cop_kernel_count(void);
/// File number `index`, in alphabetical order, or NULL beyond the last.
const cop_kernel_source *cop_kernel_at(size_t index);

cl_int cop_get_platform_ids(cl_uint room, cl_platform_id *platforms, cl_uint *count);
cl_int cop_get_platform_info(cl_platform_id platform, cl_platform_info what, size_t room, void *value, size_t *size);
cl_int cop_get_device_ids(
    cl_platform_id platform, cl_device_type type, cl_uint room, cl_device_id *devices, cl_uint *count);
cl_int cop_get_device_info(cl_device_id device, cl_device_info what, size_t room, void *value, size_t *size);

cl_int cop_create_context(cl_platform_id platform, cl_device_id device, cl_context *context);
cl_int cop_get_context_info(cl_context context, cl_context_info what, size_t room, void *value, size_t *size);
cl_int cop_release_context(cl_context context);

cl_int cop_create_command_queue(
    cl_context context, cl_device_id device, cl_command_queue_properties properties, cl_command_queue *queue);
cl_int cop_release_command_queue(cl_command_queue queue);
cl_int cop_flush(cl_command_queue queue);
cl_int cop_finish(cl_command_queue queue);

cl_int cop_create_buffer(cl_context context, cl_mem_flags flags, size_t size, void *host_memory, cl_mem *buffer);
cl_int cop_release_mem_object(cl_mem object);
/// In these and in cop_enqueue_nd_range_kernel `event` may be NULL.
cl_int cop_enqueue_read_buffer(
    cl_command_queue queue, cl_mem buffer, cl_bool blocking, size_t offset, size_t size, void *destination,
    cl_event *event);
cl_int cop_enqueue_write_buffer(
    cl_command_queue queue, cl_mem buffer, cl_bool blocking, size_t offset, size_t size, const void *source,
    cl_event *event);
cl_int cop_enqueue_fill_buffer(
    cl_command_queue queue, cl_mem buffer, const void *pattern, size_t pattern_size, size_t offset, size_t size,
    cl_event *event);
cl_int cop_enqueue_migrate_mem_object(
    cl_command_queue queue, cl_mem object, cl_mem_migration_flags flags, cl_event *event);

cl_int cop_create_program_with_source(cl_context context, const char *text, size_t length, cl_program *program);
cl_int cop_create_program_with_binary(
    cl_context context, cl_device_id device, const unsigned char *binary, size_t length, cl_program *program);
cl_int cop_build_program(cl_program program, cl_device_id device, const char *options);
cl_int cop_get_program_info(cl_program program, cl_program_info what, size_t room, void *value, size_t *size);
cl_int cop_get_program_build_info(
    cl_program program, cl_device_id device, cl_program_build_info what, size_t room, void *value, size_t *size);
cl_int cop_release_program(cl_program program);

cl_int cop_create_kernel(cl_program program, const char *name, cl_kernel *kernel);
cl_int cop_get_kernel_info(cl_kernel kernel, cl_kernel_info what, size_t room, void *value, size_t *size);
cl_int cop_get_kernel_work_group_info(
    cl_kernel kernel, cl_device_id device, cl_kernel_work_group_info what, size_t room, void *value, size_t *size);
cl_int cop_set_kernel_arg(cl_kernel kernel, cl_uint index, size_t size, const void *value);
cl_int cop_release_kernel(cl_kernel kernel);

cl_int cop_enqueue_nd_range_kernel(
    cl_command_queue queue, cl_kernel kernel, cl_uint dimensions, const size_t *global, const size_t *local,
    cl_event *event);
cl_int cop_wait_for_event(cl_event event);
cl_int cop_get_event_info(cl_event event, cl_event_info what, size_t room, void *value, size_t *size);
cl_int cop_get_event_profiling_info(cl_event event, cl_profiling_info what, size_t room, void *value, size_t *size);
cl_int cop_release_event(cl_event event);
