#include "picture.h"

#include <stdio.h>
#include <string.h>

#include <jpeglib.h>
#include <png.h>

#define TEXT_OF(x) #x
#define TEXT(x) TEXT_OF(x)

static const uint8_t png_signature[8] = {0x89, 'P', 'N', 'G', '\r', '\n', 0x1a, '\n'};
static const uint8_t jpeg_signature[3] = {0xff, 0xd8, 0xff};

typedef enum { FOREIGN, PNG, JPEG, CUT_SHORT } format;

/// What the bytes begin like; CUT_SHORT where they are all there is of a signature.
static format format_of(const uint8_t *bytes, size_t count) {
    if (count >= sizeof png_signature && memcmp(bytes, png_signature, sizeof png_signature) == 0) return PNG;
    if (count >= sizeof jpeg_signature && memcmp(bytes, jpeg_signature, sizeof jpeg_signature) == 0) return JPEG;
    if (count > 0 && count < sizeof png_signature && memcmp(bytes, png_signature, count) == 0) return CUT_SHORT;
    if (count > 0 && count < sizeof jpeg_signature && memcmp(bytes, jpeg_signature, count) == 0) return CUT_SHORT;
    return FOREIGN;
}

cpicture_status cpicture_inspect(
    const uint8_t *bytes, size_t count, uint64_t max_pixels, cpicture_info *info, char message[CPICTURE_MESSAGE]) {
    *info = (cpicture_info){.orientation = 1};
    message[0] = 0;
    switch (format_of(bytes, count)) {
    case PNG: return cpicture_png_inspect(bytes, count, max_pixels, info, message);
    case JPEG: return cpicture_jpeg_inspect(bytes, count, max_pixels, info, message);
    case CUT_SHORT: return CPICTURE_TRUNCATED;
    case FOREIGN: break;
    }
    return CPICTURE_FOREIGN;
}

cpicture_status cpicture_decode(
    const uint8_t *bytes, size_t count, const cpicture_info *expected, uint32_t channels, uint8_t *planes,
    char message[CPICTURE_MESSAGE]) {
    message[0] = 0;
    if (channels != 3 && (channels != 1 || expected->channels != 1)) return CPICTURE_CHANGED;
    switch (format_of(bytes, count)) {
    case PNG: return cpicture_png_decode(bytes, count, expected, channels, planes, message);
    case JPEG: return cpicture_jpeg_decode(bytes, count, expected, channels, planes, message);
    case CUT_SHORT: return CPICTURE_TRUNCATED;
    case FOREIGN: break;
    }
    return CPICTURE_FOREIGN;
}

const char *cpicture_libraries(void) {
    return "libpng " PNG_LIBPNG_VER_STRING ", libjpeg "
#ifdef LIBJPEG_TURBO_VERSION_NUMBER
           "turbo " TEXT(LIBJPEG_TURBO_VERSION_NUMBER);
#else
           TEXT(JPEG_LIB_VERSION);
#endif
}

uint8_t cpicture_orientation(const uint8_t *tiff, size_t count) {
    if (count < 8) return 1;
    int is_big = tiff[0] == 'M' && tiff[1] == 'M';
    if (!is_big && !(tiff[0] == 'I' && tiff[1] == 'I')) return 1;
#define SHORT(at) (is_big ? (uint32_t)tiff[at] << 8 | tiff[(at) + 1] : (uint32_t)tiff[(at) + 1] << 8 | tiff[at])
    uint32_t first = is_big ? SHORT(4) << 16 | SHORT(6) : SHORT(6) << 16 | SHORT(4);
    if (SHORT(2) != 42 || first > count - 2) return 1;
    uint32_t entries = SHORT(first);
    for (uint32_t entry = 0; entry < entries; entry++) {
        size_t at = (size_t)first + 2 + 12 * (size_t)entry;
        if (at + 12 > count) return 1;
        // Tag 0x112, a value of type SHORT.
        if (SHORT(at) != 0x112 || SHORT(at + 2) != 3) continue;
        uint32_t value = SHORT(at + 8);
        return value >= 1 && value <= 8 ? (uint8_t)value : 1;
    }
#undef SHORT
    return 1;
}

void cpicture_write_row(
    const uint8_t *restrict row, uint32_t width, uint32_t stored, uint32_t channels, size_t plane,
    uint8_t *restrict first) {
    if (stored == 1) {
        for (uint32_t channel = 0; channel < channels; channel++) memcpy(first + channel * plane, row, width);
        return;
    }
    uint8_t *restrict second = first + plane, *restrict third = first + 2 * plane;
    for (uint32_t x = 0; x < width; x++) {
        first[x] = row[3 * x];
        second[x] = row[3 * x + 1];
        third[x] = row[3 * x + 2];
    }
}
