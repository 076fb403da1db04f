"""What a sweep would do and cost, without doing it: configurations, concurrency, places, time."""

import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from orchestrator.execution.assignment import Assignment, Measured, Raised
from orchestrator.execution.attempt import Attempt
from orchestrator.execution.machine import num_cpus, num_gpus
from orchestrator.execution.runner import needed
from orchestrator.spec import AshaPruner, GridSampler, HyperbandPruner, Resources, SweepSpec
from orchestrator.study.preview import first_configurations
from orchestrator.sweeps.checks import CheckedSweep
from orchestrator.sweeps.paths import Home
from orchestrator.sweeps.read import list_sweeps
from orchestrator.trial import JsonValue, TrialRecord, Value

NUM_SHOWN = 3


@dataclass(frozen=True, slots=True)
class Pace:
    """How fast a trial trains: seconds before the first epoch, seconds an epoch, and where that is known from."""

    start_s: float
    epoch_s: float
    source: str


@dataclass(frozen=True, slots=True)
class Plan:
    """What would happen.

    Attributes:
        expected_epochs: epochs of all trials together, after what the pruner is expected to cut.
        estimated_s: wall seconds on `max_concurrent` trials at a time; None when no pace is known.
    """

    trials: int
    configurations: tuple[Mapping[str, Value], ...]
    max_concurrent: int
    epochs: int | None
    expected_epochs: float | None
    pace: Pace | None
    places: Mapping[str, str]

    @property
    def estimated_s(self) -> float | None:
        """Wall seconds, without the start of the cluster."""
        if self.pace is None or self.expected_epochs is None:
            return None
        training_s = self.trials * self.pace.start_s + self.expected_epochs * self.pace.epoch_s
        return training_s / max(1, min(self.max_concurrent, self.trials))

    def to_json(self) -> dict[str, JsonValue]:
        """Plain values."""
        pace = self.pace
        return {
            "trials": self.trials,
            "configurations": list(self.configurations),
            "max_concurrent": self.max_concurrent,
            "epochs": self.epochs,
            "expected_epochs": self.expected_epochs,
            "pace": None if pace is None else {"start_s": pace.start_s, "epoch_s": pace.epoch_s, "source": pace.source},
            "estimated_s": self.estimated_s,
            "places": dict(self.places),
        }


def plan(checked: CheckedSweep, home: Home, *, directory: Path, probe: bool) -> Plan:
    """Work out a plan; with `probe` a pace that no earlier sweep gives is measured on one epoch, here and now."""
    spec = checked.spec
    configurations = tuple(first_configurations(spec, checked.fixed, count=NUM_SHOWN))
    trials = spec.budget.trials
    if isinstance(spec.sampler, GridSampler):
        trials = min(trials, sum(1 for _ in checked.space.grid()))
    epochs = checked.fixed.get("epochs")
    epochs = epochs if isinstance(epochs, int) else None
    pace = _earlier_pace(spec, home) or (_measured_pace(checked, configurations[0], directory) if probe else None)
    return Plan(
        trials=trials,
        configurations=configurations,
        max_concurrent=_fit_here(spec.resources),
        epochs=epochs,
        expected_epochs=None if epochs is None else trials * mean_epochs(spec, epochs),
        pace=pace,
        places={
            "ledger": home.ledger_url,
            "MLflow": home.tracking_uri,
            "checkpoints": str(home.sweep("<id>").checkpoints),
        },
    )


def mean_epochs(spec: SweepSpec, epochs: int) -> float:
    """Epochs that a trial is expected to run, when each rung lets the best 1/reduction_factor go on."""
    pruner = spec.pruner
    if not isinstance(pruner, AshaPruner | HyperbandPruner):
        return float(epochs)
    done, share, rung, total = 0, 1.0, pruner.min_epochs, 0.0
    while rung < epochs:
        total += share * (rung - done)
        done, share, rung = rung, share / pruner.reduction_factor, rung * pruner.reduction_factor
    return total + share * (epochs - done)


def _fit_here(resources: Resources) -> int:
    gpus = num_gpus()
    fit = needed(resources, gpus=gpus).times_on({"CPU": num_cpus(), "GPU": gpus})
    return min(fit, resources.max_concurrent or fit)


def _earlier_pace(spec: SweepSpec, home: Home) -> Pace | None:
    """The median over the trials of the latest sweep with the same trainable and config."""
    for summary in reversed(list_sweeps(home)):
        same = summary.sweep.spec.trainable == spec.trainable and summary.sweep.spec.config == spec.config
        trials = [trial for trial in summary.trials if len(trial.measurements) > 1] if same else []
        if trials:
            epoch_s = median(m.train_s for trial in trials for m in trial.measurements[1:])
            return Pace(median(_start_s(trial) for trial in trials), epoch_s, f"sweep {summary.sweep.name}")
    return None


def _start_s(trial: TrialRecord) -> float:
    return trial.measurements[0].train_s if trial.measurements[0].step == 0 else 0.0


def _measured_pace(checked: CheckedSweep, params: Mapping[str, Value], directory: Path) -> Pace | None:
    with tempfile.TemporaryDirectory() as folder:
        attempt = Attempt(
            Assignment(
                number=0,
                attempt=1,
                trainable=checked.spec.trainable,
                config=checked.config(params),
                objective=checked.spec.objective,
                seeds=(checked.spec.seed,),
                checkpoints=Path(folder),
                directory=directory,
            )
        )
        outcomes = [attempt.advance()]
        while isinstance(outcomes[-1], Measured) and outcomes[-1].step < 1:
            outcomes.append(attempt.advance())
        attempt.close()
    measured = [outcome for outcome in outcomes if isinstance(outcome, Measured)]
    if not measured or isinstance(outcomes[-1], Raised):
        return None
    return Pace(measured[0].train_s if measured[0].step == 0 else 0.0, measured[-1].train_s, "one epoch, measured now")
