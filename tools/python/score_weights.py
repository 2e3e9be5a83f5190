"""Scores a safetensors file of weights on a data set's test images; tools/score-weights runs it."""

import argparse
import json
import os
import pathlib

import numpy as np
import torch
from lenet5 import LeNet5, read_idx, resized
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


def read_test(folder):
    """The test images, uint8 [n, channels, height, width], and their labels, of IDX files or of CIFAR's binary ones."""
    for name, folder_name, label_bytes in (
            ("test_batch.bin", "cifar-10-batches-bin", 1), ("test.bin", "cifar-100-binary", 2)):
        for path in (pathlib.Path(folder) / name, pathlib.Path(folder) / folder_name / name):
            if path.exists():
                records = np.fromfile(path, np.uint8).reshape(-1, label_bytes + 3072)
                return records[:, label_bytes:].reshape(-1, 3, 32, 32), records[:, label_bytes - 1].copy()
    images = read_idx(folder, "t10k-images-idx3-ubyte")
    return images[:, np.newaxis], read_idx(folder, "t10k-labels-idx1-ubyte").copy()


def main():
    parser = argparse.ArgumentParser(prog="score-weights", description=__doc__)
    parser.add_argument("weights", help="safetensors file with mean and std in its metadata")
    parser.add_argument("data", help="folder of the IDX files, or of CIFAR's binary ones")
    parser.add_argument("--device", default="cpu", help="PyTorch's name of a device (cpu)")
    arguments = parser.parse_args()
    torch.set_num_threads(os.cpu_count())

    with safe_open(arguments.weights, "pt") as file:
        metadata = file.metadata() or {}
        state = {name: file.get_tensor(name) for name in file.keys()}
    if not {"mean", "std"} <= metadata.keys():
        raise SystemExit(f"{arguments.weights}: its metadata lacks mean or std, which tell how images were normalised")
    name = metadata.get("model", "lenet5")
    if name == "lenet5":
        model = LeNet5(state["layer1.0.weight"].shape[1], state["fc2.bias"].shape[0])
    else:
        model = layered(state, arguments.weights)
    missing, unexpected = model.load_state_dict(state, strict=False)
    missing = [name for name in missing if not name.endswith("num_batches_tracked")]
    if missing or unexpected:
        raise SystemExit(f"{arguments.weights}: missing {missing}, not of this network {unexpected}")

    images, labels = read_test(arguments.data)
    labels = torch.from_numpy(labels)
    if name == "lenet5" and images.shape[2:] != (32, 32):
        images = resized(images.reshape(-1, *images.shape[2:])).reshape(*images.shape[:2], 32, 32)
    mean, std = (torch.tensor([float(value) for value in metadata[key].split(",")]).view(1, -1, 1, 1)
                 for key in ("mean", "std"))
    x = (torch.from_numpy(images).float() / 255 - mean) / std
    model.eval().to(arguments.device)
    with torch.no_grad():
        predicted = torch.cat([model(batch.to(arguments.device)).argmax(1).cpu() for batch in x.split(1000)])
    correct = int((predicted == labels).sum())
    print(json.dumps({"accuracy": 100 * correct / len(labels), "correct": correct, "count": len(labels)}))


main()
