"""From the trials of a confirmation, and what they measured on test, to its report. Pure but for what it is given."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import isfinite

from orchestrator.analysis import confirming as statistics
from orchestrator.study import SweepRecord
from orchestrator.study import confirmations as stored
from orchestrator.sweeps.confirming.examining import on_test
from orchestrator.sweeps.confirming.proposing import candidates_of, confirmed_value, label_of, runs_of
from orchestrator.sweeps.confirming.report import (
    ConfirmationReport,
    Confirmed,
    Costs,
    Difference,
    Drop,
    Estimate,
    Read,
    Verdict,
)
from orchestrator.sweeps.confirming.split import moment
from orchestrator.trial import TrialRecord


@dataclass(frozen=True, slots=True)
class Material:
    """What a report is made of.

    Attributes:
        record: of the confirmation.
        examined: what was measured on test, by trial.
        reads: of the same test split, in the whole ledger.
        notes: what is known besides.
    """

    record: SweepRecord
    trials: Sequence[TrialRecord]
    examined: Mapping[int, stored.Examined]
    reads: Sequence[stored.SplitRead]
    notes: Sequence[str]


def finalists(record: SweepRecord, trials: Sequence[TrialRecord]) -> tuple[str, ...]:
    """The reference and the candidates that were not ruled out, of those that have a value."""
    assert record.confirming is not None
    runs = runs_of(record.confirming, trials)
    left = statistics.finalists(
        candidates_of(record.confirming),
        runs,
        seeds=record.confirming.seeds,
        direction=record.spec.objective.direction,
    )
    with_value = {run.candidate for run in runs if run.val is not None and isfinite(run.val)}
    return tuple(label for label in left if label in with_value)


def build(material: Material) -> ConfirmationReport:
    """All that there is to say."""
    record = material.record
    assert record.confirming is not None
    objective = record.spec.objective
    val, deciding = _judged(material, {}), _judged(material, material.examined)
    test = None if deciding.metric == objective.metric else deciding
    order = [estimate.candidate for estimate in deciding.estimates]
    labels = [candidate.label for candidate in record.confirming.candidates]
    labels.sort(key=lambda label: order.index(label) if label in order else len(order))
    return ConfirmationReport(
        sweep=record.confirming.sweep,
        confirmation=record.name,
        confirmation_id=record.id,
        metric=objective.metric,
        direction=objective.direction.value,
        test_metric=None if test is None else test.metric,
        covers=deciding.covers,
        reference=record.confirming.reference,
        verdict=Verdict(
            outcome=deciding.verdict.outcome.value, names=deciding.verdict.names, sentence=deciding.verdict.sentence
        ),
        candidates=tuple(_confirmed(label, material, val, test) for label in labels),
        expected_drop=None if val.expected_drop is None else _drop(val.expected_drop),
        costs=Costs(
            trainings=len(material.trials),
            epochs=sum(trial.epochs for trial in material.trials),
            train_s=sum(trial.train_s for trial in material.trials),
            wall_s=record.wall_s,
        ),
        reads=tuple(_read(read, record.name) for read in material.reads),
        notes=tuple(material.notes),
    )


def _judged(material: Material, examined: Mapping[int, stored.Examined]) -> statistics.Confirmation:
    record = material.record
    assert record.confirming is not None
    runs = runs_of(record.confirming, material.trials, examined, on=on_test(record.spec.objective.metric))
    candidates, seeds = candidates_of(record.confirming), record.confirming.seeds
    return statistics.confirm(candidates, runs, objective=record.spec.objective, seeds=seeds)


def _confirmed(
    label: str, material: Material, val: statistics.Confirmation, test: statistics.Confirmation | None
) -> Confirmed:
    record = material.record
    assert record.confirming is not None
    (candidate,) = (c for c in record.confirming.candidates if c.label == label)
    trained = [trial for trial in material.trials if label_of(record.confirming, trial) == label]
    valued = {trial.number: value for trial in trained if isfinite(value := _known(trial))}
    best = max(valued, key=lambda n: _sign(record) * valued[n], default=None)
    return Confirmed(
        label=label,
        trial=candidate.trial,
        params=candidate.params,
        is_reference=label == record.confirming.reference,
        is_finalist=not any(e.candidate == label and e.dropped for e in val.estimates) and bool(valued),
        search_value=candidate.search_value,
        val=_estimate(label, val),
        test=None if test is None else _estimate(label, test, metric=test.metric),
        val_difference=_difference(label, val),
        test_difference=None if test is None else _difference(label, test),
        drop=next((_drop(drop) for drop in val.drops if drop.candidate == label), None),
        seeds=tuple(trial.seeds[0] for trial in trained if trial.number in valued),
        num_failed=sum(trial.state.is_terminal for trial in trained) - len(valued),
        best_run=best,
        best_step=next((trial.best_step for trial in trained if trial.number == best), None),
    )


def _known(trial: TrialRecord) -> float:
    value = confirmed_value(trial)
    return float("nan") if value is None else value


def _sign(record: SweepRecord) -> int:
    return 1 if record.spec.objective.better(1.0, 0.0) else -1


def _estimate(label: str, judged: statistics.Confirmation, *, metric: str | None = None) -> Estimate | None:
    """Of a metric alone where one is given: a candidate that was ruled out has only val's."""
    for found in judged.estimates:
        if found.candidate == label and metric in (None, found.metric):
            value = found.value
            return Estimate(mean=value.mean, low=_end(value.low), high=_end(value.high), num_seeds=found.seeds)
    return None


def _difference(label: str, judged: statistics.Confirmation) -> Difference | None:
    for found in judged.against_default:
        if found.candidate == label:
            ends = {"low": _end(found.low), "high": _end(found.high)}
            return Difference(mean=found.mean, separated=found.separated, **ends)
    return None


def _drop(found: statistics.Drop) -> Drop:
    return Drop(mean=found.drop.mean, low=_end(found.drop.low), high=_end(found.drop.high))


def _end(value: float) -> float | None:
    return value if isfinite(value) else None


def _read(read: stored.SplitRead, confirmation: str) -> Read:
    return Read(
        who=read.who,
        at=moment(read.at_ms),
        why=read.why,
        confirmation=read.confirmation,
        own=read.confirmation == confirmation,
        finished=read.ended_ms is not None,
    )
