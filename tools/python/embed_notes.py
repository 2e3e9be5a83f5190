"""Embeds the texts of a JSONL file with a static model; tools/recipes/embed-notes --help has the options."""

import numpy

from notes import embedder, entries
from recipes import Options, fail, replacing, run

# Texts are padded to the longest of a batch: these many characters of a batch, padding included, bound its memory.
CHARACTERS = 1 << 18


def main():
    parser = Options()
    parser.add_argument("file")
    parser.add_argument("--out", required=True)
    parser.add_argument("--field", default="text")
    parser.add_argument("--type", choices=("float16", "float32"), default="float16")
    given = parser.parse_args()
    count = sum(1 for _ in texts(given.file, given.field))
    model = embedder()
    shape = (count, model.embedding.shape[1])
    with replacing(given.out) as file:
        header = {"descr": numpy.dtype(given.type).newbyteorder("<").str, "fortran_order": False, "shape": shape}
        numpy.lib.format.write_array_header_1_0(file, header)
        rows = 0
        for batch in batches(texts(given.file, given.field)):
            vectors = model.embed(batch)
            lengths = numpy.linalg.norm(vectors, axis=1, keepdims=True)
            wrong = numpy.flatnonzero(~(lengths[:, 0] > 0))
            if len(wrong):
                fail(65, f"{given.file}: line {rows + wrong[0] + 1:,} has no embedding: its text has no token that the model knows")
            file.write((vectors / lengths).astype(header["descr"]).tobytes())
            rows += len(batch)
        if rows != count:
            fail(65, f"{given.file}: changed while it was read: it had {count:,} lines, and now {rows:,}")
    print(f"{given.out}: {shape[0]:,} rows of {shape[1]} numbers, {given.type}")


def texts(path, field):
    for number, entry in enumerate(entries(path, {field: str}), 1):
        if not entry[field].strip():
            fail(65, f'{path}: line {number:,}: "{field}" is empty')
        yield entry[field]


def batches(stream):
    """Lists of texts in their order, at most 256 each."""
    batch, longest = [], 0
    for text in stream:
        longest = max(longest, len(text))
        if batch and (len(batch) == 256 or longest * (len(batch) + 1) > CHARACTERS):
            yield batch
            batch, longest = [], len(text)
        batch.append(text)
    if batch:
        yield batch


run(main)
