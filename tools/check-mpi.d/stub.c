// A library with the names of MPI that is none of those known: its description is of another one.

#include <string.h>

#define STUB(name) \
    int name(void) { return 0; }

STUB(MPI_Init_thread)
STUB(MPI_Initialized)
STUB(MPI_Finalize)
STUB(MPI_Abort)
STUB(MPI_Comm_rank)
STUB(MPI_Comm_size)
STUB(MPI_Comm_set_errhandler)
STUB(MPI_Error_string)
STUB(MPI_Barrier)
STUB(MPI_Bcast)
STUB(MPI_Allreduce)
STUB(MPI_Allgatherv)
#ifndef WITHOUT_GATHERV
STUB(MPI_Gatherv)
#endif

int MPI_Get_library_version(char *text, int *length) {
    strcpy(text, "An MPI of its own kind");
    *length = (int)strlen(text);
    return 0;
}
