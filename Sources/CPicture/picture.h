#pragma once

#include "include/cpicture.h"

// What the readers of both formats share.

cpicture_status cpicture_png_inspect(
    const uint8_t *bytes, size_t count, uint64_t max_pixels, cpicture_info *info, char *message);
cpicture_status cpicture_png_decode(
    const uint8_t *bytes, size_t count, const cpicture_info *expected, uint32_t channels, uint8_t *planes, char *message);
cpicture_status cpicture_jpeg_inspect(
    const uint8_t *bytes, size_t count, uint64_t max_pixels, cpicture_info *info, char *message);
cpicture_status cpicture_jpeg_decode(
    const uint8_t *bytes, size_t count, const cpicture_info *expected, uint32_t channels, uint8_t *planes, char *message);

/// The orientation in EXIF's TIFF structure, 1 to 8; 1 where there is none that is valid.
uint8_t cpicture_orientation(const uint8_t *tiff, size_t count);

/// Writes a row of `width` pixels of `stored` samples each into `channels` planes of `plane` bytes each.
void cpicture_write_row(
    const uint8_t *row, uint32_t width, uint32_t stored, uint32_t channels, size_t plane, uint8_t *first);
