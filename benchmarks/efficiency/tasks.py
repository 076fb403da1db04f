"""The tasks that are tabulated: one grid of configurations each, small enough that every curve can be known."""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import product

from pydantic import JsonValue

Scalar = float | int | str


@dataclass(frozen=True)
class Axis:
    """One parameter and its cells, ascending where they are numbers.

    Attributes:
        log: whether cells are equally far apart in the logarithm.
    """

    values: tuple[Scalar, ...]
    log: bool = False

    @property
    def is_choice(self) -> bool:
        """Whether the cells have no order."""
        return isinstance(self.values[0], str)

    def domain(self) -> dict[str, JsonValue]:
        """The parameter as a sweep file says it: the whole range, of which a table knows the nearest cell."""
        if self.is_choice:
            return {"type": "categorical", "choices": list(self.values)}
        low, high = float(self.values[0]), float(self.values[-1])
        return {"type": "float", "low": low, "high": high, "log": self.log}

    def nearest(self, value: Scalar) -> int:
        """The place of the cell that a value falls into."""
        if self.is_choice:
            return self.values.index(value)
        scale = math.log if self.log else float
        distances = [abs(scale(float(cell)) - scale(float(value))) for cell in self.values]
        return distances.index(min(distances))


@dataclass(frozen=True)
class TabulatedTask:
    """A trainable with fixed values and the axes of its table."""

    trainable: str
    metric: str
    epochs: int
    config: Mapping[str, JsonValue]
    axes: Mapping[str, Axis]

    def cells(self) -> Iterator[dict[str, Scalar]]:
        """Every configuration of the table, the last axis varying fastest."""
        for values in product(*(axis.values for axis in self.axes.values())):
            yield dict(zip(self.axes, values, strict=True))


def _log_axis(low: float, high: float, num: int) -> Axis:
    ratio = math.log(high / low) / (num - 1)
    return Axis(tuple(float(f"{low * math.exp(ratio * n):.4g}") for n in range(num)), log=True)


TASKS: Mapping[str, TabulatedTask] = {
    "adapter": TabulatedTask(
        trainable="adapter",
        metric="val/r2",
        epochs=9,
        config={"data": {"source": "generated", "num_classes": 8, "num_train": 256, "imbalance": 4.0}},
        axes={
            "clip.optimizer.lr": _log_axis(1e-4, 1e-1, 7),
            "t5.optimizer.lr": _log_axis(1e-4, 1e-1, 7),
            "clip.loss.contrastive_weight": _log_axis(1e-3, 1.0, 4),
            "clip.loss.regression": Axis(("mse", "weighted_mse")),
        },
    ),
    "toxicity": TabulatedTask(
        trainable="toxicity",
        metric="val/macro_f1",
        epochs=9,
        config={
            "data": {
                "source": "generated",
                "num_train": 400,
                "num_val": 200,
                "num_test": 40,
                "missing_fraction": 0.1,
                "label_noise": 0.1,
            },
            "sizes": {"width": 16, "heads": 2, "buckets": 1024},
        },
        axes={
            "optimizer.lr": _log_axis(1e-4, 3e-2, 7),
            "focal.gamma": Axis((0.0, 1.0, 2.0, 4.0)),
            "focal.balance": Axis((0.0, 0.5, 1.0)),
            "sizes.dropout": Axis((0.0, 0.1, 0.3, 0.5)),
        },
    ),
    "identification": TabulatedTask(
        trainable="identification",
        metric="val/rank_at_1",
        epochs=9,
        config={
            "batches_per_epoch": 8,
            "loss": "supcon",
            "evaluation": {"protocol": "cross_day"},
            "data": {"source": "simulated"},
        },
        axes={
            "optimizer.lr": _log_axis(1e-4, 3e-2, 7),
            "temperature.start": _log_axis(0.02, 1.0, 6),
            "augment.noise": Axis((0.0, 0.1, 0.3)),
            "augment.wander": Axis((0.0, 0.2, 0.6)),
        },
    ),
}
