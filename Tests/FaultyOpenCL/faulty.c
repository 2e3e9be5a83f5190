#define CL_TARGET_OPENCL_VERSION 120
#define _GNU_SOURCE
#include "../../Sources/COpenCL/entry_points.h"
#include "FaultyOpenCL.h"

#include <CL/cl.h>
#include <dlfcn.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

// The real library.

#define MEMBER(name) __typeof__(name) *name;
static struct {
    ENTRY_POINTS(MEMBER)
} real;

// What is wrong with it.

typedef struct {
    long number;
    cl_int code;
} fault;

static struct {
    fault fail, lose, async, late, slow, quit;
    long hang, pace, silent, exit, crash, alone;
    size_t room, lazy, alloc, global, local, group, platforms, devices, size, sizes;
    int is_gpu, is_gone;
    char platform[64], driver[64], device[64];
} told;

static atomic_long calls, commands, misuses;
static atomic_int late_code, hung, dropped;
// The queue of the command that hangs or quits.
static _Atomic(cl_command_queue) struck;
static const char *functions[65536];

// Handles that were given out and not taken back.

#define ARGUMENTS 32

enum kind { CONTEXT, QUEUE, BUFFER, PROGRAM, KERNEL, EVENT };

typedef struct {
    void *handle;
    enum kind kind;
    int owners;
    // Of a buffer.
    size_t size;
    int is_used;
    // Of a kernel: the buffers among its arguments, or what is none.
    const void *arguments[ARGUMENTS];
} entry;

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static entry *entries;
static size_t entry_count, entry_room;
static size_t bytes_made, bytes_used;

static entry *find(const void *handle, enum kind kind) {
    for (size_t index = entry_count; index-- > 0;)
        if (entries[index].handle == handle && entries[index].kind == kind) return &entries[index];
    return NULL;
}

static void add(void *handle, enum kind kind, size_t size) {
    pthread_mutex_lock(&lock);
    entry *known = find(handle, kind);
    if (known) {
        known->owners++;
    } else {
        if (entry_count == entry_room) {
            entry_room = entry_room ? 2 * entry_room : 256;
            entries = realloc(entries, entry_room * sizeof *entries);
            if (!entries) abort();
        }
        entries[entry_count++] = (entry){.handle = handle, .kind = kind, .owners = 1, .size = size};
        bytes_made += size;
    }
    pthread_mutex_unlock(&lock);
}

// Whether the handle was live; takes one owner away.
static int take(const void *handle, enum kind kind) {
    pthread_mutex_lock(&lock);
    entry *known = find(handle, kind);
    int is_live = known != NULL;
    if (is_live && --known->owners == 0) {
        bytes_made -= known->size;
        if (known->is_used) bytes_used -= known->size;
        *known = entries[--entry_count];
    }
    if (!is_live) misuses++;
    pthread_mutex_unlock(&lock);
    return is_live;
}

static int is_live(const void *handle, enum kind kind) {
    pthread_mutex_lock(&lock);
    int found = find(handle, kind) != NULL;
    if (!found) misuses++;
    pthread_mutex_unlock(&lock);
    return found;
}

// The first use of a buffer takes its memory: 0, or why not. With the lock held.
static cl_int touch_locked(const void *handle) {
    entry *buffer = handle ? find(handle, BUFFER) : NULL;
    if (!buffer || buffer->is_used) return CL_SUCCESS;
    if (told.lazy && bytes_used + buffer->size > told.lazy) return CL_MEM_OBJECT_ALLOCATION_FAILURE;
    buffer->is_used = 1;
    bytes_used += buffer->size;
    return CL_SUCCESS;
}

static cl_int touch(const void *handle) {
    pthread_mutex_lock(&lock);
    cl_int status = touch_locked(handle);
    pthread_mutex_unlock(&lock);
    return status;
}

static void remember_argument(const void *handle, cl_uint index, const void *argument) {
    pthread_mutex_lock(&lock);
    entry *kernel = find(handle, KERNEL);
    // A number of eight bytes is no buffer, which shows when it is looked for among them.
    if (kernel && index < ARGUMENTS) kernel->arguments[index] = argument;
    pthread_mutex_unlock(&lock);
}

static cl_int touch_arguments(const void *handle) {
    cl_int status = CL_SUCCESS;
    pthread_mutex_lock(&lock);
    const entry *kernel = find(handle, KERNEL);
    for (int index = 0; kernel && status == CL_SUCCESS && index < ARGUMENTS; index++)
        status = touch_locked(kernel->arguments[index]);
    pthread_mutex_unlock(&lock);
    return status;
}

long faulty_calls(void) { return calls; }
long faulty_commands(void) { return commands; }
long faulty_misuses(void) { return misuses; }

const char *faulty_function(long number) {
    return number >= 1 && number <= calls && number <= 65536 ? functions[number - 1] : "";
}

long faulty_live(void) {
    long owners = 0;
    pthread_mutex_lock(&lock);
    for (size_t index = 0; index < entry_count; index++) owners += entries[index].owners;
    pthread_mutex_unlock(&lock);
    return owners;
}

static int read_word(const char *key, const char *value) {
    struct {
        const char *key;
        fault *place;
    } faults[] = {{"fail", &told.fail}, {"lose", &told.lose}, {"async", &told.async}, {"late", &told.late},
        {"slow", &told.slow}, {"quit", &told.quit}};
    for (size_t index = 0; index < sizeof faults / sizeof *faults; index++)
        if (!strcmp(key, faults[index].key))
            return sscanf(value, "%ld:%d", &faults[index].place->number, &faults[index].place->code) == 2 ? 0 : -1;
    struct {
        const char *key;
        size_t *place;
    } sizes[] = {{"room", &told.room}, {"lazy", &told.lazy}, {"alloc", &told.alloc}, {"global", &told.global},
        {"local", &told.local}, {"group", &told.group}, {"platforms", &told.platforms}, {"devices", &told.devices},
        {"size", &told.size}, {"sizes", &told.sizes}};
    for (size_t index = 0; index < sizeof sizes / sizeof *sizes; index++)
        if (!strcmp(key, sizes[index].key)) return sscanf(value, "%zu", sizes[index].place) == 1 ? 0 : -1;
    if (!strcmp(key, "hang")) return sscanf(value, "%ld", &told.hang) == 1 ? 0 : -1;
    if (!strcmp(key, "alone")) return sscanf(value, "%ld", &told.alone) == 1 ? 0 : -1;
    if (!strcmp(key, "exit")) return sscanf(value, "%ld", &told.exit) == 1 ? 0 : -1;
    if (!strcmp(key, "crash")) return sscanf(value, "%ld", &told.crash) == 1 ? 0 : -1;
    if (!strcmp(key, "silent")) return sscanf(value, "%ld", &told.silent) == 1 ? 0 : -1;
    if (!strcmp(key, "pace")) return sscanf(value, "%ld", &told.pace) == 1 ? 0 : -1;
    if (!strcmp(key, "gone")) return sscanf(value, "%d", &told.is_gone) == 1 ? 0 : -1;
    if (!strcmp(key, "type")) return (told.is_gpu = !strcmp(value, "gpu")) ? 0 : -1;
    char *name = !strcmp(key, "platform") ? told.platform
                 : !strcmp(key, "driver") ? told.driver
                 : !strcmp(key, "device") ? told.device
                                          : NULL;
    if (!name || strlen(value) >= sizeof told.platform) return -1;
    strcpy(name, value);
    return 0;
}

int faulty_configure(const char *specification) {
    memset(&told, 0, sizeof told);
    calls = commands = misuses = 0;
    late_code = hung = dropped = 0;
    struck = NULL;
    char text[1024];
    if (snprintf(text, sizeof text, "%s", specification) >= (int)sizeof text) return -1;
    char *rest = NULL;
    for (char *word = strtok_r(text, ";", &rest); word; word = strtok_r(NULL, ";", &rest)) {
        char *value = strchr(word, '=');
        if (!value) return -1;
        *value++ = 0;
        if (read_word(word, value)) return -1;
    }
    return 0;
}

__attribute__((constructor)) static void load(void) {
    const char *path = getenv("FAULTY_OPENCL_REAL");
    void *library = dlopen(path ? path : "libOpenCL.so.1", RTLD_NOW | RTLD_LOCAL);
#define FIND(name) real.name = library ? (__typeof__(name) *)dlsym(library, #name) : NULL;
    ENTRY_POINTS(FIND)
    const char *specification = getenv("FAULTY_OPENCL");
    if (specification && faulty_configure(specification)) {
        fprintf(stderr, "FAULTY_OPENCL cannot be understood: %s\n", specification);
        abort();
    }
}

// What a call does before anything else: 0, or the code it must return.
static cl_int enter(const char *name) {
    long number = ++calls;
    if (number <= 65536) functions[number - 1] = name;
    if (number == told.fail.number) return told.fail.code;
    if (told.lose.number && number >= told.lose.number) return told.lose.code;
    return CL_SUCCESS;
}

#define ENTER(name)                                        \
    do {                                                   \
        cl_int code = enter(#name);                        \
        if (code != CL_SUCCESS) return code;               \
        if (!real.name) return CL_INVALID_OPERATION;       \
    } while (0)

// The same for functions that return a handle.
#define ENTER_CREATE(name)                                         \
    do {                                                           \
        cl_int code = enter(#name);                                \
        if (code == CL_SUCCESS && !real.name) code = CL_INVALID_OPERATION; \
        if (code != CL_SUCCESS) {                                  \
            if (status) *status = code;                            \
            return NULL;                                           \
        }                                                          \
    } while (0)

static void set_status(cl_int *status, cl_int code) {
    if (status) *status = code;
}

static void wait_for_ever(void) {
    for (;;) pause();
}

// True if the commands of a queue no longer end.
static int is_hung(cl_command_queue queue) { return hung && (!told.alone || queue == struck); }

// The code that a queue has quit with, or 0.
static cl_int quit_code(cl_command_queue queue) {
    if (!told.quit.number || commands + 1 < told.quit.number) return CL_SUCCESS;
    cl_command_queue none = NULL;
    atomic_compare_exchange_strong(&struck, &none, queue);
    return queue == struck ? told.quit.code : CL_SUCCESS;
}

// The beginning of every call that waits for a queue: 0, or the code of a fault that is reported late.
static cl_int before_waiting(cl_command_queue queue) {
    if (is_hung(queue)) wait_for_ever();
    cl_int code = atomic_exchange(&late_code, 0);
    if (code) dropped = 0;
    return code;
}

static cl_int answer(const void *value, size_t length, size_t room, void *place, size_t *size) {
    if (told.size) length = told.size;
    if (size) *size = length;
    if (!place) return CL_SUCCESS;
    if (room < length) return CL_INVALID_VALUE;
    memcpy(place, value, length);
    return CL_SUCCESS;
}

cl_int clGetPlatformIDs(cl_uint room, cl_platform_id *platforms, cl_uint *count) {
    ENTER(clGetPlatformIDs);
    cl_int status = real.clGetPlatformIDs(room, platforms, count);
    if (told.platforms && count) *count = (cl_uint)told.platforms;
    return status;
}

cl_int clGetPlatformInfo(cl_platform_id platform, cl_platform_info what, size_t room, void *value, size_t *size) {
    ENTER(clGetPlatformInfo);
    if (what == CL_PLATFORM_NAME && told.platform[0])
        return answer(told.platform, strlen(told.platform) + 1, room, value, size);
    cl_int status = real.clGetPlatformInfo(platform, what, room, value, size);
    if (told.size && size) *size = told.size;
    return status;
}

cl_int clGetDeviceIDs(cl_platform_id platform, cl_device_type type, cl_uint room, cl_device_id *devices, cl_uint *count) {
    ENTER(clGetDeviceIDs);
    cl_int status = real.clGetDeviceIDs(platform, type, room, devices, count);
    if (told.devices && count) *count = (cl_uint)told.devices;
    return status;
}

cl_int clGetDeviceInfo(cl_device_id device, cl_device_info what, size_t room, void *value, size_t *size) {
    ENTER(clGetDeviceInfo);
    cl_ulong bytes = 0;
    switch (what) {
    case CL_DEVICE_MAX_MEM_ALLOC_SIZE: bytes = told.alloc; break;
    case CL_DEVICE_GLOBAL_MEM_SIZE: bytes = told.global; break;
    case CL_DEVICE_LOCAL_MEM_SIZE: bytes = told.local; break;
    case CL_DEVICE_MAX_WORK_GROUP_SIZE: bytes = told.group; break;
    case CL_DEVICE_TYPE: bytes = told.is_gpu ? CL_DEVICE_TYPE_GPU : 0; break;
    default: break;
    }
    if (bytes) return answer(&bytes, sizeof bytes, room, value, size);
    if (what == CL_DRIVER_VERSION && told.driver[0])
        return answer(told.driver, strlen(told.driver) + 1, room, value, size);
    if (what == CL_DEVICE_NAME && told.device[0])
        return answer(told.device, strlen(told.device) + 1, room, value, size);
    cl_int status = real.clGetDeviceInfo(device, what, room, value, size);
    if (told.size && size) *size = told.size;
    return status;
}

// Contexts: one a device for the life of the process, since programs are kept with it.

#define CONTEXTS 16
static pthread_mutex_t context_lock = PTHREAD_MUTEX_INITIALIZER;
static struct {
    cl_device_id device;
    cl_context context;
} contexts[CONTEXTS];

cl_context clCreateContext(
    const cl_context_properties *properties, cl_uint count, const cl_device_id *devices,
    void(CL_CALLBACK *notify)(const char *, const void *, size_t, void *), void *data, cl_int *status) {
    ENTER_CREATE(clCreateContext);
    if (told.is_gone) return set_status(status, CL_DEVICE_NOT_AVAILABLE), NULL;
    cl_context found = NULL;
    set_status(status, CL_OUT_OF_HOST_MEMORY);
    pthread_mutex_lock(&context_lock);
    for (int index = 0; index < CONTEXTS && !found; index++) {
        if (contexts[index].context && contexts[index].device != devices[0]) continue;
        if (!contexts[index].context) {
            contexts[index].context = real.clCreateContext(properties, count, devices, notify, data, status);
            contexts[index].device = devices[0];
        }
        found = contexts[index].context;
        if (!found) break;
    }
    pthread_mutex_unlock(&context_lock);
    if (!found) return NULL;
    add(found, CONTEXT, 0);
    set_status(status, CL_SUCCESS);
    return found;
}

cl_int clGetContextInfo(cl_context context, cl_context_info what, size_t room, void *value, size_t *size) {
    ENTER(clGetContextInfo);
    if (!is_live(context, CONTEXT)) return CL_INVALID_CONTEXT;
    return real.clGetContextInfo(context, what, room, value, size);
}

cl_int clReleaseContext(cl_context context) {
    int was_live = take(context, CONTEXT);
    cl_int code = enter("clReleaseContext");
    return code ? code : was_live ? CL_SUCCESS : CL_INVALID_CONTEXT;
}

cl_command_queue clCreateCommandQueue(
    cl_context context, cl_device_id device, cl_command_queue_properties properties, cl_int *status) {
    ENTER_CREATE(clCreateCommandQueue);
    if (!is_live(context, CONTEXT)) return set_status(status, CL_INVALID_CONTEXT), NULL;
    cl_command_queue queue = real.clCreateCommandQueue(context, device, properties, status);
    if (queue) add(queue, QUEUE, 0);
    return queue;
}

// A handle whose release "failed" is gone all the same: whoever owned it has done its part.
#define RELEASE(name, handle, kind, invalid)                        \
    do {                                                            \
        int was_live = take(handle, kind);                          \
        cl_int code = enter(#name);                                 \
        cl_int status = was_live ? real.name(handle) : invalid;     \
        return code ? code : status;                                \
    } while (0)

cl_int clReleaseCommandQueue(cl_command_queue queue) {
    RELEASE(clReleaseCommandQueue, queue, QUEUE, CL_INVALID_COMMAND_QUEUE);
}

cl_int clFlush(cl_command_queue queue) {
    ENTER(clFlush);
    if (!is_live(queue, QUEUE)) return CL_INVALID_COMMAND_QUEUE;
    return real.clFlush(queue);
}

cl_int clFinish(cl_command_queue queue) {
    ENTER(clFinish);
    if (!is_live(queue, QUEUE)) return CL_INVALID_COMMAND_QUEUE;
    cl_int code = before_waiting(queue);
    cl_int status = real.clFinish(queue);
    return code ? code : status;
}

cl_mem clCreateBuffer(cl_context context, cl_mem_flags flags, size_t size, void *host, cl_int *status) {
    ENTER_CREATE(clCreateBuffer);
    if (!is_live(context, CONTEXT)) return set_status(status, CL_INVALID_CONTEXT), NULL;
    if (told.room && bytes_made + size > told.room) {
        return set_status(status, CL_MEM_OBJECT_ALLOCATION_FAILURE), NULL;
    }
    cl_mem buffer = real.clCreateBuffer(context, flags, size, host, status);
    if (buffer) add(buffer, BUFFER, size);
    return buffer;
}

cl_int clReleaseMemObject(cl_mem buffer) { RELEASE(clReleaseMemObject, buffer, BUFFER, CL_INVALID_MEM_OBJECT); }

// Events: every one is a wrapper, behind which there may be no real event.

struct event {
    cl_event real;
    cl_int status;
    long milliseconds;
    int is_hung;
};

// What becomes of a command: 1 where it is passed on.
static int accept_command(struct event *made, cl_command_queue queue) {
    long number = ++commands;
    // A driver that gives up takes its process along, and not always by a signal.
    if (number == told.exit) _exit(1);
    if (number == told.crash) raise(SIGKILL);
    *made = (struct event){.status = CL_COMPLETE, .milliseconds = told.pace};
    if (number == told.slow.number) made->milliseconds += told.slow.code;
    if (number == told.async.number) made->status = told.async.code;
    if (number == told.late.number) late_code = told.late.code;
    // What follows would work on memory that was never written, and a processor end the process over it.
    if (number == told.async.number || number == told.late.number) dropped = 1;
    if (number == told.hang) {
        struck = queue;
        hung = 1;
    }
    made->is_hung = is_hung(queue);
    if (told.silent && number >= told.silent) return 0;
    return !dropped && !made->is_hung;
}

static void give_event(cl_event *event, struct event made) {
    if (!event) {
        if (made.real) real.clReleaseEvent(made.real);
        return;
    }
    struct event *given = malloc(sizeof *given);
    if (!given) abort();
    *given = made;
    add(given, EVENT, 0);
    *event = (cl_event)given;
}

// A command on a buffer: CALL is passed on with `&made.real` as its event.
#define COMMAND(name, buffer, waits, call)                                       \
    do {                                                                         \
        ENTER(name);                                                             \
        if (!is_live(queue, QUEUE)) return CL_INVALID_COMMAND_QUEUE;             \
        if ((buffer) && !is_live(buffer, BUFFER)) return CL_INVALID_MEM_OBJECT;  \
        cl_int status = quit_code(queue);                                        \
        if (status != CL_SUCCESS) return status;                                 \
        status = (buffer) ? touch(buffer) : CL_SUCCESS;                          \
        if (status != CL_SUCCESS) return status;                                 \
        struct event made;                                                       \
        int is_passed_on = accept_command(&made, queue);                         \
        if (is_passed_on) status = call;                                         \
        cl_int late = (waits) ? before_waiting(queue) : CL_SUCCESS;              \
        if (status == CL_SUCCESS && late == CL_SUCCESS) give_event(event, made); \
        else if (is_passed_on && made.real) real.clReleaseEvent(made.real);      \
        return status != CL_SUCCESS ? status : late;                             \
    } while (0)

cl_int clEnqueueReadBuffer(
    cl_command_queue queue, cl_mem buffer, cl_bool blocking, size_t offset, size_t size, void *place, cl_uint count,
    const cl_event *list, cl_event *event) {
    COMMAND(clEnqueueReadBuffer, buffer, blocking,
        real.clEnqueueReadBuffer(queue, buffer, blocking, offset, size, place, count, list, &made.real));
}

cl_int clEnqueueWriteBuffer(
    cl_command_queue queue, cl_mem buffer, cl_bool blocking, size_t offset, size_t size, const void *source,
    cl_uint count, const cl_event *list, cl_event *event) {
    COMMAND(clEnqueueWriteBuffer, buffer, blocking,
        real.clEnqueueWriteBuffer(queue, buffer, blocking, offset, size, source, count, list, &made.real));
}

cl_int clEnqueueFillBuffer(
    cl_command_queue queue, cl_mem buffer, const void *pattern, size_t pattern_size, size_t offset, size_t size,
    cl_uint count, const cl_event *list, cl_event *event) {
    COMMAND(clEnqueueFillBuffer, buffer, 0,
        real.clEnqueueFillBuffer(queue, buffer, pattern, pattern_size, offset, size, count, list, &made.real));
}

cl_int clEnqueueMigrateMemObjects(
    cl_command_queue queue, cl_uint number, const cl_mem *buffers, cl_mem_migration_flags flags, cl_uint count,
    const cl_event *list, cl_event *event) {
    // A hint, which takes no memory of a lazy device and does not count as a command.
    ENTER(clEnqueueMigrateMemObjects);
    if (!is_live(queue, QUEUE)) return CL_INVALID_COMMAND_QUEUE;
    if (number != 1 || !is_live(buffers[0], BUFFER)) return CL_INVALID_MEM_OBJECT;
    struct event made = {.is_hung = is_hung(queue)};
    cl_int status = CL_SUCCESS;
    if (!made.is_hung)
        status = real.clEnqueueMigrateMemObjects(queue, number, buffers, flags, count, list, &made.real);
    if (status == CL_SUCCESS) give_event(event, made);
    return status;
}

// Programs: the handle is a wrapper around one that is built once for all who give the same source and options.

struct program {
    char *source;
    char *options;
    cl_context context;
    cl_program real;
};

static struct program **kept;
static size_t kept_count;

static char *copy(const char *text, size_t length) {
    char *made = malloc(length + 1);
    if (!made) abort();
    memcpy(made, text, length);
    made[length] = 0;
    return made;
}

static cl_program give_program(char *source, char *options, cl_context context) {
    struct program *program = malloc(sizeof *program);
    if (!program) abort();
    *program = (struct program){.source = source, .options = options, .context = context};
    add(program, PROGRAM, 0);
    return (cl_program)program;
}

cl_program clCreateProgramWithSource(
    cl_context context, cl_uint count, const char **texts, const size_t *lengths, cl_int *status) {
    ENTER_CREATE(clCreateProgramWithSource);
    if (!is_live(context, CONTEXT)) return set_status(status, CL_INVALID_CONTEXT), NULL;
    if (count != 1) return set_status(status, CL_INVALID_VALUE), NULL;
    set_status(status, CL_SUCCESS);
    return give_program(copy(texts[0], lengths ? lengths[0] : strlen(texts[0])), NULL, context);
}

// A binary is the options and the source, zeros behind each, so that it can be told from another's.
static const char heading[] = "faulty binary";

cl_program clCreateProgramWithBinary(
    cl_context context, cl_uint count, const cl_device_id *devices, const size_t *lengths, const unsigned char **binaries,
    cl_int *binary_status, cl_int *status) {
    (void)devices;
    ENTER_CREATE(clCreateProgramWithBinary);
    if (!is_live(context, CONTEXT)) return set_status(status, CL_INVALID_CONTEXT), NULL;
    const char *text = (const char *)binaries[0];
    size_t length = lengths[0];
    if (count != 1 || length < sizeof heading || memcmp(text, heading, sizeof heading) || text[length - 1]) {
        if (binary_status) *binary_status = CL_INVALID_BINARY;
        return set_status(status, CL_INVALID_BINARY), NULL;
    }
    const char *options = text + sizeof heading;
    const char *source = options + strlen(options) + 1;
    if (binary_status) *binary_status = CL_SUCCESS;
    set_status(status, CL_SUCCESS);
    return give_program(copy(source, strlen(source)), copy(options, strlen(options)), context);
}

static pthread_mutex_t build_lock = PTHREAD_MUTEX_INITIALIZER;

// Builds a program unless it is built already. Called with the lock held.
static cl_int build(
    struct program *program, cl_uint count, const cl_device_id *devices, const char *options,
    void(CL_CALLBACK *notify)(cl_program, void *), void *data) {
    for (size_t index = 0; index < kept_count; index++) {
        if (kept[index]->context == program->context && !strcmp(kept[index]->source, program->source)
            && !strcmp(kept[index]->options, options)) {
            program->real = kept[index]->real;
            return CL_SUCCESS;
        }
    }
    cl_int status = CL_SUCCESS;
    const char *source = program->source;
    cl_program made = real.clCreateProgramWithSource(program->context, 1, &source, NULL, &status);
    if (!made) return status;
    program->real = made;
    status = real.clBuildProgram(made, count, devices, options, notify, data);
    if (status != CL_SUCCESS) return status;
    struct program *memory = malloc(sizeof *memory);
    kept = realloc(kept, (kept_count + 1) * sizeof *kept);
    if (!memory || !kept) abort();
    *memory = (struct program){.source = copy(source, strlen(source)), .options = copy(options, strlen(options)),
        .context = program->context, .real = made};
    kept[kept_count++] = memory;
    return CL_SUCCESS;
}

cl_int clBuildProgram(
    cl_program handle, cl_uint count, const cl_device_id *devices, const char *options,
    void(CL_CALLBACK *notify)(cl_program, void *), void *data) {
    ENTER(clBuildProgram);
    if (!is_live(handle, PROGRAM)) return CL_INVALID_PROGRAM;
    struct program *program = (struct program *)handle;
    if (program->options && strcmp(program->options, options)) return CL_INVALID_BINARY;
    if (!program->options) program->options = copy(options, strlen(options));
    pthread_mutex_lock(&build_lock);
    cl_int status = build(program, count, devices, options, notify, data);
    pthread_mutex_unlock(&build_lock);
    return status;
}

cl_int clGetProgramInfo(cl_program handle, cl_program_info what, size_t room, void *value, size_t *size) {
    ENTER(clGetProgramInfo);
    if (!is_live(handle, PROGRAM)) return CL_INVALID_PROGRAM;
    struct program *program = (struct program *)handle;
    if (!program->options) return CL_INVALID_PROGRAM_EXECUTABLE;
    size_t options = strlen(program->options) + 1, source = strlen(program->source) + 1;
    size_t length = sizeof heading + options + source;
    if (what == CL_PROGRAM_BINARY_SIZES) {
        if (told.sizes) length = told.sizes;
        return answer(&length, sizeof length, room, value, size);
    }
    if (what != CL_PROGRAM_BINARIES || room < sizeof(char *)) return CL_INVALID_VALUE;
    char *place = *(char **)value;
    memcpy(place, heading, sizeof heading);
    memcpy(place + sizeof heading, program->options, options);
    memcpy(place + sizeof heading + options, program->source, source);
    return CL_SUCCESS;
}

cl_int clGetProgramBuildInfo(
    cl_program handle, cl_device_id device, cl_program_build_info what, size_t room, void *value, size_t *size) {
    ENTER(clGetProgramBuildInfo);
    if (!is_live(handle, PROGRAM)) return CL_INVALID_PROGRAM;
    struct program *program = (struct program *)handle;
    if (!program->real) return answer("", 1, room, value, size);
    return real.clGetProgramBuildInfo(program->real, device, what, room, value, size);
}

cl_int clReleaseProgram(cl_program handle) {
    int was_live = take(handle, PROGRAM);
    cl_int code = enter("clReleaseProgram");
    if (!was_live) return code ? code : CL_INVALID_PROGRAM;
    struct program *program = (struct program *)handle;
    free(program->source);
    free(program->options);
    free(program);
    return code;
}

cl_kernel clCreateKernel(cl_program handle, const char *name, cl_int *status) {
    ENTER_CREATE(clCreateKernel);
    if (!is_live(handle, PROGRAM)) return set_status(status, CL_INVALID_PROGRAM), NULL;
    struct program *program = (struct program *)handle;
    if (!program->real) return set_status(status, CL_INVALID_PROGRAM_EXECUTABLE), NULL;
    cl_kernel kernel = real.clCreateKernel(program->real, name, status);
    if (kernel) add(kernel, KERNEL, 0);
    return kernel;
}

cl_int clGetKernelInfo(cl_kernel kernel, cl_kernel_info what, size_t room, void *value, size_t *size) {
    ENTER(clGetKernelInfo);
    if (!is_live(kernel, KERNEL)) return CL_INVALID_KERNEL;
    return real.clGetKernelInfo(kernel, what, room, value, size);
}

cl_int clGetKernelWorkGroupInfo(
    cl_kernel kernel, cl_device_id device, cl_kernel_work_group_info what, size_t room, void *value, size_t *size) {
    ENTER(clGetKernelWorkGroupInfo);
    if (!is_live(kernel, KERNEL)) return CL_INVALID_KERNEL;
    if (what == CL_KERNEL_WORK_GROUP_SIZE && told.group) return answer(&told.group, sizeof told.group, room, value, size);
    return real.clGetKernelWorkGroupInfo(kernel, device, what, room, value, size);
}

cl_int clSetKernelArg(cl_kernel kernel, cl_uint index, size_t size, const void *value) {
    ENTER(clSetKernelArg);
    if (!is_live(kernel, KERNEL)) return CL_INVALID_KERNEL;
    if (value && size == sizeof(cl_mem)) remember_argument(kernel, index, *(void *const *)value);
    return real.clSetKernelArg(kernel, index, size, value);
}

cl_int clReleaseKernel(cl_kernel kernel) { RELEASE(clReleaseKernel, kernel, KERNEL, CL_INVALID_KERNEL); }

cl_int clEnqueueNDRangeKernel(
    cl_command_queue queue, cl_kernel kernel, cl_uint dimensions, const size_t *offset, const size_t *global,
    const size_t *local, cl_uint count, const cl_event *list, cl_event *event) {
    const cl_mem none = NULL;
    if (!is_live(kernel, KERNEL)) return CL_INVALID_KERNEL;
    cl_int room = touch_arguments(kernel);
    if (room != CL_SUCCESS) return room;
    COMMAND(clEnqueueNDRangeKernel, none, 0,
        real.clEnqueueNDRangeKernel(queue, kernel, dimensions, offset, global, local, count, list, &made.real));
}

cl_int clWaitForEvents(cl_uint count, const cl_event *events) {
    ENTER(clWaitForEvents);
    cl_int status = late_code ? before_waiting(NULL) : CL_SUCCESS;
    for (cl_uint index = 0; index < count; index++) {
        if (!is_live(events[index], EVENT)) return CL_INVALID_EVENT;
        struct event *event = (struct event *)events[index];
        if (event->is_hung) wait_for_ever();
        if (event->milliseconds) usleep((useconds_t)event->milliseconds * 1000);
        event->milliseconds = 0;
        cl_int one = event->real ? real.clWaitForEvents(1, &event->real) : CL_SUCCESS;
        if (event->status < 0) {
            one = CL_EXEC_STATUS_ERROR_FOR_EVENTS_IN_WAIT_LIST;
            dropped = 0;
        }
        if (status == CL_SUCCESS) status = one;
    }
    return status;
}

cl_int clGetEventInfo(cl_event handle, cl_event_info what, size_t room, void *value, size_t *size) {
    ENTER(clGetEventInfo);
    if (!is_live(handle, EVENT)) return CL_INVALID_EVENT;
    struct event *event = (struct event *)handle;
    if (event->real) return real.clGetEventInfo(event->real, what, room, value, size);
    if (what != CL_EVENT_COMMAND_EXECUTION_STATUS) return CL_INVALID_VALUE;
    cl_int status = event->is_hung ? CL_SUBMITTED : event->status;
    return answer(&status, sizeof status, room, value, size);
}

cl_int clGetEventProfilingInfo(cl_event handle, cl_profiling_info what, size_t room, void *value, size_t *size) {
    ENTER(clGetEventProfilingInfo);
    if (!is_live(handle, EVENT)) return CL_INVALID_EVENT;
    struct event *event = (struct event *)handle;
    if (!event->real) return CL_PROFILING_INFO_NOT_AVAILABLE;
    return real.clGetEventProfilingInfo(event->real, what, room, value, size);
}

cl_int clReleaseEvent(cl_event handle) {
    int was_live = take(handle, EVENT);
    cl_int code = enter("clReleaseEvent");
    if (!was_live) return code ? code : CL_INVALID_EVENT;
    struct event *event = (struct event *)handle;
    cl_int status = event->real ? real.clReleaseEvent(event->real) : CL_SUCCESS;
    free(event);
    return code ? code : status;
}
