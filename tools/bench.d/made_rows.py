"""Makes the rows that tools/bench clusters from disk: a .npy file of nearly normal numbers around 1,000 random centres.

usage: made_rows.py FILE ROWS COLUMNS float16|float32 [--seed N] [--fortran]

The same seed, size and version of numpy give the same file. Each piece of rows has random numbers of its own, so that only
one piece is in memory at a time. --fortran writes the columns one after the other.
"""

import argparse
import os

import numpy as np

CENTRES = 1000
# How far apart two centres are, as a rule, in standard deviations of a coordinate: some rows are nearer to another centre
# than to their own, so that no iteration finds all clusters at once. `coppice bench` makes its rows the same way.
DISTANCE = 6
# Numbers per piece.
PIECE = 1 << 24


def piece(number, rows, columns, seed):
    """Rows of piece `number`, float32 [rows][columns]."""
    spread = DISTANCE * (1.5 / columns) ** 0.5
    centres = np.random.default_rng([seed, 0]).uniform(-spread, spread, (CENTRES, columns)).astype(np.float32)
    random = np.random.default_rng([seed, 1 + number])
    values = random.standard_normal((rows, columns), np.float32)
    values += centres[random.integers(0, CENTRES, rows)]
    return values


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("file")
    parser.add_argument("rows", type=int)
    parser.add_argument("columns", type=int)
    parser.add_argument("type", choices=["float16", "float32"])
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--fortran", action="store_true")
    arguments = parser.parse_args()
    rows, columns = arguments.rows, arguments.columns
    # A name of its own until the file is whole, which is then taken for finished.
    unfinished = f"{arguments.file}.unfinished"
    matrix = np.lib.format.open_memmap(
        unfinished, "w+", arguments.type, (rows, columns), fortran_order=arguments.fortran
    )
    most = max(1, PIECE // columns)
    for number, first in enumerate(range(0, rows, most)):
        count = min(most, rows - first)
        matrix[first : first + count] = piece(number, count, columns, arguments.seed)
    matrix.flush()
    os.replace(unfinished, arguments.file)


main()
