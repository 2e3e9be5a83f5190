"""Holds summary.csv of the study `article` against docs/article-medians.csv; tools/compare-article has the help."""

import csv
import pathlib
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
NAMES = {"closest": "closest", "furthest": "furthest", "random": "random in cluster"}


def case(row):
    """A summary row's case as the article's table names it, and its size."""
    method, size = row["pruning_method"], row["dataset_size"]
    if method == "cluster":
        return f"{NAMES.get(row['selection_strategy'], '?')}, k {row['k']}", size
    return {"none": "whole set"}.get(method, method), size


def main():
    path = pathlib.Path(sys.argv[1]) / "summary.csv"
    try:
        ours = {case(row): row for row in csv.DictReader(path.open())}
    except OSError as error:
        sys.exit(f"compare-article: {path}: {error.strerror}")
    theirs = list(csv.DictReader((ROOT / "docs/article-medians.csv").open()))
    sizes = [key for key in theirs[0] if key != "case"]
    inside = count = 0
    print("| | " + " | ".join(f"{int(size):,}" for size in sizes) + " |")
    print("| --- |" + " --- |" * len(sizes))
    for row in theirs:
        cells = []
        for size in sizes:
            mine = ours.get((row["case"], size))
            if not row[size]:
                cells.append("")
            elif mine is None or not mine["median_low"]:
                cells.append(f"not run; {row[size]}")
            else:
                low, high, median = (float(mine[key]) for key in ("median_low", "median_high", "median_accuracy"))
                holds = low <= float(row[size]) <= high
                inside, count = inside + holds, count + 1
                article = row[size] if holds else f"**{row[size]}**"
                cells.append(f"{median:.2f} [{low:.2f}, {high:.2f}]; {article}")
        print(f"| {row['case']} | " + " | ".join(cells) + " |")
    print(f"\nOur interval holds the article's median in {inside} of {count} cells.")


main()
