"""Draws what selections keep of points in a plane; tools/draw-selections has the help."""

import array
import math
import pathlib
import random
import struct
import subprocess
import sys
import tempfile

KEPT = 60
CLUSTERS = ["--k", "6"]
NETWORKS = ["--model", "mlp", "--batch", "16", "--networks", "5"]
FAMILIES = {
    "geometry": [
        ("distance", ["--score", "distance", *CLUSTERS]),
        ("prototypes", ["--score", "prototypes", *CLUSTERS]),
        ("moderate", ["--score", "moderate"]),
        ("semdedup", ["--score", "semdedup", *CLUSTERS]),
    ],
    "networks": [
        ("el2n", ["--score", "el2n", *NETWORKS]),
        ("aum", ["--score", "aum", *NETWORKS]),
        ("entropy", ["--score", "entropy", *NETWORKS]),
        ("dual", ["--score", "dual", *NETWORKS]),
    ],
    "greedy": [
        ("k-center", ["--score", "k-center"]),
        ("herding", ["--score", "herding"]),
        ("typiclust", ["--score", "typiclust"]),
        ("d2", ["--score", "d2", *NETWORKS]),
    ],
    "keep": [
        ("aum, keep: hard", ["--score", "aum", "--keep", "hard", *NETWORKS]),
        ("aum, keep: middle", ["--score", "aum", "--keep", "middle", *NETWORKS]),
        ("aum, keep: easy", ["--score", "aum", "--keep", "easy", *NETWORKS]),
        ("aum, keep: stratified, beta: 0.1", ["--score", "aum", "--keep", "stratified", "--beta", "0.1", *NETWORKS]),
    ],
    "baselines": [
        ("random", ["--strategy", "random"]),
        ("random, balance: class", ["--strategy", "random", "--balance", "class"]),
        ("random in each cluster", ["--strategy", "random", *CLUSTERS]),
        ("closest", ["--strategy", "closest", *CLUSTERS]),
    ],
}
COLOURS = ["#0072b2", "#d55e00", "#009e73"]
MARKS = [7, 5, 9]


def points():
    """The points and their classes, the same every time."""
    source = random.Random(1)
    lumps = [(0, 200, -2.0, 0.0, 1.1), (1, 60, 2.0, 1.8, 0.55), (1, 60, 2.2, -1.8, 0.55), (2, 80, 3.6, 0.1, 0.12)]
    rows, labels = [], []
    for label, count, x, y, spread in lumps:
        for _ in range(count):
            rows.append((source.gauss(x, spread), source.gauss(y, spread)))
            labels.append(label)
    for index in range(0, len(rows), 25):
        labels[index] = (labels[index] + 1) % 3
    return rows, labels


def write(path, kind, shape, values):
    """Writes a .npy file (format 1.0)."""
    header = f"{{'descr': '{kind}', 'fortran_order': False, 'shape': {shape}, }}"
    header += " " * (-(len(header) + 11) % 64) + "\n"
    path.write_bytes(b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header.encode() + values.tobytes())


def indices(path):
    """The int64 of a one-dimensional .npy file (format 1.0)."""
    data = path.read_bytes()
    return array.array("q", data[10 + struct.unpack("<H", data[8:10])[0]:])


def panel(number, title, rows, labels, kept):
    """The commands of one panel: all points in grey, those that are kept in the colour and mark of their class."""
    kept = set(kept)
    blocks = [[index for index in range(len(rows)) if index not in kept]]
    blocks += [[index for index in sorted(kept) if labels[index] == label] for label in range(3)]
    commands = [f"set title '{title}'"]
    plots = []
    for block, members in enumerate(blocks):
        name = f"$p{number}_{block}"
        lines = "".join(f"{rows[index][0]:.2f} {rows[index][1]:.2f}\n" for index in members)
        commands.append(f"{name} << EOD\n{lines}EOD")
        style = f"pt {MARKS[block - 1]} ps 0.6 lc '{COLOURS[block - 1]}'" if block else "pt 7 ps 0.25 lc '#bbbbbb'"
        if members:
            plots.append(f"{name} with points {style} notitle")
    return "\n".join(commands) + "\nplot " + ", ".join(plots) + "\n"


def main():
    coppice, out = sys.argv[1], pathlib.Path(sys.argv[2])
    rows, labels = points()
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        flat = array.array("f", [value for row in rows for value in row])
        write(folder / "x.npy", "<f4", (len(rows), 2), flat)
        write(folder / "y.npy", "|u1", f"({len(rows)},)", array.array("B", labels))
        for family, methods in FAMILIES.items():
            script = f"""set terminal pngcairo size 1000,220 font 'DejaVu Sans,10' background '#ffffff'
set output '{out / (family + ".png")}'
set multiplot layout 1,4 margins 0.01,0.99,0.02,0.86 spacing 0.01,0
unset key
unset tics
set size ratio -1
set xrange [{math.floor(min(x for x, _ in rows))}:{math.ceil(max(x for x, _ in rows))}]
set yrange [{math.floor(min(y for _, y in rows))}:{math.ceil(max(y for _, y in rows))}]
"""
            for number, (title, options) in enumerate(methods):
                file = folder / "kept.npy"
                command = [coppice, "select", "--features", folder / "x.npy", "--labels", folder / "y.npy", *options,
                           "--size", str(KEPT), "--out", file, "--quiet"]
                result = subprocess.run(command, stdout=subprocess.DEVNULL)
                if result.returncode:
                    sys.exit(result.returncode)
                script += panel(number, title, rows, labels, indices(file))
            subprocess.run(["gnuplot"], input=script, text=True, check=True)


main()
