"""Rows that do not fit into the memory allowed: clustered and selected from disk, with memory and time taken from outside.

tools/bench runs it and has its help.
"""

import json
import os
import pathlib
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
MAKER = ROOT / "tools" / "bench.d" / "made_rows.py"

# Rows, columns, type.
CASES = ((10_000_000, 64, "float32"), (2_000_000, 768, "float16"))
K, ITERATIONS, MEMORY = 1000, 5, 2 << 30
# What we want: at least this share of the rate that the slower of reading and arithmetic allows.
SHARE = 0.5
PIECE = 8 << 20


def make(path, rows, columns, kind, *options):
    """Makes a file of rows where it is missing, in a process of its own: a child's peak memory is never below its parent's."""
    if not path.exists():
        print(f"making {path}", file=sys.stderr)
        command = [sys.executable, MAKER, path, rows, columns, kind, *options]
        if subprocess.run([str(part) for part in command]).returncode != 0:
            sys.exit(f"bench: {path} could not be made")
    return path


def measured(command, environment):
    """Runs a command that prints a JSON object: the object, its seconds by the clock, and its peak resident bytes.

    The peak is what the system says of the ended process (wait4's ru_maxrss). Coppice reads files and does not map them, so
    that no page of a file counts.
    """
    start = time.perf_counter()
    process = subprocess.Popen([str(part) for part in command], env=environment, stdout=subprocess.PIPE)
    text = process.stdout.read()
    _, status, usage = os.wait4(process.pid, 0)
    seconds = time.perf_counter() - start
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 0:
        sys.exit(f"bench: {' '.join(map(str, command))} ended with {process.returncode}")
    return json.loads(text), seconds, usage.ru_maxrss * 1024


def reading_rate(path):
    """Bytes per second of reading a file front to back, on one thread; from the page cache where the file is there."""
    room = bytearray(PIECE)
    start, total = time.perf_counter(), 0
    with open(path, "rb", buffering=0) as file:
        while count := file.readinto(room):
            total += count
    return total / (time.perf_counter() - start)


def case(coppice, device, folder, environment, rows, columns, kind):
    """Clusters and selects one file; what was measured."""
    path = make(folder / f"{rows}x{columns}-{kind}.npy", rows, columns, kind)
    few = make(folder / f"few-{columns}-{kind}.npy", 40_000, columns, kind)

    def select(features, size, iterations, memory):
        command = [coppice, "select", "--features", features, "--k", K, "--kmeans", "lloyd", "--iterations", iterations]
        command += ["--strategy", "furthest", "--size", size, "--memory", memory, "--device", device]
        return measured(
            [*command, "--out", folder / "kept.npy", "--seed", 1, "--quiet", "--json"], environment
        )

    # A first start compiles the kernels.
    select(few, 1000, 1, "4G")

    def limits():
        command = [coppice, "bench", "--kernel", "fill", "--device", device, "--quiet", "--json"]
        return measured(command, environment)[0]["limits"]["gflops"], reading_rate(path)

    before = limits()
    printed, seconds, peak = select(path, rows // 10, ITERATIONS, MEMORY)
    # The faster of both times: what else the machine does must not make the limits look low.
    gflops, rate = map(max, before, limits())
    # The values are checked once, then read in every iteration and for the last assignment.
    reading = (ITERATIONS + 2) * path.stat().st_size / rate
    arithmetic = 2 * rows * columns * K * (ITERATIONS + 1) / gflops / 1e9
    return {
        "case": f"{rows}x{columns} {kind}",
        "device": printed["device"],
        "seconds": seconds,
        "clustering_seconds": printed["start_seconds"] + printed["kmeans_seconds"],
        "ranking_seconds": printed["selection_seconds"],
        "gflops_limit": gflops,
        "reading_limit": rate,
        "arithmetic_seconds": arithmetic,
        "reading_seconds": reading,
        "share": max(arithmetic, reading) / seconds,
        "peak_bytes": peak,
        "allowed_bytes": MEMORY,
    }


def lines(found):
    """What was measured, for people."""

    def verdict(is_met):
        return "met" if is_met else "missed"

    fits = found["peak_bytes"] <= found["allowed_bytes"]
    ranks = found["ranking_seconds"] < found["clustering_seconds"]
    return [
        f"{found['case']}, k {K}, {ITERATIONS} iterations, and a tenth of the rows kept",
        f"  {found['seconds']:.1f} s: clustering {found['clustering_seconds']:.1f}, ranking "
        f"{found['ranking_seconds']:.1f}  ranking below clustering: {verdict(ranks)}",
        f"  limits: arithmetic {found['arithmetic_seconds']:.1f} s ({found['gflops_limit']:.0f} GFLOP/s), reading "
        f"{found['reading_seconds']:.1f} s ({found['reading_limit'] / 1e9:.1f} GB/s)",
        f"  share of the slower limit {found['share']:.2f}  target {SHARE}: {verdict(found['share'] >= SHARE)}",
        f"  peak memory {found['peak_bytes'] >> 20} MiB of {found['allowed_bytes'] >> 20} MiB: {verdict(fits)}",
    ]


def run(coppice, device, folder, environment):
    """All cases, printed one by one; what was measured."""
    results = []
    for rows, columns, kind in CASES:
        results.append(case(coppice, device, folder, environment, rows, columns, kind))
        print("\n".join(lines(results[-1])), flush=True)
    return results
