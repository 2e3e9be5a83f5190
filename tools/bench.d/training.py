"""PyTorch's side of the training comparison: loops on tensors resized and normalised beforehand.

Trains one network by a plain loop, with fused and with plain Adam, and by torch.compile; with --replicas also so many
networks at once, by grouped convolutions (grouped.py), plain and compiled. Prints one JSON object: for each of these on each
count of threads, the seconds per network of the epochs alone. R networks at once see an R-th of the images, each in an order
of its own, so that together they see as many as one network does in an epoch: "seconds" is the time of that. Compiling is not
in the seconds; "compile_seconds" has it, with the warm-up.
"""

import argparse
import json
import os
import sys
import time

import grouped
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


def compiled(function):
    """Compiled for each shape that it meets; what cannot be compiled as a whole is an error."""
    return torch.compile(function, dynamic=False, fullgraph=True)


class Trainer:
    """One network, or `count` at once, with its optimiser."""

    def __init__(self, name, count, is_compiled, fused):
        self.count = count
        networks = [MODELS[name]().train() for _ in range(max(1, count))]
        self.network = grouped.Grouped(networks).train() if count else networks[0]
        self.optimiser = torch.optim.Adam(self.network.parameters(), lr=1e-3, fused=fused)
        is_autoencoder = name == "autoencoder"

        def one(x, y, batch):
            inputs = x[batch]
            if is_autoencoder:
                return mse_loss(self.network(inputs), inputs.flatten(1))
            return cross_entropy(self.network(inputs), y[batch])

        def several(x, y, batch):
            # [batch, networks, channels, rows, columns], the channels of all networks side by side.
            inputs = x[batch].flatten(1, 2)
            return grouped.losses(self.network(inputs), inputs, None if is_autoencoder else y[batch]).sum()

        loss = several if count else one
        self.loss = compiled(loss) if is_compiled else loss

    def orders(self, images):
        """An order of `images` images, or one per network: [images] or [images, networks]."""
        if not self.count:
            return torch.randperm(images)
        return torch.stack([torch.randperm(images) for _ in range(self.count)], 1)

    def train(self, x, y, images, epochs):
        """Trains on the first `images` for so many epochs; returns the last batch's loss, the mean of the networks'.

        x and y are always those of all images: code is compiled for their shapes too.
        """
        for _ in range(epochs):
            for batch in self.orders(images).split(BATCH):
                loss = self.loss(x, y, batch)
                self.optimiser.zero_grad()
                loss.backward()
                self.optimiser.step()
        return loss.item() / max(1, self.count)


def graphs():
    """The number of graphs compiled so far."""
    return torch._dynamo.utils.counters["stats"]["unique_graphs"]


def cases(replicas):
    """(networks trained at once, is compiled, has fused Adam); 0 networks is one without grouping."""
    yield from ((0, False, True), (0, False, False), (0, True, True))
    if replicas > 1:
        yield from ((replicas, False, True), (replicas, True, True))


def label(count, is_compiled, fused, threads):
    """The name of a case; the part before the comma is the peer."""
    peer = "PyTorch" + (" compiled" if is_compiled else "") + (f" with {count} grouped networks" if count else "")
    return f"{peer}, {'fused' if fused else 'plain'} Adam, {threads} thread{'s' if threads > 1 else ''}"


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", required=True)
    parser.add_argument("--epochs", type=int, default=1)
    parser.add_argument("--images", type=int, help="the first so many only, for a trial")
    parser.add_argument("--model", choices=MODELS, default="lenet5")
    parser.add_argument("--replicas", type=int, default=1, help="networks to train at once, beside one")
    arguments = parser.parse_args()
    name, replicas = arguments.model, arguments.replicas
    images = read_idx(arguments.data, "train-images-idx3-ubyte")[: arguments.images].copy()
    # The others take images as they are.
    shown = resized(images) if name.startswith("lenet5") else images
    x = normalised(shown, images.mean() / 255, images.std() / 255)
    y = torch.from_numpy(read_idx(arguments.data, "train-labels-idx1-ubyte")[: arguments.images].copy()).long()

    results, left_out = [], []
    if replicas > 1:
        grouped.check(MODELS[name], x.shape[1:], name == "autoencoder")
    for threads in sorted({1, os.cpu_count()}):
        torch.set_num_threads(threads)
        for count, is_compiled, fused in cases(replicas):
            case = label(count, is_compiled, fused, threads)
            part = len(x) // max(1, count)
            torch.manual_seed(1)
            # Compiled code has the number of threads in it.
            torch._dynamo.reset()
            trainer = Trainer(name, count, is_compiled, fused)
            start = time.perf_counter()
            try:
                # Two passes, whose last batch is as large as that of an epoch: each shape is compiled.
                trainer.train(x, y, min(part, 32 * BATCH + part % BATCH), 2)
            except RuntimeError as error:
                if not is_compiled:
                    raise
                reason = next((line.strip() for line in str(error).splitlines() if line.strip()), type(error).__name__)
                left_out.append(f"{case}: torch.compile failed; it needs g++ and Python's headers ({reason})")
                continue
            before, warmed = graphs(), time.perf_counter()
            loss = trainer.train(x, y, part, arguments.epochs)
            seconds = time.perf_counter() - warmed
            if graphs() != before:
                raise RuntimeError(f"{case}: something was compiled within the time taken")
            result = {"work": "training", "case": case, "seconds": seconds, "loss": loss, "replicas": max(1, count)}
            results.append(result | ({"compile_seconds": warmed - start} if is_compiled else {}))
    print(json.dumps({"results": results, "left_out": left_out, "versions": {"torch": torch.__version__}}))


if __name__ == "__main__":
    sys.exit(main())
