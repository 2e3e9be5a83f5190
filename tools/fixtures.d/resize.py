"""Writes Tests/Fixtures/resize: what Pillow's Image.resize(…, BILINEAR) makes of 8-bit "L" images.

cases.npy     int64 [case][5]: how many images, their height and width, height and width of the result
source.npy    uint8, the images of all cases one after the other, each [image][y][x]
expected.npy  uint8, the resized images in the same order
"""

import pathlib
import sys

import numpy as np
from PIL import Image

# (height, width) before and after: up, down, both at once, one axis alone, to and from a single pixel.
CASES = [
    ((28, 28), (32, 32)), ((28, 28), (28, 28)), ((28, 28), (28, 32)), ((28, 28), (32, 28)), ((28, 28), (14, 14)),
    ((28, 28), (64, 17)), ((1, 1), (7, 7)), ((7, 7), (1, 1)), ((1, 7), (7, 1)), ((7, 1), (1, 7)), ((31, 31), (13, 13)),
    ((13, 13), (31, 31)), ((5, 9), (9, 5)), ((2, 3), (3, 2)), ((32, 32), (28, 28)), ((96, 96), (32, 32)),
    ((40, 3), (3, 40)), ((17, 23), (16, 24)), ((101, 37), (11, 53)), ((3, 257), (4, 6)),
    # On both sides of the limit beyond which Pillow resizes the height first.
    ((30, 30), (10, 20)), ((30, 30), (10, 21)), ((30, 30), (29, 30)), ((30, 30), (29, 31)), ((30, 30), (31, 60)),
]


def images(random, height, width):
    """Noise, black and white noise, a disc on black as digits have it, and a white image that must stay white."""
    y, x = np.mgrid[0:height, 0:width]
    distance = np.hypot((y + 0.5) / height - 0.45, (x + 0.5) / width - 0.6)
    return np.stack([
        random.integers(0, 256, (height, width)),
        random.integers(0, 2, (height, width)) * 255,
        np.clip(400 * (0.4 - distance), 0, 255),
        np.full((height, width), 255),
    ]).astype(np.uint8)


def main():
    folder = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else "Tests/Fixtures") / "resize"
    folder.mkdir(parents=True, exist_ok=True)
    random = np.random.default_rng(28)
    cases, source, expected = [], [], []
    for (height, width), (new_height, new_width) in CASES:
        stack = images(random, height, width)
        cases.append([len(stack), height, width, new_height, new_width])
        source.append(stack.ravel())
        for image in stack:
            resized = Image.fromarray(image).resize((new_width, new_height), Image.Resampling.BILINEAR)
            expected.append(np.asarray(resized).ravel())
    np.save(folder / "cases.npy", np.array(cases, np.int64))
    np.save(folder / "source.npy", np.concatenate(source))
    np.save(folder / "expected.npy", np.concatenate(expected))


if __name__ == "__main__":
    main()
