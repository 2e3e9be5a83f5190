"""Writes Tests/Fixtures/statistics/expected.json: what scipy and statsmodels make of seeded samples.

wilcoxon   differences, p: every sign enumerated (scipy.stats.wilcoxon; by permutations where differences tie)
t          degrees, tail, t: quantiles of Student's t, scipy.stats.t.isf
tails      degrees, t, tail: scipy.stats.t.sf
holm       values, corrected: statsmodels.stats.multitest.multipletests
bootstrap  values, low, high: scipy.stats.bootstrap of the median, percentile, a million draws
mean       values, low95, high95, low90, high90: scipy.stats.t.interval of the mean
"""

import json
import pathlib

import numpy as np
import scipy
import statsmodels
from scipy import stats
from statsmodels.stats.multitest import multipletests

FILE = pathlib.Path(__file__).resolve().parents[2] / "Tests/Fixtures/statistics/expected.json"


def wilcoxon(differences):
    nonzero = np.asarray([d for d in differences if d])
    ties = len(set(abs(nonzero))) < len(nonzero)
    if len(nonzero) == 0:
        p = 1.0
    elif len(nonzero) > 400:
        p = stats.wilcoxon(nonzero, method="asymptotic", correction=True).pvalue
    elif ties:
        p = stats.wilcoxon(nonzero, method=stats.PermutationMethod(n_resamples=np.inf)).pvalue
    else:
        p = stats.wilcoxon(nonzero, method="exact").pvalue
    return {"differences": [int(d) for d in differences], "p": float(p)}


def main():
    random = np.random.default_rng(20261125)
    samples = [[], [0], [3], [0, 0, 0], [5, -5], [1, 2, 3, 4, 5], [-7, 0, 2, 2, -2, 9], [4, 4, 4, 4, 4, -4]]
    samples += [random.integers(-6, 9, n) for n in (5, 6, 9, 12, 15) for _ in range(2)]
    # Without ties, for numbers of runs that no permutation test reaches.
    for n in (10, 25, 40, 60):
        magnitudes = random.permutation(np.arange(1, n + 1))
        samples.append(magnitudes * np.where(random.random(n) < 0.65, 1, -1))
    samples.append(random.integers(-40, 45, 700))

    values = [random.normal(98.7, 0.1, n).round(2) for n in (2, 3, 5, 6, 11, 40)]
    values.append(np.array([98.7, 98.7, 98.7, 98.9, 98.9]))
    ps = [[0.01], [0.04, 0.01, 0.03, 0.005], [1, 1, 0.5], [0.02, 0.02, 0.02]]
    ps.append(random.random(30).round(3).tolist() + [0.0001, 0.0001, 0.002])

    def bootstrap(sample):
        draws = {"n_resamples": 1_000_000, "batch": 10_000, "method": "percentile", "rng": 7}
        interval = stats.bootstrap((sample,), np.median, axis=-1, **draws).confidence_interval
        return {"values": sample.tolist(), "low": float(interval.low), "high": float(interval.high)}

    def mean(sample):
        error = sample.std(ddof=1) / len(sample) ** 0.5
        result = {"values": sample.tolist(), "mean": float(sample.mean())}
        for level in (95, 90):
            low, high = stats.t.interval(level / 100, len(sample) - 1, sample.mean(), error)
            result |= {f"low{level}": float(low), f"high{level}": float(high)}
        return result

    tails = [0.4, 0.1, 0.05, 0.025, 0.001, 1e-5]
    degrees = [1, 2, 3, 4, 9, 39, 199, 9999]
    expected = {
        "versions": {"scipy": scipy.__version__, "statsmodels": statsmodels.__version__},
        "wilcoxon": [wilcoxon(sample) for sample in samples],
        "t": [{"degrees": d, "tail": p, "t": float(stats.t.isf(p, d))} for d in degrees for p in tails],
        "tails": [{"degrees": d, "t": t, "tail": float(stats.t.sf(t, d))} for d in degrees for t in (0, 0.3, 1, 2.5, 40)],
        "holm": [{"values": p, "corrected": multipletests(p, method="holm")[1].tolist()} for p in ps],
        "bootstrap": [bootstrap(sample) for sample in values],
        "mean": [mean(sample) for sample in values],
    }
    FILE.parent.mkdir(parents=True, exist_ok=True)
    FILE.write_text(json.dumps(expected, indent=1) + "\n")


main()
