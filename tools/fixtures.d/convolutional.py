"""Writes Tests/Fixtures/convolutional/expected.json: what PyTorch makes of convolutional models on made-up images.

Weights and images are not stored. Both sides make them by the same rule: number i of stream s is the upper 16 bits of
splitmix64's output for i + (s << 32), less 32768, over 32768; weights are that times 1 / sqrt(inputs per unit), rounded to
float32, where batch norm's are 1 + a quarter of it and a quarter of it. Of each tensor there is its largest magnitude and
every so many-th value, all of the small ones.

lenet5-1998   the library's model on images of 1x32x32
lenet5-wide4  the library's model, which the fused network trains, without its weights after ten steps
odd           a user's model on images of 2x13x11: padding, an even kernel, tanh, average pool, batch norm without a pool,
              max-pool of 3, batch norm between linear layers, and linear layers with nothing between them

The first step's loss and gradients, ten losses, and the weights and running statistics after ten steps of Adam, the last
batch being short. Everything is computed in float64. PyTorch's own float32 has to stay within a half of the bounds that the
tests hold ours to.
"""

import json
import pathlib
import sys

import numpy as np
import torch
from torch import nn
from torch.nn.functional import cross_entropy

MEAN, STD = 0.4, 0.3
SAMPLES, BATCH, LEARNING_RATE, CLASSES = 155, 16, 1e-3, 10
GRADIENT_MARGIN, LOSS_MARGIN, TENSOR_MARGIN = 5e-6, 5e-6, 5e-5
KEPT = 48

MODELS = {
    "lenet5-1998": (
        200,
        (1, 32, 32),
        lambda: [
            nn.Conv2d(1, 6, 5), nn.Tanh(), nn.AvgPool2d(2), nn.Conv2d(6, 16, 5), nn.Tanh(), nn.AvgPool2d(2), nn.Flatten(),
            nn.Linear(400, 120), nn.Tanh(), nn.Linear(120, 84), nn.Tanh(), nn.Linear(84, CLASSES),
        ],
    ),
    "odd": (
        100,
        (2, 13, 11),
        lambda: [
            nn.Conv2d(2, 5, 3, padding=1), nn.Tanh(), nn.AvgPool2d(2), nn.Conv2d(5, 6, 4, padding=2), nn.BatchNorm2d(6),
            nn.ReLU(), nn.Conv2d(6, 7, 3, padding=1), nn.MaxPool2d(3), nn.Tanh(), nn.Flatten(), nn.Linear(28, 13),
            nn.BatchNorm1d(13), nn.Tanh(), nn.Linear(13, 11), nn.Linear(11, CLASSES),
        ],
    ),
    "lenet5-wide4": (
        300,
        (1, 32, 32),
        lambda: [
            nn.Conv2d(1, 24, 5), nn.BatchNorm2d(24), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(24, 64, 5), nn.BatchNorm2d(64),
            nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(1600, 480), nn.ReLU(), nn.Linear(480, 336), nn.ReLU(),
            nn.Linear(336, CLASSES),
        ],
    ),
}  # fmt: skip
# Of so many weights some have gradients that are next to nothing but roundings, of which Adam makes whole steps.
UNTRACKED = ("lenet5-wide4",)


def numbers(stream, count):
    """Of -1 to 1, exact in float32."""
    with np.errstate(over="ignore"):
        z = (np.arange(count, dtype=np.uint64) + np.uint64(stream << 32)) * np.uint64(0x9E3779B97F4A7C15)
        z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        z = z ^ (z >> np.uint64(31))
    return ((z >> np.uint64(48)).astype(np.float64) - 32768) / 32768


def initial(model, stream):
    weights = {}
    for module_name, module in model.named_children():
        for name, tensor in module.named_parameters():
            values = numbers(stream + len(weights), tensor.numel()).reshape(tensor.shape)
            if isinstance(module, (nn.BatchNorm1d, nn.BatchNorm2d)):
                values = values / 4 + (1 if name == "weight" else 0)
            else:
                values = values * (1 / np.sqrt(np.float64(module.weight[0].numel())))
            weights[f"{module_name}.{name}"] = torch.from_numpy(values.astype(np.float32))
    return weights


def images(shape, stream):
    """Bytes that are noise on a pattern of each class, and the labels."""
    count = int(np.prod(shape))
    labels = np.floor((numbers(stream, SAMPLES) + 1) / 2 * CLASSES).astype(np.int64)
    noise = numbers(stream + 1, SAMPLES * count).reshape(SAMPLES, count)
    patterns = numbers(stream + 2, CLASSES * count).reshape(CLASSES, count)
    return np.floor(128 + 60 * noise + 60 * patterns[labels]).astype(np.uint8).reshape(SAMPLES, *shape), labels


def train(layers, weights, pixels, labels, dtype):
    model = nn.Sequential(*layers()).to(dtype)
    model.load_state_dict({key: value.to(dtype) for key, value in weights.items()}, strict=False)
    inputs = (torch.from_numpy(pixels).to(dtype) / 255 - MEAN) / STD
    optimiser = torch.optim.Adam(model.parameters(), lr=LEARNING_RATE, fused=False)
    losses, gradients = [], None
    for first in range(0, SAMPLES, BATCH):
        loss = cross_entropy(model(inputs[first : first + BATCH]), torch.from_numpy(labels[first : first + BATCH]))
        optimiser.zero_grad()
        loss.backward()
        if gradients is None:
            gradients = {key: value.grad.clone() for key, value in model.named_parameters()}
        optimiser.step()
        losses.append(loss.item())
    trained = {key: value for key, value in model.state_dict().items() if "num_batches" not in key}
    model.eval()
    return losses, gradients, trained, model(inputs[:BATCH]).detach()


def kept(tensors):
    def short(value):
        flat = value.detach().double().flatten()
        step = max(1, flat.numel() // KEPT)
        return {
            "shape": list(value.shape), "step": step, "largest": float(f"{flat.abs().max().item():.9g}"),
            "values": [float(f"{x:.9g}") for x in flat[::step].tolist()],
        }  # fmt: skip

    return {name: short(value) for name, value in tensors.items()}


def difference(tensors, reference, skipped=()):
    return max(
        ((tensors[k].double() - v).abs().max() / v.abs().max()).item() for k, v in reference.items() if k not in skipped
    )


def main():
    out = pathlib.Path(__file__).resolve().parents[2] / "Tests" / "Fixtures" / "convolutional"
    out.mkdir(parents=True, exist_ok=True)
    torch.set_num_threads(1)
    expected = {
        "versions": {"torch": torch.__version__, "numpy": np.__version__}, "mean": MEAN, "std": STD, "samples": SAMPLES,
        "batch_size": BATCH, "learning_rate": LEARNING_RATE, "models": {},
    }  # fmt: skip
    for name, (stream, shape, layers) in MODELS.items():
        model = nn.Sequential(*layers())
        weights = initial(model, stream)
        pixels, labels = images(shape, stream + 50)
        losses, gradients, trained, logits = train(layers, weights, pixels, labels, torch.float64)
        losses32, gradients32, trained32, _ = train(layers, weights, pixels, labels, torch.float32)
        # Before batch norm a bias has no gradient, and what rounding makes of it is another thing every time.
        children = [m for m in model.named_children() if not isinstance(m[1], nn.Flatten)]
        untrained = [
            f"{before}.bias"
            for (before, module), (_, after) in zip(children, children[1:])
            if isinstance(module, (nn.Conv2d, nn.Linear)) and isinstance(after, (nn.BatchNorm1d, nn.BatchNorm2d))
        ]
        off = max(abs(a - b) for a, b in zip(losses, losses32))
        slope = difference(gradients32, gradients, untrained)
        # Their running means follow such biases.
        moved = untrained + [key for key in trained if "running_mean" in key]
        if name in UNTRACKED:
            trained, trained32 = {}, {}
        worst = difference(trained32, trained, moved) if trained else 0
        if off > LOSS_MARGIN or slope > GRADIENT_MARGIN or worst > TENSOR_MARGIN:
            sys.exit(f"{name}: PyTorch's float32 is off by {off:.2e}, {slope:.2e}, {worst:.2e}: choose another stream")
        expected["models"][name] = {
            "stream": stream, "shape": list(shape), "losses": losses, "untrained": untrained,
            "logits": [float(f"{x:.9g}") for x in logits.flatten().tolist()], "gradients": kept(gradients),
            "trained": kept(trained), "float32_difference": [off, slope, worst],
        }  # fmt: skip
    text = json.dumps(expected, separators=(",", ":"))
    (out / "expected.json").write_text(text.replace('"shape"', '\n"shape"') + "\n")


if __name__ == "__main__":
    main()
