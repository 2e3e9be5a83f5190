"""The peers' side of the clustering comparison, on the training images, or the rows of a file, as float32.

Prints one JSON object: the seconds of PCA (fit and projection) by scikit-learn and scikit-learn-intelex; for each k the seconds
and inertia of the article's mini-batch k-means by scikit-learn (start, steps and last assignment) and of Lloyd's iterations
from a random start by faiss, scikit-learn and scikit-learn-intelex (iterations and last assignment); and the seconds of a
greedy k-means++ start on the 3k points that mini-batch k-means takes for it, by the latter two. Each is run on one thread, on
all, and, where BLAS has threads of its own, on all with one for BLAS alone: which is best depends on k. One thread is left out
where the work is too large for it ever to be best. "left_out" has a sentence for each peer or case that could not be run.
"""

import argparse
import functools
import json
import os
import time

import faiss
import intelex
import numpy as np
import sklearn
from intelex import LeftOut
from lenet5 import read_idx
from sklearn.cluster import KMeans, MiniBatchKMeans, kmeans_plusplus
from sklearn.decomposition import PCA
from threadpoolctl import threadpool_limits

# The product of k and columns above which one thread is never best.
LARGE = 50_000


def timed(work):
    start = time.perf_counter()
    result = work()
    return time.perf_counter() - start, result


def faiss_lloyd(x, k, iterations, threads, seed):
    """Seconds and inertia; faiss always does all iterations."""
    faiss.omp_set_num_threads(threads)
    index = faiss.IndexFlatL2(x.shape[1])
    # Without these faiss trains on a sample of 256 points a centroid.
    clustering = faiss.Clustering(x.shape[1], k)
    clustering.niter, clustering.seed = iterations, seed
    clustering.min_points_per_centroid, clustering.max_points_per_centroid = 1, len(x)

    def work():
        clustering.train(x, index)
        return float(index.search(x, 1)[0].sum())

    return timed(work)


def lloyd(fit, x, k, iterations, seed):
    """Seconds and inertia of an estimator with scikit-learn's options; raises LeftOut where it does fewer iterations."""

    def work():
        start = x[np.random.default_rng(seed).choice(len(x), k, replace=False)]
        return fit(x, k, init=start, n_init=1, max_iter=iterations, tol=0, algorithm="lloyd")

    seconds, model = timed(work)
    if model.n_iter_ != iterations:
        raise LeftOut(f"k {k}: nothing moved any more after {model.n_iter_} of {iterations} iterations")
    return seconds, float(model.inertia_)


def scikit_learn(x, k, **options):
    return KMeans(k, **options).fit(x)


def mini_batch(x, k, seed):
    model = MiniBatchKMeans(
        k, init="k-means++", n_init=1, batch_size=1024, max_iter=20, max_no_improvement=5, random_state=seed
    )
    seconds, _ = timed(lambda: model.fit(x))
    return seconds, float(model.inertia_)


def start(plus_plus, x, k, seed):
    """Seconds of a start on 3k random points."""
    subset = x[np.random.default_rng(seed).integers(0, len(x), 3 * k)]
    return (timed(lambda: plus_plus(subset, k, random_state=seed))[0],)


def projection(pca, x, components, *options):
    """Seconds of fitting and projecting."""
    return (timed(lambda: pca(x, components, *options))[0],)


def scikit_learn_pca(x, components):
    return PCA(components).fit_transform(x)


class Results:
    """Measurements, and the cases left out."""

    def __init__(self):
        self.taken, self.left_out = [], []

    def add(self, work, case, measure, *arguments):
        """Keeps the seconds, and the inertia where there is one, that `measure` returns, or its reason for having none."""
        try:
            seconds, *inertia = measure(*arguments)
        except LeftOut as reason:
            self.left_out.append(f"{case}: {reason}")
            return
        self.taken.append({"work": work, "case": case, "seconds": seconds, "inertia": inertia[0] if inertia else None})


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", help="IDX files, whose images are projected for k-means")
    parser.add_argument("--features", help="a .npy file of rows, which are clustered as they are")
    parser.add_argument("--components", type=int, default=50)
    parser.add_argument("--iterations", type=int, default=20)
    parser.add_argument("--pca", action="store_true")
    parser.add_argument("--lloyd", type=int, nargs="*", default=[])
    parser.add_argument("--minibatch", type=int, nargs="*", default=[])
    parser.add_argument("--start", type=int, nargs="*", default=[])
    parser.add_argument("--images", type=int, help="the first so many rows only, for a trial")
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    seed, iterations = arguments.seed, arguments.iterations
    if arguments.features:
        x = np.ascontiguousarray(np.load(arguments.features)[: arguments.images], np.float32)
    else:
        images = read_idx(arguments.data, "train-images-idx3-ubyte")[: arguments.images]
        x = np.ascontiguousarray(images.reshape(len(images), -1), np.float32)
    rows = f" of {x.shape[0]}x{x.shape[1]} in {iterations}" if arguments.features else ""

    results = Results()
    versions = {"scikit-learn": sklearn.__version__, "faiss": faiss.__version__, "numpy": np.__version__}
    accelerated, reason = intelex.load()
    if accelerated:
        versions["scikit-learn-intelex"] = accelerated.version
    else:
        results.left_out.append(reason)

    components = PCA(arguments.components)
    projected = x if arguments.features else np.ascontiguousarray(components.fit_transform(x), np.float32)
    cores = os.cpu_count()
    for threads, blas in sorted({(1, 1), (cores, 1), (cores, cores)}):
        with threadpool_limits(threads, "openmp"), threadpool_limits(blas, "blas"):
            on = f"{threads} thread{'s' if threads > 1 else ''}"
            case = f"{on}, {blas} for BLAS"
            # scikit-learn's own Lloyd gives BLAS one thread, and scikit-learn-intelex has its own BLAS.
            whole = threads == blas
            if arguments.pca:
                results.add("pca", f"scikit-learn, {case}", projection, scikit_learn_pca, x, arguments.components)
                if accelerated and whole:
                    results.add("pca", f"{intelex.NAME}, {on}", projection, accelerated.pca, x, arguments.components, threads)
            for k in arguments.minibatch:
                results.add(f"minibatch {k}", f"scikit-learn, {case}", mini_batch, projected, k, seed)
            for k in arguments.lloyd:
                if threads == 1 < cores and k * projected.shape[1] > LARGE:
                    continue
                work = f"lloyd {k}{rows}"
                results.add(work, f"faiss, {case}", faiss_lloyd, projected, k, iterations, threads, seed)
                if blas == 1:
                    results.add(work, f"scikit-learn, {case}", lloyd, scikit_learn, projected, k, iterations, seed)
                if accelerated and whole:
                    fit = functools.partial(accelerated.k_means, threads=threads)
                    results.add(work, f"{intelex.NAME}, {on}", lloyd, fit, projected, k, iterations, seed)
            for k in arguments.start if threads == cores == blas else []:
                results.add(f"start {k}", f"scikit-learn, {case}", start, kmeans_plusplus, projected, k, seed)
                if accelerated:
                    results.add(f"start {k}", f"{intelex.NAME}, {on}", start, accelerated.plus_plus, projected, k, seed)
    print(json.dumps({"results": results.taken, "left_out": results.left_out, "versions": versions}))


if __name__ == "__main__":
    main()
