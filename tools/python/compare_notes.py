"""Trains a small transformer on parts of a set of texts and compares them; tools/recipes/compare-notes has the help."""

import argparse
import fcntl
import hashlib
import math
import os
import platform
import statistics
import sys
import time

import numpy
import torch
from torch import nn
from torch.nn import functional

from notes import entries, line
from recipes import Options, fail, replacing, run, say, whole

SETTINGS = ("steps", "width", "layers", "context", "batch", "learning_rate")
# Student's t at 97.5%, by degrees of freedom.
T = {1: 12.706, 2: 4.303, 3: 3.182, 4: 2.776, 5: 2.571, 6: 2.447, 7: 2.365, 8: 2.306, 9: 2.262, 10: 2.228, 11: 2.201,
     12: 2.179, 13: 2.160, 14: 2.145, 15: 2.131, 16: 2.120, 17: 2.110, 18: 2.101, 19: 2.093}
END = b"\0"


def options():
    parser = Options()
    parser.add_argument("cases", nargs="+", metavar="NAME=FILE")
    parser.add_argument("--held-out", required=True)
    parser.add_argument("--out", required=True)
    parser.add_argument("--seeds", type=whole(1, 20), default=5)
    parser.add_argument("--steps", type=whole(1, 10**7), default=600)
    parser.add_argument("--threads", type=whole(1, 1024), default=2)
    parser.add_argument("--width", type=whole(64, 8192), default=128)
    parser.add_argument("--layers", type=whole(1, 100), default=2)
    parser.add_argument("--context", type=whole(2, 65536), default=128)
    parser.add_argument("--batch", type=whole(1, 65536), default=32)
    parser.add_argument("--learning-rate", type=rate, default=0.003)
    parser.add_argument("--field", default="text")
    given = parser.parse_args()
    if given.width % 64:
        fail(64, f"--width is {given.width}; a multiple of 64 is needed, as heads are 64 wide")
    if given.context % 2:
        fail(64, f"--context is {given.context}; an even number is needed")
    cases = {}
    for case in given.cases:
        name, equals, path = case.partition("=")
        if not (name and equals and path):
            fail(64, f"'{case}' is not NAME=FILE")
        if name in cases:
            fail(64, f"'{name}' names two cases")
        cases[name] = path
    given.cases = cases
    return given


def rate(text):
    try:
        value = float(text)
    except ValueError:
        value = 0
    if not 0 < value < 1:
        raise argparse.ArgumentTypeError(f"'{text}' is not a number between 0 and 1")
    return value


def main():
    given = options()
    torch.set_num_threads(given.threads)
    # Everything is read before the first training: a file that is missing is not found an hour later.
    held_out = texts(given.held_out, given.field)
    plan = []
    for seed in range(1, given.seeds + 1):
        for name, path in given.cases.items():
            path = path.replace("{seed}", str(seed))
            data = texts(path, given.field)
            if sum(map(len, data)) + len(data) <= given.context:
                fail(65, f"{path}: has {sum(map(len, data)):,} bytes of text; more than a window of {given.context} is needed")
            plan.append((name, seed, path, digest(data)))
    settings = {name: getattr(given, name) for name in SETTINGS} | {"held_out": digest(held_out)}
    with only_one(given.out):
        log = os.path.join(given.out, "runs.jsonl")
        runs = done(log, settings, plan)
        missing = [entry for entry in plan if entry[:2] not in runs]
        if runs:
            say(f"{log} has {len(plan) - len(missing)} of {len(plan)} trainings")
        for place, (name, seed, path, known) in enumerate(missing, len(plan) - len(missing) + 1):
            data = texts(path, given.field)
            if digest(data) != known:
                fail(65, f"{path}: changed while the trainings ran")
            start, used = time.monotonic(), time.process_time()
            model = train(data, seed, given)
            seconds, used = time.monotonic() - start, time.process_time() - used
            result = bits_per_byte(model, held_out, given)
            if not math.isfinite(result):
                fail(65, f"{name}, seed {seed}: the network diverged; --learning-rate below {given.learning_rate} may help")
            size = sum(map(len, data))
            runs[name, seed] = {
                "case": name, "seed": seed, "bits_per_byte": round(result, 6), "texts": len(data), "bytes": size,
                "passes": round(given.steps * given.batch * given.context / (size + len(data)), 3), "seconds": round(seconds, 1),
                "cpu_seconds": round(used, 1),
                "parameters": sum(value.numel() for value in model.parameters()), "data": known, "settings": settings}
            with replacing(log) as file:
                file.writelines(line(run) for run in runs.values())
            say(f"{place}/{len(plan)} {name}, seed {seed}: {result:.4f} bits per byte, {seconds:.1f} s")
        table = "\n".join(rows(given, runs, held_out)) + "\n"
        with replacing(os.path.join(given.out, "table.md")) as file:
            file.write(table.encode("utf-8"))
    sys.stdout.write(table)


class only_one:
    """The folder of the results, made where it is missing, and locked: a second command ends with code 75."""

    def __init__(self, folder):
        self.folder = folder

    def __enter__(self):
        try:
            os.makedirs(self.folder, exist_ok=True)
            self.lock = open(os.path.join(self.folder, ".lock"), "wb")
            fcntl.flock(self.lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            fail(75, f"{self.folder}: another compare-notes is at work there")
        except OSError as error:
            fail(73, f"{self.folder}: cannot be written: {error.strerror}")

    def __exit__(self, *_):
        self.lock.close()


def done(log, settings, plan):
    """The trainings in a log, by case and seed, in its order. Those of other settings or data are refused."""
    if not os.path.exists(log):
        return {}
    fields = {"case": str, "seed": int, "bits_per_byte": float, "data": str, "settings": dict, "seconds": float, "cpu_seconds": float,
              "bytes": int, "texts": int, "passes": float}
    runs = {}
    known = {(name, seed): data for name, seed, _, data in plan}
    for number, run in enumerate(entries(log, fields), 1):
        key = run["case"], run["seed"]
        if run["settings"] != settings:
            fail(65, f"{log}: line {number} has other settings or another --held-out; take another --out")
        if key in known and run["data"] != known[key]:
            fail(65, f"{log}: line {number} is of other texts for {run['case']}, seed {run['seed']}; take another --out")
        runs[key] = run
    return runs


def texts(path, field):
    """The texts of a JSONL file as bytes, without the zero byte that marks their ends here."""
    return [entry[field].encode("utf-8").replace(END, b"") for entry in entries(path, {field: str})]


def digest(data):
    sums = hashlib.sha256()
    for text in data:
        sums.update(len(text).to_bytes(8, "little") + text)
    return sums.hexdigest()[:16]


class Block(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.heads = width // 64
        self.norm1, self.norm2 = nn.LayerNorm(width), nn.LayerNorm(width)
        self.qkv, self.out = nn.Linear(width, 3 * width), nn.Linear(width, width)
        self.up, self.down = nn.Linear(width, 4 * width), nn.Linear(4 * width, width)

    def forward(self, x):
        """x and the result are [batch, window, width]."""
        batch, window, width = x.shape
        q, k, v = self.qkv(self.norm1(x)).view(batch, window, 3, self.heads, 64).permute(2, 0, 3, 1, 4)
        mixed = functional.scaled_dot_product_attention(q, k, v, is_causal=True)
        x = x + self.out(mixed.transpose(1, 2).reshape(batch, window, width))
        return x + self.down(functional.gelu(self.up(self.norm2(x))))


class Transformer(nn.Module):
    """A decoder over bytes, with layer norm first (Radford et al. 2019)."""

    def __init__(self, width, layers, context):
        super().__init__()
        self.bytes, self.places = nn.Embedding(256, width), nn.Embedding(context, width)
        self.blocks = nn.Sequential(*(Block(width) for _ in range(layers)))
        self.norm, self.head = nn.LayerNorm(width), nn.Linear(width, 256, bias=False)
        for name, value in self.named_parameters():
            if value.dim() > 1:
                # What adds to the residual stream starts smaller, the more layers there are.
                scale = math.sqrt(2 * layers) if name.endswith(("out.weight", "down.weight")) else 1
                nn.init.normal_(value, std=0.02 / scale)
            elif name.endswith("bias"):
                nn.init.zeros_(value)

    def forward(self, x):
        """x is [batch, window], the result [batch, window, 256]: what comes after each byte."""
        x = self.bytes(x) + self.places.weight[:x.shape[1]]
        return self.head(self.norm(self.blocks(x)))


def train(data, seed, given):
    torch.manual_seed(seed)
    model = Transformer(given.width, given.layers, given.context)
    decayed = [value for value in model.parameters() if value.dim() > 1]
    others = [value for value in model.parameters() if value.dim() < 2]
    optimizer = torch.optim.AdamW(
        [{"params": decayed, "weight_decay": 0.1}, {"params": others, "weight_decay": 0}], lr=given.learning_rate,
        betas=(0.9, 0.95), fused=True)
    warm_up = max(1, given.steps // 20)
    batches = windows(data, seed, given.context, given.batch)
    for step in range(given.steps):
        cosine = 0.1 + 0.45 * (1 + math.cos(math.pi * step / given.steps))
        for group in optimizer.param_groups:
            group["lr"] = given.learning_rate * min((step + 1) / warm_up, cosine)
        batch = next(batches)
        loss = functional.cross_entropy(model(batch[:, :-1]).flatten(0, 1), batch[:, 1:].flatten())
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1)
        optimizer.step()
    return model


def windows(data, seed, context, batch):
    """Batches [batch, context + 1] without end; in each pass over the texts their order and the cuts are others."""
    random = numpy.random.default_rng(seed)
    # The byte before the first text is an end, as before all others.
    waiting = numpy.zeros((0, context + 1), numpy.uint8)
    while True:
        stream = numpy.frombuffer(END + b"".join(data[i] + END for i in random.permutation(len(data))), numpy.uint8)
        start = random.integers(min(context, len(stream) - context))
        count = (len(stream) - 1 - start) // context
        at = start + context * random.permutation(count)
        waiting = numpy.concatenate([waiting, stream[at[:, None] + numpy.arange(context + 1)]])
        while len(waiting) >= batch:
            yield torch.from_numpy(waiting[:batch].astype(numpy.int64))
            waiting = waiting[batch:]


@torch.no_grad()
def bits_per_byte(model, data, given):
    """The mean of -log2 p over all bytes of the texts, each predicted from what is before it in its text alone."""
    model.eval()
    context, half = given.context, given.context // 2
    # Windows of one length together: (bytes with the one before them, how many at the end count).
    ready = {}
    total, bits = sum(map(len, data)), 0.0

    def score(length, counted, group):
        batch = torch.from_numpy(numpy.stack(group).astype(numpy.int64))
        nats = functional.cross_entropy(
            model(batch[:, :-1])[:, length - counted:].flatten(0, 1), batch[:, 1 + length - counted:].flatten(),
            reduction="sum")
        return nats.item() / math.log(2)

    for text in data:
        stream = numpy.frombuffer(END + text, numpy.uint8)
        first = 0
        while first < len(text):
            # Bytes first + 1 … last of the stream are counted.
            last = min(len(text), first + (half if first else context))
            start = max(0, last - context)
            key = last - start, last - first
            ready.setdefault(key, []).append(stream[start:last + 1])
            if len(ready[key]) == 64:
                bits += score(*key, ready.pop(key))
            first = last
    for key, group in ready.items():
        bits += score(*key, group)
    return bits / total if total else math.nan


def interval(values):
    """The mean, and half of its 95% interval where there are two values or more."""
    mean = statistics.fmean(values)
    return mean, T[len(values) - 1] * statistics.stdev(values) / math.sqrt(len(values)) if len(values) > 1 else None


def shown(values, sign=""):
    mean, half = interval(values)
    return f"{mean:{sign}.4f}" + ("" if half is None else f" [{mean - half:{sign}.4f}, {mean + half:{sign}.4f}]")


def rows(given, runs, held_out):
    """The table: per case its bits per byte, and the paired differences from every case before it."""
    seeds = range(1, given.seeds + 1)
    cases = list(given.cases)
    value = {key: run["bits_per_byte"] for key, run in runs.items()}
    yield "| case | texts | bytes | passes | bits per byte | " + " | ".join(
        f"against {name}" for name in cases[:-1]) + (" | " if len(cases) > 1 else "") + "CPU seconds |"
    yield "| --- " * (6 + len(cases) - 1) + "|"
    for place, name in enumerate(cases):
        mine = [runs[name, seed] for seed in seeds]
        differences = [shown([value[name, seed] - value[other, seed] for seed in seeds], "+")
                       for other in cases[:place]] + [""] * (len(cases) - 1 - min(place, len(cases) - 1))
        cells = [name, *(f"{statistics.fmean(run[field] for run in mine):,.0f}" for field in ("texts", "bytes")),
                 f"{statistics.fmean(run['passes'] for run in mine):.2f}", shown([run["bits_per_byte"] for run in mine]),
                 *differences, f"{statistics.median(run['cpu_seconds'] for run in mine):.1f}"]
        yield "| " + " | ".join(cells) + " |"
    yield ""
    yield (f"{given.seeds} trainings per case of {given.steps} steps of {given.batch} x {given.context} bytes; tested on "
           f"{sum(map(len, held_out)):,} bytes in {len(held_out):,} texts. Means with 95% intervals; differences are paired by "
           f"seed. CPU seconds are the median of a training, over all its threads, on {processor()}.")


def processor():
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as file:
            return next(entry.partition(":")[2].strip() for entry in file if entry.startswith("model name"))
    except (OSError, StopIteration):
        return platform.machine()


run(main)
