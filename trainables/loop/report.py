"""What an epoch of training reports: means, and each task's share of the weights, the loss and the gradient.

Values are numbers, 0-d tensors, or a row of one value for each of several lanes. They are kept as they come and read
once, at the end of an epoch: a number taken from a tensor earlier would make a GPU wait at each step.
"""

import math
from collections.abc import Mapping, Sequence
from itertools import combinations
from operator import mul

import torch
from torch import Tensor

from trainables.loop.task import BatchLoss
from trainables.losses.similarity import Scalar
from trainables.metrics.gradients import gradient_cosine, shares, task_gradients


class Record:
    """Values by name, for each lane, as they come; `read` them once."""

    def __init__(self, num_lanes: int = 1) -> None:
        self._num_lanes = num_lanes
        self._values: dict[str, list[Scalar]] = {}

    def add(self, values: Mapping[str, Scalar]) -> None:
        """Take values once more."""
        for name, value in values.items():
            self._values.setdefault(name, []).append(value.detach() if isinstance(value, Tensor) else value)

    def read(self) -> list[dict[str, list[float]]]:
        """For each lane all values by name, in the order in which they came."""
        tensors = [value for values in self._values.values() for value in values if isinstance(value, Tensor)]
        read = iter(torch.cat([value.double().reshape(-1) for value in tensors]).tolist() if tensors else ())
        found: list[dict[str, list[float]]] = [{name: [] for name in self._values} for _ in range(self._num_lanes)]
        for name, values in self._values.items():
            for value in values:
                row = [next(read) for _ in range(value.numel())] if isinstance(value, Tensor) else [float(value)]
                for lane, times in enumerate(found):
                    times[name].append(row[lane % len(row)])
        return found


def means(times: Mapping[str, Sequence[float]], *, until: int | None = None) -> dict[str, float]:
    """Each over the times that its name was added, or over the first ones; a value that is not finite makes it so."""
    return {name: sum(some) / len(some) for name, values in times.items() if (some := values[:until])}


def first_not_finite(losses: Sequence[float]) -> int | None:
    """The step of an epoch at which a loss was not finite for the first time; None where it never was."""
    return next((step for step, loss in enumerate(losses) if not math.isfinite(loss)), None)


class Shares:
    """Each part's share of the weights, of the weighted loss, and of the gradient on the trunk.

    Gradients are compared on the first batch of the epoch that has a part, one extra backward pass for each.
    """

    def __init__(self, trunk: Sequence[Tensor], *, lanes: int | None = None) -> None:
        """Args: trunk: its parameters. lanes: how many, where they and the losses have one in each row."""
        self._trunk, self._lanes = trunk, lanes
        self._weights, self._losses, self._norms, self._cosines = (Record(lanes or 1) for _ in range(4))
        self._compared: set[str] = set()

    def add(self, loss: BatchLoss) -> None:
        """Count a batch; call it before the graph is gone."""
        self._weights.add({name: part.weight for name, part in loss.parts.items()})
        self._losses.add({name: part.loss for name, part in loss.parts.items()})
        if loss.parts.keys() - self._compared:
            self._compare({name: part.weight * part.loss for name, part in loss.parts.items()})

    def values(self, *, until: Sequence[int | None]) -> list[dict[str, float]]:
        """For each lane, by metric name. Args: until: for each lane how many steps count; None counts all."""
        weights, losses = (_cut(times.read(), until) for times in (self._weights, self._losses))
        of_lanes = zip(weights, losses, self._norms.read(), self._cosines.read(), strict=True)
        return [{} if end == 0 else _shares_of_lane(*times) for times, end in zip(of_lanes, until, strict=True)]

    def _compare(self, weighted: Mapping[str, Tensor]) -> None:
        gradients = task_gradients(weighted, self._trunk, lanes=self._lanes)
        self._norms.add({name: gradient.norm(dim=-1) for name, gradient in gradients.items()})
        self._cosines.add(
            {f"{a}_{b}": gradient_cosine(gradients[a], gradients[b]) for a, b in combinations(gradients, 2)}
        )
        self._compared |= gradients.keys()


_Times = Mapping[str, Sequence[float]]
"""Values by name, in the order in which they were added."""


def _cut(read: Sequence[_Times], until: Sequence[int | None]) -> list[_Times]:
    return [{name: values[:end] for name, values in times.items()} for times, end in zip(read, until, strict=True)]


def _shares_of_lane(weights: _Times, losses: _Times, norms: _Times, cosines: _Times) -> dict[str, float]:
    named = {
        "weight": means(weights),
        "loss": {name: sum(map(mul, weights[name], times)) for name, times in losses.items()},
        "grad": {name: times[0] for name, times in norms.items()},
    }
    values = {
        f"train/{kind}_share_{name}": share
        for kind, magnitudes in named.items()
        for name, share in shares(magnitudes).items()
    }
    return values | {f"train/grad_cosine_{pair}": times[0] for pair, times in cosines.items()}
