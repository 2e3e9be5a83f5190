"""Runs the programs that tools/bench compares, ours and the peers, each in a process of its own.

A side is a function of the record, which goes into the file of times, and a seed; it returns a list of (work, case, seconds,
inertia), and puts versions and what it had to leave out into the record.
"""

import json
import os
import pathlib
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
COPPICE = ROOT / ".build" / "release" / "coppice"

# Where a machine sets these two, they slow the BLAS that numpy and faiss bring, and the system's, which is ours.
ENVIRONMENT = {k: v for k, v in os.environ.items() if k not in ("OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE")}


def output(command):
    """The JSON object that a command prints."""
    done = subprocess.run([str(part) for part in command], env=ENVIRONMENT, stdout=subprocess.PIPE, text=True)
    if done.returncode != 0:
        sys.exit(f"bench: {' '.join(map(str, command))} ended with {done.returncode}")
    return json.loads(done.stdout)


def leave_out(record, sentence):
    """Says once on stderr, and in the record, what has no time here and why."""
    if sentence not in record["left_out"]:
        record["left_out"].append(sentence)
        print(f"bench: left out: {sentence}", file=sys.stderr)


def taken_by(record, script, *options):
    """The results of a script of tools/bench.d, as it prints them."""
    printed = output([sys.executable, ROOT / "tools" / "bench.d" / script, *options])
    record["versions"] |= printed["versions"]
    for sentence in printed["left_out"]:
        leave_out(record, sentence)
    return printed["results"]


def clustering_peers(*options):
    """The side of faiss, scikit-learn and scikit-learn-intelex."""

    def run(record, seed):
        results = taken_by(record, "clustering.py", *options, "--seed", seed)
        return [(r["work"], r["case"], r["seconds"], r["inertia"]) for r in results]

    return run


def our_lloyd(record, work, device, command, iterations):
    """Runs `command`, a clustering by Lloyd from a random start: its result, in a list that is empty where it ends early.

    faiss does all iterations even where nothing moves any more, and then there is nothing to compare.
    """
    options = ["--kmeans", "lloyd", "--iterations", iterations, "--start", "random", "--device", device]
    printed = output([COPPICE, "cluster", *command, *options, "--quiet", "--json"])
    record["versions"][f"ours, {device}"] = printed.get("device")
    if printed["iterations"] != iterations:
        done = f"{printed['iterations']} of {iterations} iterations"
        leave_out(record, f"{work}, {device}: nothing moved any more after {done}")
        return []
    return [(work, device, printed["start_seconds"] + printed["kmeans_seconds"], printed["inertia"])]
