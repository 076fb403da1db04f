"""Adapters from one embedding space to another: plain, multi-head and residual, and the norm that they share.

Shape suffixes: B items, S input positions, T output positions, P the larger of both, I input channels, C hidden or
output channels, H heads.
The architectures are note 000's; its norms were applied to the wrong axis (see `ChannelNorm`).
"""

from dataclasses import dataclass
from functools import cache
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional as F

_OFFSET_DEVIATION = 1.0
"""As large as a standardised input: with much smaller ones, positions that are repeated are hardly told apart."""


@dataclass(frozen=True, slots=True)
class AdapterShape:
    """What an adapter is made of.

    Attributes:
        inputs, hidden, outputs: channels.
        positions: of the output. Input positions are averaged at the end where there are more, and repeated at the
            beginning where there are fewer; each of several has a learned offset that tells it from the others.
        groups: of channels that are normalised together over all positions, which mixes positions; must divide
            `hidden` and `outputs`. None normalises the channels of each position by themselves.
        dropout: after the activation.
    """

    inputs: int
    hidden: int
    outputs: int
    positions: int = 1
    groups: int | None = None
    dropout: float = 0.0
    final_norm: bool = True


class ChannelNorm(nn.Module):
    """Normalise the channels of (B, S, C), which are its last axis.

    `nn.GroupNorm` takes the second axis for the channels. On (B, S, C) it raises, unless S happens to equal C: then
    it normalises positions. Here the axes change places around it.
    """

    def __init__(self, channels: int, *, groups: int | None) -> None:
        super().__init__()
        self.groups = groups
        self.channels = channels
        self.weight = nn.Parameter(torch.ones(channels))
        self.bias = nn.Parameter(torch.zeros(channels))

    def forward(self, x_BSC: Tensor) -> Tensor:
        """Shapes: (B, S, C) to the same. Raises: ValueError: the last axis has not C channels."""
        if x_BSC.ndim != 3 or x_BSC.shape[-1] != self.channels:
            raise ValueError(f"expected (items, positions, {self.channels}), got {tuple(x_BSC.shape)}")
        if self.groups is None:
            return F.layer_norm(x_BSC, (self.channels,), self.weight, self.bias)
        return F.group_norm(x_BSC.transpose(1, 2), self.groups, self.weight, self.bias).transpose(1, 2)


def resample_positions(x_BSC: Tensor, *, positions: int) -> Tensor:
    """Average neighbouring positions, or repeat them, so that there are `positions`; (B, T, C)."""
    if x_BSC.shape[1] == positions:
        return x_BSC
    return _shares(x_BSC.shape[1], positions).to(x_BSC) @ x_BSC


@cache
def _shares(before: int, after: int) -> Tensor:
    """How much each of S positions counts in each of T new ones, (T, S), as in torch's adaptive average pooling."""
    return F.adaptive_avg_pool1d(torch.eye(before)[None], after)[0].T.contiguous()


class Adapter(nn.Module):
    """What all adapters begin and end with: positions, and a norm whose gain and bias set the length of the output.

    The norm gives every item the length sqrt(T C) before its gain and bias, whatever came before it.
    """

    def __init__(self, shape: AdapterShape) -> None:
        super().__init__()
        self.shape = shape
        offsets_TI = _OFFSET_DEVIATION * torch.randn(shape.positions, shape.inputs)
        self.offsets = nn.Parameter(offsets_TI) if shape.positions > 1 else None
        self.final_norm = ChannelNorm(shape.outputs, groups=shape.groups) if shape.final_norm else None

    def begin(self, x_BSI: Tensor) -> Tensor:
        """Shapes: (B, S, I) to (B, the larger of S and T, I)."""
        positions = max(x_BSI.shape[1], self.shape.positions)
        x_BPI = resample_positions(x_BSI, positions=positions)
        return x_BPI if self.offsets is None else x_BPI + resample_positions(self.offsets[None], positions=positions)

    def finish(self, x_BPC: Tensor) -> Tensor:
        """Shapes: (B, P, C) to (B, T, C)."""
        x_BTC = resample_positions(x_BPC, positions=self.shape.positions)
        return x_BTC if self.final_norm is None else self.final_norm(x_BTC)


class PlainAdapter(Adapter):
    """Linear, norm, GELU, linear."""

    def __init__(self, shape: AdapterShape) -> None:
        super().__init__(shape)
        self.layers = _layers(shape)

    def forward(self, x_BSI: Tensor) -> Tensor:
        """Shapes: (B, S, I) to (B, T, C)."""
        return self.finish(self.layers(self.begin(x_BSI)))


class MultiHeadAdapter(Adapter):
    """Several plain adapters, mixed item by item with weights that depend on the mean over positions.

    Source: note 000, solution 2.
    """

    def __init__(self, shape: AdapterShape, *, heads: int) -> None:
        super().__init__(shape)
        self.heads = nn.ModuleList(_layers(shape) for _ in range(heads))
        self.gate = nn.Linear(shape.inputs, heads)

    def forward(self, x_BSI: Tensor) -> Tensor:
        """Shapes: (B, S, I) to (B, T, C)."""
        x_BPI = self.begin(x_BSI)
        outputs_BPCH = torch.stack([head(x_BPI) for head in self.heads], dim=-1)
        return self.finish((outputs_BPCH * self.head_shares(x_BPI)[:, None, None]).sum(dim=-1))

    def head_shares(self, x_BPI: Tensor) -> Tensor:
        """How much each head says of each item; (B, H), rows sum to 1."""
        return self.gate(x_BPI.mean(dim=1)).softmax(dim=-1)  # type: ignore[no-any-return]


class ResidualAdapter(Adapter):
    """A plain adapter added to its input with a learned factor, then one more projection.

    Source: note 000, solution 3.
    Raises: ValueError: input and output have not the same number of channels.
    """

    def __init__(self, shape: AdapterShape) -> None:
        super().__init__(shape)
        if shape.inputs != shape.outputs:
            raise ValueError(f"a residual adapter needs as many inputs as outputs, not {shape.inputs}, {shape.outputs}")
        self.layers = _layers(shape)
        self.residual_scale = nn.Parameter(torch.ones(1))
        self.output = nn.Linear(shape.outputs, shape.outputs)

    def forward(self, x_BSI: Tensor) -> Tensor:
        """Shapes: (B, S, C) to (B, T, C)."""
        x_BPC = self.begin(x_BSI)
        return self.finish(self.output(self.layers(x_BPC) + self.residual_scale * x_BPC))


def _layers(shape: AdapterShape) -> nn.Sequential:
    layers: list[nn.Module] = [
        nn.Linear(shape.inputs, shape.hidden),
        ChannelNorm(shape.hidden, groups=shape.groups),
        nn.GELU(),
    ]
    if shape.dropout:
        layers.append(nn.Dropout(shape.dropout))
    return nn.Sequential(*layers, nn.Linear(shape.hidden, shape.outputs))


class AdapterModel(nn.Module):
    """One adapter for each target space, on the same standardised input."""

    mean: Tensor
    deviation: Tensor

    def __init__(self, adapters: dict[str, Adapter], *, mean: float, deviation: float) -> None:
        super().__init__()
        self.adapters = nn.ModuleDict(adapters)
        self.register_buffer("mean", torch.tensor(mean))
        self.register_buffer("deviation", torch.tensor(deviation))

    def forward(self, inputs_BSI: Tensor) -> dict[str, Tensor]:
        """Predict every target; space to (B, T, C)."""
        standard_BSI = (inputs_BSI - self.mean) / self.deviation
        return {space: adapter(standard_BSI) for space, adapter in self.adapters.items()}

    def adapter(self, space: str) -> Adapter:
        """The one of a space."""
        return cast(Adapter, self.adapters[space])
