"""Which of a sweep's budgets is used up. Pure; called by the control at each measurement and by the farewell."""

from collections.abc import Mapping
from enum import StrEnum

from orchestrator.spec.model import Budget
from orchestrator.trial import Effort

SECONDS_PER_HOUR = 3600.0


class Limit(StrEnum):
    """The budgets besides the number of trials, by their names in the sweep file."""

    WALL_HOURS = "wall_hours"
    GPU_HOURS = "gpu_hours"
    EPOCHS = "epochs"


UNITS: Mapping[Limit, str] = {
    Limit.WALL_HOURS: "wall hours",
    Limit.GPU_HOURS: "GPU-hours",
    Limit.EPOCHS: "epochs",
}


def limits(budget: Budget) -> dict[Limit, float]:
    """The budgets that the file sets."""
    given = {
        Limit.WALL_HOURS: budget.wall_hours,
        Limit.GPU_HOURS: budget.gpu_hours,
        Limit.EPOCHS: budget.epochs,
    }
    return {limit: float(value) for limit, value in given.items() if value is not None}


def used(effort: Effort, *, wall_s: float) -> dict[Limit, float]:
    """How much of each is used, in its own unit."""
    return {
        Limit.WALL_HOURS: wall_s / SECONDS_PER_HOUR,
        Limit.GPU_HOURS: effort.device_s / SECONDS_PER_HOUR,
        Limit.EPOCHS: float(effort.epochs),
    }


def used_up(budget: Budget, effort: Effort, *, wall_s: float) -> dict[Limit, float]:
    """Those of which nothing is left, with their values in the file; usually none or one."""
    spent = used(effort, wall_s=wall_s)
    return {limit: value for limit, value in limits(budget).items() if spent[limit] >= value}
