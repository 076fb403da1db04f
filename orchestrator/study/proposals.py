"""Configurations that do not come from the sampler: what they are, and who may propose them to a ledger."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from orchestrator.trial import TrialRecord, Value


@dataclass(frozen=True, slots=True)
class Proposal:
    """A configuration to run.

    Attributes:
        params: dotted parameter name to value. Outside of the space they are run all the same, unseen by the sampler.
        seeds: None for the sweep's.
        replicate_of: the earlier trial of the same configuration that it repeats.
    """

    params: Mapping[str, Value]
    seeds: tuple[int, ...] | None = None
    replicate_of: int | None = None


class Proposer(Protocol):
    """Takes the sampler's place. What it says may depend on nothing but the trials, so that a resume goes on."""

    def next(self, trials: Sequence[TrialRecord]) -> Proposal | None:
        """The next configuration, given all trials of the sweep; None when there are no more."""
