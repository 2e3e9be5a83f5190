// For a program that runs on an older glibc than it is built on. The C++ library of Debian 12 takes arc4random from glibc
// 2.36; nothing else in the program is newer than 2.35, which is what Ubuntu 22.04 has.

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/random.h>

__attribute__((visibility("hidden"))) uint32_t arc4random(void) {
    uint32_t value;
    while (getrandom(&value, sizeof value, 0) != sizeof value) {
        // As glibc's: without a source of random numbers there is nothing to go on with.
        if (errno != EINTR) abort();
    }
    return value;
}
