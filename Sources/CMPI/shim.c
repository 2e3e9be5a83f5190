#include "CMPI.h"
#include "functions.h"

#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>

typedef void (*any_function)(void);

#define MEMBER(name) any_function name;
static struct {
    FUNCTIONS(MEMBER)
} functions;
#undef MEMBER

static void *in_place;
static int funneled;
static int has_integers;
static int own_rank, rank_count;

#define HANDLE int
#define NAMED(name) integer_##name
#include "calls.h"
#undef HANDLE
#undef NAMED

#define HANDLE void *
#define NAMED(name) pointer_##name
#include "calls.h"
#undef HANDLE
#undef NAMED

// A call with handles of the type that the loaded library has.
#define CHOOSE(name, ...) (has_integers ? integer_##name(__VA_ARGS__) : pointer_##name(__VA_ARGS__))

// MPICH and those that keep its ABI name themselves in their descriptions. Others whose libraries have the same file names,
// HPE's for one, have other handles.
static int is_mpich(const char *version) {
    static const char *const relatives[] = {"MPICH", "Intel(R) MPI", "MVAPICH", "ParaStation"};
    for (size_t index = 0; index < sizeof relatives / sizeof relatives[0]; index++)
        if (strstr(version, relatives[index])) return 1;
    return 0;
}

static int version_text(any_function function, char text[COP_MPI_VERSION_ROOM]) {
    int length = 0;
    memset(text, 0, COP_MPI_VERSION_ROOM);
    const int status = ((int (*)(char *, int *))function)(text, &length);
    text[COP_MPI_VERSION_ROOM - 1] = 0;
    return status;
}

int cop_mpi_load(const char *path, const char **detail) {
    *detail = NULL;
    void *library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    if (library == NULL) {
        *detail = dlerror();
        return COP_MPI_LIBRARY_MISSING;
    }
    __typeof__(functions) found;
#define FIND(name)                                       \
    found.name = (any_function)dlsym(library, #name);    \
    if (found.name == NULL) {                            \
        dlclose(library);                                \
        *detail = #name;                                 \
        return COP_MPI_FUNCTION_MISSING;                 \
    }
    FUNCTIONS(FIND)
#undef FIND
    // A library with the standard ABI says so; one that has another ABI answers -1, or has no such function. Open MPI's
    // library of the standard ABI may load its common one, so this is asked first.
    int major = -1, minor = -1;
    int (*abi_version)(int *, int *) = (int (*)(int *, int *))dlsym(library, "MPI_Abi_get_version");
    if (abi_version && abi_version(&major, &minor) == 0 && major == 1) {
#define TAKE(name, constant, symbol, mpich, standard) pointer_known.name = (void *)(intptr_t)standard;
        HANDLES(TAKE)
#undef TAKE
        has_integers = 0;
        funneled = STANDARD_FUNNELED;
        in_place = (void *)(intptr_t)STANDARD_IN_PLACE;
    } else if (dlsym(library, "ompi_mpi_comm_world")) {
        pointer_handles handles;
#define TAKE(name, constant, symbol, mpich, standard)       \
    handles.name = dlsym(library, #symbol);       \
    if (handles.name == NULL) {                   \
        dlclose(library);                         \
        *detail = #symbol;                        \
        return COP_MPI_FUNCTION_MISSING;          \
    }
        HANDLES(TAKE)
#undef TAKE
        // Its plugins may look for its symbols among those of the whole program.
        dlopen(path, RTLD_NOW | RTLD_GLOBAL | RTLD_NOLOAD);
        pointer_known = handles;
        has_integers = 0;
        funneled = OPEN_MPI_FUNNELED;
        in_place = (void *)(intptr_t)OPEN_MPI_IN_PLACE;
    } else {
        char version[COP_MPI_VERSION_ROOM];
        if (version_text(found.MPI_Get_library_version, version) != 0 || !is_mpich(version)) {
            dlclose(library);
            return COP_MPI_UNKNOWN;
        }
#define TAKE(name, constant, symbol, mpich, standard) integer_known.name = mpich;
        HANDLES(TAKE)
#undef TAKE
        has_integers = 1;
        funneled = MPICH_FUNNELED;
        in_place = (void *)(intptr_t)MPICH_IN_PLACE;
    }
    functions = found;
    return 0;
}

int cop_mpi_version(char text[COP_MPI_VERSION_ROOM]) {
    if (!functions.MPI_Get_library_version) return COP_MPI_LIBRARY_MISSING;
    return version_text(functions.MPI_Get_library_version, text);
}

int cop_mpi_start(int *started_before, int *threads_allowed, int *rank, int *ranks) {
    if (!functions.MPI_Init_thread) return COP_MPI_LIBRARY_MISSING;
    int provided = 0;
    int status = ((int (*)(int *))functions.MPI_Initialized)(started_before);
    if (status != 0 || *started_before) return status;
    status = ((int (*)(int *, char ***, int, int *))functions.MPI_Init_thread)(NULL, NULL, funneled, &provided);
    if (status != 0) return status;
    *threads_allowed = provided >= funneled;
    status = CHOOSE(return_errors);
    if (status == 0) status = CHOOSE(rank, &own_rank);
    if (status == 0) status = CHOOSE(ranks, &rank_count);
    *rank = own_rank;
    *ranks = rank_count;
    return status;
}

int cop_mpi_end(void) {
    return functions.MPI_Finalize ? ((int (*)(void))functions.MPI_Finalize)() : COP_MPI_LIBRARY_MISSING;
}

int cop_mpi_abort(int code) {
    return functions.MPI_Abort ? CHOOSE(abort, code) : COP_MPI_LIBRARY_MISSING;
}

int cop_mpi_error_text(int status, char text[COP_MPI_ERROR_ROOM]) {
    int length = 0;
    memset(text, 0, COP_MPI_ERROR_ROOM);
    if (!functions.MPI_Error_string) return COP_MPI_LIBRARY_MISSING;
    const int outcome = ((int (*)(int, char *, int *))functions.MPI_Error_string)(status, text, &length);
    text[COP_MPI_ERROR_ROOM - 1] = 0;
    return outcome;
}

int cop_mpi_barrier(void) {
    return functions.MPI_Barrier ? CHOOSE(barrier) : COP_MPI_LIBRARY_MISSING;
}

static int64_t least(int64_t a, int64_t b) { return a < b ? a : b; }

int cop_mpi_broadcast(void *bytes, int64_t count, int root, int64_t most) {
    if (!functions.MPI_Bcast) return COP_MPI_LIBRARY_MISSING;
    int status = 0;
    for (int64_t start = 0; start < count && status == 0; start += most)
        status = CHOOSE(broadcast, (char *)bytes + start, (int)least(most, count - start), root);
    return status;
}

int cop_mpi_all_reduce(int64_t *values, int64_t count, int operation, int64_t most) {
    if (!functions.MPI_Allreduce) return COP_MPI_LIBRARY_MISSING;
    const int64_t piece = most >= 8 ? most / 8 : 1;
    int status = 0;
    for (int64_t start = 0; start < count && status == 0; start += piece)
        status = CHOOSE(all_reduce, values + start, (int)least(piece, count - start), operation);
    return status;
}

int cop_mpi_gather(const void *part, const int64_t *sizes, int root, void *all, int64_t most) {
    if (!functions.MPI_Gatherv) return COP_MPI_LIBRARY_MISSING;
    const int receives = root < 0 || root == own_rank;
    int64_t total = 0, longest = 0;
    for (int rank = 0; rank < rank_count; rank++) {
        total += sizes[rank];
        if (sizes[rank] > longest) longest = sizes[rank];
    }
    // All that fits into one call goes straight to its place. More goes in rounds, a piece of every part in each, through
    // memory of its own:
    // offsets are ints, and count from the start of what is received.
    const int direct = total <= most;
    const int64_t piece = direct ? longest : most >= rank_count ? most / rank_count : 1;
    int *counts = calloc(2 * (size_t)rank_count, sizeof(int));
    char *round = direct || !receives ? NULL : malloc((size_t)(piece * rank_count));
    int status = counts == NULL || (round == NULL && receives && !direct) ? COP_MPI_OUT_OF_MEMORY : 0;
    for (int64_t start = 0; start < longest && status == 0; start += piece) {
        int *offsets = counts + rank_count;
        int used = 0;
        for (int rank = 0; rank < rank_count; rank++) {
            const int64_t left = sizes[rank] - start;
            counts[rank] = left > 0 ? (int)least(left, piece) : 0;
            offsets[rank] = used;
            used += counts[rank];
        }
        const int count = counts[own_rank];
        status = CHOOSE(
            gather, count > 0 ? (const char *)part + start : part, count, direct ? all : round, counts, offsets, root);
        if (status != 0 || direct || !receives) continue;
        char *place = all;
        for (int rank = 0; rank < rank_count; rank++) {
            if (counts[rank] > 0) memcpy(place + start, round + offsets[rank], (size_t)counts[rank]);
            place += sizes[rank];
        }
    }
    free(round);
    free(counts);
    return status;
}
