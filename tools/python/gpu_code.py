"""Compiles saved programs for GPUs and reports what they take; tools/check-gpu-code runs it and has its help."""

import argparse
import array
import collections
import concurrent.futures
import json
import os
import pathlib
import random
import re
import struct
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
COPPICE = ROOT / ".build" / "release" / "coppice"
KERNELS = ROOT / "Kernels"
ACCEPTED = ROOT / "tools" / "check-gpu-code.d" / "accepted.tsv"
CLC = pathlib.Path("/usr/lib/clc")

# What a compute unit holds.
# NVIDIA: CUDA C++ Programming Guide, "Technical Specifications per Compute Capability"; register and shared-memory
# granularity as in NVIDIA's occupancy calculator: registers go to warps in units of 256, warps to 4 schedulers.
Nvidia = collections.namedtuple("Nvidia", "warps groups registers shared shared_unit shared_reserved")
# AMD: LLVM's "User Guide for AMDGPU Backend" and the ISA guides of CDNA 2 and RDNA 2: waves of `wave` work-items on
# `simds` units, each with `registers` vector registers a lane, given out in units of `unit`.
Amd = collections.namedtuple("Amd", "wave simds waves registers unit local groups")
TARGETS = {
    "sm_70": Nvidia(64, 32, 65536, 98304, 256, 0),
    "sm_80": Nvidia(64, 32, 65536, 167936, 128, 1024),
    "sm_90": Nvidia(64, 32, 65536, 233472, 128, 1024),
    "gfx90a": Amd(64, 4, 8, 512, 8, 65536, 16),
    "gfx1030": Amd(32, 2, 16, 1024, 16, 65536, 16),
}
COMPUTE_UNITS = 100
GROUP_ITEMS = 64

# Every accumulator is alive through the loop; a work-group of 1024 leaves each work-item 64 registers.
PLANTED = """
#define N 300
__kernel __attribute__((reqd_work_group_size(1024, 1, 1))) void planted(__global float *v, const int steps) {
    float a[N];
    _Pragma("unroll") for (int i = 0; i < N; i++) a[i] = v[i * 1024 + get_local_id(0)];
    for (int s = 0; s < steps; s++) {
        _Pragma("unroll") for (int i = 0; i < N; i++) a[i] = a[i] * a[(i + 7) % N] + a[(i + 1) % N];
    }
    _Pragma("unroll") for (int i = 0; i < N; i++) v[i * 1024 + get_local_id(0)] = a[i];
}
"""


def occupancy(target, registers, local, items):
    """Work-items that a compute unit holds at once, as a share of the most that it could."""
    limit = TARGETS[target]
    if isinstance(limit, Nvidia):
        warps = -(-items // 32)
        a_warp = -(-max(registers, 1) * 32 // 256) * 256
        by_registers = limit.registers // 4 // a_warp * 4 // warps
        shared = -(-(local + limit.shared_reserved) // limit.shared_unit) * limit.shared_unit
        by_local = limit.shared // shared if shared else limit.groups
        groups = min(limit.groups, limit.warps // warps, by_registers, by_local)
        return groups * warps / limit.warps
    waves = -(-items // limit.wave)
    by_registers = min(limit.waves, limit.registers // (-(-max(registers, 1) // limit.unit) * limit.unit))
    groups = by_registers * limit.simds // waves
    if local:
        groups = min(groups, limit.local // local)
    # A group of one wave needs no barrier, of which there are so many.
    if waves > 1:
        groups = min(groups, limit.groups)
    return groups * waves / (limit.simds * limit.waves)


def run(command):
    process = subprocess.run([str(word) for word in command], text=True, stdout=subprocess.PIPE,
                             stderr=subprocess.STDOUT)
    if process.returncode:
        sys.exit(f"check-gpu-code: {' '.join(map(str, command))}\n{process.stdout}")
    return process.stdout


class Compiler:
    """Compiles one source for one target after the other."""

    def __init__(self, clang, ptxas, scratch):
        self.clang, self.ptxas, self.scratch = clang, ptxas, scratch

    def clang_command(self, source, options, triple, library, output):
        return [self.clang, "-x", "cl", "-target", triple, *options.split(), "-O3", "-S", "-Werror",
                "-Wno-linker-warnings",
                "-Xclang", "-finclude-default-header", "-Xclang", "-mlink-builtin-bitcode", "-Xclang", CLC / library,
                source, "-o", output]

    def compile(self, source, options, targets):
        """{target: (registers, scalar registers, spill, stack, local)} of the source's one kernel."""
        found = {}
        ptx = self.scratch / f"{source.parent.name}-{source.stem}.ptx"
        if any(target.startswith("sm_") for target in targets):
            run(self.clang_command(source, options, "nvptx64-nvidia-nvcl", "nvptx64--nvidiacl.bc", ptx)
                + ["-Xclang", "-target-cpu", "-Xclang", "sm_70"])
        for target in targets:
            if target.startswith("sm_"):
                found[target] = self.nvidia(run([self.ptxas, f"-arch={target}", "-v", ptx, "-o", os.devnull]))
            else:
                command = self.clang_command(source, options, "amdgcn-mesa-mesa3d",
                                             "gfx906-amdgcn-mesa-mesa3d.bc", os.devnull)
                found[target] = self.amd(run(
                    command + [f"-mcpu={target}", "-Rpass-analysis=kernel-resource-usage"]))
        return found

    @staticmethod
    def nvidia(log):
        def number(pattern):
            return int(re.search(pattern, log).group(1))
        shared = re.search(r"(\d+) bytes smem", log)
        return {"registers": number(r"Used (\d+) registers"), "scalars": None,
                "spill": number(r"(\d+) bytes spill stores") + number(r"(\d+) bytes spill loads"),
                "stack": number(r"(\d+) bytes stack frame"), "local": int(shared.group(1)) if shared else 0}

    @staticmethod
    def amd(log):
        def number(name):
            return int(re.search(re.escape(name) + r": (\d+) \[-Rpass", log).group(1))
        accumulation = number("AGPRs") if "AGPRs:" in log else 0
        return {"registers": number(" VGPRs") + accumulation, "scalars": number(" SGPRs"),
                "spill": number("SGPRs Spill") + number("VGPRs Spill"),
                "stack": number("ScratchSize [bytes/lane]"), "local": number("LDS Size [bytes/block]")}


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


def profile_of(target):
    """The form that kernels take there."""
    return "gpu64" if isinstance(TARGETS[target], Amd) and TARGETS[target].wave == 64 else "gpu"


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
            sys.exit(f"check-gpu-code: coppice {' '.join(map(str, arguments))} ended with {process.returncode}:\n"
                     + process.stdout)

    for arguments in commands:
        start = time.monotonic()
        coppice(arguments)
        print(f"check-gpu-code: {time.monotonic() - start:.1f} s coppice {' '.join(map(str, arguments))}", file=sys.stderr)
    # What no study launches is built by its cases.
    seen = {launch["kernel"] for launch in read_launches(folder)}
    for kernel in sorted(kernel_names() - seen):
        coppice(["verify", "--quick", "--kernel", kernel])


def kernel_names():
    return {file.stem for file in KERNELS.glob("*.cl")}


def read_launches(folder):
    return [json.loads(line) for line in (folder / "launches.jsonl").read_text().splitlines()]


def product(numbers):
    result = 1
    for number in numbers:
        result *= number
    return result


def read_programs(folder):
    """The saved programs, each with its largest launch."""
    programs = {}
    for launch in read_launches(folder):
        program = programs.setdefault(launch["program"], launch)
        if product(launch["global"]) > product(program["global"]):
            programs[launch["program"]] = launch
    return sorted(programs.values(), key=lambda program: (program["kernel"], program["options"]))


def read_accepted():
    """{(kernel, what): reason}."""
    reasons = {}
    for number, line in enumerate(ACCEPTED.read_text().splitlines(), 1):
        if line and not line.startswith("#"):
            fields = line.split("\t")
            if len(fields) != 3 or fields[1] not in ("stack", "launch"):
                sys.exit(f"check-gpu-code: {ACCEPTED}:{number}: kernel, 'stack' or 'launch', and a reason are wanted")
            reasons[fields[0], fields[1]] = fields[2]
    return reasons


def describe(program):
    """The macros that tell a specialisation from its neighbours."""
    defines = dict(re.findall(r"-D (\w+)=(-?\d+)", program["options"]))
    return " ".join(f"{name}={value}" for name, value in defines.items() if name not in ("TILE", "VW", "LANES"))


COLUMNS = ("kernel", "target", "registers", "spill", "stack", "local", "occupancy", "work-groups", "work-items")


def line(row):
    registers = str(row["registers"]) + ("" if row["scalars"] is None else f"/{row['scalars']}")
    return (row["kernel"], row["target"], registers, str(row["spill"]), str(row["stack"]), str(row["local"]),
            f"{100 * row['occupancy']:.0f}%", f"{row['groups']} x {row['group_items']}", str(row["items"]))


def print_table(rows, every):
    if every:
        shown = rows
    else:
        # The worst specialisation: a spill, then a stack, then the fewest work-items at once.
        worst = {}
        for row in rows:
            key = (row["kernel"], row["target"])
            rank = (-row["spill"], -row["stack"], row["occupancy"], -row["registers"])
            if key not in worst or rank < worst[key][0]:
                worst[key] = (rank, row)
        shown = [row for _, row in worst.values()]
    lines = [COLUMNS, *map(line, shown)]
    widths = [max(len(cells[column]) for cells in lines) for column in range(len(COLUMNS))]
    for index, cells in enumerate(lines):
        text = "  ".join(cell.ljust(width) if column < 2 else cell.rjust(width)
                         for column, (cell, width) in enumerate(zip(cells, widths)))
        print(text + (f"  {shown[index - 1]['defines']}" if every and index else ""))


def check(rows, accepted, built, kernels):
    """What is wrong, a sentence each, and the reasons used."""
    complaints = []
    used = set()
    for row in rows:
        where = f"{row['kernel']} on {row['target']} ({row['defines']})"
        if row["spill"]:
            complaints.append(f"{where}: spills {row['spill']}")
        if row["stack"]:
            used.add((row["kernel"], "stack"))
            if (row["kernel"], "stack") not in accepted:
                complaints.append(f"{where}: {row['stack']} bytes of private arrays in memory")
    for kernel in sorted({row["kernel"] for row in rows}):
        launches = [(row["groups"], row["group_items"]) for row in rows if row["kernel"] == kernel]
        # A specialisation for small data may be small; the largest launch of the kernel counts.
        groups, items = max(launches, key=lambda launch: launch[0] * launch[1])
        if groups < COMPUTE_UNITS or groups * items < COMPUTE_UNITS * GROUP_ITEMS:
            used.add((kernel, "launch"))
            if (kernel, "launch") not in accepted:
                complaints.append(f"{kernel}: {groups} work-groups of {items} work-items do not fill {COMPUTE_UNITS} "
                                  f"compute units ({COMPUTE_UNITS} groups and {COMPUTE_UNITS * GROUP_ITEMS} items do)")
    complaints += [f"{kernel}: no program of it was ever built" for kernel in sorted(kernels - built)]
    return complaints, used


def main():
    parser = argparse.ArgumentParser(prog="tools/check-gpu-code", add_help=False)
    parser.add_argument("--clang", required=True)
    parser.add_argument("--ptxas", required=True)
    parser.add_argument("--kernel", action="append")
    parser.add_argument("--arch", action="append", choices=TARGETS)
    parser.add_argument("--all", action="store_true")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--programs", type=pathlib.Path)
    arguments = parser.parse_args()
    targets = arguments.arch or list(TARGETS)
    kernels = kernel_names()
    for kernel in arguments.kernel or []:
        if kernel not in kernels:
            sys.exit(f"check-gpu-code: there is no kernel '{kernel}': see the files in Kernels")
    accepted = read_accepted()

    with tempfile.TemporaryDirectory() as name:
        scratch = pathlib.Path(name)
        compiler = Compiler(arguments.clang, arguments.ptxas, scratch)
        planted = scratch / "planted.cl"
        planted.write_text(PLANTED)
        unnoticed = [target for target, found in compiler.compile(planted, "-cl-std=CL1.2", targets).items()
                     if not found["spill"]]
        if unnoticed:
            sys.exit(f"check-gpu-code: a planted spill was not seen on {', '.join(unnoticed)}: nothing here can be trusted")

        folders = {}
        if arguments.programs is None:
            write_data(scratch)
            for profile in dict.fromkeys(map(profile_of, targets)):
                folders[scratch / profile] = [target for target in targets if profile_of(target) == profile]
                save_programs(scratch / profile, scratch, profile)
        else:
            folders[arguments.programs] = targets
        chosen, jobs = [], []
        built = set()
        for folder, its_targets in folders.items():
            if not (folder / "launches.jsonl").is_file():
                sys.exit(f"check-gpu-code: {folder} has no launches.jsonl: COPPICE_SAVE_PROGRAMS={folder} coppice ... "
                         "makes it")
            for program in read_programs(folder):
                built.add(program["kernel"])
                if not arguments.kernel or program["kernel"] in arguments.kernel:
                    chosen.append(program)
                    jobs.append((folder / program["program"], program["options"], its_targets))
        with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
            found = list(pool.map(lambda job: compiler.compile(*job), jobs))

    rows = []
    for program, results in zip(chosen, found):
        items = product(program["global"])
        group_items = product(program.get("local") or [GROUP_ITEMS])
        for target, result in results.items():
            rows.append(result | {
                "kernel": program["kernel"], "target": target, "defines": describe(program), "items": items,
                "group_items": group_items, "groups": items // group_items,
                "occupancy": occupancy(target, result["registers"], result["local"], group_items)})
    complaints, used = check(rows, accepted, built, set(arguments.kernel or kernels))
    if not arguments.kernel and not arguments.arch:
        complaints += [f"{ACCEPTED.relative_to(ROOT)}: '{kernel}' '{what}' is no longer needed"
                       for kernel, what in sorted(set(accepted) - used)]
    if arguments.json:
        print(json.dumps({"programs": rows, "complaints": complaints}, indent=1))
    else:
        print_table(rows, arguments.all)
        for (kernel, what), reason in accepted.items():
            if (kernel, what) in used:
                print(f"accepted: {kernel}, {what}: {reason}")
    for complaint in complaints:
        print(f"check-gpu-code: {complaint}", file=sys.stderr)
    print(f"check-gpu-code: {len(chosen)} programs of {len({row['kernel'] for row in rows})} kernels for "
          f"{', '.join(targets)}: {'wrong' if complaints else 'right'}", file=sys.stderr)
    sys.exit(1 if complaints else 0)


if __name__ == "__main__":
    main()
