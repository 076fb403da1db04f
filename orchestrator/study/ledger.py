"""The ledger of one sweep: what was asked, measured, decided and why, on Optuna's study. Its driver is the one writer.

Order of writing: a trial is stored with its number, parameters and seeds at once, then it runs; a measurement is stored
before anyone acts on it; an ending is stored with its reason before it is told to the sampler. A driver may die between
any two of these: who hands a trial out again completes what is missing.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from functools import cached_property
from typing import Any

from optuna.pruners import NopPruner
from optuna.samplers import RandomSampler
from optuna.study import Study
from optuna.study._constrained_optimization import _CONSTRAINTS_KEY
from optuna.trial import FrozenTrial
from optuna.trial import TrialState as OptunaState

from orchestrator.space import SearchSpace
from orchestrator.spec.model import PbtSampler, SweepSpec
from orchestrator.study import records
from orchestrator.study.asking import Asking
from orchestrator.study.change import Change
from orchestrator.study.driver_storage import whole_trials, write, write_study
from orchestrator.study.importing import extended_trial
from orchestrator.study.judging import Judge
from orchestrator.study.population import Population, population_of
from orchestrator.study.proposals import Proposal, Proposer, Wait
from orchestrator.study.records import PROGRESS_KEY, RUN_KEY, SWEEP_KEY, SweepRecord, is_imported, read_trial
from orchestrator.trial import (
    ENDINGS,
    Cause,
    Effort,
    Ending,
    JsonValue,
    LostAttempt,
    Measurement,
    Suggestion,
    TrialRecord,
    TrialState,
    given_up,
)

_TOLD = {
    TrialState.COMPLETE: OptunaState.COMPLETE,
    TrialState.PRUNED: OptunaState.PRUNED,
    TrialState.FAILED: OptunaState.FAIL,
}


def search_space(spec: SweepSpec, fixed: Mapping[str, JsonValue]) -> SearchSpace:
    """The space of a sweep, with the values of the Config that it does not search."""
    scalars = {k: v for k, v in fixed.items() if isinstance(v, bool | int | float | str)}
    return SearchSpace(spec.space, spec.constraints, fixed=scalars)


class Ledger:
    """One sweep's durable record and its search."""

    def __init__(
        self, study: Study, *, spec: SweepSpec, fixed: Mapping[str, JsonValue], proposer: Proposer | None = None
    ) -> None:
        """Wrap a study that `Storage` created or loaded; `fixed` are flattened config values.

        A `proposer` takes the place of the sampler and of the budget of trials.
        """
        self.spec = spec
        self._proposer = proposer
        self.is_waiting = False
        self._study = study
        self.space = search_space(spec, fixed)
        epochs = fixed.get("epochs")
        self.max_epochs = epochs if isinstance(epochs, int) else None
        # The judge prunes; a hyperband pruner here would hide the trials of other brackets from the sampler.
        self._study.pruner = NopPruner()
        # Nor does the study ask for parameters: trials are drafted and then stored.
        self._study.sampler = RandomSampler()
        self._asking = Asking(spec, self.space)
        self._judge: Judge | None = None
        self._live: dict[int, FrozenTrial] = {}
        """The trials that this process has handed out, as they are stored now."""
        self._progress: SweepRecord | None = None
        if isinstance(spec.sampler, PbtSampler) and proposer is None:
            self._proposer = population_of(spec, self.space, epochs=self.max_epochs)

    @property
    def name(self) -> str:
        """The sweep's name."""
        return self._study.study_name

    @property
    def sweep(self) -> SweepRecord:
        """The sweep's own record."""
        return SweepRecord.from_attrs(self.name, self._study.user_attrs)

    def update_sweep(self, record: SweepRecord) -> None:
        """Store the part of the record that changes."""
        self._progress = record
        self._study.set_user_attr(PROGRESS_KEY, record.progress_attrs())

    def replace_spec(self, record: SweepRecord) -> None:
        """Store a record whose spec was changed on purpose, such as a larger budget."""
        self._study.set_user_attr(SWEEP_KEY, record.fixed_attrs())

    @cached_property
    def limit(self) -> int:
        """How many trials the sweep will have: its budget, or what a finite space or a population has."""
        if isinstance(self._proposer, Population):
            return self._proposer.num_trials
        return self._asking.limit(self._frozen_all())

    @property
    def num_asked(self) -> int:
        """How many trials have been asked for; one that was extended is one."""
        return self._asking.num_asked(self._frozen_all())

    @property
    def exhausted(self) -> str:
        """Why `ask` has nothing more although the budget has; empty otherwise."""
        return self._asking.exhausted

    def ask(self) -> Suggestion | None:
        """Store the next trial; None when the budget of trials or the space is used up, or the proposer waits."""
        draft = self._draft(self._frozen_all())
        if draft is None:
            return None
        storage = self._study._storage
        return self._hand_out(storage.get_trial(storage.create_new_trial(self._study._study_id, template_trial=draft)))

    def _draft(self, trials: Sequence[FrozenTrial]) -> FrozenTrial | None:
        if self._proposer is None:
            return self._asking.next(self._study, trials)
        proposal = self._proposer.next(self.records())
        self.is_waiting = isinstance(proposal, Wait)
        return self._asking.propose(proposal, trials) if isinstance(proposal, Proposal) else None

    def interrupted(self) -> list[int]:
        """The trials that have not ended; none of them runs now, and `again` hands each out."""
        found = [trial for trial in self._frozen_all() if trial.state is OptunaState.RUNNING]
        for trial in found:
            if not trial.user_attrs.get(records.PAUSED):
                write(self._study, trial._trial_id, Change({records.PAUSED: True}))
        return [trial.number for trial in found]

    def again(self, number: int) -> Suggestion:
        """Hand out a trial that has not ended: same number, same parameters, one more attempt."""
        trial = self._frozen_all()[number]
        attempt = {records.ATTEMPT: trial.user_attrs[records.ATTEMPT] + 1}
        paused = {records.PAUSED: False} if trial.user_attrs.get(records.PAUSED) else {}
        return self._hand_out(write(self._study, trial._trial_id, Change(attempt | paused)))

    def _hand_out(self, trial: FrozenTrial) -> Suggestion:
        known = read_trial(trial, self.spec)
        self._live[trial.number] = trial
        unheard = {m.step: self._value(m) for m in known.measurements if m.step not in trial.intermediate_values}
        # Optuna has not heard of what a driver stored before it died.
        if values := {step: value for step, value in unheard.items() if value is not None}:
            self._write(trial.number, Change(values=values))
        last_step = known.measurements[-1].step if known.measurements else None
        suggestion = Suggestion(
            trial.number,
            known.params,
            known.seeds,
            known.attempt,
            last_step,
            segment=known.segment,
            alone=known.needs_all,
        )
        if known.segment and known.segment.parent is not None:
            suggestion = replace(suggestion, parent_step=self.record(known.segment.parent).epochs)
        # The untrained model is no best that a checkpoint was kept of.
        return replace(suggestion, best_value=known.value, best_step=known.best_step) if known.best_step else suggestion

    def report(self, number: int, measurement: Measurement, *, last: bool = False) -> Ending | None:
        """Store a measurement with what the pruner says of it.

        A step that is stored already (a new attempt repeats what came after its checkpoint) is left as it is. The
        `last` measurement of a full-length trial is compared, so that others compete with it, but never pruned.

        Returns:
            An ending with the decision behind it when the pruner ends the trial.
        """
        attr = f"{records.STEP}{measurement.step}"
        if attr in self._live[number].user_attrs:
            return None
        value, decision = self._value(measurement), None
        if math.isfinite(measurement.metrics[self.spec.objective.metric]):
            decision = self._judging().hear(number, measurement, last=last)
        stored = records.write_measurement(measurement, decision.to_json() if decision else None)
        self._write(number, Change({attr: stored}, values={} if value is None else {measurement.step: value}))
        return None if decision is None else self._pruned(decision.to_json())

    def _write(self, number: int, change: Change) -> FrozenTrial:
        trial = self._live[number] = write(self._study, self._live[number]._trial_id, change)
        return trial

    def _value(self, measurement: Measurement) -> float | None:
        """What the sampler hears of it; Optuna keeps no intermediate values of several objectives."""
        value = measurement.metrics[self.spec.objective.metric]
        return float(value) if math.isfinite(value) and not self.spec.further_objectives else None

    def _judging(self) -> Judge:
        """Made when the first measurement comes, from all that is stored; imported trials are rivals too."""
        if self._judge is None:
            self._judge = Judge(self.spec, name=self.name, max_epochs=self.max_epochs, records=self.history())
        return self._judge

    def _pruned(self, decision: Mapping[str, JsonValue]) -> Ending | None:
        if not decision["pruned"]:
            return None
        reason = f"below floor {decision['floor']}" if "floor" in decision else "pruned"
        return Ending(Cause.PRUNED, reason, {"pruner": self.spec.pruner.type, **decision})

    def note_repeated(self, number: int, effort: Effort) -> None:
        """Add training that gave no new measurement: done again after an older checkpoint, or lost with a worker."""
        self._note(number, records.REPEATED, effort)

    def note_rest(self, number: int, effort: Effort) -> None:
        """Add training after the last measurement; called before the trial ends."""
        self._note(number, records.REST, effort)

    def note(self, number: int, notes: Sequence[str]) -> None:
        """Store what a user should know of a trial's checkpoints."""
        known = self._live[number].user_attrs.get(records.NOTES, ())
        self._write(number, Change({records.NOTES: list(dict.fromkeys([*known, *notes]))}))

    def _note(self, number: int, key: str, effort: Effort) -> None:
        known = Effort(**self._live[number].user_attrs.get(key, {}))
        self._write(number, Change({key: asdict(effort + known)}))

    def overdue(self, number: int) -> Ending | None:
        """The ending of an open trial that was stored, or decided by its pruner or by what it has lost."""
        record = self.record(number)
        if record.ending is not None:
            return record.ending
        newest = record.decisions[-1] if record.decisions else None
        if newest is not None and newest["step"] == record.measurements[-1].step and newest["pruned"]:
            return self._pruned(newest)
        cause = given_up(record.lost_attempts)
        if cause is None:
            return None
        lost = record.lost_attempts[-1]
        return Ending(cause, lost.mishap.value, {"what": lost.what, "lost_attempts": len(record.lost_attempts)})

    def lose(self, number: int, lost: LostAttempt) -> Ending | None:
        """Store how an attempt was lost; an ending when that was once too often."""
        known = self._live[number].user_attrs.get(records.LOST, ())
        self._write(number, Change({records.LOST: [*known, asdict(lost)]}))
        return self.overdue(number)

    def tell(
        self,
        number: int,
        ending: Ending,
        *,
        wall_s: float | None = None,
        findings: Mapping[str, str] | None = None,
    ) -> TrialRecord:
        """End a trial that this process handed out: store the reason, and tell the sampler.

        With it goes what its measurements come to, with its `findings` (check to severity), for lists; and how long the
        sweep's drivers have run so far: a budget of hours outlives a killed driver.
        """
        trial = self._live[number]
        known = read_trial(trial, self.spec)
        state = _TOLD[ENDINGS[ending.cause].state]
        floors = self.spec.floors if known.value is not None else ()
        constraints = {f"floor:{metric}": known.violated.get(metric, 0.0) for metric in floors}
        if ENDINGS[ending.cause].infeasible:
            # Samplers do not look at what failed, and would propose it again.
            state = OptunaState.PRUNED
            constraints[ending.cause.value] = 1.0
        # Where a write is not one transaction, a driver that died in here has set some of them.
        known_constraints = trial.constraints
        notes = {f"{_CONSTRAINTS_KEY}:{key}": v for key, v in constraints.items() if key not in known_constraints}
        change = Change(
            {records.ENDING: records.write_ending(ending, replace(known.outlined, findings=findings))},
            notes=notes,
            state=state,
            objectives=self._objectives(known, trial, state),
            sweep={} if wall_s is None else self._wall(wall_s),
        )
        told = read_trial(self._write(number, change), self.spec)
        del self._live[number]
        if self._judge is not None:
            self._judge.close(told)
        return told

    def _wall(self, wall_s: float) -> dict[str, Any]:
        self._progress = replace(self._progress or self.sweep, wall_s=round(wall_s, 3))
        return {PROGRESS_KEY: self._progress.progress_attrs()}

    def _objectives(self, known: TrialRecord, trial: FrozenTrial, state: OptunaState) -> list[float] | None:
        """The values of a trial in Optuna's words: of a pruned one the last that it has heard."""
        if state is OptunaState.COMPLETE:
            return [float(known.values[o.metric]) for o in self.spec.objectives]
        last_step = trial.last_step if state is OptunaState.PRUNED else None
        return None if last_step is None else [trial.intermediate_values[last_step]]

    def pause(self, number: int) -> TrialRecord:
        """Mark a running trial as interrupted; `again` hands it out."""
        paused = read_trial(self._write(number, Change({records.PAUSED: True})), self.spec)
        del self._live[number]
        return paused

    def set_run_ids(self, run_ids: Mapping[int, str]) -> None:
        """Store which MLflow runs trials have."""
        write_study(self._study, {f"{RUN_KEY}{number}": run_id for number, run_id in run_ids.items()})

    @property
    def running(self) -> Sequence[int]:
        """Numbers of the trials that this process has handed out and that have not ended."""
        return tuple(self._live)

    def record(self, number: int) -> TrialRecord:
        """All that is known of one trial, but for its run."""
        return read_trial(self._frozen(number), self.spec)

    def records(self) -> list[TrialRecord]:
        """All that is known of this sweep's trials, by number; imported ones are another sweep's."""
        attrs = self._study.user_attrs
        return [
            read_trial(trial, self.spec, run_id=attrs.get(f"{RUN_KEY}{trial.number}"))
            for trial in whole_trials(self._study)
            if not is_imported(trial)
        ]

    def history(self) -> list[TrialRecord]:
        """What a later sweep may learn from: all trials, imported ones too; of one that was extended the longer."""
        known = [read_trial(trial, self.spec) for trial in whole_trials(self._study)]
        extended = {record.extends for record in known}
        return [record for record in known if record.number not in extended]

    def extend(self, number: int) -> int:
        """Reserve the trial that goes on where a complete one ended; `interrupted` hands it out. Returns its number."""
        self._judge = None
        extended = extended_trial(self._frozen(number))
        trial_id = self._study._storage.create_new_trial(self._study._study_id, template_trial=extended)
        return self._study._storage.get_trial(trial_id).number

    @property
    def study(self) -> Study:
        """The Optuna study, for plots in this room."""
        return self._study

    def _frozen(self, number: int) -> FrozenTrial:
        live = self._live.get(number)
        return self._study._storage.get_trial(self._frozen_all()[number]._trial_id) if live is None else live

    def _frozen_all(self) -> list[FrozenTrial]:
        return self._study.get_trials(deepcopy=False)
