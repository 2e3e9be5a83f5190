"""Writes a data set of noise, in four IDX files, to the folder that is named."""

import pathlib
import random
import struct
import sys

folder = pathlib.Path(sys.argv[1])
source = random.Random(1)
for name, count in (("train", 150), ("t10k", 40)):
    pixels = source.randbytes(count * 28 * 28)
    labels = bytes(source.randrange(10) for _ in range(count))
    (folder / f"{name}-images-idx3-ubyte").write_bytes(struct.pack(">IIII", 0x803, count, 28, 28) + pixels)
    (folder / f"{name}-labels-idx1-ubyte").write_bytes(struct.pack(">II", 0x801, count) + labels)
