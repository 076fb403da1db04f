"""Whether the pruner ends a trial at a measurement, and why. Called by the ledger; asks `Rungs` or Optuna's pruners.

Optuna's look at a mirror: a study in memory that holds the first objective alone, made from what the ledger stores. So
the ledger's study may have several objectives, which Optuna cannot prune, and a resumed sweep decides as an open one.
"""

import math
import warnings
from collections.abc import Iterable, Sequence
from dataclasses import replace
from functools import cache

import optuna
from optuna.trial import FrozenTrial, create_trial
from optuna.trial import TrialState as OptunaState

from orchestrator.spec.model import (
    AshaPruner,
    HyperbandPruner,
    MedianPruner,
    NoPruner,
    Objective,
    PatientPruner,
    PercentilePruner,
    SweepSpec,
    WilcoxonPruner,
)
from orchestrator.study.decisions import (
    Decision,
    Spared,
    explain_percentile,
    explain_wilcoxon,
)
from orchestrator.study.pruning import build_pruner, may_decide
from orchestrator.study.rungs import Rungs
from orchestrator.trial import STANDARD_ERROR, Measurement, TrialRecord, TrialState

_STATES = {
    TrialState.COMPLETE: OptunaState.COMPLETE,
    TrialState.PRUNED: OptunaState.PRUNED,
    TrialState.FAILED: OptunaState.FAIL,
}


class Judge:
    """The pruner of one sweep. Epoch 0 is no epoch of training, and is not compared."""

    def __init__(
        self, spec: SweepSpec, *, name: str, max_epochs: int | None, records: Iterable[TrialRecord] = ()
    ) -> None:
        """Take up the `records` of all trials; `name` decides the hyperband bracket of each.

        A trial that another one goes on from is no rival of it, nor is a number without a record.
        """
        self._spec = spec
        self._pruner = spec.pruner.pruner if isinstance(spec.pruner, PatientPruner) else spec.pruner
        self._mirror = optuna.create_study(
            study_name=name,
            direction=spec.objective.direction.value,
            pruner=build_pruner(spec.pruner, max_epochs=max_epochs),
        )
        self._rungs = self._build_rungs()
        self._ids: list[int] = []
        self._open: dict[int, list[Measurement]] = {}
        taken_up = list(records)
        extended = {record.extends for record in taken_up}
        known = {record.number: record for record in taken_up if record.number not in extended}
        for number in range(max(known, default=-1) + 1):
            record = known.get(number)
            if self._rungs is None:
                self._enter(_mirrored(record, spec.objective) if record else create_trial(state=OptunaState.FAIL))
            elif record is not None:
                self._rungs.recall(number, _rung_values(record))
            if record is not None and not record.state.is_terminal:
                self._open[record.number] = [m for m in record.measurements if _counts(m, spec.objective)]

    def hear(self, number: int, measurement: Measurement, *, last: bool) -> Decision | None:
        """What the pruner says after a measurement; None when there was nothing to decide.

        The `last` measurement of a full-length trial is compared, so that others compete with it, but never pruned.
        """
        if not _counts(measurement, self._spec.objective):
            return None
        history = self._open.setdefault(number, [])
        history.append(measurement)
        if self._rungs is None:
            self._reflect(number, measurement)
        if not may_decide(self._spec.pruner, step=measurement.step, rungs=self._num_rungs(number)):
            return None
        decision = self._missed_floor(history) or self._compare(number, history)
        return replace(decision, pruned=False) if decision is not None and last else decision

    def close(self, record: TrialRecord) -> None:
        """A trial has ended."""
        self._open.pop(record.number, None)
        if record.number < len(self._ids):
            ended = _mirrored(record, self._spec.objective)
            self._mirror._storage.set_trial_state_values(self._ids[record.number], ended.state, ended.values)

    def _enter(self, trial: FrozenTrial) -> None:
        self._mirror.add_trial(trial)
        number = len(self._ids)
        self._ids.append(self._mirror._storage.get_trial_id_from_study_id_trial_number(self._mirror._study_id, number))

    def _build_rungs(self) -> Rungs | None:
        """Successive halving decides over values in order, and needs no mirror; None for other pruners."""
        match self._pruner:
            case AshaPruner(min_epochs=first, reduction_factor=factor):
                return Rungs(first, factor, self._spec.objective.direction)
            case HyperbandPruner(min_epochs=first, reduction_factor=factor):
                return Rungs(first, factor, self._spec.objective.direction, cache(self._bracket))
            case _:
                return None

    def _bracket(self, number: int) -> int:
        """Optuna assigns it by the sweep's name and the trial's number."""
        pruner, trial = self._mirror.pruner, create_trial(state=OptunaState.RUNNING)
        assert isinstance(pruner, optuna.pruners.HyperbandPruner)
        trial.number = number
        if not pruner._pruners:
            pruner._try_initialization(self._mirror)
        return pruner._get_bracket_id(self._mirror, trial)

    def _num_rungs(self, number: int) -> int:
        return 0 if self._rungs is None else self._rungs.num_reached(number)

    def _reflect(self, number: int, measurement: Measurement) -> None:
        """Let the mirror have a value."""
        while number >= len(self._ids):
            self._enter(create_trial(state=OptunaState.RUNNING))
        value = measurement.metrics[self._spec.objective.metric]
        self._mirror._storage.set_trial_intermediate_value(self._ids[number], measurement.step, value)

    def _frozen(self, number: int) -> FrozenTrial:
        return self._mirror._storage.get_trial(self._ids[number])

    def _missed_floor(self, history: Sequence[Measurement]) -> Decision | None:
        """A trial that has been below a floor at each epoch so far competes with nobody."""
        for metric, floor in self._spec.floors.items():
            reached = max((m.metrics[metric] for m in history if metric in m.metrics), default=math.nan)
            if reached < floor:
                step = history[-1].step
                return Decision(step, None, reached, floor, None, 0, pruned=True, floor=metric)
        return None

    def _compare(self, number: int, history: Sequence[Measurement]) -> Decision | None:
        """The pruner's own word, unless the trial still improves or is within its own standard error."""
        pruner = self._spec.pruner
        if not isinstance(pruner, PatientPruner):
            decision = self._ask(number, history[-1], patience_is_out=False)
            return None if decision is None else self._spare(decision, history)
        idle = epochs_without_improvement(history, self._spec.objective, min_delta=pruner.min_delta)
        decision = self._ask(number, history[-1], patience_is_out=idle >= pruner.patience)
        if decision is None:
            return None
        decision = replace(decision, epochs_without_improvement=idle)
        if decision.pruned and idle < pruner.patience:
            return replace(decision, pruned=False, spared=Spared.IMPROVING) if decision.rung is not None else None
        return self._spare(decision, history)

    def _ask(self, number: int, newest: Measurement, *, patience_is_out: bool) -> Decision | None:
        """What the rungs or Optuna's pruner say of the trial's newest value."""
        if self._rungs is not None:
            return self._climb(self._rungs, number, newest, patience_is_out=patience_is_out)
        direction = self._spec.objective.direction
        with warnings.catch_warnings():
            # The best trial may have ended earlier than this one; the epochs that both have are compared.
            warnings.simplefilter("ignore")
            pruned = self._mirror.pruner.prune(self._mirror, self._frozen(number))
        trial = self._frozen(number)
        match self._pruner:
            case MedianPruner() | PercentilePruner() if pruned:
                percent = self._pruner.keep_percent if isinstance(self._pruner, PercentilePruner) else 50.0
                trials = self._mirror.get_trials(deepcopy=False)
                return explain_percentile(trial, trials, keep_percent=percent, direction=direction)
            case WilcoxonPruner() if pruned:
                return explain_wilcoxon(trial, self._mirror.best_trial, direction=direction)
            case NoPruner() if patience_is_out:
                values = list(trial.intermediate_values.values())
                best = max(values) if direction.value == "maximize" else min(values)
                return Decision(trial.last_step or 0, None, values[-1], best, None, 0, pruned=True)
            case _:
                return None

    def _climb(self, rungs: Rungs, number: int, newest: Measurement, *, patience_is_out: bool) -> Decision | None:
        """The decision at a rung that was reached now; where patience is out, at the last one that was reached."""
        value = newest.metrics[self._spec.objective.metric]
        is_new = rungs.climb(number, step=newest.step, value=value)
        is_due = is_new or (patience_is_out and rungs.num_reached(number) > 0)
        return rungs.look(number, step=newest.step) if is_due else None

    def _spare(self, decision: Decision, history: Sequence[Measurement]) -> Decision:
        """A comparison with others does not end a trial whose value is within one standard error of the cutoff."""
        metric = self._spec.objective.metric
        error = next(
            (m.metrics.get(STANDARD_ERROR.format(metric)) for m in history if m.metrics[metric] == decision.value),
            history[-1].metrics.get(STANDARD_ERROR.format(metric)),
        )
        if error is None or decision.num_compared == 0:
            return decision
        decision = replace(decision, standard_error=error)
        within = decision.cutoff is not None and abs(decision.value - decision.cutoff) <= error
        return replace(decision, pruned=False, spared=Spared.STANDARD_ERROR) if decision.pruned and within else decision


def epochs_without_improvement(history: Sequence[Measurement], objective: Objective, *, min_delta: float) -> int:
    """Epochs from the last one that was better than all before it by at least `min_delta` to the newest one."""
    best, improved_at = history[0].metrics[objective.metric], history[0].step
    for measurement in history[1:]:
        value = measurement.metrics[objective.metric]
        if objective.better(value, best) and abs(value - best) >= min_delta:
            best, improved_at = value, measurement.step
    return history[-1].step - improved_at


def _counts(measurement: Measurement, objective: Objective) -> bool:
    return measurement.step > 0 and math.isfinite(measurement.metrics[objective.metric])


def _mirrored(record: TrialRecord, objective: Objective) -> FrozenTrial:
    """A trial as the pruners see it, from what is stored of it alone.

    One that misses a floor at its end counts as failed: it is no rival.
    """
    state = _STATES.get(record.state, OptunaState.RUNNING)
    complete = state is OptunaState.COMPLETE
    return create_trial(
        state=OptunaState.FAIL if complete and record.violated else state,
        value=record.value if complete and not record.violated else None,
        intermediate_values={m.step: m.metrics[objective.metric] for m in record.measurements if _counts(m, objective)},
    )


def _rung_values(record: TrialRecord) -> list[float]:
    """What a trial had at each rung that it reached; a decision notes all rungs up to its own."""
    values: list[float] = []
    for decision in record.decisions:
        if isinstance(rung := decision["rung"], int) and isinstance(value := decision["value"], int | float):
            values += [float(value)] * (rung + 1 - len(values))
    return values
