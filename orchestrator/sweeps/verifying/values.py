"""Checks of what was measured: the ledger and Optuna have the same values, and each trial's steps have no holes."""

import itertools
import json
import math
from collections.abc import Iterator
from dataclasses import asdict, replace

from orchestrator.sweeps.verifying.evidence import Evidence
from orchestrator.sweeps.verifying.numbers import same_lists, same_maps
from orchestrator.sweeps.verifying.report import Outcome, Violation
from orchestrator.trial import Outline, TrialRecord, TrialState

_BACKUP = "restore the ledger from a backup; the ledger is not changed to agree with itself"


def check_objective(evidence: Evidence) -> Outcome:
    """The value that Optuna was told of a complete trial is the best that it measured."""
    metrics = [objective.metric for objective in evidence.record.spec.objectives]
    told = {stored.number: stored.values for stored in evidence.stored}
    violations: list[Violation] = []
    for trial in evidence.trials:
        measured = tuple(trial.values.get(metric, math.nan) for metric in metrics)
        expected = measured if trial.state is TrialState.COMPLETE else ()
        # Optuna makes the newest intermediate value of a pruned trial its value where it is told none.
        seen = told[trial.number] if trial.state is TrialState.COMPLETE else ()
        if not same_lists(seen, expected):
            what = "Optuna's value is not the best measurement"
            violations.append(Violation(what, trial.number, seen=list(seen), expected=list(expected), advice=_BACKUP))
    return Outcome(violations)


def check_steps(evidence: Evidence) -> Outcome:
    """Each trial's steps are the sweep's own, without a hole, Optuna has the same ones, and the outline is theirs."""
    measured = {m.step for trial in evidence.trials for m in trial.measurements}
    intermediate = {stored.number: dict(stored.intermediate) for stored in evidence.stored}
    violations: list[Violation] = []
    for trial in evidence.trials:
        found = [*_holes(trial, measured)]
        if not evidence.record.spec.further_objectives:
            found += _differences(trial, intermediate[trial.number], evidence)
        # What is missing or changed would be said twice.
        violations += found or _outline_violations(trial)
    return Outcome(violations)


def _holes(trial: TrialRecord, measured: set[int]) -> Iterator[Violation]:
    steps = [m.step for m in trial.measurements]
    if hole := sorted(measured.intersection(_skipped(steps))):
        what = "steps are missing that other trials have measured"
        yield Violation(what, trial.number, seen=steps, expected=hole, advice=_BACKUP)


def _differences(trial: TrialRecord, seen: dict[int, float], evidence: Evidence) -> Iterator[Violation]:
    expected = _reported(trial, evidence)
    if not same_maps(seen, expected) and (trial.state.is_terminal or not _differ_by_the_newest(seen, expected)):
        what = "Optuna's intermediate values are not the measurements"
        yield Violation(what, trial.number, seen=_text(seen), expected=_text(expected), advice=_BACKUP)


def _outline_violations(trial: TrialRecord) -> Iterator[Violation]:
    """Findings are left as stored: they are what the checks of that day said."""
    if (outline := trial.outline) is None:
        return
    expected = _shown(replace(replace(trial, outline=None).outlined, findings=outline.findings))
    if (seen := _shown(outline)) != expected:
        what = "what is stored with its ending is not what its measurements come to"
        yield Violation(what, trial.number, seen=seen, expected=expected, advice=_BACKUP)


def _shown(outline: Outline) -> str:
    return json.dumps(asdict(outline), sort_keys=True)


def _skipped(steps: list[int]) -> Iterator[int]:
    """Between two steps, where the trial's own stride is shorter."""
    strides = [after - before for before, after in itertools.pairwise(steps)]
    for before, stride in zip(steps, strides, strict=False):
        if stride > min(strides):
            yield from range(before + 1, before + stride)


def _reported(trial: TrialRecord, evidence: Evidence) -> dict[int, float]:
    metric = evidence.record.spec.objective.metric
    values = {m.step: m.metrics.get(metric, math.nan) for m in trial.measurements}
    return {step: value for step, value in values.items() if math.isfinite(value)}


def _differ_by_the_newest(seen: dict[int, float], expected: dict[int, float]) -> bool:
    """A driver writes a measurement at two places, one after the other, and may have died, or be, between them."""
    common = seen.keys() & expected.keys()
    newest = max(common, default=-1)
    ahead = (seen.keys() | expected.keys()) - common
    in_common = same_maps({s: seen[s] for s in common}, {s: expected[s] for s in common})
    return in_common and all(step > newest for step in ahead)


def _text(values: dict[int, float]) -> str:
    return ", ".join(f"{step}: {value!r}" for step, value in sorted(values.items()))
