// The calls of MPI that take handles, for one type of handles. shim.c includes this file twice: MPICH's handles are ints,
// those of Open MPI and of the standard ABI are pointers.
// Defines that it wants: HANDLE, the type, and NAMED(name), the name with a suffix for that type.

typedef struct {
#define MEMBER(name, constant, symbol, mpich, standard) HANDLE name;
    HANDLES(MEMBER)
#undef MEMBER
} NAMED(handles);

static NAMED(handles) NAMED(known);

#define CALL(function, ...) ((int (*)(__VA_ARGS__))functions.function)

static int NAMED(return_errors)(void) {
    return CALL(MPI_Comm_set_errhandler, HANDLE, HANDLE)(NAMED(known).world, NAMED(known).errors_return);
}

static int NAMED(rank)(int *rank) {
    return CALL(MPI_Comm_rank, HANDLE, int *)(NAMED(known).world, rank);
}

static int NAMED(ranks)(int *ranks) {
    return CALL(MPI_Comm_size, HANDLE, int *)(NAMED(known).world, ranks);
}

static int NAMED(abort)(int code) {
    return CALL(MPI_Abort, HANDLE, int)(NAMED(known).world, code);
}

static int NAMED(barrier)(void) {
    return CALL(MPI_Barrier, HANDLE)(NAMED(known).world);
}

static int NAMED(broadcast)(void *bytes, int count, int root) {
    return CALL(MPI_Bcast, void *, int, HANDLE, int, HANDLE)(
        bytes, count, NAMED(known).byte, root, NAMED(known).world);
}

static int NAMED(all_reduce)(int64_t *values, int count, int operation) {
    HANDLE chosen = operation == COP_MPI_SUM       ? NAMED(known).sum
                    : operation == COP_MPI_MINIMUM ? NAMED(known).minimum
                                                   : NAMED(known).maximum;
    // Sums wrap around, which signed ones need not. Extremes are of signed numbers: MPICH 4.0.2 and Open MPI 4.1.2 take
    // unsigned ones for signed (pmodels/mpich 6083, open-mpi/ompi 10525).
    HANDLE type = operation == COP_MPI_SUM ? NAMED(known).uint64 : NAMED(known).int64;
    return CALL(MPI_Allreduce, const void *, void *, int, HANDLE, HANDLE, HANDLE)(
        in_place, values, count, type, chosen, NAMED(known).world);
}

static int NAMED(gather)(
    const void *part, int count, void *all, const int *counts, const int *offsets, int root) {
    HANDLE byte = NAMED(known).byte;
    if (root < 0)
        return CALL(MPI_Allgatherv, const void *, int, HANDLE, void *, const int *, const int *, HANDLE, HANDLE)(
            part, count, byte, all, counts, offsets, byte, NAMED(known).world);
    return CALL(MPI_Gatherv, const void *, int, HANDLE, void *, const int *, const int *, HANDLE, int, HANDLE)(
        part, count, byte, all, counts, offsets, byte, root, NAMED(known).world);
}

#undef CALL
