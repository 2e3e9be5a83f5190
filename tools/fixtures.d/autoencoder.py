"""Writes Tests/Fixtures/autoencoder/expected.json: what PyTorch makes of autoencoders on made-up samples.

Weights and samples are made by the rule in convolutional.py, and tensors are shortened as there. Samples are bytes / 255, and
the loss is torch.nn.MSELoss between what a model gives back and the samples themselves.

autoencoder   the library's model on images of 1x5x7: 35-256-64-256-35
narrow        a user's model on images of 3x3x5: 45-17-1-13-45, with tanh too and a code of one value
planes        a user's model on images of 2x7x9, with a convolution and a pool before its code of 7 values

The first step's loss and gradients, ten losses, weights after ten steps of Adam, the last batch being short, and then the
codes and reconstructions of the first samples. Everything is computed in float64. PyTorch's own float32 has to stay within
a half of the bounds that the tests hold ours to.
"""

import json
import pathlib
import sys

import convolutional
import numpy as np
import torch
from convolutional import BATCH, LEARNING_RATE, SAMPLES, difference, images, initial, kept
from torch import nn

GRADIENT_MARGIN, LOSS_MARGIN, TENSOR_MARGIN = 5e-6, 5e-6, 5e-5
SHOWN = 2
convolutional.KEPT = 16

# Name: stream, shape, layers, and how many of them give the code.
MODELS = {
    "autoencoder": (
        500,
        (1, 5, 7),
        lambda: [
            nn.Flatten(), nn.Linear(35, 256), nn.ReLU(), nn.Linear(256, 64), nn.Linear(64, 256), nn.ReLU(),
            nn.Linear(256, 35),
        ],
        4,
    ),
    "narrow": (
        600,
        (3, 3, 5),
        lambda: [
            nn.Flatten(), nn.Linear(45, 17), nn.ReLU(), nn.Linear(17, 1), nn.Tanh(), nn.Linear(1, 13), nn.Tanh(),
            nn.Linear(13, 45),
        ],
        4,
    ),
    "planes": (
        700,
        (2, 7, 9),
        lambda: [
            nn.Conv2d(2, 5, 3, padding=1), nn.Tanh(), nn.AvgPool2d(2), nn.Flatten(), nn.Linear(60, 7), nn.Linear(7, 20),
            nn.ReLU(), nn.Linear(20, 126),
        ],
        5,
    ),
}  # fmt: skip


def train(layers, weights, samples, code, dtype):
    model = nn.Sequential(*layers()).to(dtype)
    model.load_state_dict({key: value.to(dtype) for key, value in weights.items()})
    inputs = torch.from_numpy(samples).to(dtype) / 255
    optimiser = torch.optim.Adam(model.parameters(), lr=LEARNING_RATE, fused=False)
    loss_of = nn.MSELoss()
    losses, gradients = [], None
    for first in range(0, SAMPLES, BATCH):
        batch = inputs[first : first + BATCH]
        loss = loss_of(model(batch), batch.flatten(1))
        optimiser.zero_grad()
        loss.backward()
        if gradients is None:
            gradients = {key: value.grad.clone() for key, value in model.named_parameters()}
        optimiser.step()
        losses.append(loss.item())
    with torch.no_grad():
        error = loss_of(model(inputs), inputs.flatten(1)).item()
        codes, outputs = model[:code](inputs[:SHOWN]), model(inputs[:SHOWN])
    return losses, gradients, dict(model.state_dict()), codes, outputs, error


def numbers(tensor):
    return [float(f"{x:.9g}") for x in tensor.flatten().tolist()]


def main():
    out = pathlib.Path(__file__).resolve().parents[2] / "Tests" / "Fixtures" / "autoencoder"
    out.mkdir(parents=True, exist_ok=True)
    torch.set_num_threads(1)
    expected = {
        "versions": {"torch": torch.__version__, "numpy": np.__version__}, "mean": 0, "std": 1, "samples": SAMPLES,
        "batch_size": BATCH, "learning_rate": LEARNING_RATE, "models": {},
    }  # fmt: skip
    for name, (stream, shape, layers, code) in MODELS.items():
        weights = initial(nn.Sequential(*layers()), stream)
        samples, _ = images(shape, stream + 50)
        losses, gradients, trained, codes, outputs, error = train(layers, weights, samples, code, torch.float64)
        losses32, gradients32, trained32, *_ = train(layers, weights, samples, code, torch.float32)
        off = max(abs(a - b) for a, b in zip(losses, losses32))
        slope, worst = difference(gradients32, gradients), difference(trained32, trained)
        if off > LOSS_MARGIN or slope > GRADIENT_MARGIN or worst > TENSOR_MARGIN:
            sys.exit(f"{name}: PyTorch's float32 is off by {off:.2e}, {slope:.2e}, {worst:.2e}: choose another stream")
        expected["models"][name] = {
            "stream": stream, "shape": list(shape), "losses": losses, "untrained": [], "logits": numbers(outputs),
            "codes": numbers(codes), "error": error, "gradients": kept(gradients), "trained": kept(trained),
            "float32_difference": [off, slope, worst],
        }  # fmt: skip
    text = json.dumps(expected, separators=(",", ":"))
    (out / "expected.json").write_text(text.replace('"shape"', '\n"shape"') + "\n")


if __name__ == "__main__":
    main()
