"""Checks what tools/bench compares and prints, without timing anything; tools/bench --check runs it.

--quick leaves out torch.compile, which takes a minute. Without faiss and scikit-learn their part is left out, and said.
Prints a line per check, and ends with 1 at the first that fails.
"""

import argparse
import functools
import sys

import bench_report
import bench_table
import grouped
import torch
from training import MODELS, compiled

SHAPES = {"lenet5": (1, 32, 32), "mlp": (1, 28, 28), "linear": (1, 28, 28), "autoencoder": (1, 28, 28)}


def expect(holds, sentence):
    if not holds:
        sys.exit(f"bench: --check: {sentence}")


def expect_failure(kind, work, sentence):
    """`work` must raise `kind`; the sentence says what it missed otherwise."""
    try:
        work()
    except kind:
        return
    sys.exit(f"bench: --check: {sentence}")


def check_groups(quick):
    """Grouped networks against the same ones alone, and that this notices two planted faults."""
    for name, shape in SHAPES.items():
        grouped.check(MODELS[name], shape, name == "autoencoder")

    def exchanged(forward):
        return lambda x: forward(x.flip(1))

    def untrained(forward):
        def run(x):
            outputs = forward(x)
            return torch.cat([outputs[:1].detach(), outputs[1:]])

        return run

    for fault in (exchanged, untrained):
        broken = functools.partial(grouped.check, MODELS["lenet5"], SHAPES["lenet5"], wrap=fault)
        expect_failure(ValueError, broken, f"grouped networks with a fault ({fault.__name__}) passed for right")
    expect_failure(TypeError, lambda: grouped.joined([torch.nn.Tanh()]), "a layer without a grouped form was accepted")
    print("grouped networks compute what each computes alone")
    if not quick:
        grouped.check(MODELS["lenet5"], SHAPES["lenet5"], wrap=compiled)
        print("compiled, too")


def check_clustering():
    """The peers' Lloyds against each other, and what must be left out."""
    try:
        import clustering
        import intelex
        import numpy as np
    except ImportError as error:
        print(f"clustering is left out: {error}")
        return
    # Whole clusters of noise move for long, but two lumps far apart do not.
    noise = np.random.default_rng(1).standard_normal((3000, 20), np.float32)
    lumps = noise + np.where(np.arange(3000) % 2, 50, -50).astype(np.float32)[:, None]
    seconds, inertia = clustering.lloyd(clustering.scikit_learn, noise, 30, 5, 1)
    expect(seconds > 0, "a time that is not positive")
    _, other = clustering.faiss_lloyd(noise, 30, 5, 1, 1)
    expect(abs(other / inertia - 1) < 0.05, f"inertia {other} from faiss, {inertia} from scikit-learn")
    early = "Lloyd that ended early was taken for whole"
    lloyd = clustering.lloyd
    expect_failure(intelex.LeftOut, lambda: lloyd(clustering.scikit_learn, lumps, 2, 50, 1), early)
    accelerated, reason = intelex.load()
    if not accelerated:
        print(f"scikit-learn-intelex is left out: {reason}")
        return

    def fit(x, k, **options):
        return accelerated.k_means(x, k, threads=1, **options)

    _, other = lloyd(fit, noise, 30, 5, 1)
    expect(abs(other / inertia - 1) < 1e-4, f"inertia {other} from scikit-learn-intelex, {inertia} from scikit-learn")
    expect_failure(intelex.LeftOut, lambda: lloyd(fit, lumps, 2, 50, 1), early)
    # scikit-learn takes a randomized solver for this shape, and scikit-learn-intelex has none.
    wide = np.random.default_rng(1).standard_normal((600, 784), np.float32)
    unsupported = functools.partial(accelerated.pca, wide, 50, 1)
    expect_failure(intelex.LeftOut, unsupported, "scikit-learn's own PCA was taken for scikit-learn-intelex's")
    exact = np.tile(noise, (1, 2))
    expect(accelerated.pca(exact, 5, 1).shape == (3000, 5), "PCA of another shape")
    print("the peers' Lloyds agree; what ends early or is not accelerated is left out")


def check_lines():
    """Report and table on planted times: the fastest peer, by rounds, and the best of the others."""

    def entry(number, ours, case, seconds, inertia=None):
        return {
            "round": number, "ours": ours, "work": "lloyd 500 of 50000x768 in 10", "case": case, "seconds": seconds,
            "inertia": inertia,
        }  # fmt: skip

    rounds = [
        entry(1, True, "cpu", 1.0, 50.0), entry(1, False, "faiss, 1 thread", 9.0, 50.0),
        entry(1, False, "faiss, 2 threads", 4.0, 50.0), entry(1, False, "scikit-learn, 2 threads", 3.0, 40.0),
        entry(2, True, "cpu", 2.0, 50.0), entry(2, False, "faiss, 2 threads", 5.0, 50.0),
        entry(2, False, "scikit-learn, 2 threads", 8.0, 40.0),
        entry(3, True, "cpu", 1.0, 50.0), entry(3, False, "faiss, 2 threads", 2.0, 50.0),
        entry(3, False, "scikit-learn, 2 threads", 7.0, 40.0),
    ]  # fmt: skip
    lines = list(bench_report.lines(rounds, {("lloyd 500 of 50000x768 in 10", "cpu"): 0.5}))
    ours = "  cpu                1.000 [1.000-2.000] s"
    expected = [
        "lloyd 500 of 50000x768 in 10",
        "  fastest peer       3.000 [2.000-5.000] s  (faiss, 2 threads; scikit-learn, 2 threads)",
        "  other peers     scikit-learn 7.000 s",
        ours + "  ratio 2.50 [2.00-3.00]  mean inertia 1.0714 of the peer's  50% of the roofline",
    ]
    expect(lines == expected, "the report of planted times:\n" + "\n".join(lines))
    versions = {"faiss": "1", "ours, cpu": {"name": "built-in", "platform": ""}}
    record = {"rounds": rounds, "versions": versions, "taken": "2026-11-30T", "machine": "M", "data": "d/mnist"}
    row = "| 10 iterations of Lloyd, k 500, 50,000 x 768 rows | cpu | 1.000 | faiss, 2 threads; scikit-learn, 2 threads "
    table = bench_table.table(record)
    expect(table[2] == row + "| 3.000 | **2.50** (2.00-3.00) |", f"the table of planted times: {table[2]}")
    expect(not any("Left out" in line for line in table), "something was left out of a table that has all")
    last = bench_table.table(record | {"left_out": ["A", "B"]})[-1]
    expect(last == "Left out: A; B.", f"what was left out: {last}")
    alone = [planted for planted in rounds if planted["ours"]]
    expect(not bench_table.table(record | {"rounds": alone})[2], "a row without a peer")
    expect(list(bench_report.lines(alone, {}))[1:] == [ours], "the report of ours without a peer")
    names = {
        "training": "training, an epoch of one network",
        "training mlp, 5 at once": "training of mlp, 5 at once, an epoch of one network",
        "pca": "PCA to 50 components, fit and projection",
        "lloyd 50": "20 iterations of Lloyd, k 50",
        "lloyd 1000 of 1000000x64": "20 iterations of Lloyd, k 1000, 1,000,000 x 64 rows",
        "start 5000": "k-means++ start, k 5000",
    }
    for name, told in names.items():
        expect(bench_table.stage(name) == told, f"the name of {name} in the table: {bench_table.stage(name)}")
    print("report and table name the fastest peer")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="what tools/bench passes on")
    parser.add_argument("--quick", action="store_true")
    parser.error = lambda message: bench_table.complain(64, f"{message}; see tools/bench --help")
    arguments = parser.parse_args()
    check_lines()
    check_clustering()
    check_groups(arguments.quick)


main()
