"""`--continue-from`: which trials of an earlier sweep are trials of a new space too, and why the others are not.

A trial is taken if some configuration of the new space trains exactly what it trained: a new parameter has the value
that the earlier sweep had for it, and a parameter that is not searched any more has the value that it has now.
"""

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, cast

from pydantic import ValidationError

from orchestrator.errors import SpecError, UsageError
from orchestrator.space import Parameter, describe, exact, includes, same_value, show
from orchestrator.spec import dump, parse
from orchestrator.spec.dotted import flatten
from orchestrator.study import Continued, SweepRecord
from orchestrator.sweeps.checks import CheckedSweep, check
from orchestrator.sweeps.paths import Home
from orchestrator.sweeps.read import open_storage
from orchestrator.trial import JsonValue, TrialRecord, TrialState, Value

EPOCHS = "epochs"


@dataclass(frozen=True, slots=True)
class History:
    """The trials that a new sweep takes over, and what is said of them."""

    continued: Continued
    trials: Sequence[TrialRecord]


class _Misfit(Exception):
    """Why a trial is not taken; equal reasons are counted together."""


def history_of(
    home: Home, reference: str, checked: CheckedSweep, *, directory: Path, may_differ: Sequence[str] = ()
) -> History:
    """Find the trials of a stored sweep that a new one can learn from; see `take_over`.

    Raises:
        SweepNotFoundError: there is none of that name.
        UsageError: as of `take_over`.
    """
    with closing(open_storage(home)) as storage:
        ledger = storage.open(reference)
        return take_over(ledger.sweep, ledger.history(), checked, directory=directory, may_differ=may_differ)


def take_over(
    old: SweepRecord,
    trials: Sequence[TrialRecord],
    checked: CheckedSweep,
    *,
    directory: Path,
    may_differ: Sequence[str] = (),
) -> History:
    """Find the trials of an earlier sweep that a new one can learn from.

    Args:
        old: the earlier sweep.
        trials: all that its own sampler knew.
        checked: the new sweep's file.
        directory: where a user's own modules are found.
        may_differ: dotted keys of the Config of which the person says that they do not change the objective.

    Raises:
        UsageError: the two do not measure the same thing, or not one trial fits; the message says why.
    """
    _refuse_other_question(old, checked)
    _refuse_other_config(old, checked, may_differ)
    try:
        before = check(parse(dump(old.spec), file=f"{old.name} (as launched)"), directory=directory)
    except SpecError as error:
        raise UsageError(f"{old.name} cannot be read with the trainable as it is now:\n{error}") from error
    taken: list[TrialRecord] = []
    dropped: Counter[str] = Counter()
    for trial in trials:
        try:
            _refuse_unfit(trial, checked)
            trained = _trained(trial, old, before)
            params = _place(trained, checked)
            _refuse_other_training(trained, _whole_config(checked, params), may_differ)
            taken.append(replace(trial, params=params))
        except _Misfit as misfit:
            dropped[str(misfit)] += 1
        except ValidationError:
            dropped["the trainable's Config does not take it any more"] += 1
    if not taken:
        why = "".join(f"\n  {count} x {reason}" for reason, count in dropped.most_common()) or " it has none"
        raise UsageError(f"no trial of {old.name} fits the new sweep:{why}")
    return History(Continued(old.name, old.id, len(taken), dict(dropped.most_common())), taken)


def _refuse_other_question(old: SweepRecord, checked: CheckedSweep) -> None:
    new = checked.spec
    if old.confirms is not None:
        raise UsageError(
            f"{old.name} confirms {old.confirms}; continue from the search: --continue-from {old.confirms}"
        )
    if old.spec.trainable != new.trainable:
        raise UsageError(f"{old.name} trained {old.spec.trainable}, and the new sweep trains {new.trainable}")
    words = [
        ", ".join(f"{objective.direction} {objective.metric}" for objective in spec.objectives)
        for spec in (old.spec, new)
    ]
    if words[0] != words[1]:
        raise UsageError(f"{old.name} has another objective: {words[0]}; the new sweep has: {words[1]}")


def _refuse_other_config(old: SweepRecord, checked: CheckedSweep, may_differ: Sequence[str]) -> None:
    """What neither of the two searches must be equal: otherwise the values cannot be compared."""
    if EPOCHS in may_differ:
        raise UsageError(
            f"{EPOCHS} cannot differ: a value after more epochs is another measurement; to train the trials of "
            f"{old.name} for longer: orch resume {old.name} --extend {EPOCHS}=N"
        )
    changed = [
        f"\n  {key}: {show(old.fixed[key])} -> {show(value)}"
        for key, value in checked.fixed.items()
        if key in old.fixed and key not in may_differ and not _equal(old.fixed[key], value)
    ]
    if changed:
        hint = "if a key does not change what is measured: --may-differ KEY"
        raise UsageError(f"{old.name} was trained with another config ({hint}):{''.join(changed)}")


def _refuse_unfit(trial: TrialRecord, checked: CheckedSweep) -> None:
    spec = checked.spec
    if trial.segment is not None:
        raise _Misfit("a stretch of a training whose parameters changed")
    if trial.state is TrialState.FAILED:
        raise _Misfit("it failed")
    if not trial.state.is_terminal:
        raise _Misfit("it has not ended")
    best = next((m.metrics for m in trial.measurements if m.step == trial.best_step), {})
    for metric in (*(o.metric for o in spec.objectives), *spec.floors):
        if trial.state is TrialState.COMPLETE and not math.isfinite(best.get(metric, math.nan)):
            raise _Misfit(f"it has no value of {metric}")


def _trained(trial: TrialRecord, old: SweepRecord, before: CheckedSweep) -> dict[str, JsonValue]:
    """The whole config of a trial; what the earlier sweep did not search is as it was at its launch."""
    config = _whole_config(before, trial.params)
    return {key: value if key in trial.params else old.fixed.get(key, value) for key, value in config.items()}


def _whole_config(checked: CheckedSweep, params: Mapping[str, Value]) -> dict[str, JsonValue]:
    """By dotted key."""
    return dict(flatten(cast(Mapping[str, Any], checked.config(params))))


def _place(trained: Mapping[str, JsonValue], checked: CheckedSweep) -> dict[str, Value]:
    """The configuration of the new space with the values that were trained."""

    def take(name: str, parameter: Parameter) -> Value:
        value = trained.get(name)
        if not isinstance(value, bool | int | float | str):
            raise _Misfit(f"{name} had no value")
        if not includes(parameter, value):
            raise _Misfit(f"{name} was outside of what is searched now: {describe(parameter)}")
        return exact(parameter, value)

    params = checked.space.sample(take)
    if not checked.space.is_feasible(params):
        raise _Misfit("it does not satisfy the constraints")
    return params


def _refuse_other_training(
    old: Mapping[str, JsonValue], new: Mapping[str, JsonValue], may_differ: Sequence[str]
) -> None:
    names = dict.fromkeys((*new, *old))
    differ = [name for name in names if name not in may_differ and not _equal(old.get(name), new.get(name))]
    if differ:
        raise _Misfit(f"it was trained with another {' and '.join(sorted(differ))}")


def _equal(a: JsonValue, b: JsonValue) -> bool:
    if isinstance(a, bool | int | float | str) and isinstance(b, bool | int | float | str):
        return same_value(a, b)
    return a == b
