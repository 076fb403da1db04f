"""The ledger of one sweep: what was asked, measured, decided and why, on Optuna's study. Its driver is the one writer.

Order of writing: a trial is reserved, then its parameters are suggested, then it runs; a measurement is stored before
anyone acts on it; an ending is stored with its reason before it is told to the sampler.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from optuna.pruners import NopPruner
from optuna.study import Study
from optuna.trial import FrozenTrial, Trial
from optuna.trial import TrialState as OptunaState

from orchestrator.space import SearchSpace
from orchestrator.spec.model import GridSampler, PbtSampler, SweepSpec
from orchestrator.study import records
from orchestrator.study.decisions import Decision
from orchestrator.study.judging import Judge
from orchestrator.study.points import point_sampler
from orchestrator.study.population import population_of
from orchestrator.study.proposals import Proposal, Proposer, Wait
from orchestrator.study.records import PROGRESS_KEY, RUN_KEY, SWEEP_KEY, SweepRecord, read_trial
from orchestrator.study.sampling import build_sampler, suggest
from orchestrator.trial import (
    ENDINGS,
    Cause,
    Ending,
    JsonValue,
    Measurement,
    Suggestion,
    TrialRecord,
    TrialState,
)

_TOLD = {
    TrialState.COMPLETE: OptunaState.COMPLETE,
    TrialState.PRUNED: OptunaState.PRUNED,
    TrialState.FAILED: OptunaState.FAIL,
}


@dataclass(slots=True)
class _Live:
    """A trial that this process has handed out: what of it is stored already, so that a report need not read."""

    trial: Trial
    steps: set[int]
    reported: set[int]


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
        scalars = {k: v for k, v in fixed.items() if isinstance(v, bool | int | float | str)}
        self.space = SearchSpace(spec.space, spec.constraints, fixed=scalars)
        epochs = fixed.get("epochs")
        self.max_epochs = epochs if isinstance(epochs, int) else None
        # The judge prunes; a hyperband pruner here would hide the trials of other brackets from the sampler.
        self._study.pruner = NopPruner()
        self._judge: Judge | None = None
        self._live: dict[int, _Live] = {}
        self._limit = spec.budget.trials
        if isinstance(spec.sampler, GridSampler):
            self._limit = min(self._limit, sum(1 for _ in self.space.grid()))
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
        """How many trials the sweep will have: its budget, or the size of the grid."""
        return self._limit

    @property
    def num_asked(self) -> int:
        """How many trials have been reserved."""
        return len(self._study.get_trials(deepcopy=False))

    def ask(self) -> Suggestion | None:
        """Reserve the next trial and suggest its parameters; None when the budget of trials is used up."""
        number = self.num_asked
        if self._proposer is None:
            if number >= self._limit:
                return None
            self._study.sampler = build_sampler(self.spec, self.space, number=number)
            return self._hand_out(self._study.ask(), attempt=1)
        proposal = self._proposer.next(self.records())
        self.is_waiting = isinstance(proposal, Wait)
        if not isinstance(proposal, Proposal):
            return None
        self._study.sampler = point_sampler(proposal.params)
        return self._hand_out(self._propose(self._study.ask(), proposal), attempt=1)

    def _propose(self, trial: Trial, proposal: Proposal) -> Trial:
        """Store what the sampler does not know."""
        trial.set_user_attr(records.PROPOSED, records.write_proposal(proposal, self.spec, space=self.space))
        return trial

    def interrupted(self) -> list[Suggestion]:
        """Hand out again each trial that has not ended: same number, same parameters, one more attempt."""
        open_states = (OptunaState.RUNNING, OptunaState.WAITING)
        found = self._study.get_trials(deepcopy=False, states=open_states)
        return [self._again(frozen) for frozen in found if self._is_known(frozen)]

    def _is_known(self, frozen: FrozenTrial) -> bool:
        """Whether it is known what a trial is; an earlier driver may have died between reserving it and storing that.

        It is proposed again then; where nothing is left to propose the trial fails.
        """
        if self._proposer is None or records.PROPOSED in frozen.user_attrs:
            return True
        trial = Trial(self._study, frozen._trial_id)
        proposal = self._proposer.next([record for record in self.records() if record.number < frozen.number])
        if isinstance(proposal, Proposal):
            self._propose(trial, proposal)
            return True
        ending = Ending(Cause.ERROR, "its driver died before it had a configuration")
        trial.set_user_attr(records.ENDING, records.write_ending(ending))
        self._study.tell(trial, state=OptunaState.FAIL)
        return False

    def _again(self, frozen: FrozenTrial) -> Suggestion:
        trial = Trial(self._study, frozen._trial_id)
        given = trial.user_attrs.get(records.PROPOSED, {}).get("params")
        self._study.sampler = (
            point_sampler(given) if given else build_sampler(self.spec, self.space, number=frozen.number)
        )
        return self._hand_out(trial, attempt=frozen.user_attrs.get(records.ATTEMPT, 0) + 1)

    def _hand_out(self, trial: Trial, *, attempt: int) -> Suggestion:
        if records.PROPOSED not in trial.user_attrs:
            self._propose(trial, Proposal({}))
        proposed = trial.user_attrs[records.PROPOSED]
        params = proposed["params"] if proposed.get("outside") else suggest(trial, self.space)
        trial.set_user_attr(records.ATTEMPT, attempt)
        if trial.user_attrs.get(records.PAUSED):
            trial.set_user_attr(records.PAUSED, False)
        frozen = self._study._storage.get_trial(trial._trial_id)
        known = read_trial(frozen, self.spec)
        steps = {m.step for m in known.measurements}
        self._live[trial.number] = _Live(trial, steps, set(frozen.intermediate_values))
        last_step = known.measurements[-1].step if known.measurements else None
        suggestion = Suggestion(trial.number, params, known.seeds, attempt, last_step, segment=known.segment)
        if known.segment and known.segment.parent is not None:
            suggestion = replace(suggestion, parent_step=self.record(known.segment.parent).epochs)
        # The untrained model is no best that a checkpoint was kept of.
        return replace(suggestion, best_value=known.value, best_step=known.best_step) if known.best_step else suggestion

    def report(self, number: int, measurement: Measurement, *, last: bool = False) -> Ending | None:
        """Store a measurement, then ask the pruner.

        A step that is stored already (a new attempt repeats what came after its checkpoint) is left as it is. The
        `last` measurement of a full-length trial is compared, so that others compete with it, but never pruned.

        Returns:
            An ending with the decision behind it when the pruner ends the trial.
        """
        live = self._live[number]
        if measurement.step in live.steps:
            return None
        value = measurement.metrics[self.spec.objective.metric]
        decision: Decision | None = None
        if math.isfinite(value):
            # Optuna keeps no intermediate values of several objectives.
            if measurement.step not in live.reported and not self.spec.further_objectives:
                live.trial.report(value, measurement.step)
            decision = self._judging().hear(number, measurement, last=last)
        stored = records.write_measurement(measurement, decision.to_json() if decision else None)
        live.trial.set_user_attr(f"{records.STEP}{measurement.step}", stored)
        live.steps.add(measurement.step)
        return None if decision is None else self._pruned(decision.to_json())

    def _judging(self) -> Judge:
        """Made when the first measurement comes, from all that is stored."""
        if self._judge is None:
            self._judge = Judge(self.spec, name=self.name, max_epochs=self.max_epochs, records=self.records())
        return self._judge

    def _pruned(self, decision: Mapping[str, JsonValue]) -> Ending | None:
        if not decision["pruned"]:
            return None
        reason = f"below floor {decision['floor']}" if "floor" in decision else "pruned"
        return Ending(Cause.PRUNED, reason, {"pruner": self.spec.pruner.type, **decision})

    def overdue(self, number: int) -> Ending | None:
        """The ending of an open trial that an earlier driver stored, or its pruner decided, before it died."""
        record = self.record(number)
        if record.ending is not None or not record.decisions:
            return record.ending
        newest = record.decisions[-1]
        return self._pruned(newest) if newest["step"] == record.measurements[-1].step else None

    def tell(self, number: int, ending: Ending) -> TrialRecord:
        """End a trial that this process handed out: store the reason, then tell the sampler."""
        trial = self._live.pop(number).trial
        known = self.record(number)
        trial.set_user_attr(records.ENDING, records.write_ending(ending))
        state = _TOLD[ENDINGS[ending.cause].state]
        if known.value is not None:
            for metric in self.spec.floors:
                trial.set_constraint(f"floor {metric}", known.violated.get(metric, 0.0))
        values = [known.values[o.metric] for o in self.spec.objectives] if state is OptunaState.COMPLETE else None
        self._study.tell(trial, values, state=state)
        told = self.record(number)
        if self._judge is not None:
            self._judge.close(told)
        return told

    def pause(self, number: int) -> TrialRecord:
        """Mark a running trial as interrupted on purpose; `interrupted` hands it out again."""
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
        """All that is known of all trials, by number."""
        attrs = self._study.user_attrs
        return [
            read_trial(trial, self.spec, run_id=attrs.get(f"{RUN_KEY}{trial.number}")) for trial in self._frozen_all()
        ]

    @property
    def study(self) -> Study:
        """The Optuna study, for plots in this room."""
        return self._study

    def _frozen(self, number: int) -> FrozenTrial:
        live = self._live.get(number)
        return self._frozen_all()[number] if live is None else self._study._storage.get_trial(live.trial._trial_id)

    def _frozen_all(self) -> list[FrozenTrial]:
        return self._study.get_trials(deepcopy=False)
