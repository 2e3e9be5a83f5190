"""PyTorch's side of the training comparison: a plain loop on tensors resized and normalised beforehand.

Prints one JSON object: for each of fused and plain Adam on each count of threads, the seconds of the epochs alone.
"""

import argparse
import json
import os
import time

import torch
from lenet5 import LeNet5, normalised, read_idx, resized
from torch.nn.functional import cross_entropy

BATCH = 64


def train(x, y, epochs, fused):
    """Trains a new network for so many epochs; returns the last batch's loss."""
    model = LeNet5().train()
    optimiser = torch.optim.Adam(model.parameters(), lr=1e-3, fused=fused)
    for _ in range(epochs):
        for batch in torch.randperm(len(x)).split(BATCH):
            loss = cross_entropy(model(x[batch]), y[batch])
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
    return loss.item()


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", required=True)
    parser.add_argument("--epochs", type=int, default=1)
    arguments = parser.parse_args()
    images = read_idx(arguments.data, "train-images-idx3-ubyte")
    x = normalised(resized(images), images.mean() / 255, images.std() / 255)
    y = torch.from_numpy(read_idx(arguments.data, "train-labels-idx1-ubyte").copy()).long()

    results = []
    for threads in sorted({1, os.cpu_count()}):
        torch.set_num_threads(threads)
        for fused in (True, False):
            torch.manual_seed(1)
            train(x[:2048], y[:2048], 1, fused)
            start = time.perf_counter()
            loss = train(x, y, arguments.epochs, fused)
            seconds = time.perf_counter() - start
            adam = "fused Adam" if fused else "plain Adam"
            results.append({"work": "training", "case": f"PyTorch, {adam}, {threads} threads", "seconds": seconds, "loss": loss})
    print(json.dumps({"results": results, "versions": {"torch": torch.__version__}}))


main()
