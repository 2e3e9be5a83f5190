// Two functions of libquadmath, the only ones that Fortran's library takes here: they read and write numbers of 128 bits,
// which LAPACK has none of. With these in their place the LGPL's library need not be in the program.

#include <stddef.h>

__attribute__((visibility("hidden"))) int quadmath_snprintf(char *text, size_t size, const char *format, ...) {
    (void)format;
    if (size) *text = 0;
    return 0;
}

__attribute__((visibility("hidden"))) __float128 strtoflt128(const char *text, char **end) {
    if (end) *end = (char *)text;
    return 0;
}
