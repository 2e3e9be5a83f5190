"""Holds summary.csv of the study `methods` against random samples of the same size; tools/compare-methods has the help."""

import argparse
import csv
import pathlib
import subprocess
import sys

GEOMETRY = ["distance", "prototypes", "moderate", "semdedup"]
DIFFICULTY = ["el2n", "grand", "forgetting", "aum"]
UNCERTAINTY = ["entropy", "least-confidence", "margin", "dyn-unc"]
GREEDY = ["k-center", "herding", "typiclust", "d2"]
# What is in none of the others: strata and draws, and other ways to take random samples.
FAMILIES = [
    ("scores of geometry", GEOMETRY),
    ("difficulty for networks", DIFFICULTY),
    ("uncertainty of networks", UNCERTAINTY),
    ("greedy orders", GREEDY),
    ("draws", None),
]
# Okabe and Ito's colours, which readers with any colour vision tell apart, and marks for those who print in grey.
COLOURS = ["#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00"]
# Differences beyond this, in points, leave the picture: small shares of the hardest samples lose fifty.
LOWEST = -4


def method(row):
    """The selection of a summary row, as docs/selection.md calls it; None for the whole set and for random samples."""
    if row["pruning_method"] == "none":
        return None
    name = row["selection_strategy"] or row["pruning_method"]
    if row["pruning_method"] == "random":
        name = "random" + (f", {row['selection_strategy']}" if row["selection_strategy"] else "")
        if row["balance"] not in ("", "none"):
            name += f", balance {row['balance']}"
        return None if name == "random" else name
    return name


def cell(row):
    """A difference from random samples with its interval, and how it looks."""
    low, high = row["diff_random_low"], row["diff_random_high"]
    text = f"{float(row['diff_random']):+.2f}" + (f" [{float(low):+.2f}, {float(high):+.2f}]" if low else "")
    mark = {"better": "**", "worse": "*"}.get(row["verdict_random"], "")
    return mark + text + mark


def table(methods, shares):
    """The Markdown table."""
    lines = ["| | " + " | ".join(f"{share:g}%" for share in shares) + " | random is not beaten |"]
    lines.append("| --- |" + " --- |" * (len(shares) + 1))
    for name, rows in methods.items():
        cells = [cell(rows[share]) if share in rows else "" for share in shares]
        wins = [share for share in shares if share in rows and rows[share]["verdict_random"] == "better"]
        lost = [share for share in shares if share in rows and share not in wins]
        if not wins:
            verdict = "at any share"
        elif not [share for share in lost if share < wins[0]]:
            verdict = "at no share" if not lost else f"at {', '.join(f'{share:g}%' for share in lost)}"
        else:
            above = [share for share in lost if share > wins[0]]
            verdict = f"below {wins[0]:g}%" + (f", and at {', '.join(f'{share:g}%' for share in above)}" if above else "")
        lines.append(f"| {name} | " + " | ".join(cells) + f" | {verdict} |")
    return "\n".join(lines)


def panel(title, names, methods, shares):
    """One family's picture: gnuplot's commands."""
    commands, plots = [f"set title '{title}'"], ["0 lc '#888888' dt 2 notitle"]
    for index, name in enumerate(names):
        rows = [f"{share} " + " ".join(methods[name][share][f"diff_random{end}"] for end in ("", "_low", "_high"))
                for share in shares if share in methods[name] and methods[name][share]["diff_random_low"]]
        # Each beside the others, so that intervals do not hide each other.
        shift = 1 + 0.05 * (index - (len(names) - 1) / 2)
        commands.append(f"$m{index} << EOD\n" + "\n".join(rows) + "\nEOD")
        colour = f"lc '{COLOURS[index % len(COLOURS)]}'"
        plots.append(f"$m{index} using ($1*{shift}):2 with lines {colour} notitle")
        mark = [7, 5, 9, 13, 11][index % 5]
        plots.append(f"$m{index} using ($1*{shift}):2:3:4 with yerrorbars {colour} pt {mark} title '{name}'")
    return "\n".join(commands) + "\nplot " + ", ".join(plots) + "\n"


def draw(methods, shares, title, path):
    """Writes an SVG with one picture per family."""
    known = {name for _, names in FAMILIES for name in names or []}
    families = [(title, [n for n in (names or [m for m in methods if m not in known]) if n in methods])
                for title, names in FAMILIES]
    families = [(title, names) for title, names in families if names]
    rows = (len(families) + 1) // 2
    ticks = ", ".join(f"'{share:g}%%' {share}" for share in shares)
    script = f"""set terminal svg size 1000,{40 + 330 * rows} font 'DejaVu Sans,13' background '#ffffff'
set output '{path}'
set multiplot layout {rows},2 title '{title}'
set logscale x
set xrange [{shares[0] * 0.7}:{shares[-1] * 1.4}]
set yrange [{LOWEST}:2]
set xtics ({ticks})
set grid ytics lc '#dddddd'
set key bottom center Left reverse samplen 1
set ylabel 'points against random'
""" + "".join(panel(title, names, methods, shares) for title, names in families)
    subprocess.run(["gnuplot"], input=script, text=True, check=True)


def main():
    parser = argparse.ArgumentParser(prog="tools/compare-methods", add_help=False)
    parser.add_argument("directory", type=pathlib.Path)
    parser.add_argument("--svg", type=pathlib.Path)
    arguments = parser.parse_args()
    path = arguments.directory / "summary.csv"
    try:
        rows = list(csv.DictReader(path.open()))
    except OSError as error:
        sys.exit(f"compare-methods: {path}: {error.strerror}")
    whole = next((int(row["kept"]) for row in rows if row["pruning_method"] == "none"), None)
    if whole is None:
        sys.exit(f"compare-methods: {path}: no case keeps the whole set (pruning_method: none), of which sizes are shares")
    methods = {}
    for row in rows:
        if (name := method(row)) and row["diff_random"]:
            methods.setdefault(name, {})[round(100 * int(row["requested"]) / whole, 2)] = row
    if not methods:
        sys.exit(f"compare-methods: {path}: no case was compared with random samples of its size")
    shares = sorted({share for rows in methods.values() for share in rows})
    print(table(methods, shares))
    if arguments.svg:
        draw(methods, shares, f"{rows[0]['dataset']}: mean difference from random samples, 95% intervals", arguments.svg)


main()
