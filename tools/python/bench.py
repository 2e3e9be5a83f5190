"""Alternates Coppice and its peers, each run in a process of its own; tools/bench runs it and has its help."""

import argparse
import datetime
import json
import os
import pathlib
import platform
import statistics
import subprocess
import sys
import tempfile

import bench_large
import bench_table

ROOT = pathlib.Path(__file__).resolve().parents[2]
COPPICE = ROOT / ".build" / "release" / "coppice"
MINI_BATCH, LLOYD, START = (50, 500), (10, 50, 500, 5000), (5000,)
# Rows of features: how many, how wide, and k.
FEATURES = (1_000_000, 64, 1000)
FEATURES_WORK = "lloyd 1000 of 1000000x64"

# What we want to reach: the least ratio of the peer's seconds to ours, or the most seconds of ours. Inertias should be
# within 1% of the peer's (Lloyd) or half a percent (mini-batch) in the mean over the rounds, each of which has a seed.
RATIOS = {
    "pca": 1.4, "minibatch 500": 3, "lloyd 50": 1.6, "lloyd 500": 1.6, "lloyd 5000": 1.6, FEATURES_WORK: 5,
    "training linear, 5 at once": 4, "training mlp, 5 at once": 1.5, "training lenet5-wide4, 1 at once": 2,
    "training lenet5-wide4, 5 at once": 2.5, "training autoencoder, 1 at once": 1.2,
}  # fmt: skip
SECONDS = {"start 5000": 0.2}


# Where a machine sets these two, they slow the BLAS that numpy and faiss bring, and the system's, which is ours.
ENVIRONMENT = {k: v for k, v in os.environ.items() if k not in ("OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE")}


def output(command):
    """The JSON object that a command prints."""
    done = subprocess.run([str(part) for part in command], env=ENVIRONMENT, stdout=subprocess.PIPE, text=True)
    if done.returncode != 0:
        sys.exit(f"bench: {' '.join(map(str, command))} ended with {done.returncode}")
    return json.loads(done.stdout)


def peer(script, *options):
    """A side that runs a script of tools/bench.d; a list of (work, case, seconds, inertia)."""

    def run(versions, seed):
        seeded = ["--seed", seed] if script == "clustering.py" else []
        printed = output([sys.executable, ROOT / "tools" / "bench.d" / script, *options, *seeded])
        versions |= printed["versions"]
        return [(r["work"], r["case"], r["seconds"], r.get("inertia")) for r in printed["results"]]

    return run


def training_work(model, replicas):
    """What the training of a model is called: that of LeNet-5 has one line, with the networks that --replicas says."""
    return "training" if model == "lenet5" else f"training {model}, {replicas} at once"


def training_peer(data, model, replicas):
    """PyTorch trains one network; its seconds are held against ours with each number of networks."""
    measure = peer("training.py", "--data", data, "--model", model)

    def run(versions, seed):
        taken = measure(versions, seed)
        works = dict.fromkeys(training_work(model, count) for count in replicas)
        return [(work, *rest) for work in works for _, *rest in taken]

    return run


def our_training(data, device, model, replicas):
    if model == "autoencoder":
        return our_embedding(data, device)
    command = [COPPICE, "train", "--data", data, "--epochs", 1, "--replicas", replicas, "--device", device]
    command += ["--model", model]

    def run(versions, _):
        printed = output([*command, "--quiet", "--json"])
        versions[f"ours, {device}"] = printed.get("device")
        # Seconds for one network to see the whole set once, as the peer's are.
        return [(training_work(model, replicas), device, printed["seconds"] / printed["replicas"] / printed["epochs"], None)]

    return run


def our_embedding(data, device):
    """An epoch of the autoencoder, which classifies nothing: embed trains it, one at a time."""
    command = [COPPICE, "embed", "--with", "autoencoder", "--data", data, "--epochs", 1, "--device", device]

    def run(versions, _):
        with tempfile.TemporaryDirectory(prefix="coppice-bench-") as folder:
            printed = output([*command, "--out", pathlib.Path(folder) / "codes.npy", "--quiet", "--json"])
        versions[f"ours, {device}"] = printed.get("device")
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
    return [
        (model, counts.get(model, sorted({1, arguments.replicas}))) for model in arguments.models.split(",")
    ]


def our_clustering(data, device, pca, kmeans):
    command = [COPPICE, "cluster", "--data", data, "--pca", 50, "--device", device, "--quiet", "--json"]

    def run(versions, seed):
        results = []

        def cluster(k, *options):
            printed = output([*command, "--k", k, "--seed", seed, *options])
            versions[f"ours, {device}"] = printed.get("device")
            return printed, printed["start_seconds"] + printed["kmeans_seconds"]

        if pca:
            printed, _ = cluster(10, "--kmeans", "lloyd", "--iterations", 1)
            results.append(("pca", device, printed["pca_seconds"], None))
        for k in MINI_BATCH if kmeans else ():
            printed, seconds = cluster(k, "--kmeans", "minibatch")
            results.append((f"minibatch {k}", device, seconds, printed["inertia"]))
        for k in LLOYD if kmeans else ():
            printed, seconds = cluster(k, "--kmeans", "lloyd", "--iterations", 20, "--start", "random")
            results.append((f"lloyd {k}", device, seconds, printed["inertia"]))
        for k in START if kmeans else ():
            printed, _ = cluster(k, "--kmeans", "minibatch", "--iterations", 1)
            results.append((f"start {k}", device, printed["start_seconds"], None))
        return results

    return run


def our_features(path, device, folder):
    """Lloyd on a file of rows, and the ranking of a tenth of them by that clustering."""
    clusters = folder / f"clusters-{device}"

    def run(versions, seed):
        common = ["--device", device, "--quiet", "--json", "--seed", seed]
        options = ["--k", FEATURES[2], "--kmeans", "lloyd", "--iterations", 20, "--start", "random", "--out", clusters]
        printed = output([COPPICE, "cluster", "--features", path, *options, *common])
        versions[f"ours, {device}"] = printed.get("device")
        seconds = printed["start_seconds"] + printed["kmeans_seconds"]
        options = ["--strategy", "furthest", "--size", FEATURES[0] // 10, "--out", folder / "kept.npy"]
        ranked = output([COPPICE, "select", "--clustering", clusters, *options, *common])
        return [
            (FEATURES_WORK, device, seconds, printed["inertia"]),
            (f"ranking after {FEATURES_WORK}", device, ranked["selection_seconds"], None),
        ]

    return run


def feature_sides(arguments, folder):
    """The sides of the comparison on a file of rows."""
    path = bench_large.make(folder / "rows.npy", FEATURES[0], FEATURES[1], "float32")
    devices = [] if arguments.peers else arguments.devices.split(",")
    ours = [(True, our_features(path, device, folder)) for device in devices]
    return ours + [(False, peer("clustering.py", "--features", path, "--lloyd", FEATURES[2]))]


def sides(arguments):
    """Every side of the comparisons asked for, ours before the peers: (is ours, run)."""
    training, pca, kmeans = (arguments.only in (None, what) for what in ("training", "pca", "kmeans"))
    ours, peers = [], []
    for device in [] if arguments.peers else arguments.devices.split(","):
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
        peers.append(peer("clustering.py", *options))
    return [(True, run) for run in ours] + [(False, run) for run in peers]


def middle(values):
    """Median and range of some seconds, for people."""
    return f"{statistics.median(values):8.3f} [{min(values):.3f}-{max(values):.3f}]"


def verdict(work, ratio, seconds):
    """The target of a work and whether it is met, in words; empty where there is none."""
    if work in RATIOS:
        return f"  target {RATIOS[work]}: {'met' if ratio >= RATIOS[work] else 'missed'}"
    if work in SECONDS:
        return f"  target {SECONDS[work]} s: {'met' if seconds <= SECONDS[work] else 'missed'}"
    return ""


def report(rounds, least):
    """Prints one line for each work and device of ours, against the best case of the peer in the same round.

    Where `least` knows the seconds that the roofline allows, the line ends in their share of ours.
    """
    works = list(dict.fromkeys(entry["work"] for entry in rounds))
    for work in works:
        here = [entry for entry in rounds if entry["work"] == work]
        numbers = sorted({entry["round"] for entry in here})
        peers = [entry for entry in here if not entry["ours"]]
        if not peers:
            for device in dict.fromkeys(entry["case"] for entry in here):
                print(f"{work}\n  {device:15} {middle([e['seconds'] for e in here if e['case'] == device])} s")
            continue
        best = {n: min((e for e in peers if e["round"] == n), key=lambda e: e["seconds"]) for n in numbers}
        cases = sorted({entry["case"] for entry in best.values()})
        print(f"{work}\n  peer            {middle([b['seconds'] for b in best.values()])} s  ({'; '.join(cases)})")
        for device in dict.fromkeys(entry["case"] for entry in here if entry["ours"]):
            ours = {e["round"]: e for e in here if e["ours"] and e["case"] == device}
            ratios = [best[n]["seconds"] / ours[n]["seconds"] for n in numbers]
            line = f"  {device:15} {middle([e['seconds'] for e in ours.values()])} s  ratio {statistics.median(ratios):.2f}"
            line += f" [{min(ratios):.2f}-{max(ratios):.2f}]"
            if best[numbers[0]]["inertia"]:
                inertia = sum(ours[n]["inertia"] for n in numbers) / sum(best[n]["inertia"] for n in numbers)
                line += f"  mean inertia {inertia:.4f} of the peer's"
            seconds = statistics.median(e["seconds"] for e in ours.values())
            if (work, device) in least:
                line += f"  {100 * least[work, device] / seconds:.0f}% of the roofline"
            print(line + verdict(work, statistics.median(ratios), seconds))


def default_data():
    mnist = pathlib.Path(os.environ.get("COPPICE_DATA", "/nonexistent")) / "mnist"
    return str(mnist) if mnist.is_dir() else "/usr/share/datasets/fashion-mnist"


def cpu_model():
    lines = pathlib.Path("/proc/cpuinfo").read_text().splitlines() if os.path.exists("/proc/cpuinfo") else []
    return next((line.split(":")[1].strip() for line in lines if line.startswith("model name")), platform.machine())


def main():
    parser = argparse.ArgumentParser(prog="bench", add_help=False)
    parser.add_argument("--only", choices=["training", "pca", "kmeans", "features", "large"])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--data", default=default_data())
    parser.add_argument("--devices", default="opencl-cpu,cpu")
    parser.add_argument("--replicas", type=int, default=5)
    parser.add_argument("--models", default="lenet5")
    parser.add_argument("--out", default="results/bench.json")
    parser.add_argument("--folder")
    parser.add_argument("--peers", action="store_true")
    parser.add_argument("--table", action="store_true")
    arguments = parser.parse_args()
    if arguments.table:
        return bench_table.print_table(arguments.out)

    revision = subprocess.run(["git", "describe", "--always", "--dirty"], capture_output=True, text=True, cwd=ROOT)
    versions = {"python": platform.python_version(), "coppice": revision.stdout.strip()}
    machine = f"{cpu_model()}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}"
    record = {"machine": machine, "data": arguments.data, "versions": versions}
    with tempfile.TemporaryDirectory(prefix="coppice-bench-") as made:
        folder = pathlib.Path(arguments.folder or made)
        folder.mkdir(parents=True, exist_ok=True)
        if arguments.only == "large":
            print(machine, flush=True)
            devices = arguments.devices.split(",")
            record["large"] = [r for d in devices for r in bench_large.run(COPPICE, d, folder, ENVIRONMENT)]
        else:
            record["rounds"] = alternate(arguments, folder, versions)
            print(f"{machine}\n{arguments.data}, {arguments.rounds} rounds\n{json.dumps(versions)}")
            trained = arguments.only in (None, "training") and not arguments.peers
            report(record["rounds"], least_seconds(arguments) if trained else {})
    record["taken"] = datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="seconds")
    out = pathlib.Path(arguments.out)
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text(json.dumps(record, indent=1) + "\n")
    print(f"every time: {out}")


def alternate(arguments, folder, versions):
    """Runs all sides in rounds, ours first in odd ones; every time that was taken."""
    rounds = []
    for number in range(arguments.rounds):
        order = feature_sides(arguments, folder) if arguments.only == "features" else sides(arguments)
        for ours, run in order if number % 2 == 0 else reversed(order):
            for work, case, seconds, inertia in run(versions, number + 1):
                print(f"round {number + 1}: {work}, {case}: {seconds:.3f} s", file=sys.stderr)
                entry = {"round": number + 1, "ours": ours, "work": work, "case": case, "seconds": seconds}
                rounds.append(entry | {"inertia": inertia})
    return rounds


main()
