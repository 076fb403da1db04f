"""The Ray Tune runner: our Searcher and TrialScheduler hand assignments to warm actors and obey the control.

Tune executes and does not remember: its own loggers, snapshots and restore are off or unused. A resumed sweep starts
a new run.
"""

import os
import shutil
from pathlib import Path
from typing import Any

import ray
from ray import tune
from ray.tune import Callback
from ray.tune.experiment import Trial
from ray.tune.schedulers import FIFOScheduler, TrialScheduler
from ray.tune.search import Searcher
from ray.tune.stopper import Stopper

from orchestrator.execution import cluster
from orchestrator.execution.assignment import Measured
from orchestrator.execution.control import Directive, SweepControl
from orchestrator.execution.ray_actor import ASSIGNMENT, OUTCOME, TrialActor
from orchestrator.execution.runner import Capacity
from orchestrator.spec.model import SweepSpec

_TUNE_ENVIRONMENT = {
    # The ledger remembers; Tune's files would only cost time.
    "TUNE_DISABLE_AUTO_CALLBACK_LOGGERS": "1",
    "TUNE_GLOBAL_CHECKPOINT_S": "1000000000",
    "TUNE_DISABLE_STRICT_METRIC_CHECKING": "1",
    "TUNE_WARN_SLOW_EXPERIMENT_CHECKPOINT_SYNC_THRESHOLD_S": "1000000000",
    # Signals are ours: a sweep pauses instead of dropping its trials.
    "TUNE_DISABLE_SIGINT_HANDLER": "1",
}
_DECISIONS = {
    Directive.GO_ON: TrialScheduler.CONTINUE,
    Directive.END: TrialScheduler.STOP,
    Directive.PAUSE: TrialScheduler.PAUSE,
}


class RayRunner:
    """Runs trials on a Ray cluster."""

    def __init__(self, *, address: str | None, tune_folder: Path) -> None:
        """Remember where: `address` of a running cluster or None for a local one; Tune keeps its files in a folder."""
        self._address = address
        self._tune_folder = tune_folder
        self._capacity: Capacity | None = None

    def connect(self, spec: SweepSpec, directory: Path) -> Capacity:
        """Reach the cluster and see what fits on it."""
        os.environ.update(_TUNE_ENVIRONMENT)
        where = cluster.connect(self._address)
        self._capacity = cluster.capacity(spec.resources, where)
        return self._capacity

    def run(self, control: SweepControl) -> None:
        """Run trials until the control has no more, or has halted and its trials have ended."""
        assert self._capacity is not None, "connect first"
        trials = _Trials(control)
        resources = {"CPU": control.spec.resources.cpu, "GPU": self._capacity.gpu}
        name = f"orch-{control.ledger.sweep.id}"
        # Trainables are registered by name in the whole cluster: the class gets the sweep's.
        actor_type = type(name, (TrialActor,), {})
        # `tune.run` rather than `Tuner.fit`: the same engine without the pickled tuner and the table of results.
        try:
            tune.run(
                actor_type,
                name=name,
                resources_per_trial=resources,
                search_alg=_LedgerSearcher(trials),
                scheduler=_LedgerScheduler(trials),
                num_samples=-1,
                max_concurrent_trials=self._capacity.max_concurrent,
                reuse_actors=True,
                stop=_HaltStopper(trials),
                callbacks=[_PauseCallback(trials)],
                checkpoint_config=tune.CheckpointConfig(checkpoint_at_end=False),
                storage_path=str(self._tune_folder.absolute()),
                raise_on_failed_trial=False,
                verbose=0,
            )
        finally:
            shutil.rmtree(self._tune_folder, ignore_errors=True)

    def close(self) -> None:
        """Leave the cluster; a local one ends."""
        ray.shutdown()


class _Trials:
    """Tune's trial ids and our trial numbers, over one control."""

    def __init__(self, control: SweepControl) -> None:
        self.control = control
        self._numbers: dict[str, int] = {}
        self.pausing: set[str] = set()

    def hand_out(self, trial_id: str) -> dict[str, Any] | None:
        assignment = self.control.next()
        if assignment is None:
            return None
        self._numbers[trial_id] = assignment.number
        return {ASSIGNMENT: assignment}

    def number(self, trial: Trial) -> int:
        return self._numbers[trial.trial_id]

    def __reduce__(self) -> tuple[type[object], tuple[()]]:
        # Tune pickles all that it is given, for a restore that we never ask for.
        return object, ()


class _LedgerSearcher(Searcher):  # type: ignore[misc]
    """Hands out what the ledger proposes; all else is the scheduler's business."""

    def __init__(self, trials: _Trials) -> None:
        super().__init__()
        self._trials = trials

    def suggest(self, trial_id: str) -> dict[str, Any] | str | None:
        config = self._trials.hand_out(trial_id)
        if config is None and self._trials.control.is_waiting:
            return None
        return Searcher.FINISHED if config is None else config

    def on_trial_result(self, trial_id: str, result: dict[str, Any]) -> None:
        """The scheduler has had it."""

    def on_trial_complete(self, trial_id: str, result: dict[str, Any] | None = None, error: bool = False) -> None:
        """The scheduler has had it."""


class _LedgerScheduler(FIFOScheduler):  # type: ignore[misc]
    """Passes outcomes to the control and its directives to Tune."""

    def __init__(self, trials: _Trials) -> None:
        super().__init__()
        self._trials = trials

    def on_trial_result(self, tune_controller: Any, trial: Trial, result: dict[str, Any]) -> str:  # noqa: ANN401
        directive = self._trials.control.outcome(self._trials.number(trial), result[OUTCOME])
        if directive is Directive.PAUSE:
            self._trials.pausing.add(trial.trial_id)
        decision: str = _DECISIONS[directive]
        return decision

    def on_trial_complete(self, tune_controller: Any, trial: Trial, result: dict[str, Any]) -> None:  # noqa: ANN401
        # Tune brings the result that carries `done` only here; a measurement that we answered with STOP comes again.
        outcome = result[OUTCOME]
        if not isinstance(outcome, Measured):
            self._trials.control.outcome(self._trials.number(trial), outcome)

    def on_trial_error(self, tune_controller: Any, trial: Trial) -> None:  # noqa: ANN401
        self._trials.control.lost(self._trials.number(trial), _describe(trial))

    def choose_trial_to_run(self, tune_controller: Any) -> Trial | None:  # noqa: ANN401
        """Nothing to choose: Tune starts pending trials by itself. A halting sweep does not wait for them."""
        control = self._trials.control
        if control.halt:
            for trial in tune_controller.get_trials():
                if trial.status == Trial.PENDING:
                    control.paused(self._trials.number(trial))
        return None


class _PauseCallback(Callback):  # type: ignore[misc]
    """Tells the control that a paused trial's checkpoint is written."""

    def __init__(self, trials: _Trials) -> None:
        self._trials = trials

    def on_trial_save(self, iteration: int, trials: list[Trial], trial: Trial, **info: object) -> None:
        if trial.trial_id in self._trials.pausing:
            self._trials.control.paused(self._trials.number(trial))


class _HaltStopper(Stopper):  # type: ignore[misc]
    """Ends the experiment when the control has halted and nothing is left to wait for."""

    def __init__(self, trials: _Trials) -> None:
        self._trials = trials

    def __call__(self, trial_id: str, result: dict[str, Any]) -> bool:
        return False

    def stop_all(self) -> bool:
        control = self._trials.control
        control.tick()
        return control.is_drained or control.must_abandon


def _describe(trial: Trial) -> str:
    """The last line of what Tune knows of a worker's death."""
    error = trial.get_error()
    text = str(error).strip().splitlines() if error else []
    return text[-1] if text else "the worker process died"
