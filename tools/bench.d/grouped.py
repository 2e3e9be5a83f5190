"""Several networks of one architecture as a single network, so that PyTorch trains them at once.

Convolutions become grouped ones with a group per network, batch norm has the channels of all networks side by side, and a
linear layer is a batch of matrix products. What `check` shows: every network computes what it would compute alone.
"""

import copy

import torch
from torch import nn
from torch.nn.functional import cross_entropy, mse_loss

# The largest difference allowed between a loss and that of the same network alone: that of the first step in float32, and those of several steps in
# float64, where rounding leaves no room for an error in the gradients or in Adam's step.
TOLERANCES = {torch.float32: (1, 1e-5), torch.float64: (3, 1e-9)}


class GroupedLinear(nn.Module):
    """Linear layers of several networks, [networks, batch, inputs] to [networks, batch, outputs]."""

    def __init__(self, layers):
        super().__init__()
        self.weight = nn.Parameter(torch.stack([layer.weight.detach().T for layer in layers]))
        self.bias = nn.Parameter(torch.stack([layer.bias.detach().unsqueeze(0) for layer in layers]))

    def forward(self, x):
        return torch.baddbmm(self.bias, x, self.weight)


class GroupedFlatten(nn.Module):
    """[batch, networks * channels, rows, columns] to [networks, batch, values]."""

    def __init__(self, count):
        super().__init__()
        self.count = count

    def forward(self, x):
        return x.reshape(len(x), self.count, -1).transpose(0, 1)


def joined(layers):
    """One layer that does what each of `layers`, which are alike, does to the channels or values of its own network."""
    first, count = layers[0], len(layers)
    if isinstance(first, nn.Linear):
        return GroupedLinear(layers)
    if isinstance(first, nn.Flatten):
        return GroupedFlatten(count)
    if isinstance(first, (nn.ReLU, nn.MaxPool2d)):
        return copy.deepcopy(first)
    if isinstance(first, nn.Conv2d):
        options = {"stride": first.stride, "padding": first.padding, "groups": count}
        whole = nn.Conv2d(count * first.in_channels, count * first.out_channels, first.kernel_size, **options)
    elif isinstance(first, nn.BatchNorm2d):
        whole = nn.BatchNorm2d(count * first.num_features, first.eps, first.momentum)
    else:
        raise TypeError(f"no grouped form of {type(first).__name__}")
    whole = whole.to(first.weight.dtype)
    with torch.no_grad():
        for name, tensor in whole.state_dict().items():
            parts = [layer.state_dict()[name] for layer in layers]
            tensor.copy_(torch.cat(parts) if tensor.dim() else parts[0])
    return whole


class Grouped(nn.Module):
    """Copies of networks side by side: [batch, networks * channels, rows, columns] to [networks, batch, outputs].

    Each network is an nn.Sequential, or has a method `layers` that lists what it does.
    """

    def __init__(self, networks):
        super().__init__()
        lists = [list(network) if isinstance(network, nn.Sequential) else network.layers() for network in networks]
        self.whole = nn.Sequential(*[joined(layers) for layers in zip(*lists, strict=True)])

    def forward(self, x):
        return self.whole(x)


def losses(outputs, inputs, labels):
    """The loss of each network, [networks], of outputs [networks, batch, values].

    Cross entropy against labels [batch, networks]; without labels, the mean squared error against the inputs,
    [batch, networks * channels, rows, columns].
    """
    count, batch, values = outputs.shape
    if labels is None:
        return mse_loss(outputs, GroupedFlatten(count)(inputs), reduction="none").mean((1, 2))
    each = cross_entropy(outputs.reshape(-1, values), labels.T.reshape(-1), reduction="none")
    return each.view(count, batch).mean(1)


def check(make, shape, autoencoder=False, count=3, batch=37, wrap=lambda forward: forward):
    """Trains networks that `make` makes, alone and grouped, from the same weights; the largest difference of a loss by type.

    `shape` is that of an input, [channels, rows, columns]; `wrap` is put around the grouped network, such as torch.compile.
    Raises ValueError where a loss differs by more than TOLERANCES, or is not finite.
    """
    differences = {}
    for dtype, (steps, tolerance) in TOLERANCES.items():
        torch.manual_seed(7)
        alone = [make().to(dtype).train() for _ in range(count)]
        together = Grouped(alone).train()
        forward = wrap(together)
        optimisers = [torch.optim.Adam(network.parameters(), lr=1e-3) for network in [*alone, together]]
        worst = 0.0
        for _ in range(steps):
            x = torch.randn(batch, count, *shape, dtype=dtype)
            y = None if autoencoder else torch.randint(0, 10, (batch, count))
            singles = []
            for index, network in enumerate(alone):
                inputs = x[:, index]
                outputs = network(inputs)
                singles.append(mse_loss(outputs, inputs.flatten(1)) if autoencoder else cross_entropy(outputs, y[:, index]))
            grouped = losses(forward(x.flatten(1, 2)), x.flatten(1, 2), y)
            worst = max(worst, (grouped - torch.stack(singles)).abs().max().item())
            if not worst <= tolerance:
                raise ValueError(f"grouped networks: a loss differs by {worst:.3g} in {dtype}; {tolerance} is allowed")
            for optimiser in optimisers:
                optimiser.zero_grad()
            sum(singles).backward()
            grouped.sum().backward()
            for optimiser in optimisers:
                optimiser.step()
        differences[dtype] = worst
    return differences
