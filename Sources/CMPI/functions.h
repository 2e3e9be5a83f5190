#pragma once

// Every function of MPI that the program calls.
#define FUNCTIONS(X)            \
    X(MPI_Init_thread)          \
    X(MPI_Initialized)          \
    X(MPI_Finalize)             \
    X(MPI_Abort)                \
    X(MPI_Comm_rank)            \
    X(MPI_Comm_size)            \
    X(MPI_Comm_set_errhandler)  \
    X(MPI_Error_string)         \
    X(MPI_Get_library_version)  \
    X(MPI_Barrier)              \
    X(MPI_Bcast)                \
    X(MPI_Allreduce)            \
    X(MPI_Allgatherv)           \
    X(MPI_Gatherv)

// The handles that it uses: the constant, the symbol whose address it is in Open MPI (4.1, mpi.h), the number that it is in
// MPICH and its relatives (4.0, mpi.h), and the number in the ABI of the MPI 5 standard (mpi_abi.h). tools/check-mpi compares
// all of them with those headers.
#define HANDLES(X)                                                                  \
    X(world, MPI_COMM_WORLD, ompi_mpi_comm_world, 0x44000000, 0x101)                \
    X(byte, MPI_BYTE, ompi_mpi_byte, 0x4c00010d, 0x247)                             \
    X(uint64, MPI_UINT64_T, ompi_mpi_uint64_t, 0x4c00083e, 0x259)                   \
    X(int64, MPI_INT64_T, ompi_mpi_int64_t, 0x4c00083a, 0x258)                      \
    X(sum, MPI_SUM, ompi_mpi_op_sum, 0x58000003, 0x21)                              \
    X(minimum, MPI_MIN, ompi_mpi_op_min, 0x58000002, 0x22)                          \
    X(maximum, MPI_MAX, ompi_mpi_op_max, 0x58000001, 0x23)                          \
    X(errors_return, MPI_ERRORS_RETURN, ompi_mpi_errors_return, 0x54000001, 0x143)

// MPI_THREAD_FUNNELED and MPI_IN_PLACE in each of them.
#define OPEN_MPI_FUNNELED 1
#define MPICH_FUNNELED 1
#define STANDARD_FUNNELED 1024
#define OPEN_MPI_IN_PLACE 1
#define MPICH_IN_PLACE (-1)
#define STANDARD_IN_PLACE 1
