"""Compares what two builds wrote, byte by byte but for times; tools/compare-builds runs it and has its help."""

import collections
import csv
import json
import pathlib
import sys


def rows(path):
    """A table without its columns of times."""
    with open(path, newline="", encoding="utf-8") as file:
        lines = list(csv.DictReader(file))
    return [{key: value for key, value in line.items() if "second" not in key and "time" not in key} for line in lines]


def launches(path):
    """{kernel: how often it was launched}"""
    with open(path, encoding="utf-8") as file:
        return collections.Counter(json.loads(line)["kernel"] for line in file)


def tensors(path):
    """The header and the bytes of weights; without a model's name, as earlier builds wrote them, they are of lenet5."""
    data = path.read_bytes()
    end = 8 + int.from_bytes(data[:8], "little")
    header = json.loads(data[8:end])
    header.setdefault("__metadata__", {}).setdefault("model", "lenet5")
    return header, data[end:]


def content(path):
    """What of a file has to be equal; None for one that speaks of times and of the build."""
    if path.name == "launches.jsonl":
        return launches(path)
    if path.suffix == ".csv":
        return rows(path)
    if path.suffix == ".safetensors":
        return tensors(path)
    if path.suffix in (".npy", ".txt"):
        return path.read_bytes()
    return None


def main():
    before, after = (pathlib.Path(argument) for argument in sys.argv[1:])
    names = [{path.relative_to(folder) for path in folder.rglob("*") if path.is_file() and "programs" not in path.parts
              or path.name == "launches.jsonl"} for folder in (before, after)]
    faults = [f"only one build wrote {name}" for name in sorted(names[0] ^ names[1])]
    compared = collections.Counter()
    for name in sorted(names[0] & names[1]):
        old, new = content(before / name), content(after / name)
        if old is None:
            continue
        compared[name.suffix] += 1
        if old != new:
            faults.append(f"{name} differs")
    for fault in faults:
        print(f"compare-builds: {fault}")
    counts = ", ".join(f"{count} {suffix}" for suffix, count in sorted(compared.items()))
    print(f"compare-builds: {counts}: {'the same' if not faults else f'{len(faults)} differences'}")
    # Nothing to compare is no agreement.
    sys.exit(1 if faults or len(compared) < 4 else 0)


main()
