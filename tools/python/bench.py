"""Alternates Coppice and its peers, each run in a process of its own; tools/bench runs it and has its help."""

import argparse
import datetime
import json
import os
import pathlib
import platform
import subprocess
import sys
import tempfile

import bench_features
import bench_large
import bench_report
import bench_table
from bench_sides import COPPICE, ENVIRONMENT, ROOT, clustering_peers, our_lloyd, output, taken_by

MINI_BATCH, LLOYD, START = (50, 500), (10, 50, 500, 5000), (5000,)


def training_work(model, replicas):
    """What the training of a model is called: that of LeNet-5 has one line, with the networks that --replicas says."""
    return "training" if model == "lenet5" else f"training {model}, {replicas} at once"


def training_peer(data, model, counts):
    """PyTorch's side: one network is held against ours with any number of networks, grouped ones against as many."""

    def run(record, _):
        taken = taken_by(record, "training.py", "--data", data, "--model", model, "--replicas", max(counts))
        for result in taken:
            if "compile_seconds" in result:
                compiling = {"model": model, "case": result["case"], "seconds": result["compile_seconds"]}
                record.setdefault("compiling", []).append(compiling)
        return [
            (training_work(model, count), result["case"], result["seconds"], None)
            for count in counts
            for result in taken
            if result["replicas"] in (1, count)
        ]

    return run


def our_training(data, device, model, replicas):
    if model == "autoencoder":
        return our_embedding(data, device)
    command = [COPPICE, "train", "--data", data, "--epochs", 1, "--replicas", replicas, "--device", device]
    command += ["--model", model]

    def run(record, _):
        printed = output([*command, "--quiet", "--json"])
        record["versions"][f"ours, {device}"] = printed.get("device")
        # Seconds for one network to see the whole set once, as the peer's are.
        return [(training_work(model, replicas), device, printed["seconds"] / printed["replicas"] / printed["epochs"], None)]

    return run


def our_embedding(data, device):
    """An epoch of the autoencoder, which classifies nothing: embed trains it, one at a time."""
    command = [COPPICE, "embed", "--with", "autoencoder", "--data", data, "--epochs", 1, "--device", device]

    def run(record, _):
        with tempfile.TemporaryDirectory(prefix="coppice-bench-") as folder:
            printed = output([*command, "--out", pathlib.Path(folder) / "codes.npy", "--quiet", "--json"])
        record["versions"][f"ours, {device}"] = printed.get("device")
        return [(training_work("autoencoder", 1), device, printed["training_seconds"], None)]

    return run


def least_seconds(arguments):
    """(work, device) -> the seconds of an epoch of one network where every kernel reaches the device's measured limit."""
    least = {}
    for device in arguments.devices.split(","):
        for model, counts in models(arguments):
            command = [COPPICE, "bench", "--stage", "training", "--model", model, "--replicas", max(counts)]
            printed = output([*command, "--device", device, "--quiet", "--json"])
            for stage in printed["stages"]:
                if "an epoch of 60,000" in stage["case"] and stage["replicas"] in counts:
                    seconds = stage["share"] * stage["seconds"] / stage["replicas"]
                    least[training_work(model, stage["replicas"]), device] = seconds
    return least


def models(arguments):
    """The models to train, each with how many networks at once."""
    counts = {"lenet5": [arguments.replicas], "autoencoder": [1]}
    return [(model, counts.get(model, sorted({1, arguments.replicas}))) for model in arguments.models.split(",")]


def our_clustering(data, device, pca, kmeans):
    images = ["--data", data, "--pca", 50]

    def run(record, seed):
        results = []

        def cluster(k, *options):
            command = [COPPICE, "cluster", *images, "--device", device, "--quiet", "--json"]
            printed = output([*command, "--k", k, "--seed", seed, *options])
            record["versions"][f"ours, {device}"] = printed.get("device")
            return printed, printed["start_seconds"] + printed["kmeans_seconds"]

        if pca:
            printed, _ = cluster(10, "--kmeans", "lloyd", "--iterations", 1)
            results.append(("pca", device, printed["pca_seconds"], None))
        for k in MINI_BATCH if kmeans else ():
            printed, seconds = cluster(k, "--kmeans", "minibatch")
            results.append((f"minibatch {k}", device, seconds, printed["inertia"]))
        for k in LLOYD if kmeans else ():
            results += our_lloyd(record, f"lloyd {k}", device, [*images, "--k", k, "--seed", seed], 20)
        for k in START if kmeans else ():
            printed, _ = cluster(k, "--kmeans", "minibatch", "--iterations", 1)
            results.append((f"start {k}", device, printed["start_seconds"], None))
        return results

    return run


def sides(arguments, folder):
    """Every side of the comparisons asked for, ours before the peers: (is ours, run)."""
    devices = [] if arguments.peers else arguments.devices.split(",")
    if arguments.only == "features":
        return bench_features.sides(folder, [bench_features.FEATURES], devices)
    training, pca, kmeans, embeddings = (arguments.only in (None, what) for what in ("training", "pca", "kmeans", "embeddings"))
    ours, peers = [], []
    for device in devices:
        if training:
            ours += [our_training(arguments.data, device, model, n) for model, counts in models(arguments) for n in counts]
        if pca or kmeans:
            ours.append(our_clustering(arguments.data, device, pca, kmeans))
    if training:
        peers += [training_peer(arguments.data, model, counts) for model, counts in models(arguments)]
    if pca or kmeans:
        options = ["--data", arguments.data]
        if pca:
            options.append("--pca")
        if kmeans:
            options += ["--lloyd", *LLOYD, "--minibatch", *MINI_BATCH, "--start", *START]
        peers.append(clustering_peers(*options))
    wide = bench_features.sides(folder, bench_features.EMBEDDINGS, devices) if embeddings else []
    return sorted([(True, run) for run in ours] + [(False, run) for run in peers] + wide, key=lambda side: not side[0])


def default_data():
    mnist = pathlib.Path(os.environ.get("COPPICE_DATA", "/nonexistent")) / "mnist"
    return str(mnist) if mnist.is_dir() else "/usr/share/datasets/fashion-mnist"


def cpu_model():
    lines = pathlib.Path("/proc/cpuinfo").read_text().splitlines() if os.path.exists("/proc/cpuinfo") else []
    return next((line.split(":")[1].strip() for line in lines if line.startswith("model name")), platform.machine())


def main():
    parser = argparse.ArgumentParser(prog="bench", add_help=False)
    parser.add_argument("--only", choices=["training", "pca", "kmeans", "embeddings", "features", "large"])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--data", default=default_data())
    parser.add_argument("--devices", default="opencl-cpu,cpu")
    parser.add_argument("--replicas", type=int, default=5)
    parser.add_argument("--models", default="lenet5")
    parser.add_argument("--out", default="results/bench.json")
    parser.add_argument("--folder")
    parser.add_argument("--peers", action="store_true")
    parser.add_argument("--table", action="store_true")
    parser.error = lambda message: bench_table.complain(64, f"{message}; see tools/bench --help")
    arguments = parser.parse_args()
    if arguments.rounds < 1:
        parser.error(f"argument --rounds: {arguments.rounds} is not a number of rounds, 1 or more")
    if arguments.table:
        return bench_table.print_table(arguments.out)

    revision = subprocess.run(["git", "describe", "--always", "--dirty"], capture_output=True, text=True, cwd=ROOT)
    versions = {"python": platform.python_version(), "coppice": revision.stdout.strip()}
    machine = f"{cpu_model()}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}"
    record = {"machine": machine, "data": arguments.data, "versions": versions, "left_out": []}
    with tempfile.TemporaryDirectory(prefix="coppice-bench-") as made:
        folder = pathlib.Path(arguments.folder or made)
        folder.mkdir(parents=True, exist_ok=True)
        if arguments.only == "large":
            print(machine, flush=True)
            devices = arguments.devices.split(",")
            record["large"] = [r for d in devices for r in bench_large.run(COPPICE, d, folder, ENVIRONMENT)]
        else:
            record["rounds"] = alternate(arguments, folder, record)
            print(f"{machine}\n{arguments.data}, {arguments.rounds} rounds\n{json.dumps(versions)}")
            trained = arguments.only in (None, "training") and not arguments.peers
            least = least_seconds(arguments) if trained else {}
            print("\n".join(bench_report.lines(record["rounds"], least)))
    record["taken"] = datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="seconds")
    out = pathlib.Path(arguments.out)
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text(json.dumps(record, indent=1) + "\n")
    print(f"every time: {out}")


def alternate(arguments, folder, record):
    """Runs all sides in rounds, ours first in odd ones; every time that was taken."""
    rounds = []
    for number in range(arguments.rounds):
        order = sides(arguments, folder)
        for ours, run in order if number % 2 == 0 else reversed(order):
            for work, case, seconds, inertia in run(record, number + 1):
                print(f"round {number + 1}: {work}, {case}: {seconds:.3f} s", file=sys.stderr)
                entry = {"round": number + 1, "ours": ours, "work": work, "case": case, "seconds": seconds}
                rounds.append(entry | {"inertia": inertia})
    return rounds


main()
