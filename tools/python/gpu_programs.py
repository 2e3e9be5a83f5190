"""The programs that coppice builds and launches on a GPU, saved on a processor. tools/check-gpu-code compiles them."""

import array
import json
import os
import pathlib
import random
import re
import struct
import subprocess
import sys
import time

import gpu_targets

ROOT = pathlib.Path(__file__).resolve().parents[2]
COPPICE = ROOT / ".build" / "release" / "coppice"
KERNELS = ROOT / "Kernels"


def write_npy(path, kind, shape, values):
    header = f"{{'descr': '{kind}', 'fortran_order': False, 'shape': {shape}, }}"
    header += " " * (-(len(header) + 11) % 64) + "\n"
    with open(path, "wb") as file:
        file.write(b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header.encode())
        file.write(values)


def write_images(folder, prefix, count, draw):
    (folder / f"{prefix}-images-idx3-ubyte").write_bytes(
        struct.pack(">iiii", 0x803, count, 28, 28) + draw.randbytes(count * 784))
    (folder / f"{prefix}-labels-idx1-ubyte").write_bytes(
        struct.pack(">ii", 0x801, count) + bytes(draw.randrange(10) for _ in range(count)))


def write_data(scratch):
    """Images and rows of no meaning, at the article's sizes."""
    draw = random.Random(1)
    data = scratch / "images"
    data.mkdir()
    write_images(data, "train", 80, draw)
    write_images(data, "t10k", 64, draw)

    def bytes_file(count):
        write_npy(scratch / f"b{count}.npy", "|u1", (count, 784), draw.randbytes(count * 784))

    def floats_file(count, dimensions):
        some = array.array("f", (draw.gauss(0, 1) for _ in range(9973)))
        size = count * dimensions
        write_npy(scratch / f"f{count}x{dimensions}.npy", "<f4", (count, dimensions),
                  (some * (size // len(some) + 1))[:size].tobytes())

    bytes_file(10000)
    bytes_file(500)
    floats_file(60000, 50)
    floats_file(6000, 50)
    floats_file(500, 784)
    # Every kind of layer that no model of the library has.
    (scratch / "layers.yaml").write_text(
        "name: layers\nlayers: [{conv: {out: 8, kernel: 3, padding: 1}}, batch_norm, tanh, {max_pool: 3}, "
        "{conv: {out: 16, kernel: 3}}, batch_norm, relu, {max_pool: 2}, flatten, {linear: 60}, batch_norm, tanh, "
        "{linear: classes}]\n")


def save_programs(folder, scratch, profile):
    """Has coppice build and launch what it would on a GPU of that profile."""
    data = scratch / "images"
    environment = os.environ | {"COPPICE_PROFILE": profile, "COPPICE_SAVE_PROGRAMS": str(folder)}
    common = ["--device", "opencl-cpu", "--quiet"]

    train = ["train", "--data", data, "--replicas", "40", "--epochs", "1", "--batch", "64"]
    pruned = ["train", "--data", data, "--replicas", "40", "--epochs", "3", "--batch", "64", "--dynamic", "infobatch"]

    def cluster(name, *options):
        return ["cluster", "--features", scratch / f"{name}.npy", *options]

    def score(*options):
        return ["score", *options, "--out", scratch / "scores.npy"]

    # The second batch is short. Lloyd's and mini-batch steps, both kinds of start, rows of bytes and of floats, which compare distances; fewer
    # where a processor would take minutes in the GPU's shape and the programs are the same.
    commands = [
        train,
        [*train, "--model", "mlp"],
        [*train, "--model", "lenet5-1998"],
        ["train", "--data", data, "--replicas", "2", "--epochs", "1", "--batch", "64", "--model", "lenet5-wide4"],
        [*train, "--model", scratch / "layers.yaml"],
        [*train, "--optimizer", "sgd", "--momentum", "0.9", "--augment", "shift=4,flip"],
        [*train, "--model", "mlp", "--optimizer", "adamw", "--augment", "flip"],
        [*train, "--model", "linear", "--weight-decay", "0.01"],
        # Samples that have weights; with fewer epochs none would leave samples out.
        [*pruned, "--model", "lenet5"],
        [*pruned, "--model", "mlp"],
        ["embed", "--data", data, "--with", "autoencoder", "--epochs", "1", "--out", scratch / "codes.npy"],
        cluster("b10000", "--pca", "50", "--k", "50", "--kmeans", "lloyd", "--iterations", "1"),
        cluster("f60000x50", "--k", "500", "--kmeans", "minibatch", "--iterations", "1", "--start", "random"),
        cluster("f6000x50", "--k", "500", "--kmeans", "minibatch", "--iterations", "1"),
        cluster("f60000x50", "--k", "5000", "--kmeans", "lloyd", "--iterations", "1", "--start", "random"),
        cluster("b10000", "--pca", "50", "--k", "500", "--kmeans", "minibatch", "--iterations", "1"),
        cluster("b500", "--k", "50", "--kmeans", "lloyd", "--iterations", "1"),
        cluster("f500x784", "--pca", "50", "--k", "50", "--kmeans", "lloyd", "--iterations", "1"),
        score("--data", data, "--score", "el2n", "--networks", "40", "--score-epochs", "1"),
        score("--features", scratch / "f60000x50.npy", "--score", "k-center", "--size", "3"),
        score("--features", scratch / "f60000x50.npy", "--score", "herding", "--size", "3"),
    ]

    def coppice(arguments):
        process = subprocess.run([str(word) for word in [COPPICE, *arguments, *common]], env=environment, text=True,
                                 stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        if process.returncode:
            gpu_targets.stop(f"coppice {' '.join(map(str, arguments))} ended with {process.returncode}:\n"
                     + process.stdout)

    for arguments in commands:
        start = time.monotonic()
        coppice(arguments)
        print(f"check-gpu-code: {time.monotonic() - start:.1f} s coppice {' '.join(map(str, arguments))}", file=sys.stderr)
    # Kernels that none of these launches are built by their cases.
    seen = {launch["kernel"] for launch in read_launches(folder)}
    for kernel in sorted(kernel_names() - seen):
        coppice(["verify", "--quick", "--kernel", kernel])


def kernel_names():
    return {file.stem for file in KERNELS.glob("*.cl")}


def read_launches(folder):
    return [json.loads(line) for line in (folder / "launches.jsonl").read_text().splitlines()]


def read_programs(folder):
    """The saved programs, each with its largest launch."""
    programs = {}
    for launch in read_launches(folder):
        program = programs.setdefault(launch["program"], launch)
        if gpu_targets.product(launch["global"]) > gpu_targets.product(program["global"]):
            programs[launch["program"]] = launch
    return sorted(programs.values(), key=lambda program: (program["kernel"], program["options"]))


def describe(program):
    """The macros that tell a specialisation from its neighbours."""
    defines = dict(re.findall(r"-D (\w+)=(-?\d+)", program["options"]))
    return " ".join(f"{name}={value}" for name, value in defines.items() if name not in ("TILE", "VW", "LANES"))
