"""What the confirmation after a search would cost. Called by the plan."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil

from orchestrator.analysis.budgets import SECONDS_PER_HOUR
from orchestrator.analysis.confirming.elimination import MIN_SEEDS
from orchestrator.spec import SweepSpec
from orchestrator.sweeps.planning.pace import Pace
from orchestrator.trial import JsonValue


@dataclass(frozen=True, slots=True)
class ConfirmationCost:
    """From all configurations but the default being ruled out at once, to none.

    Attributes:
        hours, device_hours: None when no pace is known.
    """

    trainings: tuple[int, int]
    hours: tuple[float, float] | None = None
    device_hours: tuple[float, float] | None = None

    def to_json(self) -> dict[str, JsonValue]:
        """Plain values."""
        return {"trainings": self.trainings, "hours": self.hours, "device_hours": self.device_hours}


def confirmation_cost(
    spec: SweepSpec, pace: Pace | None, full: Sequence[int], *, devices: float, at_once: int
) -> ConfirmationCost | None:
    """The default and the best configurations, trained in full with fresh seeds; None without `confirm:`."""
    if spec.confirm is None:
        return None
    candidates = spec.confirm.top + 1
    high = min(spec.confirm.max_trials or candidates * spec.confirm.seeds, candidates * spec.confirm.seeds)
    low = min(high, candidates * MIN_SEEDS)
    if pace is None or not full:
        return ConfirmationCost((low, high))
    # A trial of several seeds trains them side by side; a confirmation trains one at a time.
    training_s = (pace.start_s + max(full) * (pace.epoch_s + pace.between.step_s)) / spec.repeats
    hours = tuple(ceil(count / at_once) * training_s / SECONDS_PER_HOUR for count in (low, high))
    device_hours = tuple(count * training_s * devices / SECONDS_PER_HOUR for count in (low, high))
    return ConfirmationCost((low, high), (hours[0], hours[1]), (device_hours[0], device_hours[1]))
