"""The Ray Tune runner: our Searcher and TrialScheduler hand assignments to warm actors and obey the control.

Tune executes and does not remember: its own loggers, snapshots and restore are off or unused. A resumed sweep starts
a new run.
"""

import logging
import os
import shutil
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import ray
from ray import tune
from ray.tune import Callback
from ray.tune.experiment import Trial
from ray.tune.schedulers import FIFOScheduler, TrialScheduler
from ray.tune.search import Searcher
from ray.tune.stopper import Stopper

from orchestrator.errors import ExitCode, InfrastructureError
from orchestrator.execution import cluster, packing
from orchestrator.execution.assignment import Assignments, Outcome
from orchestrator.execution.bundling import Bundler, InWork
from orchestrator.execution.control import Directive, SweepControl
from orchestrator.execution.mishaps import describe
from orchestrator.execution.ray_actor import ASSIGNMENTS, OUTCOMES, TrialActor
from orchestrator.execution.runner import Capacity
from orchestrator.execution.sharing import Share
from orchestrator.spec.model import SweepSpec
from orchestrator.trial import JsonValue, Mishap

_TUNE_ENVIRONMENT = {
    # The ledger remembers; Tune's files would only cost time.
    "TUNE_DISABLE_AUTO_CALLBACK_LOGGERS": "1",
    "TUNE_GLOBAL_CHECKPOINT_S": "1000000000",
    "TUNE_DISABLE_STRICT_METRIC_CHECKING": "1",
    "TUNE_WARN_SLOW_EXPERIMENT_CHECKPOINT_SYNC_THRESHOLD_S": "1000000000",
    # Signals are ours: a sweep pauses instead of dropping its trials.
    "TUNE_DISABLE_SIGINT_HANDLER": "1",
    # A lost worker is told in one line by the control.
    "TUNE_PRINT_ALL_TRIAL_ERRORS": "0",
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

    def connect(self, spec: SweepSpec, directory: Path, fixed: Mapping[str, JsonValue]) -> Capacity:
        """Reach the cluster and see what fits on it, and where the file leaves it open how many trials fit on a GPU."""
        os.environ.update(_TUNE_ENVIRONMENT)
        # Tune's own words about lost trials would come on top of the control's.
        logging.getLogger("ray.tune").setLevel(logging.CRITICAL)
        where = cluster.connect(self._address, spec.resources)
        self._capacity = cluster.capacity(spec.resources, where)
        if (most := packing.most_on_a_gpu(spec, self._capacity)) > 1:
            probed = cluster.probe(packing.first_assignment(spec, fixed, directory), cpu=spec.resources.cpu)
            num = packing.trials_on_a_gpu(probed, most=most)
            shared = spec.resources.model_copy(update={"gpu": packing.share(num)})
            self._capacity = replace(cluster.capacity(shared, where), packing=packing.describe(probed, num))
        return self._capacity

    def run(self, control: SweepControl) -> None:
        """Run trials until the control has no more, or has halted and its trials have ended."""
        assert self._capacity is not None, "connect first"
        share = Share(
            self._capacity,
            cluster.sharers if self._address else lambda: None,
            monotonic_s=time.monotonic,
            say=control.say,
        )
        trials = _Trials(control, Bundler(control), share)
        leave = partial(_leave, self._capacity.where, control.ledger.name)
        lookout = cluster.Lookout(cluster.head_address(), leave=leave)
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
                stop=_HaltStopper(trials, lookout),
                callbacks=[_Watch(trials)],
                checkpoint_config=tune.CheckpointConfig(checkpoint_at_end=False),
                storage_path=str(self._tune_folder.absolute()),
                raise_on_failed_trial=False,
                verbose=0,
            )
        # Tune passes on what it meets, its own errors and ours, in words of its own.
        except Exception as error:
            if lookout.is_gone:
                raise InfrastructureError(f"{self._capacity.where} has gone away") from error
            raise
        finally:
            lookout.close()
            shutil.rmtree(self._tune_folder, ignore_errors=True)

    def close(self) -> None:
        """Leave the cluster; a local one ends."""
        ray.shutdown()


def _leave(where: str, sweep: str) -> None:
    """End the process, as a second signal does; the ledger has all that was acknowledged."""
    print(f"orch: {where} has gone away\n  go on with: orch resume {sweep}", file=sys.stderr, flush=True)
    os._exit(ExitCode.INFRASTRUCTURE)


class _Trials:
    """Tune's trials, each a bundle of ours, over one control."""

    def __init__(self, control: SweepControl, bundler: Bundler, share: Share) -> None:
        self.control = control
        self._bundler = bundler
        self._share = share
        self._work: dict[str, InWork] = {}
        self._live: set[str] = set()
        self._beginning: set[str] = set()
        self._pausing: set[str] = set()
        self._killed: set[str] = set()

    @property
    def has_its_share(self) -> bool:
        """Whether as many run as may: other sweeps want the rest of the cluster."""
        return len(self._live) >= self._share.workers()

    @property
    def has_idle_workers(self) -> bool:
        """Whether a worker that has nothing to do will get nothing soon."""
        return not self._beginning and self.has_its_share

    def hand_out(self, trial_id: str) -> dict[str, Any] | None:
        assignments = self._bundler.next()
        if not assignments:
            return None
        self._work[trial_id] = InWork(self.control, self._bundler, assignments)
        self._live.add(trial_id)
        self._beginning.add(trial_id)
        return {ASSIGNMENTS: Assignments(assignments)}

    def began(self, trial: Trial) -> None:
        self._beginning.discard(trial.trial_id)
        self._work[trial.trial_id].began()

    def _over(self, trial: Trial) -> None:
        self._live.discard(trial.trial_id)
        self._beginning.discard(trial.trial_id)

    def outcome(self, trial: Trial, outcomes: Mapping[int, Outcome]) -> Directive:
        """Pass on what each trial of a bundle did, and tell its worker which of them are over."""
        directive, over = self._work[trial.trial_id].outcome(outcomes)
        if directive is not Directive.END and over and trial.temporary_state.ray_actor:
            # Heard before the next step: an actor does in order what one process asks of it.
            trial.temporary_state.ray_actor.end.remote(over)
        if directive is Directive.PAUSE:
            self._pausing.add(trial.trial_id)
        if directive is Directive.END:
            self._over(trial)
        return directive

    def lost(self, trial: Trial) -> None:
        self._over(trial)
        mishap, what = describe(trial.get_error())
        if trial.trial_id in self._killed:
            mishap, what = Mishap.HUNG, f"no measurement for {self.control.spec.resources.hang_timeout_s:g} s"
        self._work[trial.trial_id].lost(mishap, what)

    def forget(self, trial: Trial) -> None:
        """Drop what Tune keeps of a trial to the end, statistics of each metric among it: 180 MB for 10,000 trials."""
        self._work.pop(trial.trial_id, None)
        trial.config = {}
        metadata = trial.run_metadata
        metadata.last_result, metadata.metric_analysis, metadata.metric_n_steps = {}, {}, {}

    def saved(self, trial: Trial) -> None:
        if trial.trial_id in self._pausing:
            self.paused(trial)

    def paused(self, trial: Trial) -> None:
        self._over(trial)
        self._work[trial.trial_id].paused()

    def release(self) -> None:
        """Those that wait for company are not waited for."""
        InWork(self.control, self._bundler, self._bundler.release()).paused()

    def kill_hung(self, trials: Sequence[Trial]) -> None:
        """Tune then learns that the worker has died, as of any other."""
        hung = set(self.control.hung)
        for trial in trials if hung else ():
            actor, is_new = trial.temporary_state.ray_actor, trial.trial_id not in self._killed
            if trial.status == Trial.RUNNING and hung & self._work[trial.trial_id].numbers and actor and is_new:
                self._killed.add(trial.trial_id)
                ray.kill(actor)

    def __reduce__(self) -> tuple[type[object], tuple[()]]:
        # Tune pickles all that it is given, for a restore that we never ask for.
        return object, ()


class _LedgerSearcher(Searcher):  # type: ignore[misc]
    """Hands out what the ledger proposes; all else is the scheduler's business."""

    def __init__(self, trials: _Trials) -> None:
        super().__init__()
        self._trials = trials

    def suggest(self, trial_id: str) -> dict[str, Any] | str | None:
        if self._trials.has_its_share:
            return None
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
        decision: str = _DECISIONS[self._trials.outcome(trial, dict(result[OUTCOMES]))]
        return decision

    def on_trial_complete(self, tune_controller: Any, trial: Trial, result: dict[str, Any]) -> None:  # noqa: ANN401
        # Tune brings the result that carries `done` only here; one that we answered with STOP comes again, unheard.
        self._trials.outcome(trial, dict(result[OUTCOMES]))

    def on_trial_error(self, tune_controller: Any, trial: Trial) -> None:  # noqa: ANN401
        self._trials.lost(trial)

    def choose_trial_to_run(self, tune_controller: Any) -> Trial | None:  # noqa: ANN401
        """Nothing to choose: Tune starts pending trials by itself. A halting sweep does not wait for them.

        Tune keeps one worker that has nothing to do, which others may wait for.
        """
        if self._trials.has_idle_workers:
            tune_controller._cleanup_cached_actors(force_all=True)
        if self._trials.control.halt:
            self._trials.release()
            for trial in tune_controller.get_trials():
                if trial.status == Trial.PENDING:
                    self._trials.paused(trial)
        return None


class _Watch(Callback):  # type: ignore[misc]
    """Tells the control when an attempt begins and when a paused trial's checkpoint is written; ends what hangs.

    It also hears of complete trials, after all others have.
    """

    def __init__(self, trials: _Trials) -> None:
        self._trials = trials

    def on_trial_start(self, iteration: int, trials: list[Trial], trial: Trial, **info: object) -> None:
        self._trials.began(trial)

    def on_trial_save(self, iteration: int, trials: list[Trial], trial: Trial, **info: object) -> None:
        self._trials.saved(trial)

    def on_trial_complete(self, iteration: int, trials: list[Trial], trial: Trial, **info: object) -> None:
        self._trials.forget(trial)

    def on_step_end(self, iteration: int, trials: list[Trial], **info: object) -> None:
        self._trials.kill_hung(trials)


class _HaltStopper(Stopper):  # type: ignore[misc]
    """Ends the experiment when the control has halted and nothing is left to wait for, or when the cluster has gone."""

    def __init__(self, trials: _Trials, lookout: cluster.Lookout) -> None:
        self._trials = trials
        self._lookout = lookout

    def __reduce__(self) -> tuple[type[object], tuple[()]]:
        return object, ()

    def __call__(self, trial_id: str, result: dict[str, Any]) -> bool:
        return False

    def stop_all(self) -> bool:
        if self._lookout.is_gone:
            raise InfrastructureError("the Ray cluster has gone away")
        control = self._trials.control
        control.tick()
        return control.is_drained or control.must_abandon
