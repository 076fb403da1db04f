"""What an epoch of training reports: means, and each task's share of the weights, the loss and the gradient."""

from collections.abc import Mapping, Sequence
from itertools import combinations

from torch import Tensor, nn

from trainables.loop.task import BatchLoss
from trainables.metrics.gradients import gradient_cosine, shares, task_gradients


class Means:
    """Running means of values by name; a value that is not finite makes its mean so."""

    def __init__(self) -> None:
        self._sums: dict[str, float] = {}
        self._counts: dict[str, int] = {}

    def add(self, values: Mapping[str, float]) -> None:
        """Count values once more."""
        for name, value in values.items():
            self._sums[name] = self._sums.get(name, 0.0) + value
            self._counts[name] = self._counts.get(name, 0) + 1

    def values(self) -> dict[str, float]:
        """The means, each over the times that its name was added."""
        return {name: total / self._counts[name] for name, total in self._sums.items()}

    def sums(self) -> dict[str, float]:
        """The sums."""
        return dict(self._sums)


class Shares:
    """Each part's share of the weights, of the weighted loss, and of the gradient on the trunk.

    Gradients are compared on the first batch of the epoch that has a part, one extra backward pass for each.
    """

    def __init__(self, trunk: nn.Module) -> None:
        self._trunk: Sequence[nn.Parameter] = list(trunk.parameters())
        self._weights, self._losses = Means(), Means()
        self._norms: dict[str, float] = {}
        self._cosines: dict[tuple[str, str], float] = {}

    def add(self, loss: BatchLoss) -> None:
        """Count a batch; call it before the graph is gone."""
        weights = {name: _number(part.weight) for name, part in loss.parts.items()}
        self._weights.add(weights)
        self._losses.add({name: weights[name] * part.loss.item() for name, part in loss.parts.items()})
        if loss.parts.keys() - self._norms.keys():
            self._compare({name: part.weight * part.loss for name, part in loss.parts.items()})

    def values(self) -> dict[str, float]:
        """By metric name."""
        named = {"weight": self._weights.values(), "loss": self._losses.sums(), "grad": self._norms}
        values = {
            f"train/{kind}_share_{name}": share
            for kind, magnitudes in named.items()
            for name, share in shares(magnitudes).items()
        }
        return values | {f"train/grad_cosine_{a}_{b}": cosine for (a, b), cosine in self._cosines.items()}

    def _compare(self, weighted: Mapping[str, Tensor]) -> None:
        gradients = task_gradients(weighted, self._trunk)
        for name, gradient in gradients.items():
            self._norms.setdefault(name, float(gradient.norm()))
        for a, b in combinations(gradients, 2):
            self._cosines.setdefault((a, b), gradient_cosine(gradients[a], gradients[b]))


def _number(value: float | Tensor) -> float:
    return value.item() if isinstance(value, Tensor) else value
