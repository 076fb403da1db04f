"""What a check reads and what it says. Plain data; knows no trainable and no check."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property
from itertools import chain

from trainables.contract import Measurement


class Severity(StrEnum):
    """How much a finding matters."""

    NOTE = "note"
    """Worth knowing when the numbers are read; the trial may well be fine."""
    WARNING = "warning"
    """The trial is held back, or its numbers mislead."""
    ILL = "ill"
    """The trial cannot succeed as it is."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong with a trial.

    Attributes:
        check: the name of the check, in snake case, such as `point_collapse`.
        step: the step whose measurement shows it.
        evidence: the numbers that it rests on, metric or quantity to value.
        meaning: one or two sentences: what happens, and why it matters.
        cure: the change to the space or the config that would cure it, with the keys to change.
    """

    check: str
    severity: Severity
    step: int
    evidence: Mapping[str, float]
    meaning: str
    cure: str


@dataclass(frozen=True)
class History:
    """All that is known of one trial when it is examined.

    Attributes:
        measurements: in the order of their steps; the first is step 0, the untrained model, where there is one.
        config: the config in effect, dotted keys to plain values; empty when it is not known (a CSV).
        objective: name of the metric that trials are chosen by; None when it is not known.
        maximize: whether more of the objective is better.
        unread: dotted keys of the config that the trainable never looked at.
    """

    measurements: Sequence[Measurement]
    config: Mapping[str, object] = field(default_factory=dict)
    objective: str | None = None
    maximize: bool = True
    unread: Sequence[str] = ()

    @cached_property
    def metrics(self) -> tuple[str, ...]:
        """The names of all that was ever measured, in the order of their first appearance."""
        return tuple(dict.fromkeys(chain.from_iterable(m.metrics for m in self.measurements)))
