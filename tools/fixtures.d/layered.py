"""Writes Tests/Fixtures/layered: what PyTorch makes of the models mlp and linear on synthetic samples.

samples.npy             uint8 [90, 5, 7], labels.npy uint8 [90]: seeded, no real data
MODEL_initial.safetensors    float32 weights before training, under nn.Sequential's names
MODEL_gradients.safetensors  the gradients of the first batch, before any step
MODEL_trained.safetensors    the weights after six steps of Adam on batches of 16, the last one short
expected.json           losses of the steps, logits of the trained network on the first 16 samples

Everything is computed in float64 from weights that float32 holds exactly. PyTorch's own float32 has to stay within a half
of the bounds that the tests hold ours to.
"""

import json
import pathlib
import sys

import numpy as np
import torch
from safetensors.torch import save_file
from torch import nn
from torch.nn.functional import cross_entropy

MEAN, STD = 0.3, 0.25
SAMPLES, BATCH, LEARNING_RATE, CLASSES = 90, 16, 1e-3, 10
LOSS_MARGIN, TENSOR_MARGIN = 5e-6, 5e-5


def network(name, inputs):
    if name == "linear":
        return nn.Sequential(nn.Flatten(), nn.Linear(inputs, CLASSES))
    return nn.Sequential(
        nn.Flatten(), nn.Linear(inputs, 300), nn.ReLU(), nn.Linear(300, 100), nn.ReLU(), nn.Linear(100, CLASSES)
    )


def saved(tensors):
    return {name: value.detach().float().clone().contiguous() for name, value in tensors.items()}


def train(name, weights, samples, labels, dtype):
    """Losses and logits, the first batch's gradients and the final weights."""
    model = network(name, samples[0].size).to(dtype)
    model.load_state_dict({key: value.to(dtype) for key, value in weights.items()})
    inputs = (torch.from_numpy(samples).to(dtype) / 255 - MEAN) / STD
    targets = torch.from_numpy(labels).long()
    optimiser = torch.optim.Adam(model.parameters(), lr=LEARNING_RATE, fused=False)
    losses, gradients = [], None
    for first in range(0, SAMPLES, BATCH):
        loss = cross_entropy(model(inputs[first : first + BATCH]), targets[first : first + BATCH])
        optimiser.zero_grad()
        loss.backward()
        if gradients is None:
            gradients = saved({key: value.grad for key, value in model.named_parameters()})
        optimiser.step()
        losses.append(loss.item())
    return losses, model(inputs[:BATCH]).detach(), gradients, saved(model.state_dict())


def difference(tensors, reference):
    return max(((tensors[k] - v).abs().max() / v.abs().max()).item() for k, v in reference.items())


def main():
    out = pathlib.Path(__file__).resolve().parents[2] / "Tests" / "Fixtures" / "layered"
    out.mkdir(parents=True, exist_ok=True)
    torch.set_num_threads(1)
    random = np.random.default_rng(20260102)
    labels = random.integers(0, CLASSES, SAMPLES).astype(np.uint8)
    centres = random.integers(0, 200, (CLASSES, 5, 7))
    samples = np.clip(centres[labels] + random.normal(0, 30, (SAMPLES, 5, 7)), 0, 255).astype(np.uint8)
    np.save(out / "samples.npy", samples)
    np.save(out / "labels.npy", labels)
    expected = {
        "versions": {"torch": torch.__version__, "numpy": np.__version__},
        "mean": MEAN, "std": STD, "batch_size": BATCH, "learning_rate": LEARNING_RATE, "models": {},
    }  # fmt: skip
    for seed, name in enumerate(["mlp", "linear"]):
        torch.manual_seed(seed + 1)
        initial = saved(network(name, samples[0].size).state_dict())
        losses, logits, gradients, trained = train(name, initial, samples, labels, torch.float64)
        losses32, _, gradients32, trained32 = train(name, initial, samples, labels, torch.float32)
        off = max(abs(a - b) for a, b in zip(losses, losses32))
        worst = max(difference(gradients32, gradients), difference(trained32, trained))
        if off > LOSS_MARGIN or worst > TENSOR_MARGIN:
            sys.exit(f"layered: {name}: PyTorch's float32 is off by {off:.2e} and {worst:.2e}: choose another seed")
        for kind, tensors in [("initial", initial), ("gradients", gradients), ("trained", trained)]:
            save_file(tensors, out / f"{name}_{kind}.safetensors")
        expected["models"][name] = {"losses": losses, "logits": logits.tolist(), "float32_difference": [off, worst]}
    (out / "expected.json").write_text(json.dumps(expected, indent=1) + "\n")


if __name__ == "__main__":
    main()
