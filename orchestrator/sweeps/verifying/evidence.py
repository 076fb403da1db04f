"""What is known of one sweep from all places, gathered once, so that each check is a pure function of it."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from orchestrator.study import Lease, SweepRecord, SweepState
from orchestrator.study.redrafting import Redraft
from orchestrator.study.stored import StoredTrial
from orchestrator.sweeps.verifying.disk import Disk
from orchestrator.sweeps.verifying.leaks import Leak
from orchestrator.sweeps.verifying.told import Told
from orchestrator.sweeps.verifying.workers import Worker
from orchestrator.tracking.outbox import Backlog
from orchestrator.trial import TrialRecord


class Standing(StrEnum):
    """What can be asked of a sweep: what holds only at its end is not asked before."""

    RUNNING = "it is running"
    INTERRUPTED = "it was interrupted: go on with orch resume"
    ENDED = "it has ended or was paused"


@dataclass(frozen=True, slots=True)
class Evidence:
    """One sweep.

    Attributes:
        stored: its trials as Optuna has them, trials of other sweeps included.
        limit: how many trials it will have.
        driver: who drives it now, in words; None when nobody does.
        lease: the claim of a driver that is known to be dead; None where there is none.
        redrafts: its trials drafted anew; a text says why they were not.
        disk: its checkpoints and what else is in its folders.
        workers: its processes on this machine, without a driver.
        leaks: secrets in what it wrote.
        backlog: what its outbox holds.
        told: what MLflow has of it; a text says why nobody looked.
    """

    record: SweepRecord
    trials: Sequence[TrialRecord]
    stored: Sequence[StoredTrial]
    limit: int
    driver: str | None
    lease: Lease | None
    redrafts: Sequence[Redraft] | str
    disk: Disk
    workers: Sequence[Worker]
    leaks: Sequence[Leak]
    backlog: Backlog
    told: Told | str

    @property
    def standing(self) -> Standing:
        """Where it stands."""
        if self.driver is not None:
            return Standing.RUNNING
        return Standing.INTERRUPTED if self.record.state is SweepState.RUNNING else Standing.ENDED

    @property
    def has_ended(self) -> bool:
        """Whether its driver has brought it to an end or a pause, so that all places must agree."""
        return self.standing is Standing.ENDED

    @property
    def state(self) -> str:
        """The sweep's state in one word."""
        return "INTERRUPTED" if self.standing is Standing.INTERRUPTED else self.record.state.value
