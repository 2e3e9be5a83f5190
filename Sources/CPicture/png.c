#include "picture.h"

#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <png.h>

/// A reading of a PNG: what it is given, and what its callbacks need.
typedef struct {
    png_structp png;
    png_infop info;
    jmp_buf jump;
    cpicture_status status;
    char *message;
    const uint8_t *bytes;
    size_t count, position;
    /// Frames that an acTL chunk announces.
    uint32_t frames;
    uint8_t orientation;
    /// A row, or of an interlaced picture all of them.
    uint8_t *rows;
} reader;

/// Ends the reading where it is.
static _Noreturn void stop(reader *reader, cpicture_status status, const char *message) {
    reader->status = status;
    if (message) snprintf(reader->message, CPICTURE_MESSAGE, "%s", message);
    longjmp(reader->jump, 1);
}

static void fail(png_structp png, png_const_charp message) {
    stop(png_get_error_ptr(png), CPICTURE_DAMAGED, message);
}

/// What is only warned of changes no pixel.
static void warn(png_structp png, png_const_charp message) { (void)png, (void)message; }

static void read_bytes(png_structp png, png_bytep target, size_t count) {
    reader *reader = png_get_io_ptr(png);
    if (count > reader->count - reader->position) stop(reader, CPICTURE_TRUNCATED, NULL);
    memcpy(target, reader->bytes + reader->position, count);
    reader->position += count;
}

static uint32_t big_endian(const uint8_t *bytes) {
    return (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 | (uint32_t)bytes[2] << 8 | bytes[3];
}

/// Looks at the two chunks that are asked for by name; what comes of any other is dropped.
static int take_chunk(png_structp png, png_unknown_chunkp chunk) {
    reader *reader = png_get_user_chunk_ptr(png);
    if (memcmp(chunk->name, "acTL", 4) == 0 && chunk->size >= 4) reader->frames = big_endian(chunk->data);
    if (memcmp(chunk->name, "eXIf", 4) == 0) reader->orientation = cpicture_orientation(chunk->data, chunk->size);
    return 1;
}

/// Reads everything before the pixels. May jump.
static void begin(reader *reader) {
    // The chunks that are of no use here, of which some would have to be inflated first.
    static const png_byte dropped[] = "iCCP\0iTXt\0tEXt\0zTXt\0sPLT\0hIST\0tIME";
    static const png_byte taken[] = "acTL\0eXIf";
    reader->png = png_create_read_struct(PNG_LIBPNG_VER_STRING, reader, fail, warn);
    if (!reader->png) stop(reader, CPICTURE_NO_MEMORY, NULL);
    reader->info = png_create_info_struct(reader->png);
    if (!reader->info) stop(reader, CPICTURE_NO_MEMORY, NULL);
    png_set_read_fn(reader->png, reader, read_bytes);
    png_set_keep_unknown_chunks(reader->png, PNG_HANDLE_CHUNK_NEVER, dropped, (int)(sizeof dropped / 5));
    png_set_keep_unknown_chunks(reader->png, PNG_HANDLE_CHUNK_ALWAYS, taken, (int)(sizeof taken / 5));
    png_set_read_user_chunk_fn(reader->png, reader, take_chunk);
    png_read_info(reader->png, reader->info);
}

/// Whether each colour of a palette is grey. The colours of the palette are those of all pixels.
static int is_grey(png_const_colorp colours, int count) {
    for (int i = 0; i < count; i++) {
        if (colours[i].red != colours[i].green || colours[i].red != colours[i].blue) return 0;
    }
    return 1;
}

/// Samples per pixel that are kept: 1 or 3. May jump.
static uint32_t channels_of(reader *reader) {
    switch (png_get_color_type(reader->png, reader->info)) {
    case PNG_COLOR_TYPE_GRAY:
    case PNG_COLOR_TYPE_GRAY_ALPHA: return 1;
    case PNG_COLOR_TYPE_PALETTE: {
        png_colorp colours = NULL;
        int count = 0;
        if (!png_get_PLTE(reader->png, reader->info, &colours, &count))
            stop(reader, CPICTURE_DAMAGED, "it has no palette");
        return is_grey(colours, count) ? 1 : 3;
    }
    default: return 3;
    }
}

/// May jump.
static void inspect(reader *reader, uint64_t max_pixels, cpicture_info *found) {
    // The size is in the first chunk, and is judged before the library acts on it.
    if (reader->count < 24) stop(reader, CPICTURE_TRUNCATED, NULL);
    found->is_png = 1;
    if (memcmp(reader->bytes + 12, "IHDR", 4) == 0) {
        found->width = big_endian(reader->bytes + 16);
        found->height = big_endian(reader->bytes + 20);
        if ((uint64_t)found->width * found->height > max_pixels) stop(reader, CPICTURE_TOO_LARGE, NULL);
    }
    begin(reader);
    if (reader->frames > 1) stop(reader, CPICTURE_ANIMATED, NULL);
    int type = png_get_color_type(reader->png, reader->info);
    found->channels = channels_of(reader);
    found->has_alpha = (type & PNG_COLOR_MASK_ALPHA) != 0 || png_get_valid(reader->png, reader->info, PNG_INFO_tRNS) != 0;
    found->is_deep = png_get_bit_depth(reader->png, reader->info) == 16;
    found->orientation = reader->orientation;
}

/// The colours of a row of palette indices, from its end on, in place. May jump.
static void look_up(reader *reader, uint8_t *row, uint32_t width, uint32_t stored) {
    png_colorp colours = NULL;
    int count = 0;
    png_get_PLTE(reader->png, reader->info, &colours, &count);
    for (uint32_t x = width; x-- > 0;) {
        if (row[x] >= count) stop(reader, CPICTURE_DAMAGED, "a pixel has a colour beyond the palette");
        png_color colour = colours[row[x]];
        if (stored == 1) {
            row[x] = colour.red;
        } else {
            row[3 * (size_t)x] = colour.red;
            row[3 * (size_t)x + 1] = colour.green;
            row[3 * (size_t)x + 2] = colour.blue;
        }
    }
}

/// May jump.
static void decode(reader *reader, const cpicture_info *expected, uint32_t channels, uint8_t *planes) {
    begin(reader);
    png_structp png = reader->png;
    uint32_t width = png_get_image_width(png, reader->info), height = png_get_image_height(png, reader->info);
    uint32_t stored = channels_of(reader);
    if (width != expected->width || height != expected->height || stored != expected->channels)
        stop(reader, CPICTURE_CHANGED, NULL);
    int is_palette = png_get_color_type(png, reader->info) == PNG_COLOR_TYPE_PALETTE;
    // To 8 bits: the upper ones of 16, fewer of grey scaled, and those of palettes one to a byte.
    png_set_strip_16(png);
    if (is_palette)
        png_set_packing(png);
    else
        png_set_expand_gray_1_2_4_to_8(png);
    png_set_strip_alpha(png);
    int passes = png_set_interlace_handling(png);
    png_read_update_info(png, reader->info);
    size_t length = (size_t)width * stored;
    size_t needed = png_get_rowbytes(png, reader->info);
    if (needed != (is_palette ? width : length)) stop(reader, CPICTURE_UNSUPPORTED, "its pixels have an unknown form");
    reader->rows = calloc(passes > 1 ? height : 1, length);
    if (!reader->rows) stop(reader, CPICTURE_NO_MEMORY, NULL);
    for (int pass = 0; pass < passes; pass++) {
        for (uint32_t y = 0; y < height; y++) {
            uint8_t *row = reader->rows + (passes > 1 ? y * length : 0);
            png_read_row(png, row, NULL);
            if (pass < passes - 1) continue;
            if (is_palette) look_up(reader, row, width, stored);
            cpicture_write_row(
                row, width, stored, channels, (size_t)width * height, planes + (size_t)y * width);
        }
    }
    // Reads on to the end chunk, so that a file without it is found out.
    png_read_end(png, NULL);
}

/// Gives a reader its bytes.
static void prepare(reader *reader, const uint8_t *bytes, size_t count, char *message) {
    memset(reader, 0, sizeof *reader);
    reader->bytes = bytes;
    reader->count = count;
    reader->message = message;
    reader->orientation = 1;
}

static cpicture_status finish(reader *reader) {
    png_destroy_read_struct(&reader->png, &reader->info, NULL);
    free(reader->rows);
    return reader->status;
}

// Jumps end here, where no variable has changed since: all that does is in the reader, which the caller has.

static void run_inspect(reader *reader, uint64_t max_pixels, cpicture_info *found) {
    if (setjmp(reader->jump) == 0) inspect(reader, max_pixels, found);
}

static void run_decode(reader *reader, const cpicture_info *expected, uint32_t channels, uint8_t *planes) {
    if (setjmp(reader->jump) == 0) decode(reader, expected, channels, planes);
}

cpicture_status cpicture_png_inspect(
    const uint8_t *bytes, size_t count, uint64_t max_pixels, cpicture_info *info, char *message) {
    reader reader;
    prepare(&reader, bytes, count, message);
    run_inspect(&reader, max_pixels, info);
    return finish(&reader);
}

cpicture_status cpicture_png_decode(
    const uint8_t *bytes, size_t count, const cpicture_info *expected, uint32_t channels, uint8_t *planes,
    char *message) {
    reader reader;
    prepare(&reader, bytes, count, message);
    run_decode(&reader, expected, channels, planes);
    return finish(&reader);
}
