"""Configurations that do not come from the sampler: what they are, and who may propose them to a ledger."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum, auto
from typing import Protocol

from orchestrator.trial import Segment, TrialRecord, Value


@dataclass(frozen=True, slots=True)
class Proposal:
    """A configuration to run.

    Attributes:
        params: dotted parameter name to value. Outside of the space they are run all the same, unseen by the sampler.
        seeds: None for the sweep's.
        replicate_of: the earlier trial of the same configuration that it repeats.
        segment: the stretch of a training that it is.
    """

    params: Mapping[str, Value]
    seeds: tuple[int, ...] | None = None
    replicate_of: int | None = None
    segment: Segment | None = None


class Wait(Enum):
    """There is no next configuration now, and there will be one when a running trial has ended."""

    FOR_A_TRIAL = auto()


class Proposer(Protocol):
    """Takes the sampler's place. What it says may depend on nothing but the trials, so that a resume goes on."""

    def next(self, trials: Sequence[TrialRecord]) -> Proposal | Wait | None:
        """The next configuration, given all trials of the sweep; None when there are no more."""
