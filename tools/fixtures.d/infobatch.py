"""Writes Tests/Fixtures/infobatch/expected.json: trainings by InfoBatch (Qin et al., ICLR 2024) in PyTorch, on samples and from
the initial weights of the fixtures lenet and layered: models lenet5, mlp and linear, Adam and SGD with momentum.

The order of an epoch and which samples below the mean loss it leaves out come from Coppice's random numbers, which are
written here once more: Philox4x32-10, keyed by the seed, with the counter (index, 0, run, 2) for shuffles and (sample, epoch,
run, 24) for what is left out. Of a training there are the samples of each epoch in their order, the mean loss of every step
without weights, and of every tensor of the trained network the sum, the sum of squares and its largest value.

Everything is computed in float64. No score is so near the mean that float32 could decide otherwise, and PyTorch's own float32
has to stay within a half of the bounds that the tests hold ours to.
"""

import json
import math
import pathlib
import sys

import numpy as np
import torch
from safetensors.torch import load_file
from torch import nn
from torch.nn.functional import cross_entropy

# In the place of this folder, whose statistics.py would be taken for Python's own module of that name.
sys.path[0] = str(pathlib.Path(__file__).resolve().parents[1] / "python")
from lenet5 import LeNet5, normalised

FIXTURES = pathlib.Path(__file__).resolve().parents[2] / "Tests" / "Fixtures"
LOSS_MARGIN, TENSOR_MARGIN, SCORE_MARGIN = 5e-5, 5e-5, 3e-5
SAMPLE_ORDER, DYNAMIC_PRUNING = 2, 24
SEED, RUN = 5, 2


def philox(key, counter):
    """Four words of 32 bits (Salmon et al. 2011)."""
    words, keys, mask = list(counter), [key & 0xFFFFFFFF, key >> 32], 0xFFFFFFFF
    for _ in range(10):
        first, second = 0xD2511F53 * words[0], 0xCD9E8D57 * words[2]
        words = [
            (second >> 32) ^ words[1] ^ keys[0], second & mask, (first >> 32) ^ words[3] ^ keys[1], first & mask,
        ]  # fmt: skip
        keys = [(keys[0] + 0x9E3779B9) & mask, (keys[1] + 0xBB67AE85) & mask]
    return words


class Stream:
    """The words of (seed, run, purpose), one after another."""

    def __init__(self, purpose):
        self.purpose, self.index, self.words = purpose, 0, []

    def word(self):
        if not self.words:
            self.words = philox(SEED, (self.index, 0, RUN, self.purpose))
            self.index += 1
        return self.words.pop(0)

    def below(self, bound):
        """Without bias (Lemire 2019)."""
        product = self.word() * bound
        while product % 2**32 < (2**32 - bound) % bound:
            product = self.word() * bound
        return product >> 32

    def shuffled(self, values):
        values = list(values)
        for last in range(len(values) - 1, 0, -1):
            other = self.below(last + 1)
            values[last], values[other] = values[other], values[last]
        return values


def uniform(sample, epoch):
    words = philox(SEED, (sample, epoch, RUN, DYNAMIC_PRUNING))
    return ((words[0] | words[1] << 32) >> 11) * 2.0**-53


def mlp():
    return nn.Sequential(nn.Flatten(), nn.Linear(35, 300), nn.ReLU(), nn.Linear(300, 100), nn.ReLU(), nn.Linear(100, 10))


def linear():
    return nn.Sequential(nn.Flatten(), nn.Linear(35, 10))


def train(model, samples, labels, case, dtype):
    """Samples of each epoch, losses and trained tensors; and how near to the mean a score came, as a share of it."""
    model = model.to(dtype).train()
    optimizer = case["make"](model.parameters())
    share, stream = case["prune_share"], Stream(SAMPLE_ORDER)
    scores = torch.zeros(len(samples), dtype=dtype)
    epochs, losses, gap = [], [], 1.0
    last = case["epochs"] - math.ceil(case["anneal"] * case["epochs"])
    for epoch in range(case["epochs"]):
        order = stream.shuffled(case["subset"])
        weights = {sample: 1.0 for sample in order}
        if 0 < epoch < last:
            mean = scores[case["subset"]].mean()
            gap = min(gap, ((scores[case["subset"]] - mean).abs() / mean).min().item())
            below = {sample for sample in order if scores[sample] < mean}
            order = [sample for sample in order if sample not in below or uniform(sample, epoch) >= share]
            weights.update({sample: 1 / (1 - share) for sample in below})
        epochs.append(order)
        for first in range(0, len(order), case["batch_size"]):
            batch = order[first : first + case["batch_size"]]
            each = cross_entropy(model(samples[batch]), labels[batch], reduction="none")
            scores[batch] = each.detach()
            optimizer.zero_grad()
            (each * torch.tensor([weights[sample] for sample in batch], dtype=dtype)).mean().backward()
            optimizer.step()
            losses.append(each.mean().item())
    return epochs, losses, {k: v.detach().double() for k, v in model.named_parameters()}, gap


def main():
    out = FIXTURES / "infobatch"
    out.mkdir(parents=True, exist_ok=True)
    torch.set_num_threads(1)
    lenet = json.loads((FIXTURES / "lenet" / "expected.json").read_text())
    layered = json.loads((FIXTURES / "layered" / "expected.json").read_text())
    images, rows = np.load(FIXTURES / "lenet" / "images.npy"), np.load(FIXTURES / "layered" / "samples.npy")

    def inputs(dtype):
        return (torch.from_numpy(rows).to(dtype) / 255 - layered["mean"]) / layered["std"]

    models = {
        "lenet5": (LeNet5, FIXTURES / "lenet" / "initial.safetensors"),
        "mlp": (mlp, FIXTURES / "layered" / "mlp_initial.safetensors"),
        "linear": (linear, FIXTURES / "layered" / "linear_initial.safetensors"),
    }
    adam = {"optimizer": "adam", "learning_rate": 1e-3, "momentum": 0.0}
    sgd = {"optimizer": "sgd", "learning_rate": 0.05, "momentum": 0.9}
    common = {"prune_share": 0.5, "anneal": 0.125, "batch_size": 16, "epochs": 6}
    cases = [
        {"model": "lenet5", "subset": list(range(3, 53)), **common, "epochs": 4, **sgd, "learning_rate": 0.02},
        {"model": "mlp", "subset": list(range(90)), **common, **adam},
        {"model": "mlp", "subset": list(range(1, 90, 2)), **common, "prune_share": 0.8, "anneal": 0.4, **sgd},
        {"model": "linear", "subset": list(range(53)), **common, "prune_share": 0.3, "anneal": 0.0, **sgd},
    ]
    results = []
    for case in cases:
        make, weights = models[case["model"]]
        is_lenet = case["model"] == "lenet5"
        labels = torch.from_numpy(np.load(FIXTURES / ("lenet" if is_lenet else "layered") / "labels.npy")).long()
        options = {"lr": case["learning_rate"]} | ({"momentum": case["momentum"]} if case["momentum"] else {})
        kind = {"adam": torch.optim.Adam, "sgd": torch.optim.SGD}[case["optimizer"]]
        case["make"] = lambda parameters, kind=kind, options=options: kind(parameters, **options)
        trained = []
        for dtype in (torch.float64, torch.float32):
            model = make()
            model.load_state_dict(load_file(weights), strict=False)
            samples = normalised(images, lenet["mean"], lenet["std"], dtype) if is_lenet else inputs(dtype)
            trained.append(train(model, samples, labels, case, dtype))
        (epochs, losses, tensors, gap), (epochs32, losses32, tensors32, _) = trained
        # A convolution's bias before batch norm has a gradient of exactly zero, and PyTorch's float32 noise in its place.
        noisy = ("layer1.0.bias", "layer2.0.bias") if is_lenet else ()
        name = f"{case['model']}, {case['optimizer']}"
        off = max(abs(a - b) for a, b in zip(losses, losses32))
        worst = max(
            ((tensors32[k] - v).abs().max() / v.abs().max()).item() for k, v in tensors.items() if k not in noisy
        )
        sizes = [len(epoch) for epoch in epochs]
        print(f"{name}: {sizes}, float32 is off by {off:.1e} and {worst:.1e}, scores {gap:.1e} from their mean")
        if epochs32 != epochs or off > LOSS_MARGIN or worst > TENSOR_MARGIN or gap < SCORE_MARGIN:
            sys.exit(f"infobatch: {name}: float32 may decide otherwise: choose other numbers")
        del case["make"]
        facts = {
            k: {
                "first": v.flatten()[:4].tolist(), "sum": v.sum().item(), "squares": (v * v).sum().item(),
                "largest": v.abs().max().item(), "count": v.numel(),
            }
            for k, v in tensors.items()
        }  # fmt: skip
        results.append(
            case | {"seed": SEED, "run": RUN, "samples": epochs, "losses": losses, "tensors": facts}
        )
    (out / "expected.json").write_text(json.dumps(results) + "\n")


main()
