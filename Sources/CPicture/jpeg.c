#include "picture.h"

#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// In this order: the codes of jerror.h depend on how the library was built.
#include <jpeglib.h>

#include <jerror.h>

/// Scans after which a progressive picture is a trap: usual ones have ten, and each costs a pass over the whole picture.
#define MOST_SCANS 200

/// A decompression: what it is given, and what its callbacks need.
typedef struct {
    struct jpeg_decompress_struct info;
    struct jpeg_error_mgr errors;
    struct jpeg_progress_mgr progress;
    jmp_buf jump;
    cpicture_status status;
    char *message;
    const uint8_t *bytes;
    size_t count;
    uint8_t *row;
} reader;

/// Ends the decompression where it is.
static _Noreturn void stop(reader *reader, cpicture_status status, const char *message) {
    reader->status = status;
    if (message) snprintf(reader->message, CPICTURE_MESSAGE, "%s", message);
    longjmp(reader->jump, 1);
}

/// Ends it with what the library has to say.
static _Noreturn void stop_with_text(j_common_ptr info, cpicture_status status) {
    char text[JMSG_LENGTH_MAX];
    info->err->format_message(info, text);
    stop(info->client_data, status, text);
}

static void error_exit(j_common_ptr info) {
    switch (info->err->msg_code) {
    case JERR_OUT_OF_MEMORY: stop(info->client_data, CPICTURE_NO_MEMORY, NULL);
    case JERR_INPUT_EMPTY:
    case JERR_INPUT_EOF: stop(info->client_data, CPICTURE_TRUNCATED, NULL);
    case JERR_SOF_UNSUPPORTED:
    case JERR_BAD_PRECISION:
    case JERR_NOT_COMPILED:
    case JERR_ARITH_NOTIMPL:
    case JERR_COMPONENT_COUNT:
    case JERR_CONVERSION_NOTIMPL: stop_with_text(info, CPICTURE_UNSUPPORTED);
    default: stop_with_text(info, CPICTURE_DAMAGED);
    }
}

/// Of the library's warnings, those after which it makes pixels up end the decompression.
static void emit_message(j_common_ptr info, int level) {
    if (level >= 0) return;
    switch (info->err->msg_code) {
    case JWRN_JPEG_EOF: stop(info->client_data, CPICTURE_TRUNCATED, NULL);
    case JWRN_HIT_MARKER:
    case JWRN_HUFF_BAD_CODE:
    case JWRN_ARITH_BAD_CODE:
    case JWRN_MUST_RESYNC:
    case JWRN_NOT_SEQUENTIAL:
    case JWRN_BOGUS_PROGRESSION: stop_with_text(info, CPICTURE_DAMAGED);
    default: return;
    }
}

static void watch_scans(j_common_ptr info) {
    if (((j_decompress_ptr)info)->input_scan_number > MOST_SCANS)
        stop(info->client_data, CPICTURE_UNSUPPORTED, "it has more than 200 scans");
}

/// Reads the header. May jump.
static void begin(reader *reader, int keeps_exif) {
    struct jpeg_decompress_struct *info = &reader->info;
    jpeg_create_decompress(info);
    reader->progress.progress_monitor = watch_scans;
    info->progress = &reader->progress;
    jpeg_mem_src(info, reader->bytes, reader->count);
    if (keeps_exif) jpeg_save_markers(info, JPEG_APP0 + 1, 0xffff);
    jpeg_read_header(info, TRUE);
    switch (info->jpeg_color_space) {
    case JCS_GRAYSCALE: info->out_color_space = JCS_GRAYSCALE; break;
    case JCS_RGB:
    case JCS_YCbCr: info->out_color_space = JCS_RGB; break;
    case JCS_CMYK:
    case JCS_YCCK: stop(reader, CPICTURE_CMYK, NULL);
    default: stop(reader, CPICTURE_UNSUPPORTED, "its colours are neither grey nor RGB nor YCbCr");
    }
}

/// May jump.
static void inspect(reader *reader, uint64_t max_pixels, cpicture_info *found) {
    static const char exif[] = "Exif\0";
    begin(reader, 1);
    struct jpeg_decompress_struct *info = &reader->info;
    found->width = info->image_width;
    found->height = info->image_height;
    found->channels = info->out_color_space == JCS_GRAYSCALE ? 1 : 3;
    if ((uint64_t)found->width * found->height > max_pixels) stop(reader, CPICTURE_TOO_LARGE, NULL);
    for (jpeg_saved_marker_ptr marker = info->marker_list; marker; marker = marker->next) {
        // Its name takes two zeros.
        if (marker->data_length < sizeof exif || memcmp(marker->data, exif, sizeof exif) != 0) continue;
        found->orientation =
            cpicture_orientation(marker->data + sizeof exif, marker->data_length - sizeof exif);
        break;
    }
}

/// May jump.
static void decode(reader *reader, const cpicture_info *expected, uint32_t channels, uint8_t *planes) {
    begin(reader, 0);
    struct jpeg_decompress_struct *info = &reader->info;
    uint32_t stored = info->out_color_space == JCS_GRAYSCALE ? 1 : 3;
    if (info->image_width != expected->width || info->image_height != expected->height || stored != expected->channels)
        stop(reader, CPICTURE_CHANGED, NULL);
    reader->row = malloc((size_t)info->image_width * stored);
    if (!reader->row) stop(reader, CPICTURE_NO_MEMORY, NULL);
    jpeg_start_decompress(info);
    size_t plane = (size_t)expected->width * expected->height;
    while (info->output_scanline < info->output_height) {
        size_t y = info->output_scanline;
        JSAMPROW row = reader->row;
        if (jpeg_read_scanlines(info, &row, 1) != 1) stop(reader, CPICTURE_TRUNCATED, NULL);
        cpicture_write_row(row, expected->width, stored, channels, plane, planes + y * expected->width);
    }
    // Reads on to the end marker, so that a file without it is found out.
    jpeg_finish_decompress(info);
}

/// Makes a reader's callbacks its own.
static void prepare(reader *reader, const uint8_t *bytes, size_t count, char *message) {
    memset(reader, 0, sizeof *reader);
    reader->bytes = bytes;
    reader->count = count;
    reader->message = message;
    reader->info.err = jpeg_std_error(&reader->errors);
    reader->errors.error_exit = error_exit;
    reader->errors.emit_message = emit_message;
    reader->info.client_data = reader;
}

static cpicture_status finish(reader *reader) {
    jpeg_destroy_decompress(&reader->info);
    free(reader->row);
    return reader->status;
}

// Jumps end here, where no variable has changed since: all that does is in the reader, which the caller has.

static void run_inspect(reader *reader, uint64_t max_pixels, cpicture_info *found) {
    if (setjmp(reader->jump) == 0) inspect(reader, max_pixels, found);
}

static void run_decode(reader *reader, const cpicture_info *expected, uint32_t channels, uint8_t *planes) {
    if (setjmp(reader->jump) == 0) decode(reader, expected, channels, planes);
}

cpicture_status cpicture_jpeg_inspect(
    const uint8_t *bytes, size_t count, uint64_t max_pixels, cpicture_info *info, char *message) {
    reader reader;
    prepare(&reader, bytes, count, message);
    run_inspect(&reader, max_pixels, info);
    return finish(&reader);
}

cpicture_status cpicture_jpeg_decode(
    const uint8_t *bytes, size_t count, const cpicture_info *expected, uint32_t channels, uint8_t *planes,
    char *message) {
    reader reader;
    prepare(&reader, bytes, count, message);
    run_decode(&reader, expected, channels, planes);
    return finish(&reader);
}
