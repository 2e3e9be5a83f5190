#pragma once

// Decodes PNG by libpng and JPEG by libjpeg-turbo, from memory to memory. Both libraries report errors by long jumps; these
// stay inside: every function returns a status, whatever the bytes are, and has freed what it allocated. Nothing is
// shared between calls, so any number of threads may call.

#include <stddef.h>
#include <stdint.h>

/// How a call ended.
typedef enum {
    CPICTURE_OK = 0,
    /// The bytes begin like neither a PNG nor a JPEG.
    CPICTURE_FOREIGN,
    /// The bytes end before the picture does.
    CPICTURE_TRUNCATED,
    /// The contents go against the format; the message says how.
    CPICTURE_DAMAGED,
    /// More pixels than are allowed.
    CPICTURE_TOO_LARGE,
    /// A PNG of several frames.
    CPICTURE_ANIMATED,
    /// A JPEG with the colours of print.
    CPICTURE_CMYK,
    /// A well-formed picture of a kind that is not read; the message says which.
    CPICTURE_UNSUPPORTED,
    /// Not of the size or of the channels that the caller expects.
    CPICTURE_CHANGED,
    /// An allocation failed.
    CPICTURE_NO_MEMORY,
} cpicture_status;

/// Bytes of a message, with its final zero.
#define CPICTURE_MESSAGE 200

/// What the header of a picture says.
typedef struct {
    uint32_t width, height;
    /// 1 for grey, 3 for red, green and blue.
    uint32_t channels;
    /// 1 where it has transparency, which decoding drops: the colours stay as they are in the file.
    uint8_t has_alpha;
    /// 1 where samples have 16 bits, of which decoding keeps the upper 8.
    uint8_t is_deep;
    /// EXIF's orientation, 1 to 8, which decoding ignores; 1 where there is none.
    uint8_t orientation;
    /// 1 for a PNG, 0 for a JPEG.
    uint8_t is_png;
} cpicture_info;

/// Reads the header of the picture in `bytes`, which may be the beginning of a file only: CPICTURE_TRUNCATED then asks for
/// more. Allocates nothing that grows with the picture's size.
/// - max_pixels: more than these, width times height, are CPICTURE_TOO_LARGE; `info` has the size then.
/// - message: what the library says of a damaged picture; else empty.
cpicture_status cpicture_inspect(
    const uint8_t *bytes, size_t count, uint64_t max_pixels, cpicture_info *info, char message[CPICTURE_MESSAGE]);

/// Decodes the whole file in `bytes`.
/// - expected: what cpicture_inspect said of it; a picture of another size is CPICTURE_CHANGED and writes nothing.
/// - channels: 1 or 3 planes to write; a grey picture is written to all three, one with colours cannot be written to one.
/// - planes: [channels][height][width], which the caller has allocated.
cpicture_status cpicture_decode(
    const uint8_t *bytes, size_t count, const cpicture_info *expected, uint32_t channels, uint8_t *planes,
    char message[CPICTURE_MESSAGE]);

/// The versions of both libraries that this was compiled with, which decoded bytes may depend on.
const char *cpicture_libraries(void);
