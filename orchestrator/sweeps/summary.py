"""A sweep with its trials as one plain answer: what `sweep --json` and `show --json` print."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from orchestrator import analysis
from orchestrator.analysis.budgets import Limit, used_up
from orchestrator.analysis.costs import Costs, costs, total_effort
from orchestrator.errors import ExitCode
from orchestrator.spec import Objective
from orchestrator.study import SweepRecord, SweepState
from orchestrator.study.hypervolume import Hypervolume, hypervolume
from orchestrator.tracking import without_credentials
from orchestrator.trial import Bucket, JsonValue, TrialRecord


@dataclass(frozen=True, slots=True)
class SweepSummary:
    """A sweep and its trials, with what follows from them.

    Attributes:
        driver: who drives it now, in words; None when nobody does.
        num_pending: operations that MLflow has not got yet.
        signal: the signal that ended this driver, if one did.
        startup_s: seconds that this driver waited for its cluster.
        confirmation: the trials of the sweeps that confirm it.
        elapsed_s: seconds from there to the end, the report and the delivery to MLflow included.
    """

    sweep: SweepRecord
    trials: Sequence[TrialRecord]
    driver: str | None = None
    num_pending: int = 0
    signal: int | None = None
    startup_s: float | None = None
    elapsed_s: float | None = None
    confirmation: Sequence[TrialRecord] = ()

    @property
    def state(self) -> str:
        """The sweep's state; a sweep marked as running that nobody drives was interrupted."""
        if self.sweep.state is SweepState.RUNNING and self.driver is None:
            return "INTERRUPTED"
        return self.sweep.state.value

    @property
    def counts(self) -> dict[str, int]:
        """Trials by how they ended, and those that have not."""
        return analysis.counts(self.trials)

    @property
    def num_left(self) -> int:
        """Trials of the budget that have not ended."""
        return self.sweep.spec.budget.trials - sum(self.counts[bucket.value] for bucket in Bucket)

    @property
    def best(self) -> TrialRecord | None:
        """The best trial."""
        return analysis.best(self.trials, self.sweep.spec.objective)

    @property
    def front(self) -> list[TrialRecord]:
        """Of several objectives: the trials that no other one beats in all of them, by number."""
        objectives = self.sweep.spec.objectives
        return analysis.front(analysis.current(self.trials), objectives) if len(objectives) > 1 else []

    @property
    def volume(self) -> Hypervolume | None:
        """Of several objectives: how much their trials dominate."""
        return dominated_volume(self.trials, self.sweep.spec.objectives)

    @property
    def train_s(self) -> float:
        """Seconds inside trainables, all trials together."""
        return sum(trial.train_s for trial in analysis.current(self.trials))

    @property
    def costs(self) -> Costs:
        """Where its training went, that of its confirmations too."""
        return costs(self.trials, on_gpu=self.sweep.gpus > 0, confirmation=self.confirmation)

    @property
    def used_up(self) -> dict[Limit, float]:
        """The budgets of which nothing is left, with their values in the file."""
        return used_up(self.sweep.spec.budget, total_effort(self.trials), wall_s=self.sweep.wall_s)

    @property
    def exit_code(self) -> int:
        """What the command that ran the sweep returns."""
        if self.signal is not None:
            return 128 + self.signal
        return {
            SweepState.FAILED: ExitCode.FAILURES,
            SweepState.BUDGET_ENDED: ExitCode.BUDGET,
        }.get(self.sweep.state, ExitCode.DONE)

    def to_json(self) -> dict[str, JsonValue]:
        """Plain values with stable keys."""
        best = self.best
        return {
            "sweep": self.sweep.name,
            "id": self.sweep.id,
            "state": self.state,
            "reason": self.sweep.reason,
            "confirms": self.sweep.confirms,
            "trainable": self.sweep.spec.trainable,
            "objective": self.sweep.spec.objective.model_dump(mode="json"),
            "counts": dict(self.counts),
            "best": None
            if best is None
            else {"number": best.number, "value": best.value, "params": best.params, "epoch": best.best_step},
            "pareto": _pareto_json(self.front, self.volume),
            "continued": None if self.sweep.continued is None else asdict(self.sweep.continued),
            "wall_s": round(self.sweep.wall_s, 3),
            "train_s": round(self.train_s, 3),
            "costs": self.costs.to_json(),
            "startup_s": self.startup_s,
            "elapsed_s": self.elapsed_s,
            "tracking_uri": without_credentials(self.sweep.tracking_uri) if self.sweep.tracking_uri else None,
            "parent_run_id": self.sweep.parent_run_id,
            "mlflow_pending": self.num_pending,
            "driver": self.driver,
            "trials": [trial_to_json(trial) for trial in self.trials],
        }


def dominated_volume(trials: Sequence[TrialRecord], objectives: Sequence[Objective]) -> Hypervolume | None:
    """Of a sweep with several objectives and a trial that may be on their front."""
    if len(objectives) == 1:
        return None
    return hypervolume(analysis.candidates(analysis.current(trials), objectives), objectives)


def _pareto_json(front: Sequence[TrialRecord], volume: Hypervolume | None) -> JsonValue:
    if volume is None:
        return None
    points: list[JsonValue] = [{"trial": t.number, "values": dict(t.values), "params": t.params} for t in front]
    return {"front": points, **volume.to_json()}


def trial_to_json(trial: TrialRecord, *, checkpoints: Mapping[str, Path] | None = None) -> dict[str, JsonValue]:
    """One trial; with its `checkpoints` also its measurements, decisions and what is behind its ending."""
    short: dict[str, JsonValue] = {
        "number": trial.number,
        "state": trial.state.value,
        "reason": trial.ending.reason if trial.ending else None,
        "value": trial.value,
        "values": dict(trial.values),
        "below_floor": dict(trial.violated),
        "seeds": list(trial.seeds),
        "params": trial.params,
        "epochs": trial.epochs,
        "best_epoch": trial.best_step,
        "train_s": round(trial.train_s, 3),
        "attempt": trial.attempt,
        "lost_attempts": [asdict(lost) for lost in trial.lost_attempts],
        "notes": list(trial.notes),
        "replicate_of": trial.replicate_of,
        "extends": trial.extends,
        "run_id": trial.run_id,
    }
    if checkpoints is None:
        return short
    detail: Mapping[str, JsonValue] = {
        "cause": trial.ending.cause.value if trial.ending else None,
        "detail": trial.ending.detail if trial.ending else None,
        "checkpoints": {kind: str(path) for kind, path in checkpoints.items()},
        "decisions": list(trial.decisions),
        "measurements": [
            {"step": m.step, "metrics": m.metrics, "train_s": m.train_s, "at_ms": m.at_ms} for m in trial.measurements
        ],
    }
    return {**short, **detail}
