"""Scores a safetensors file of weights on a data set's test images; tools/score-weights runs it."""

import argparse
import json
import os

import torch
from lenet5 import LeNet5, normalised, read_idx, resized
from safetensors import safe_open
from torch import nn


def layered(state, path):
    """A network of linear layers with ReLU between them, of the shapes of its weights."""
    weights = [key for key in state if key.endswith(".weight")]
    try:
        weights.sort(key=lambda key: int(key.removesuffix(".weight")))
    except ValueError:
        raise SystemExit(f"{path}: {weights} are not the weights of an nn.Sequential")
    layers = [nn.Flatten()]
    for key in weights:
        outputs, inputs = state[key].shape
        layers += [nn.Linear(inputs, outputs), nn.ReLU()]
    return nn.Sequential(*layers[:-1])


def main():
    parser = argparse.ArgumentParser(prog="score-weights", description=__doc__)
    parser.add_argument("weights", help="safetensors file with mean and std in its metadata")
    parser.add_argument("data", help="folder of the IDX files")
    parser.add_argument("--device", default="cpu", help="PyTorch's name of a device (cpu)")
    arguments = parser.parse_args()
    torch.set_num_threads(os.cpu_count())

    with safe_open(arguments.weights, "pt") as file:
        metadata = file.metadata() or {}
        state = {name: file.get_tensor(name) for name in file.keys()}
    if not {"mean", "std"} <= metadata.keys():
        raise SystemExit(f"{arguments.weights}: its metadata lacks mean or std, which tell how images were normalised")
    name = metadata.get("model", "lenet5")
    model = LeNet5() if name == "lenet5" else layered(state, arguments.weights)
    missing, unexpected = model.load_state_dict(state, strict=False)
    missing = [name for name in missing if not name.endswith("num_batches_tracked")]
    if missing or unexpected:
        raise SystemExit(f"{arguments.weights}: missing {missing}, not of this network {unexpected}")

    images = read_idx(arguments.data, "t10k-images-idx3-ubyte")
    if name == "lenet5":
        images = resized(images)
    labels = torch.from_numpy(read_idx(arguments.data, "t10k-labels-idx1-ubyte").copy())
    x = normalised(images, float(metadata["mean"]), float(metadata["std"]))
    model.eval().to(arguments.device)
    with torch.no_grad():
        predicted = torch.cat([model(batch.to(arguments.device)).argmax(1).cpu() for batch in x.split(1000)])
    correct = int((predicted == labels).sum())
    print(json.dumps({"accuracy": 100 * correct / len(labels), "correct": correct, "count": len(labels)}))


main()
