"""scikit-learn's and faiss's side of the clustering comparison, on the training images, or the rows of a file, as float32.

Prints one JSON object: PCA's seconds (fit and projection), and for each k the seconds and inertia of the article's
mini-batch k-means (start, steps and last assignment) and of Lloyd's iterations from a random start (iterations and
last assignment), and the seconds of a greedy k-means++ start on the 3k points that mini-batch k-means takes for it.
Each is run on one thread, on all, and on all with one for BLAS alone: which is best depends on k. Above k = 1000, where
one thread is never best, it is left out.
"""

import argparse
import json
import os
import time

import faiss
import numpy as np
import sklearn
from lenet5 import read_idx
from sklearn.cluster import MiniBatchKMeans, kmeans_plusplus
from sklearn.decomposition import PCA
from threadpoolctl import threadpool_limits


def timed(work):
    start = time.perf_counter()
    result = work()
    return time.perf_counter() - start, result


def lloyd(x, k, iterations, threads, seed):
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


def mini_batch(x, k, seed):
    model = MiniBatchKMeans(
        k, init="k-means++", n_init=1, batch_size=1024, max_iter=20, max_no_improvement=5, random_state=seed
    )
    seconds, _ = timed(lambda: model.fit(x))
    return seconds, float(model.inertia_)


def start(x, k, seed):
    subset = x[np.random.default_rng(seed).integers(0, len(x), 3 * k)]
    return timed(lambda: kmeans_plusplus(subset, k, random_state=seed))[0]


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
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    if arguments.features:
        x = np.ascontiguousarray(np.load(arguments.features), np.float32)
    else:
        images = read_idx(arguments.data, "train-images-idx3-ubyte")
        x = np.ascontiguousarray(images.reshape(len(images), -1), np.float32)

    results = []

    def add(work, case, seconds, inertia=None):
        results.append({"work": work, "case": case, "seconds": seconds, "inertia": inertia})

    components = PCA(arguments.components)
    projected = x if arguments.features else np.ascontiguousarray(components.fit_transform(x), np.float32)
    cores = os.cpu_count()
    for threads, blas in sorted({(1, 1), (cores, 1), (cores, cores)}):
        with threadpool_limits(threads, "openmp"), threadpool_limits(blas, "blas"):
            case = f"{threads} threads, {blas} for BLAS"
            if arguments.pca:
                add("pca", f"scikit-learn, {case}", timed(lambda: PCA(arguments.components).fit_transform(x))[0])
            few = 1000 if threads == 1 else 1 << 30
            for k in arguments.minibatch:
                add(f"minibatch {k}", f"scikit-learn, {case}", *mini_batch(projected, k, arguments.seed))
            for k in [k for k in arguments.lloyd if k < few]:
                seconds = lloyd(projected, k, arguments.iterations, threads, arguments.seed)
                rows = f" of {x.shape[0]}x{x.shape[1]}" if arguments.features else ""
                add(f"lloyd {k}{rows}", f"faiss, {case}", *seconds)
            for k in arguments.start if threads == cores == blas else []:
                add(f"start {k}", f"scikit-learn, {case}", start(projected, k, arguments.seed))
    versions = {"scikit-learn": sklearn.__version__, "faiss": faiss.__version__, "numpy": np.__version__}
    print(json.dumps({"results": results, "versions": versions}))


main()
