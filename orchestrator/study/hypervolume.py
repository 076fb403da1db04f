"""How much of the space of objectives the trials dominate, trial by trial. Called by `sweeps` for summaries and plots.

The volume is Optuna's. It is in the product of the objectives' units, and is comparable only for one reference point.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from orchestrator.spec.model import Direction, Objective
from orchestrator.trial import JsonValue, TrialRecord

MARGIN = 0.1
"""How far beyond the worst value the reference point lies, as a share of the range of values."""


@dataclass(frozen=True, slots=True)
class Hypervolume:
    """The dominated volume.

    Attributes:
        reference: metric to the value of the reference point: the worst of all given trials, and a tenth of their
            range beyond it, so that a trial that is best in one objective counts although it is worst in another.
        over_trials: trial number, and the volume that the trials up to it dominate together; never falls.
    """

    reference: Mapping[str, float]
    over_trials: Sequence[tuple[int, float]]

    @property
    def final(self) -> float:
        """Of all trials."""
        return self.over_trials[-1][1]

    def to_json(self) -> dict[str, JsonValue]:
        """Plain values."""
        return {
            "hypervolume": self.final,
            "reference_point": dict(self.reference),
            "hypervolume_over_trials": [
                {"trial": number, "hypervolume": volume} for number, volume in self.over_trials
            ],
        }


def hypervolume(candidates: Sequence[TrialRecord], objectives: Sequence[Objective]) -> Hypervolume | None:
    """Of the trials that may be on the front, by number; None without any."""
    if not candidates:
        return None
    # Most sweeps have one objective.
    import numpy as np
    from optuna._hypervolume import compute_hypervolume

    signs = np.array([-1.0 if o.direction is Direction.MAXIMIZE else 1.0 for o in objectives])
    losses = np.array([[record.values[o.metric] for o in objectives] for record in candidates]) * signs
    worst = losses.max(axis=0)
    reference = worst + MARGIN * (worst - losses.min(axis=0))
    volumes = [
        (record.number, float(compute_hypervolume(losses[: place + 1], reference)))
        for place, record in enumerate(candidates)
    ]
    return Hypervolume({o.metric: float(v) for o, v in zip(objectives, reference * signs, strict=True)}, volumes)
