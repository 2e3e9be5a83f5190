"""The comparisons of tools/bench on made rows: a million narrow ones, and rows as wide as embeddings are."""

import bench_large
from bench_sides import COPPICE, clustering_peers, our_lloyd, output

# Rows, columns, k, and iterations. Of the wide rows none moves any more after 22 iterations, by some seeds.
FEATURES = (1_000_000, 64, 1000, 20)
EMBEDDINGS = tuple((50_000, columns, 500, 10) for columns in (384, 768, 1536))


def work(case):
    """What Lloyd on a case is called, as tools/bench.d/clustering.py does."""
    rows, columns, k, iterations = case
    return f"lloyd {k} of {rows}x{columns} in {iterations}"


def made(folder, case):
    """The file of a case's rows."""
    rows, columns, _, _ = case
    name = "rows.npy" if case == FEATURES else f"embeddings-{columns}.npy"
    return bench_large.make(folder / name, rows, columns, "float32")


def ours(folder, device, case):
    """Our side: Lloyd, and after that of FEATURES the ranking of a tenth of the rows by that clustering."""
    rows, _, k, iterations = case
    clusters = folder / f"clusters-{device}"
    path = made(folder, case)

    def run(record, seed):
        common = ["--quiet", "--json", "--seed", seed]
        command = ["--features", path, "--k", k, "--seed", seed]
        if case != FEATURES:
            return our_lloyd(record, work(case), device, command, iterations)
        results = our_lloyd(record, work(case), device, [*command, "--out", clusters], iterations)
        if results:
            options = ["--strategy", "furthest", "--size", rows // 10, "--out", folder / "kept.npy", "--device", device]
            ranked = output([COPPICE, "select", "--clustering", clusters, *options, *common])
            results.append((f"ranking after {work(case)}", device, ranked["selection_seconds"], None))
        return results

    return run


def sides(folder, cases, devices):
    """Every side of some cases, ours before the peers: (is ours, run)."""
    mine = [(True, ours(folder, device, case)) for case in cases for device in devices]
    peers = []
    for case in cases:
        options = ["--features", made(folder, case), "--lloyd", case[2], "--iterations", case[3]]
        peers.append((False, clustering_peers(*options)))
    return mine + peers
