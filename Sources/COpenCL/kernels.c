#include "COpenCL.h"

// The kernel files inside the program, in alphabetical order. A new file in Kernels/ needs one entry here: copy one,
// change the name in its two places.
static const cop_kernel_source sources[] = {
    {"common", (const char *)(const unsigned char[]){
#embed "../../Kernels/common.clh" suffix(, 0)
    }},
};

size_t cop_kernel_count(void) {
    return sizeof sources / sizeof sources[0];
}

const cop_kernel_source *cop_kernel_at(size_t index) {
    return index < cop_kernel_count() ? &sources[index] : NULL;
}
