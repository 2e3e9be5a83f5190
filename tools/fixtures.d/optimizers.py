"""Writes Tests/Fixtures/optimizers/expected.json: traces of PyTorch's optimizers on the synthetic data of the fixtures lenet,
layered and convolutional, from their initial weights: ten steps of the article's LeNet-5, six of the model mlp, and ten of the
model odd, which has convolutions and batch norm and is trained a layer at a time.

The optimizers are Adam with an L2 penalty, AdamW, SGD plain, and SGD with momentum and an L2 penalty, each at a constant
learning rate and with CosineAnnealingLR, which is stepped after every batch; and, for the model linear alone, AdamW with a rate
and a decay so large that each step takes a twentieth of every weight. Of a trace there are the losses, the learning rates, and of every tensor of the trained
network the largest magnitude and every so many-th value, all of the small ones.

Everything is computed in float64. PyTorch's own float32 has to stay within a half of the bounds that the tests hold ours to.
"""

import importlib.util
import json
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
LOSS_MARGIN, TENSOR_MARGIN = 5e-5, 5e-5
KEPT = 40
OPTIMIZERS = {
    "adam, penalty": (torch.optim.Adam, {"lr": 1e-3, "weight_decay": 0.02}),
    "adamw": (torch.optim.AdamW, {"lr": 1e-3, "weight_decay": 0.3}),
    "sgd": (torch.optim.SGD, {"lr": 0.05}),
    "sgd, momentum, penalty": (torch.optim.SGD, {"lr": 0.01, "momentum": 0.9, "weight_decay": 0.02}),
}
# With steps so large, the roundings of a deeper network's smallest gradients would show.
STRONG = {"adamw, strong": (torch.optim.AdamW, {"lr": 0.1, "weight_decay": 0.5})}


def convolutional():
    """The module that makes the fixture of that name."""
    spec = importlib.util.spec_from_file_location("convolutional", pathlib.Path(__file__).with_name("convolutional.py"))
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def mlp():
    return nn.Sequential(nn.Flatten(), nn.Linear(35, 300), nn.ReLU(), nn.Linear(300, 100), nn.ReLU(), nn.Linear(100, 10))


def inputs(samples, expected, dtype):
    return (torch.from_numpy(samples).to(dtype) / 255 - expected["mean"]) / expected["std"]


def trace(model, samples, labels, batch, kind, options, cosine, dtype):
    """Losses, learning rates and the trained tensors, of one pass."""
    model = model.to(dtype).train()
    optimizer = kind(model.parameters(), **options)
    steps = (len(samples) + batch - 1) // batch
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=steps) if cosine else None
    losses, rates = [], []
    for first in range(0, len(samples), batch):
        rates.append(optimizer.param_groups[0]["lr"])
        loss = cross_entropy(model(samples[first : first + batch]), labels[first : first + batch])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        if schedule:
            schedule.step()
        losses.append(loss.item())
    return losses, rates, {k: v.detach().double() for k, v in model.named_parameters()}


def kept(tensor):
    flat = tensor.flatten()
    step = max(1, flat.numel() // KEPT)
    return {
        "step": step, "count": flat.numel(), "largest": float(f"{flat.abs().max().item():.9g}"),
        "values": [float(f"{x:.9g}") for x in flat[::step].tolist()],
    }  # fmt: skip


def main():
    out = FIXTURES / "optimizers"
    out.mkdir(parents=True, exist_ok=True)
    torch.set_num_threads(1)
    lenet = json.loads((FIXTURES / "lenet" / "expected.json").read_text())
    layered = json.loads((FIXTURES / "layered" / "expected.json").read_text())
    made = convolutional()
    stream, shape, layers = made.MODELS["odd"]
    pixels, odd_labels = made.images(shape, stream + 50)
    images, samples = np.load(FIXTURES / "lenet" / "images.npy"), np.load(FIXTURES / "layered" / "samples.npy")
    cases = {
        "lenet5": (
            lambda: (LeNet5(), load_file(FIXTURES / "lenet" / "initial.safetensors")),
            lambda dtype: normalised(images, lenet["mean"], lenet["std"], dtype),
            np.load(FIXTURES / "lenet" / "labels.npy"),
            lenet["trace"]["batch_size"],
        ),
        "mlp": (
            lambda: (mlp(), load_file(FIXTURES / "layered" / "mlp_initial.safetensors")),
            lambda dtype: inputs(samples, layered, dtype),
            np.load(FIXTURES / "layered" / "labels.npy"),
            layered["batch_size"],
        ),
        "linear": (
            lambda: (
                nn.Sequential(nn.Flatten(), nn.Linear(35, 10)), load_file(FIXTURES / "layered" / "linear_initial.safetensors")
            ),
            lambda dtype: inputs(samples, layered, dtype),
            np.load(FIXTURES / "layered" / "labels.npy"),
            layered["batch_size"],
        ),
        "odd": (
            lambda: (nn.Sequential(*layers()), made.initial(nn.Sequential(*layers()), stream)),
            lambda dtype: (torch.from_numpy(pixels).to(dtype) / 255 - made.MEAN) / made.STD,
            odd_labels,
            made.BATCH,
        ),
    }
    # A bias before batch norm has a gradient of exactly zero, and PyTorch's float32 noise in its place.
    noisy = {"lenet5": ("layer1.0.bias", "layer2.0.bias"), "mlp": (), "linear": (), "odd": ("3.bias", "10.bias")}
    traces = []
    for name, (make, load, labels, batch) in cases.items():
        for optimizer, (kind, options) in (STRONG if name == "linear" else OPTIMIZERS).items():
            for cosine in (False, True):
                results = []
                for dtype in (torch.float64, torch.float32):
                    model, weights = make()
                    model.load_state_dict(weights, strict=False)
                    targets = torch.from_numpy(labels).long()
                    results.append(trace(model, load(dtype), targets, batch, kind, options, cosine, dtype))
                (losses, rates, tensors), (losses32, _, tensors32) = results
                off = max(abs(a - b) for a, b in zip(losses, losses32))
                worst = max(
                    ((tensors32[k] - v).abs().max() / v.abs().max()).item() for k, v in tensors.items() if k not in noisy[name]
                )
                print(f"{name}, {optimizer}, cosine {cosine}: float32 is off by {off:.1e} and {worst:.1e}")
                if off > LOSS_MARGIN or worst > TENSOR_MARGIN:
                    sys.exit(f"optimizers: {name}, {optimizer}: PyTorch's float32 is too far off: choose other numbers")
                traces.append(
                    {
                        "model": name, "optimizer": kind.__name__.lower(), "learning_rate": options["lr"],
                        "momentum": options.get("momentum", 0), "weight_decay": options.get("weight_decay", 0),
                        "schedule": "cosine" if cosine else "constant", "batch_size": batch, "losses": losses,
                        "learning_rates": rates, "float32_difference": [off, worst],
                        "tensors": {k: kept(v) for k, v in tensors.items()},
                    }  # fmt: skip
                )
    text = json.dumps(traces, separators=(",", ":"))
    (out / "expected.json").write_text(text.replace('{"step"', '\n{"step"') + "\n")


main()
