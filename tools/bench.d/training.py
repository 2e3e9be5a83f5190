"""PyTorch's side of the training comparison: a plain loop on tensors resized and normalised beforehand.

Prints one JSON object: for each of fused and plain Adam on each count of threads, the seconds of the epochs alone.
"""

import argparse
import json
import os
import time

import torch
from lenet5 import LeNet5, normalised, read_idx, resized
from torch import nn
from torch.nn.functional import cross_entropy, mse_loss

BATCH = 64
MODELS = {
    "lenet5": LeNet5,
    "lenet5-wide2": lambda: LeNet5(width=2),
    "lenet5-wide4": lambda: LeNet5(width=4),
    "mlp": lambda: nn.Sequential(
        nn.Flatten(), nn.Linear(784, 300), nn.ReLU(), nn.Linear(300, 100), nn.ReLU(), nn.Linear(100, 10)
    ),
    "linear": lambda: nn.Sequential(nn.Flatten(), nn.Linear(784, 10)),
    "autoencoder": lambda: nn.Sequential(
        nn.Flatten(),
        nn.Linear(784, 256),
        nn.ReLU(),
        nn.Linear(256, 64),
        nn.Linear(64, 256),
        nn.ReLU(),
        nn.Linear(256, 784),
    ),
}


def train(name, x, y, epochs, fused):
    """Trains a new network for so many epochs; returns the last batch's loss."""
    model = MODELS[name]().train()
    optimiser = torch.optim.Adam(model.parameters(), lr=1e-3, fused=fused)
    for _ in range(epochs):
        for batch in torch.randperm(len(x)).split(BATCH):
            inputs = x[batch]
            if name == "autoencoder":
                loss = mse_loss(model(inputs), inputs.flatten(1))
            else:
                loss = cross_entropy(model(inputs), y[batch])
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
    return loss.item()


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", required=True)
    parser.add_argument("--epochs", type=int, default=1)
    parser.add_argument("--model", choices=MODELS, default="lenet5")
    arguments = parser.parse_args()
    images = read_idx(arguments.data, "train-images-idx3-ubyte")
    # The others take images as they are.
    shown = resized(images) if arguments.model.startswith("lenet5") else images
    x = normalised(shown, images.mean() / 255, images.std() / 255)
    y = torch.from_numpy(read_idx(arguments.data, "train-labels-idx1-ubyte").copy()).long()

    results = []
    for threads in sorted({1, os.cpu_count()}):
        torch.set_num_threads(threads)
        for fused in (True, False):
            torch.manual_seed(1)
            train(arguments.model, x[:2048], y[:2048], 1, fused)
            start = time.perf_counter()
            loss = train(arguments.model, x, y, arguments.epochs, fused)
            seconds = time.perf_counter() - start
            adam = "fused Adam" if fused else "plain Adam"
            results.append({"work": "training", "case": f"PyTorch, {adam}, {threads} threads", "seconds": seconds, "loss": loss})
    print(json.dumps({"results": results, "versions": {"torch": torch.__version__}}))


main()
