#pragma once

// A stand-in for libOpenCL.so.1 that passes every call on to the real one and misbehaves as it is told. The program
// under test loads it through COPPICE_OPENCL_LIBRARY; tests that run in the same process find the functions below with
// dlsym.
//
// A specification is a list of words, separated by ';', in $FAULTY_OPENCL or given to faulty_configure:
//   fail=N:CODE      the N-th call, counted from 1, does nothing and returns CODE
//   lose=N:CODE      every call from the N-th on does so: a device that is gone
//   async=N:CODE     the N-th command is accepted and never run, nor are those behind it; its event ends with CODE, theirs
//                    are fine, and clFinish knows nothing of it. Once its event was waited for, all is well again
//   late=N:CODE      the same, but its event is fine too, and the next call that waits returns CODE
//   silent=N         no command from the N-th on is run, and nobody ever says so
//   hang=N           the N-th command never ends, nor does a call that waits for it
//   alone=1          hang=N strikes the queue of the N-th command, and no other
//   quit=N:CODE      every command of the N-th command's queue returns CODE from there on: one device of several is gone
//   exit=N           the process ends with status 1 at the N-th command
//   crash=N          a signal ends it there
//   slow=N:MS        the N-th command takes MS milliseconds longer
//   pace=MS          every command does
//   room=BYTES       clCreateBuffer fails when more than BYTES would be in use
//   lazy=BYTES       clCreateBuffer never fails for want of room; the first use of a buffer beyond BYTES does
//   alloc=, global=, local=, group=N    what the device says of its largest buffer, memory, local memory, work-groups
//   gone=1           the device is listed, and not there when a context is to be made
//   type=gpu         what the device says it is
//   platform=, driver=, device=NAME     names that it goes by
//   platforms=N, devices=N, size=N, sizes=N    a count of platforms or devices, a size of every answer, of a binary
// Programs are kept from one context to the next, so that building them again costs nothing.

/// Starts over under `specification`: counts from zero, with nothing of earlier faults left. 0, or -1 for a word that is
/// none.
int faulty_configure(const char *specification);
/// The number of calls so far.
long faulty_calls(void);
/// The number of commands put into queues so far.
long faulty_commands(void);
/// The number of handles that were created and not released.
long faulty_live(void);
/// The number of calls with a handle that was released before, or never was one.
long faulty_misuses(void);
/// The name of the function that call `number` was to, of the first 65536; "" for calls that were not made.
const char *faulty_function(long number);
