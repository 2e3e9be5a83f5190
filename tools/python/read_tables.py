#!/usr/bin/env python3
"""read_tables.py DIR: reads a study's tables with pandas and checks the type of every column.

Any interpreter with pandas will do: .venv/peers, which tools/fixtures makes, has it.
"""

import pathlib
import sys

import pandas

WORDS = {"pruning_method", "selection_strategy", "dataset", "device", "quota", "balance", "kmeans", "verdict_full",
         "verdict_random"}


def check(path: pathlib.Path) -> int:
    table = pandas.read_csv(path)
    assert list(table.columns)[-1] in ("diverged", "count_diverged"), list(table.columns)
    for name in table.columns:
        kind = table[name].dropna().infer_objects()
        if name == "apply_pca":
            assert set(kind) <= {True, False}, name
        elif name not in WORDS:
            assert kind.empty or pandas.api.types.is_numeric_dtype(table[name]), f"{path}: {name} is {table[name].dtype}"
    again = pandas.read_csv(path, float_precision="round_trip")
    if "accuracy" in again:
        due = 100 * again["correct"] / again["count"]
        assert (abs(again["accuracy"] - due).dropna() < 1e-9).all(), f"{path}: accuracy"
        assert (again["accuracy"].isna() == again["diverged"].notna()).all(), f"{path}: diverged"
    return len(table)


for name in ("results.csv", "summary.csv"):
    print(f"{name}: {check(pathlib.Path(sys.argv[1]) / name)} rows")
