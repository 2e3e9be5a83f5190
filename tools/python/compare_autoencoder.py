"""The work of tools/compare-autoencoder: see there."""

import argparse
import gzip
import json
import pathlib
import statistics
import subprocess
import tempfile

import numpy as np
import torch
from torch.nn.functional import mse_loss

ROOT = pathlib.Path(__file__).resolve().parents[2]
COPPICE = ROOT / ".build" / "release" / "coppice"


def coppice(*arguments):
    return subprocess.run([str(word) for word in [COPPICE, *arguments]], check=True, text=True, stdout=subprocess.PIPE).stdout


def images(folder, part):
    """The images of an IDX file as rows in [0, 1]."""
    paths = [folder / f"{part}-images-idx3-ubyte{end}" for end in ("", ".gz")]
    path = next((path for path in paths if path.exists()), None)
    if path is None:
        raise SystemExit(f"compare-autoencoder: {paths[0]} is missing; IDX files are needed")
    with (gzip.open if path.suffix == ".gz" else open)(path, "rb") as file:
        data = file.read()
    count = int.from_bytes(data[4:8], "big")
    return torch.from_numpy(np.frombuffer(data, np.uint8, offset=16).reshape(count, -1).astype(np.float32) / 255)


def ours(options, seed, scratch):
    """Errors on the training and the test images."""
    weights = scratch / "w.safetensors"
    embed = ["embed", "--with", "autoencoder", "--data", options.data, "--out", scratch / "x.npy", "--json", "--quiet"]
    embed += ["--device", options.device]
    training = ["--size", options.size, "--epochs", options.epochs, "--seed", seed, "--save", weights]
    train = json.loads(coppice(*embed, *training))
    test = json.loads(coppice(*embed, "--weights", weights, "--split", "test"))
    return [train["mean_squared_error"], test["mean_squared_error"]]


def pytorch(source, train, test, options, seed):
    torch.manual_seed(seed)
    scope = {}
    exec(source, scope)  # noqa: S102, what the program prints is what is tested
    model = scope["model"]
    optimiser = torch.optim.Adam(model.parameters(), lr=1e-3)
    for _ in range(options.epochs):
        for batch in torch.randperm(len(train)).split(64):
            inputs = train[batch]
            optimiser.zero_grad()
            mse_loss(model(inputs), inputs).backward()
            optimiser.step()
    with torch.no_grad():
        return [sum(mse_loss(model(part), part, reduction="sum").item() for part in rows.split(4096)) / rows.numel()
                for rows in (train, test)]  # fmt: skip


def module(options, inputs):
    """The module of the model with a code of the size that was asked for."""
    shown = coppice("model", "show", "autoencoder", "--torch", "--size", inputs)
    return shown.replace("(256, 64)", f"(256, {options.size})").replace("(64, 256)", f"({options.size}, 256)")


def main():
    parser = argparse.ArgumentParser(add_help=False)
    parser.add_argument("--data", required=True)
    parser.add_argument("--size", type=int, default=64)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--epochs", type=int, default=10)
    parser.add_argument("--device", default="auto")
    options = parser.parse_args()
    # More threads wait for each other longer than such small layers take.
    torch.set_num_threads(1)
    folder = pathlib.Path(options.data)
    train, test = images(folder, "train"), images(folder, "t10k")
    source = module(options, train.shape[1])
    print("| seed | Coppice, training | test | PyTorch, training | test |\n| --- | --- | --- | --- | --- |")
    rows = []
    with tempfile.TemporaryDirectory() as scratch:
        for seed in range(1, options.seeds + 1):
            own = ours(options, seed, pathlib.Path(scratch))
            rows.append(own + pytorch(source, train, test, options, seed))
            print(f"| {seed} | " + " | ".join(f"{value:.6f}" for value in rows[-1]) + " |", flush=True)
    columns = list(zip(*rows))
    print("| mean | " + " | ".join(f"{statistics.mean(column):.6f}" for column in columns) + " |")
    if len(rows) > 1:
        print("| sd | " + " | ".join(f"{statistics.stdev(column):.6f}" for column in columns) + " |")


if __name__ == "__main__":
    main()
