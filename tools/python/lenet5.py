"""The article's network in PyTorch, and the images it takes, shared by the fixtures, the peers and score-weights."""

import gzip
import pathlib
import struct

import numpy as np
import torch
from torch import nn


class LeNet5(nn.Module):
    """LeNet-5 with batch norm, every hidden width times `width`, under the names that Coppice saves its weights with."""

    def __init__(self, channels=1, classes=10, width=1):
        super().__init__()
        first, second, wide, narrow = (width * count for count in (6, 16, 120, 84))
        self.layer1 = nn.Sequential(nn.Conv2d(channels, first, 5), nn.BatchNorm2d(first), nn.ReLU(), nn.MaxPool2d(2, 2))
        self.layer2 = nn.Sequential(nn.Conv2d(first, second, 5), nn.BatchNorm2d(second), nn.ReLU(), nn.MaxPool2d(2, 2))
        self.fc = nn.Linear(25 * second, wide)
        self.fc1 = nn.Linear(wide, narrow)
        self.fc2 = nn.Linear(narrow, classes)

    def layers(self):
        """The layers of `forward`, in order."""
        dense = [nn.Flatten(), self.fc, nn.ReLU(), self.fc1, nn.ReLU(), self.fc2]
        return [*self.layer1, *self.layer2, *dense]

    def forward(self, x):
        """Logits [batch, classes] of normalised images [batch, channels, 32, 32]."""
        x = self.layer2(self.layer1(x)).flatten(1)
        return self.fc2(torch.relu(self.fc1(torch.relu(self.fc(x)))))


def normalised(images, mean, std, dtype=torch.float32):
    """uint8 [n, 32, 32] as [n, 1, 32, 32] of (x / 255 - mean) / std."""
    return ((torch.from_numpy(images).to(dtype) / 255 - mean) / std).unsqueeze(1)


def read_idx(folder, name):
    """The array in `folder`'s IDX file `name`, gzipped or not."""
    for path, opened in ((pathlib.Path(folder) / name, open), (pathlib.Path(folder) / f"{name}.gz", gzip.open)):
        if path.exists():
            with opened(path, "rb") as file:
                magic = file.read(4)
                shape = struct.unpack(f">{magic[3]}I", file.read(4 * magic[3]))
                return np.frombuffer(file.read(), np.uint8).reshape(shape)
    raise SystemExit(f"{folder}: neither {name} nor {name}.gz is there")


def resized(images):
    """uint8 [n, 28, 28] as [n, 32, 32], by Pillow's bilinear filter."""
    from PIL import Image

    return np.stack([np.asarray(Image.fromarray(i).resize((32, 32), Image.Resampling.BILINEAR)) for i in images])
