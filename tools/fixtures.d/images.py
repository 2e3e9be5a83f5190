"""Writes Tests/Fixtures/images: small PNG and JPEG files, and what Pillow's Image.convert("L" or "RGB") makes of them.

cases.txt      a line per file: its name, channels, height and width
expected.npy   uint8, the images in the order of cases.txt, each [channel][y][x]
NAME.png, .jpg the files; animated.png, cmyk.jpg and gif.png are refused and are no cases
large.jpg      is in cases-32.txt and expected-32.npy too: resized to 32x32 with Image.resize(…, BILINEAR)

PNGs are written here bit by bit, since Pillow writes neither interlaced ones nor most of the depths. Grey of 16 bits is
held against its upper bytes: Pillow has a mode of its own for it and cuts it off at 255 in some releases.
"""

import io
import pathlib
import struct
import sys
import zlib

import numpy as np
from PIL import Image

SAMPLES = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}
# Adam7: first column and row of each pass, and the steps.
PASSES = [(0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2)]


def chunk(name, data):
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def rows(pixels, depth):
    """Filter 0 and the packed samples of each row of [y][x][sample]."""
    out = b""
    for row in pixels:
        values = row.ravel()
        if depth == 16:
            packed = values.astype(">u2").tobytes()
        elif depth == 8:
            packed = values.astype(np.uint8).tobytes()
        else:
            bits = "".join(format(int(value), f"0{depth}b") for value in values)
            bits += "0" * (-len(bits) % 8)
            packed = bytes(int(bits[i:i + 8], 2) for i in range(0, len(bits), 8))
        out += b"\0" + packed
    return out


def png(pixels, colour, depth, palette=None, extra=b"", interlaced=False):
    """A PNG file of [y][x][sample]."""
    height, width, _ = pixels.shape
    header = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, int(interlaced))
    if interlaced:
        parts = [pixels[y::dy, x::dx] for x, y, dx, dy in PASSES]
        data = b"".join(rows(part, depth) for part in parts if part.size)
    else:
        data = rows(pixels, depth)
    plte = chunk(b"PLTE", palette.astype(np.uint8).tobytes()) if palette is not None else b""
    return (b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + plte + extra + chunk(b"IDAT", zlib.compress(data, 9))
            + chunk(b"IEND", b""))


def smooth(height, width):
    """An RGB image whose colours run into each other, as JPEG likes them."""
    y, x = np.mgrid[0:height, 0:width]
    waves = [127.5 + 127.5 * np.sin(x / 37 * (i + 1) + y / 23 + i) for i in range(3)]
    return np.stack(waves, -1).astype(np.uint8)


def jpeg(pixels, mode="RGB", **options):
    out = io.BytesIO()
    Image.fromarray(pixels).convert(mode).save(out, "JPEG", **options)
    return out.getvalue()


def files():
    """Name and bytes of every case."""
    random = np.random.default_rng(16)
    for colour, name in SAMPLES.items():
        depths = {0: (1, 2, 4, 8, 16), 2: (8, 16), 3: (1, 2, 4, 8), 4: (8, 16), 6: (8, 16)}[colour]
        for depth in depths:
            for interlaced in (False, True):
                height, width = (5, 11) if interlaced else (3, 7)
                palette = None
                most = 2**depth
                if colour == 3:
                    most = min(most, 40)
                    palette = random.integers(0, 256, (most, 3))
                pixels = random.integers(0, most, (height, width, SAMPLES[colour]))
                yield f"png-{colour}-{depth}{'-interlaced' if interlaced else ''}.png", png(
                    pixels, colour, depth, palette, interlaced=interlaced)
    noise = random.integers(0, 256, (4, 6, 3))
    yield "png-one-pixel.png", png(noise[:1, :1], 2, 8)
    yield "png-thin-interlaced.png", png(noise[:, :1], 2, 8, interlaced=True)
    grey = np.arange(4)[:, None].repeat(3, 1) * 80
    indices = random.integers(0, 4, (4, 6, 1))
    yield "png-grey-palette.png", png(indices, 3, 2, grey)
    yield "png-palette-trns.png", png(indices, 3, 8, random.integers(0, 256, (4, 3)), chunk(b"tRNS", b"\0\x40\x80"))
    yield "png-grey-trns.png", png(noise[:, :, :1], 0, 8, None, chunk(b"tRNS", struct.pack(">H", int(noise[0, 0, 0]))))
    yield "png-rgb-trns.png", png(noise, 2, 8, None, chunk(b"tRNS", struct.pack(">3H", *map(int, noise[0, 0]))))
    yield "png-gamma.png", png(noise, 2, 8, None, chunk(b"gAMA", struct.pack(">I", 100000)))
    exif = Image.Exif()
    exif[0x112] = 6
    yield "png-turned.png", png(noise, 2, 8, None, chunk(b"eXIf", exif.tobytes()[6:]))
    for subsampling, name in enumerate(("444", "422", "420")):
        yield f"jpeg-{name}.jpg", jpeg(smooth(17, 23), subsampling=subsampling, quality=75)
    yield "jpeg-420-even.jpg", jpeg(smooth(16, 32), subsampling=2, quality=90)
    yield "jpeg-progressive.jpg", jpeg(smooth(33, 19), progressive=True)
    yield "jpeg-grey.jpg", jpeg(smooth(9, 14), "L")
    yield "jpeg-grey-progressive.jpg", jpeg(smooth(9, 14), "L", progressive=True)
    yield "jpeg-one-pixel.jpg", jpeg(smooth(1, 1))
    yield "jpeg-restart.jpg", jpeg(smooth(17, 40), restart_marker_blocks=1)
    yield "jpeg-turned.jpg", jpeg(smooth(8, 5), exif=exif)
    yield "jpeg-rgb.jpg", jpeg(smooth(12, 9), keep_rgb=True)
    yield "large.jpg", jpeg(smooth(427, 640), quality=50)


def main():
    folder = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else "Tests/Fixtures") / "images"
    folder.mkdir(parents=True, exist_ok=True)
    lines, expected = [], []
    for name, data in files():
        (folder / name).write_bytes(data)
        image = Image.open(io.BytesIO(data))
        if image.mode.startswith("I"):
            pixels = (np.asarray(image).astype(np.uint32) >> 8).astype(np.uint8)
        else:
            # Of 16 bits with transparency it makes RGBA.
            is_grey = image.mode in ("1", "L", "LA") or name.startswith(("png-4", "png-grey"))
            pixels = np.asarray(image.convert("L" if is_grey else "RGB"))
        planes = pixels[None] if pixels.ndim == 2 else pixels.transpose(2, 0, 1)
        lines.append(f"{name} {' '.join(map(str, planes.shape))}\n")
        if name != "large.jpg":
            expected.append(planes.ravel())
            continue
        lines.pop()
        small = np.asarray(image.resize((32, 32), Image.Resampling.BILINEAR)).transpose(2, 0, 1)
        (folder / "cases-32.txt").write_text(f"{name} 3 32 32\n")
        np.save(folder / "expected-32.npy", small.ravel())
    (folder / "cases.txt").write_text("".join(lines))
    np.save(folder / "expected.npy", np.concatenate(expected))
    jpegs = Image.fromarray(smooth(6, 8))
    jpegs.convert("CMYK").save(folder / "cmyk.jpg")
    jpegs.save(folder / "gif.png", "GIF")
    jpegs.save(folder / "animated.png", save_all=True, append_images=[Image.fromarray(255 - smooth(6, 8))])


if __name__ == "__main__":
    main()
