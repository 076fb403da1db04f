"""What a sampler would propose first, without a ledger."""

from collections.abc import Mapping

import optuna

from orchestrator.spec import SweepSpec
from orchestrator.study.ledger import Ledger
from orchestrator.trial import JsonValue, Value


def num_trials(spec: SweepSpec, fixed: Mapping[str, JsonValue]) -> int:
    """How many trials a sweep will have: its budget, or what its grid or its population has."""
    return _ledger(spec, fixed).limit


def first_configurations(spec: SweepSpec, fixed: Mapping[str, JsonValue], *, count: int) -> list[Mapping[str, Value]]:
    """The first `count` configurations that a sweep will try; fewer when its budget or grid is smaller."""
    ledger = _ledger(spec, fixed)
    suggestions = [ledger.ask() for _ in range(count)]
    return [suggestion.params for suggestion in suggestions if suggestion is not None]


def _ledger(spec: SweepSpec, fixed: Mapping[str, JsonValue]) -> Ledger:
    study = optuna.create_study(directions=[objective.direction.value for objective in spec.objectives])
    return Ledger(study, spec=spec, fixed=fixed)
