"""What tools/bench prints after its rounds: ours against the fastest peer, and what we want to reach."""

import statistics

from bench_features import FEATURES, work
from bench_table import by_peer, fastest

# What we want to reach: the least ratio of the fastest peer's seconds to ours, or the most seconds of ours. Inertias should
# be within 1% of the peer's (Lloyd) or half a percent (mini-batch) in the mean over the rounds, each of which has a seed.
RATIOS = {
    "pca": 2, "minibatch 500": 3, "lloyd 50": 1.6, "lloyd 500": 2.5, "lloyd 5000": 2.2, work(FEATURES): 5,
    "training linear, 5 at once": 4, "training mlp, 5 at once": 1.5, "training lenet5-wide4, 1 at once": 2,
    "training lenet5-wide4, 5 at once": 2.5, "training autoencoder, 1 at once": 1.2,
}  # fmt: skip
SECONDS = {"start 5000": 0.2}


def middle(values):
    """Median and range of some seconds, for people."""
    return f"{statistics.median(values):8.3f} [{min(values):.3f}-{max(values):.3f}]"


def verdict(name, ratio, seconds):
    """The target of a work and whether it is met, in words; empty where there is none."""
    if name in RATIOS:
        return f"  target {RATIOS[name]}: {'met' if ratio >= RATIOS[name] else 'missed'}"
    if name in SECONDS:
        return f"  target {SECONDS[name]} s: {'met' if seconds <= SECONDS[name] else 'missed'}"
    return ""


def lines(rounds, least):
    """The lines for each work: the fastest peer, the others, and each device of ours against the best peer of its round.

    Where `least` knows the seconds that the roofline allows, the line of a device ends in their share of ours.
    """
    for name in dict.fromkeys(entry["work"] for entry in rounds):
        here = [entry for entry in rounds if entry["work"] == name]
        devices = dict.fromkeys(entry["case"] for entry in here if entry["ours"])
        best = fastest(here)
        yield name
        if best:
            cases, seconds = best
            yield f"  fastest peer    {middle([b['seconds'] for b in seconds.values()])} s  ({'; '.join(cases)})"
            others = by_peer(here)[1:]
            if others:
                yield f"  other peers     {'; '.join(f'{peer} {seconds:.3f} s' for peer, seconds in others)}"
        for device in devices:
            ours = {e["round"]: e for e in here if e["ours"] and e["case"] == device}
            line = f"  {device:15} {middle([e['seconds'] for e in ours.values()])} s"
            both = sorted(ours.keys() & best[1].keys()) if best else []
            if both:
                yield line + comparison(name, device, [(ours[n], best[1][n]) for n in both], least)
            else:
                yield line


def comparison(name, device, pairs, least):
    """The end of a device's line, of pairs of our result and the best peer's in the same round."""
    ratios = [theirs["seconds"] / mine["seconds"] for mine, theirs in pairs]
    text = f"  ratio {statistics.median(ratios):.2f} [{min(ratios):.2f}-{max(ratios):.2f}]"
    if all(side["inertia"] for pair in pairs for side in pair):
        inertia = sum(mine["inertia"] for mine, _ in pairs) / sum(theirs["inertia"] for _, theirs in pairs)
        text += f"  mean inertia {inertia:.4f} of the peer's"
    seconds = statistics.median(mine["seconds"] for mine, _ in pairs)
    if (name, device) in least:
        text += f"  {100 * least[name, device] / seconds:.0f}% of the roofline"
    return text + verdict(name, statistics.median(ratios), seconds)
