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
    recalls = [name for name in table.columns if name.startswith("recall_")]
    ends = ["diverged", "distinct", "worst_recall", *recalls] if recalls else ["count_diverged", "worst_recall"]
    assert list(table.columns)[-len(ends):] == ends, list(table.columns)
    for name in table.columns:
        kind = table[name].dropna().infer_objects()
        if name == "apply_pca":
            assert set(kind) <= {True, False}, name
        elif name not in WORDS:
            assert kind.empty or pandas.api.types.is_numeric_dtype(table[name]), f"{path}: {name} is {table[name].dtype}"
    if "accuracy" in table:
        due = 100 * table["correct"] / table["count"]
        assert (abs(table["accuracy"] - due).dropna() < 1e-9).all(), f"{path}: accuracy"
        assert (abs(table[recalls].min(axis=1) - table["worst_recall"]).dropna() < 1e-6).all(), f"{path}: worst_recall"
        assert (table["accuracy"].isna() == table["diverged"].notna()).all(), f"{path}: diverged"
    return len(table)


for name in ("results.csv", "summary.csv"):
    print(f"{name}: {check(pathlib.Path(sys.argv[1]) / name)} rows")
