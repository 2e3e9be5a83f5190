"""Writes Tests/Fixtures/silhouette: what scikit-learn's silhouette_samples and adjusted_rand_score make of the points and
labels of Tests/Fixtures/clustering, for each of `pixels` and `floats`:

NAME_silhouettes [n]   of `NAME_points` under `NAME_lloyd_labels`, Euclidean, float64
NAME_start [n]         the same under `NAME_labels`
NAME_rand [1]          the adjusted Rand index of these two
"""

import pathlib

import numpy as np
import sklearn
from sklearn.metrics import adjusted_rand_score, silhouette_samples

ROOT = pathlib.Path(__file__).resolve().parents[2] / "Tests/Fixtures"


def main():
    folder = ROOT / "silhouette"
    folder.mkdir(parents=True, exist_ok=True)
    print("scikit-learn", sklearn.__version__)
    for name in ("pixels", "floats"):
        points, one, other = (
            np.load(ROOT / f"clustering/{name}_{part}.npy") for part in ("points", "lloyd_labels", "labels"))
        arrays = {
            "silhouettes": silhouette_samples(points.astype(np.float64), one),
            "start": silhouette_samples(points.astype(np.float64), other),
            "rand": np.array([adjusted_rand_score(one, other)]),
        }
        for part, array in arrays.items():
            np.save(folder / f"{name}_{part}.npy", array)
        print(f"{name}: mean silhouettes {arrays['silhouettes'].mean():.4f}, {arrays['start'].mean():.4f}, "
              f"adjusted Rand index {arrays['rand'][0]:.4f}")


main()
