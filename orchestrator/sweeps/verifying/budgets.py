"""Check of the budgets: none is exceeded by more than an epoch of each trial that was in work. Pure."""

import itertools
from collections.abc import Sequence

from orchestrator.analysis.budgets import SECONDS_PER_HOUR, UNITS, Limit, limits, used
from orchestrator.analysis.costs import total_effort
from orchestrator.sweeps.verifying.evidence import Evidence
from orchestrator.sweeps.verifying.overlap import concurrency
from orchestrator.sweeps.verifying.report import Outcome, Violation, not_applicable
from orchestrator.trial import TrialRecord

WIND_DOWN_S = 60.0
"""Of wall time: how long a halting sweep may wait for trials in the middle of an epoch."""


def check_budgets(evidence: Evidence) -> Outcome:
    """Of epochs, GPU-hours and wall hours; the number of trials has its own check."""
    given = limits(evidence.record.spec.budget)
    if not given:
        return not_applicable("the file sets no budget but the number of trials")
    spent = used(total_effort(evidence.trials), wall_s=evidence.record.wall_s)
    at_once = concurrency(evidence.trials)
    epoch = _longest_epoch(evidence.trials)
    violations = [
        Violation(
            f"the budget of {UNITS[limit]} is exceeded by more than an epoch of {at_once} trials at once",
            seen=spent[limit],
            expected=f"at most {value:g} + {at_once * epoch[limit]:g}",
        )
        for limit, value in given.items()
        if spent[limit] > value + at_once * epoch[limit] + 1e-9
    ]
    words = ", ".join(f"{spent[limit]:.4g} of {value:g} {UNITS[limit]}" for limit, value in given.items())
    return Outcome(violations, note=words)


def _longest_epoch(trials: Sequence[TrialRecord]) -> dict[Limit, float]:
    """What the longest stretch between two measurements took, of each budget."""
    measurements = [m for trial in trials for m in trial.measurements]
    rests = [trial.rest for trial in trials]
    steps = [step for trial in trials for step in _strides(trial)]
    train_s = max([m.train_s for m in measurements] + [rest.train_s for rest in rests], default=0.0)
    device_s = max([m.train_s * m.devices for m in measurements] + [rest.device_s for rest in rests], default=0.0)
    return {
        Limit.EPOCHS: float(max(steps, default=1)),
        Limit.GPU_HOURS: device_s / SECONDS_PER_HOUR,
        Limit.WALL_HOURS: (train_s + WIND_DOWN_S) / SECONDS_PER_HOUR,
    }


def _strides(trial: TrialRecord) -> list[int]:
    steps = [m.step for m in trial.measurements]
    return [after - before for before, after in itertools.pairwise(steps)]
