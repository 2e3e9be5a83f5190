#pragma once

// MPI without linking it: cop_mpi_load finds a library at run time, and the other functions call it. Programs built for one
// MPI do not run on another, since each has handles and constants of its own; here they are chosen when the library is
// loaded. Every function returns an int: MPI_SUCCESS (0), a status below, or the library's own code. None prints anything.
// All but cop_mpi_abort are called by one thread, the one that called cop_mpi_start.

#include <stddef.h>
#include <stdint.h>

/// No MPI has been loaded.
#define COP_MPI_LIBRARY_MISSING (-9101)
/// A library was found, and it lacks a function or a symbol.
#define COP_MPI_FUNCTION_MISSING (-9102)
/// A library was found, and its handles and constants are not known here.
#define COP_MPI_UNKNOWN (-9103)
/// There is no memory for a buffer of cop_mpi_gather.
#define COP_MPI_OUT_OF_MEMORY (-9104)

/// Bytes of a library's description of itself, its ending zero included.
#define COP_MPI_VERSION_ROOM 8192
/// Bytes of the text of an error, its ending zero included.
#define COP_MPI_ERROR_ROOM 512

/// The operations of cop_mpi_all_reduce.
enum { COP_MPI_SUM, COP_MPI_MINIMUM, COP_MPI_MAXIMUM };

/// Loads the MPI at `path` (a file, or a name that the dynamic loader looks up): Open MPI, MPICH or a relative of it, or
/// one with the ABI of the MPI 5 standard. When it fails, what was loaded before stays, and `*detail` says why: the
/// loader's words, or the function or symbol that is missing; NULL with COP_MPI_UNKNOWN.
int cop_mpi_load(const char *path, const char **detail);
/// The library's description of itself. May be called before cop_mpi_start.
int cop_mpi_version(char text[COP_MPI_VERSION_ROOM]);

/// Starts MPI for one thread that makes all calls, with errors returned rather than fatal. `*started_before` is 1, and
/// nothing else is done, where this process has started MPI already: that can be done once. `*threads_allowed` is 0 where
/// this MPI does not allow a process with threads.
int cop_mpi_start(int *started_before, int *threads_allowed, int *rank, int *ranks);
/// Ends MPI. Waits for all ranks.
int cop_mpi_end(void);
/// Ends all ranks with an exit code, wherever they are. Hardly ever returns.
int cop_mpi_abort(int code);
/// The text of a status that a call here returned.
int cop_mpi_error_text(int status, char text[COP_MPI_ERROR_ROOM]);

/// Waits until all ranks are here.
int cop_mpi_barrier(void);
/// Copies `count` bytes of rank `root` to all ranks, at most `most` bytes per call of MPI, whose counts are ints.
int cop_mpi_broadcast(void *bytes, int64_t count, int root, int64_t most);
/// Replaces values [count] by their sum (modulo 2^64), minimum or maximum over all ranks, at most `most` bytes per call.
int cop_mpi_all_reduce(int64_t *values, int64_t count, int operation, int64_t most);
/// Brings the parts of all ranks together, one after the other in the order of ranks. `sizes` [ranks] are the bytes of the
/// parts, the same on every rank. `root` has room for their sum at `all`; with a root of -1 every rank has. Moves at most
/// `most` bytes per call, and takes as many more of memory where there is more to move.
int cop_mpi_gather(const void *part, const int64_t *sizes, int root, void *all, int64_t most);
