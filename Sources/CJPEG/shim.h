// libjpeg's header uses FILE and size_t without including what has them.
#include <stddef.h>
#include <stdio.h>
#include <jpeglib.h>
