"""Writes a column of embeddings in Parquet files as .npy shards; tools/parquet-to-npy --help has the options."""

import argparse
import json
import os
import shutil
import sys
import tempfile

import numpy
import pyarrow
import pyarrow.compute
import pyarrow.parquet


def fail(status, sentence):
    print(f"parquet-to-npy: {sentence}", file=sys.stderr)
    sys.exit(status)


class Shards:
    """Collects rows and writes every full shard."""

    def __init__(self, folder, most):
        self.folder, self.most = folder, most
        self.parts, self.rows, self.count, self.width, self.type = [], 0, 0, None, None

    def add(self, values):
        while len(values):
            taken = values[:self.most - self.rows]
            self.parts.append(taken)
            self.rows += len(taken)
            values = values[len(taken):]
            if self.rows == self.most:
                self.flush()

    def flush(self):
        if self.rows:
            # Past five digits the order of names would no longer be the order of rows.
            if self.count == 100_000:
                fail(64, f"--rows {self.most} makes more than 100,000 shards; more rows per shard are needed")
            numpy.save(os.path.join(self.folder, f"shard-{self.count:05}.npy"), numpy.concatenate(self.parts))
            self.parts, self.rows, self.count = [], 0, self.count + 1


def matrix(column, name, path, first):
    """A chunk of lists as rows; `first` is the number of its first row in the file."""
    kind = column.type
    if not (pyarrow.types.is_list(kind) or pyarrow.types.is_large_list(kind) or pyarrow.types.is_fixed_size_list(kind)):
        fail(65, f"{path}: column {name} is {kind}; lists of float16, float32 or float64 are needed")
    if not pyarrow.types.is_floating(kind.value_type):
        fail(65, f"{path}: column {name} has lists of {kind.value_type}; float16, float32 or float64 is needed")
    if column.null_count:
        missing = numpy.flatnonzero(column.is_null().to_numpy(zero_copy_only=False))[0]
        fail(65, f"{path}: row {first + missing} (counted from 0) of column {name} is missing")
    lengths = numpy.full(len(column), kind.list_size) if pyarrow.types.is_fixed_size_list(kind) else \
        pyarrow.compute.list_value_length(column).to_numpy(zero_copy_only=False)
    if len(lengths) and lengths[0] == 0:
        fail(65, f"{path}: row {first} (counted from 0) of column {name} is an empty list")
    odd = numpy.flatnonzero(lengths != lengths[0]) if len(lengths) else []
    if len(odd):
        fail(65, f"{path}: row {first + odd[0]} (counted from 0) of column {name} has {lengths[odd[0]]} numbers, and row "
                 f"{first} has {lengths[0]}")
    flat = column.flatten()
    values = flat.to_numpy(zero_copy_only=False).reshape(len(column), -1)
    target = numpy.float16 if pyarrow.types.is_float16(kind.value_type) else numpy.float32
    with numpy.errstate(over="ignore"):
        rows = values.astype(target)
    # A missing number in a list has become NaN.
    wrong = numpy.flatnonzero(~numpy.isfinite(rows).all(axis=1))
    if len(wrong):
        fail(65, f"{path}: row {first + wrong[0]} (counted from 0) of column {name} has a number that is missing, not finite, "
                 f"or beyond {numpy.dtype(target).name}")
    return rows


def main():
    parser = argparse.ArgumentParser(prog="parquet-to-npy", add_help=False)
    parser.add_argument("files", nargs="+")
    parser.add_argument("--column", required=True)
    parser.add_argument("--out", required=True)
    parser.add_argument("--ids")
    parser.add_argument("--rows", type=int, default=100_000)
    try:
        options = parser.parse_args()
    except SystemExit:
        sys.exit(64)
    if options.rows < 1:
        fail(64, f"--rows is {options.rows}; it must be at least 1")
    if os.path.exists(options.out) and (not os.path.isdir(options.out) or os.listdir(options.out)):
        fail(73, f"{options.out}: it is there, and not an empty folder")
    parent = os.path.dirname(os.path.abspath(options.out))
    try:
        folder = tempfile.mkdtemp(prefix=".parquet-to-npy-", dir=parent)
    except OSError as error:
        fail(73, f"{options.out}: cannot be created: {error.strerror}")
    try:
        rows, width = convert(options, folder)
        os.chmod(folder, 0o755)
        if os.path.isdir(options.out):
            os.rmdir(options.out)
        os.rename(folder, options.out)
    except OSError as error:
        fail(74, f"{options.out}: writing failed: {error.strerror}")
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    print(f"{rows} rows of {width} numbers in {options.out}")


def convert(options, folder):
    shards = Shards(folder, options.rows)
    total = 0
    ids = open(os.path.join(folder, "ids.jsonl"), "w", encoding="utf-8") if options.ids else None
    for path in options.files:
        try:
            file = pyarrow.parquet.ParquetFile(path)
        except FileNotFoundError:
            fail(66, f"{path}: no such file")
        except (OSError, pyarrow.ArrowException) as error:
            fail(65, f"{path}: not a Parquet file: {str(error).splitlines()[0]}")
        wanted = [options.column] + ([options.ids] if options.ids else [])
        for name in wanted:
            if name not in file.schema_arrow.names:
                fail(65, f"{path}: there is no column {name}; it has {', '.join(file.schema_arrow.names)}")
        first = 0
        for batch in file.iter_batches(batch_size=min(options.rows, 16_384), columns=wanted):
            values = matrix(batch.column(batch.schema.get_field_index(options.column)), options.column, path, first)
            if shards.width is None:
                shards.width, shards.type, source = values.shape[1], values.dtype, path
            if (shards.width, shards.type) != (values.shape[1], values.dtype):
                fail(65, f"{path}: its lists are {values.shape[1]} x {values.dtype}, and those of {source} are "
                         f"{shards.width} x {shards.type}")
            shards.add(values)
            if ids:
                for value in batch.column(batch.schema.get_field_index(options.ids)).to_pylist():
                    text = value if isinstance(value, (str, int, float, bool, type(None))) else str(value)
                    ids.write(json.dumps({options.ids: text}, ensure_ascii=False) + "\n")
            first += len(values)
        total += first
    shards.flush()
    if ids:
        ids.close()
    if not total:
        fail(65, "there are no rows in these files")
    return total, shards.width


main()
