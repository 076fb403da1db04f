"""The ledger of one sweep: what was asked, measured, decided and why, on Optuna's study. Its driver is the one writer.

Order of writing: a trial is stored with its number, parameters and seeds at once, then it runs; a measurement is stored
before anyone acts on it; an ending is stored with its reason before it is told to the sampler. A driver may die between
any two of these: who hands a trial out again completes what is missing.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace

from optuna.pruners import NopPruner
from optuna.samplers import RandomSampler
from optuna.study import Study
from optuna.trial import FrozenTrial, Trial
from optuna.trial import TrialState as OptunaState

from orchestrator.space import SearchSpace
from orchestrator.spec.model import PbtSampler, SweepSpec
from orchestrator.study import records
from orchestrator.study.asking import Asking, own
from orchestrator.study.decisions import Decision
from orchestrator.study.importing import extended_trial
from orchestrator.study.judging import Judge
from orchestrator.study.population import population_of
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


@dataclass(slots=True)
class _Live:
    """A trial that this process has handed out: what of it is stored already, so that a report need not read."""

    trial: Trial
    steps: set[int]


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
        self._live: dict[int, _Live] = {}
        self._limit = self._asking.limit(self._frozen_all())
        if isinstance(spec.sampler, PbtSampler) and proposer is None:
            self._proposer = population = population_of(spec, self.space, epochs=self.max_epochs)
            self._limit = population.num_trials

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
        self._study.set_user_attr(PROGRESS_KEY, record.progress_attrs())

    def note_wall(self, wall_s: float) -> None:
        """Store how long the sweep's drivers have run so far: a budget of hours outlives a killed driver."""
        self.update_sweep(replace(self.sweep, wall_s=round(wall_s, 3)))

    def replace_spec(self, record: SweepRecord) -> None:
        """Store a record whose spec was changed on purpose, such as a larger budget."""
        self._study.set_user_attr(SWEEP_KEY, record.fixed_attrs())

    @property
    def limit(self) -> int:
        """How many trials the sweep will have: its budget, or what a finite space has."""
        return self._limit

    @property
    def num_asked(self) -> int:
        """How many trials have been asked for; one that was extended is one."""
        return len(own(self._frozen_all()))

    @property
    def exhausted(self) -> str:
        """Why `ask` has nothing more although the budget has; empty otherwise."""
        return self._asking.exhausted

    def ask(self) -> Suggestion | None:
        """Store the next trial; None when the budget of trials or the space is used up, or the proposer waits."""
        draft = self._draft(self._frozen_all())
        if draft is None:
            return None
        trial_id = self._study._storage.create_new_trial(self._study._study_id, template_trial=draft)
        return self._hand_out(Trial(self._study, trial_id), attempt=1)

    def _draft(self, trials: Sequence[FrozenTrial]) -> FrozenTrial | None:
        if self._proposer is None:
            return self._asking.next(self._study, trials)
        proposal = self._proposer.next(self.records())
        self.is_waiting = isinstance(proposal, Wait)
        return self._asking.propose(proposal, trials) if isinstance(proposal, Proposal) else None

    def interrupted(self) -> list[int]:
        """The trials that have not ended; none of them runs now, and `again` hands each out."""
        found = self._study.get_trials(deepcopy=False, states=(OptunaState.RUNNING,))
        for frozen in found:
            if not frozen.user_attrs.get(records.PAUSED):
                Trial(self._study, frozen._trial_id).set_user_attr(records.PAUSED, True)
        return [frozen.number for frozen in found]

    def again(self, number: int) -> Suggestion:
        """Hand out a trial that has not ended: same number, same parameters, one more attempt."""
        trial = Trial(self._study, self._frozen(number)._trial_id)
        attempt = trial.user_attrs[records.ATTEMPT] + 1
        trial.set_user_attr(records.ATTEMPT, attempt)
        return self._hand_out(trial, attempt=attempt)

    def _hand_out(self, trial: Trial, *, attempt: int) -> Suggestion:
        if trial.user_attrs.get(records.PAUSED):
            trial.set_user_attr(records.PAUSED, False)
        frozen = self._study._storage.get_trial(trial._trial_id)
        known = read_trial(frozen, self.spec)
        live = self._live[trial.number] = _Live(trial, {m.step for m in known.measurements})
        for measurement in known.measurements:
            if measurement.step not in frozen.intermediate_values:
                self._report(live, measurement)
        last_step = known.measurements[-1].step if known.measurements else None
        suggestion = Suggestion(
            trial.number, known.params, known.seeds, attempt, last_step, segment=known.segment, alone=known.needs_all
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
        live = self._live[number]
        if measurement.step in live.steps:
            return None
        decision: Decision | None = None
        if math.isfinite(measurement.metrics[self.spec.objective.metric]):
            decision = self._judging().hear(number, measurement, last=last)
        stored = records.write_measurement(measurement, decision.to_json() if decision else None)
        live.trial.set_user_attr(f"{records.STEP}{measurement.step}", stored)
        live.steps.add(measurement.step)
        self._report(live, measurement)
        return None if decision is None else self._pruned(decision.to_json())

    def _report(self, live: _Live, measurement: Measurement) -> None:
        """Let the sampler know; Optuna keeps no intermediate values of several objectives."""
        value = measurement.metrics[self.spec.objective.metric]
        if math.isfinite(value) and not self.spec.further_objectives:
            live.trial.report(value, measurement.step)

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
        trial = self._live[number].trial
        trial.set_user_attr(records.NOTES, list(dict.fromkeys([*trial.user_attrs.get(records.NOTES, ()), *notes])))

    def _note(self, number: int, key: str, effort: Effort) -> None:
        trial = self._live[number].trial
        trial.set_user_attr(key, asdict(effort + Effort(**trial.user_attrs.get(key, {}))))

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
        trial = self._live[number].trial
        trial.set_user_attr(records.LOST, [*trial.user_attrs.get(records.LOST, ()), asdict(lost)])
        return self.overdue(number)

    def tell(self, number: int, ending: Ending) -> TrialRecord:
        """End a trial that this process handed out: store the reason, then tell the sampler."""
        trial = self._live.pop(number).trial
        known = self.record(number)
        trial.set_user_attr(records.ENDING, records.write_ending(ending))
        state = _TOLD[ENDINGS[ending.cause].state]
        floors = self.spec.floors if known.value is not None else ()
        constraints = {f"floor:{metric}": known.violated.get(metric, 0.0) for metric in floors}
        if ENDINGS[ending.cause].infeasible:
            # Samplers do not look at what failed, and would propose it again.
            state = OptunaState.PRUNED
            constraints[ending.cause.value] = 1.0
        known_constraints = self._study._storage.get_trial(trial._trial_id).constraints
        for key, value in constraints.items():
            # A driver that died in here has set some of them.
            if key not in known_constraints:
                trial.set_constraint(key, value)
        values = [known.values[o.metric] for o in self.spec.objectives] if state is OptunaState.COMPLETE else None
        self._study.tell(trial, values, state=state)
        told = self.record(number)
        if self._judge is not None:
            self._judge.close(told)
        return told

    def pause(self, number: int) -> TrialRecord:
        """Mark a running trial as interrupted; `again` hands it out."""
        self._live[number].trial.set_user_attr(records.PAUSED, True)
        record = self.record(number)
        del self._live[number]
        return record

    def set_run_id(self, number: int, run_id: str) -> None:
        """Store which MLflow run a trial has."""
        self._study.set_user_attr(f"{RUN_KEY}{number}", run_id)

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
            for trial in self._frozen_all()
            if not is_imported(trial)
        ]

    def history(self) -> list[TrialRecord]:
        """What a later sweep may learn from: all trials, imported ones too; of one that was extended the longer."""
        known = [read_trial(trial, self.spec) for trial in self._frozen_all()]
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
        return self._frozen_all()[number] if live is None else self._study._storage.get_trial(live.trial._trial_id)

    def _frozen_all(self) -> list[FrozenTrial]:
        return self._study.get_trials(deepcopy=False)
