"""The README's speed table, from the JSON that tools/bench writes."""

import collections
import json
import math
import pathlib
import statistics
import sys

STAGES = {"training": "training, an epoch of one network", "pca": "PCA to 50 components, fit and projection"}
KINDS = {"minibatch": "mini-batch k-means", "lloyd": "Lloyd", "start": "k-means++ start"}


def stage(work):
    """What a row calls a work such as "lloyd 500" or "lloyd 500 of 50000x768 in 10"."""
    kind, _, rest = work.partition(" ")
    if work in STAGES:
        return STAGES[work]
    if kind == "training":
        return f"training of {rest}, an epoch of one network"
    if kind not in KINDS:
        return work
    # An older file has no iterations in the name; all had 20.
    named, _, iterations = rest.partition(" in ")
    k, _, size = named.partition(" of ")
    what = f"{iterations or 20} iterations of Lloyd" if kind == "lloyd" else KINDS[kind]
    rows = f", {' x '.join(f'{int(count):,}' for count in size.split('x'))} rows" if size else ""
    return f"{what}, k {k}{rows}"


def fastest(entries):
    """The fastest peer among the entries of one work: its cases, and round -> its entry; None where no peer ran.

    In each round that is the case with the least seconds. Cases come in the order of how many rounds they won.
    """
    best = {}
    for entry in entries:
        number = entry["round"]
        if not entry["ours"] and (number not in best or entry["seconds"] < best[number]["seconds"]):
            best[number] = entry
    cases = collections.Counter(entry["case"] for entry in best.values())
    return ([case for case, _ in cases.most_common()], best) if best else None


def by_peer(entries):
    """(peer, seconds of its best case, a median) of the entries of one work, the fastest first."""
    times = collections.defaultdict(list)
    for entry in entries:
        if not entry["ours"]:
            times[entry["case"]].append(entry["seconds"])
    peers = {}
    for case, seconds in times.items():
        # "faiss, 2 threads" is a case of faiss.
        peer = case.partition(",")[0]
        peers[peer] = min(statistics.median(seconds), peers.get(peer, math.inf))
    return sorted(peers.items(), key=lambda pair: pair[1])


def comparisons(rounds):
    """(work, device, our seconds, the best peer's seconds, its cases), the seconds in the order of the rounds.

    A round counts where both sides ran in it; a work without either side has no comparison.
    """
    for work in dict.fromkeys(entry["work"] for entry in rounds):
        here = [entry for entry in rounds if entry["work"] == work]
        for device in dict.fromkeys(entry["case"] for entry in here if entry["ours"]):
            ours = {e["round"]: e["seconds"] for e in here if e["ours"] and e["case"] == device}
            both = fastest([entry for entry in here if entry["round"] in ours])
            if both:
                cases, best = both
                numbers = sorted(best)
                yield work, device, [ours[n] for n in numbers], [best[n]["seconds"] for n in numbers], cases


def table(record):
    """The Markdown lines: a row for each work and device of ours, and what it was measured with."""
    lines = ["| stage | ours | seconds | fastest peer | seconds | ratio |", "| --- | --- | --- | --- | --- | --- |"]
    for work, device, ours, peers, cases in comparisons(record["rounds"]):
        ratios = [theirs / mine for mine, theirs in zip(ours, peers)]
        ratio = f"**{statistics.median(ratios):.2f}**"
        if len(ratios) > 1:
            ratio += f" ({min(ratios):.2f}-{max(ratios):.2f})"
        seconds = [f"{statistics.median(side):.3f}" for side in (ours, peers)]
        lines.append(f"| {stage(work)} | {device} | {seconds[0]} | {'; '.join(cases)} | {seconds[1]} | {ratio} |")
    count = len({entry["round"] for entry in record["rounds"]})
    versions = record["versions"]
    libraries = [f"{name} {value}" for name, value in versions.items() if isinstance(value, str) and name != "coppice"]
    devices = [
        f"{name.removeprefix('ours, ')} is {value['name']} ({value['platform'] or 'built in'})"
        for name, value in versions.items()
        if isinstance(value, dict)
    ]
    lines += [
        "",
        f"Medians of {count} alternating round{'s' if count != 1 else ''}, the ratio with its range (above 1, ours is faster); "
        f"{record['taken'][:10]}, {record['machine']}; data {pathlib.PurePath(record['data']).name}; "
        f"coppice {versions.get('coppice', '?')}, {', '.join(libraries)}; {'; '.join(devices)}.",
    ]
    if record.get("left_out"):
        lines += ["", f"Left out: {'; '.join(record['left_out'])}."]
    return lines


def complain(code, sentence):
    """Ends the program with a sentence on stderr and an exit code of sysexits.h."""
    print(f"bench: {sentence}", file=sys.stderr)
    sys.exit(code)


def print_table(path):
    """Prints the table of a file of times; ends with a sentence where there is none."""
    try:
        record = json.loads(pathlib.Path(path).read_text())
        lines = table(record)
    except OSError as error:
        complain(66, f"{path}: {error.strerror}; run tools/bench first, or name a file that it wrote with --out")
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        complain(65, f"{path}: not what tools/bench writes ({type(error).__name__}: {error})")
    print("\n".join(lines))
