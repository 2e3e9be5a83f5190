"""Writes Tests/Fixtures/clustering: what scikit-learn's PCA and KMeans make of synthetic rows.

pixels.npy        uint8 [400, 120], floats.npy float32 [300, 37]: seeded blobs, no real data
pixels_*.npy and floats_*.npy hold what scikit-learn found in float64:
  mean [d], components [c, d], variance [c], ratio [c], projection [n, c]   PCA, svd_solver="full"
  start [k, c] float32        the first centroids: k of the rows of `points`
  points [n, c] float32       the rows that k-means was given: the projection, rounded to float32
  labels [n], inertia [1]     the nearest of `start`, and the sum of squared distances to them
  lloyd [k, c], lloyd_labels [n], lloyd_inertia [1], lloyd_iterations [1]   KMeans from `start`, tolerance 0

A row whose two nearest centroids are too near to call in float32 would prove nothing: such rows are refused.
"""

import pathlib

import numpy as np
import sklearn
from sklearn.cluster import KMeans
from sklearn.decomposition import PCA

FOLDER = pathlib.Path(__file__).resolve().parents[2] / "Tests/Fixtures/clustering"


def blobs(random, count, dimensions, groups, spread):
    """Gaussian blobs with fewer directions than columns and unequal sizes."""
    centres = random.normal(0, 1, (groups, dimensions))
    group = random.choice(groups, count, p=np.arange(1, groups + 1) / (groups * (groups + 1) / 2))
    directions = random.normal(0, 1, (dimensions, dimensions)) * (0.93 ** np.arange(dimensions))
    return centres[group] + spread * random.normal(0, 1, (count, dimensions)) @ directions.T


def squares(points, centroids):
    return ((points[:, None, :].astype(np.float64) - centroids[None]) ** 2).sum(2)


def decided(distances):
    """Whether every row's nearest centroid is nearer than the next by more than float32 could lose."""
    nearest = np.sort(distances, axis=1)
    return np.all(nearest[:, 1] - nearest[:, 0] > 1e-5 * distances.max())


def write(name, rows, components, k, random):
    values = rows.astype(np.float64)
    pca = PCA(components, svd_solver="full").fit(values)
    projection = pca.transform(values)
    gaps = -np.diff(pca.explained_variance_) / pca.explained_variance_[0]
    assert gaps.min() > 1e-4, "two eigenvalues are too close for their vectors to be compared"
    points = projection.astype(np.float32)
    start = points[random.choice(len(points), k, replace=False)]
    distances = squares(points, start.astype(np.float64))
    assert decided(distances)
    model = KMeans(k, init=start.astype(np.float64), n_init=1, max_iter=300, tol=0, algorithm="lloyd")
    model.fit(points.astype(np.float64))
    # Lloyd's steps once more by hand: that no step had a doubtful row, and no cluster was ever empty.
    centroids = start.astype(np.float64)
    for _ in range(model.n_iter_):
        distances_now = squares(points, centroids)
        labels = distances_now.argmin(1)
        assert decided(distances_now) and len(np.unique(labels)) == k
        centroids = np.stack([points[labels == c].astype(np.float64).mean(0) for c in range(k)])
    assert np.allclose(centroids, model.cluster_centers_, rtol=1e-9, atol=1e-9)
    arrays = {
        "": rows,
        "_mean": pca.mean_,
        "_components": pca.components_,
        "_variance": pca.explained_variance_,
        "_ratio": pca.explained_variance_ratio_,
        "_projection": projection,
        "_points": points,
        "_start": start,
        "_labels": distances.argmin(1).astype(np.int64),
        "_inertia": np.array([distances.min(1).sum()]),
        "_lloyd": model.cluster_centers_,
        "_lloyd_labels": model.labels_.astype(np.int64),
        "_lloyd_inertia": np.array([model.inertia_]),
        "_lloyd_iterations": np.array([model.n_iter_], np.int64),
    }
    for suffix, array in arrays.items():
        np.save(FOLDER / f"{name}{suffix}.npy", np.ascontiguousarray(array))
    print(f"{name}: {rows.shape}, {components} components, k {k}, {model.n_iter_} iterations, smallest gap {gaps.min():.1e}")


def main():
    FOLDER.mkdir(parents=True, exist_ok=True)
    print("scikit-learn", sklearn.__version__)
    random = np.random.default_rng(20260202)
    pixels = np.clip(np.rint(120 + 30 * blobs(random, 400, 120, 9, 0.25)), 0, 255).astype(np.uint8)
    write("pixels", pixels, 12, 9, random)
    # Far from zero in some columns: a covariance that does not subtract the mean first loses its digits there.
    floats = (blobs(random, 300, 37, 5, 0.3) + 200 * (np.arange(37) % 3 == 0)).astype(np.float32)
    write("floats", floats, 5, 7, random)


main()
