// Compares the constants of Sources/CMPI/functions.h with those of one MPI's header. Ends with 1 where one differs.

#ifdef STANDARD_ABI
#include <mpi_abi.h>
#else
#include <mpi.h>
#endif
#include "../../Sources/CMPI/functions.h"

#include <stdint.h>
#include <stdio.h>

static int faults;

static void compare(const char *name, intptr_t here, intptr_t header) {
    if (here == header) return;
    fprintf(stderr, "%s is %#lx here and %#lx in the header\n", name, (long)here, (long)header);
    faults++;
}

#if defined OPEN_MPI_ABI
#define VALUE(symbol, mpich, standard) (intptr_t)&symbol
#define PREFIXED(name) OPEN_MPI_##name
#elif defined MPICH_ABI
#define VALUE(symbol, mpich, standard) mpich
#define PREFIXED(name) MPICH_##name
#else
#define VALUE(symbol, mpich, standard) standard
#define PREFIXED(name) STANDARD_##name
#endif
#define COMPARE(name, constant, symbol, mpich, standard) \
    compare(#constant, VALUE(symbol, mpich, standard), (intptr_t)constant);

int main(void) {
    HANDLES(COMPARE)
    compare("MPI_THREAD_FUNNELED", PREFIXED(FUNNELED), MPI_THREAD_FUNNELED);
    compare("MPI_IN_PLACE", PREFIXED(IN_PLACE), (intptr_t)MPI_IN_PLACE);
#ifdef MPICH_ABI
    compare("the size of a handle", sizeof(int), sizeof(MPI_Comm));
#else
    compare("the size of a handle", sizeof(void *), sizeof(MPI_Comm));
#endif
    return faults > 0;
}
