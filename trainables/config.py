"""Config models that several tasks share, and the meaning of what the loop reports for each. Must not know torch."""

from collections.abc import Iterable
from itertools import combinations
from typing import Annotated

from pydantic import Field

from trainables.roles import LearningRate, OneCycle, Role
from trainables.schedules import LearningRateKind, LearningRateSchedule, Schedule, StrictModel

__all__ = ["GroupOptimizer", "Optimizer", "StrictModel", "loop_metrics", "schedule_roles"]


class GroupOptimizer(StrictModel):
    """AdamW's settings for one group of parameters. Weight decay applies to matrices, not to biases, norms, scalars."""

    lr: float = Field(default=5e-4, gt=0, le=1, description="Learning rate before `schedule`.")
    weight_decay: float = Field(default=1e-4, ge=0, le=10)
    schedule: LearningRateSchedule = LearningRateSchedule()

    def roles(self, key: str, *, epochs: int, group: str = "") -> dict[str, Role]:
        """The meaning of its keys. Args: key: its own. group: of parameters; empty for all others."""
        roles: dict[str, Role] = {f"{key}.lr": LearningRate(group)}
        if self.schedule.kind is LearningRateKind.ONE_CYCLE:
            roles[f"{key}.schedule.peak_at"] = OneCycle(peak=self.schedule.peak_at * epochs, end=epochs)
        return roles


class Optimizer(GroupOptimizer):
    """AdamW over all parameters that have no group of their own; betas and clipping are of the whole model."""

    betas: tuple[Annotated[float, Field(ge=0, lt=1)], Annotated[float, Field(ge=0, lt=1)]] = (0.9, 0.98)
    max_grad_norm: float = Field(default=1.0, gt=0, description="Gradients are scaled down to this norm.")


def schedule_roles(key: str, schedule: Schedule, role: Role) -> dict[str, Role]:
    """Both ends of a schedule mean the same. Args: key: the schedule's."""
    return {f"{key}.start": role, **({f"{key}.end": role} if schedule.moves else {})}


def loop_metrics(parts: Iterable[str], *, groups: Iterable[str], own_rates: Iterable[str] = ()) -> dict[str, str]:
    """What the loop reports for a task, metric name to meaning.

    Args: parts: names of the task's losses. groups: of its parameter groups. own_rates: of those with own settings.
    """
    names = tuple(parts)
    metrics = {
        "train/loss": "weighted total, mean over the epoch's steps",
        "train/lr": "learning rate in effect",
        "train/grad_norm": "gradient norm before clipping, mean over the epoch's steps",
        "train/grad_norm_max": "the largest gradient norm of the epoch",
        "train/clipped_fraction": "share of the steps whose gradient was scaled down",
        "train/update_ratio": "norm of the first step's change of the parameters over their norm",
        "train/num_skipped_batches": "batches of the epoch without anything to learn from",
    }
    for name in names:
        metrics[f"train/{name}_loss"] = f"{name} loss before its weight"
        metrics[f"train/weight_share_{name}"] = f"share of the weights: {name}"
        metrics[f"train/loss_share_{name}"] = f"share of the weighted total: {name}"
        metrics[f"train/grad_share_{name}"] = f"share of the gradient norms on the trunk, on a batch an epoch: {name}"
    for a, b in combinations(names, 2):
        metrics[f"train/grad_cosine_{a}_{b}"] = f"cosine of the gradients of {a} and {b}; below 0 they fight"
    metrics |= {f"train/grad_norm_{name}": f"gradient norm of {name} alone" for name in groups}
    return metrics | {f"train/lr_{name}": f"learning rate of {name}" for name in own_rates}
