"""A trial of an earlier sweep, and one of this sweep that goes on for longer, as trials of this study.

Called by `Storage.create` and by `Ledger.extend`. An imported trial teaches the sampler, and competes with others at
the rungs of successive halving; nobody counts it.
"""

import math
from collections.abc import Sequence
from datetime import datetime

from optuna.distributions import BaseDistribution
from optuna.trial import FrozenTrial, TrialState, create_trial

from orchestrator.space import SearchSpace
from orchestrator.spec.model import AshaPruner, PatientPruner, SweepSpec
from orchestrator.study import records
from orchestrator.study.models import GENERATIONS, distribution
from orchestrator.trial import Measurement, TrialRecord
from orchestrator.trial import TrialState as OurState

_STATES = {OurState.COMPLETE: TrialState.COMPLETE, OurState.PRUNED: TrialState.PRUNED}


def imported_trial(record: TrialRecord, *, spec: SweepSpec, space: SearchSpace, source: str) -> FrozenTrial:
    """A complete or pruned trial of the sweep `source`, whose parameters lie in this sweep's space."""
    rungs = _rungs(record, spec)
    attrs = {
        records.IMPORTED: source,
        records.ATTEMPT: record.attempt,
        records.PROPOSED: {"seeds": list(record.seeds)},
        records.ENDING: None if record.ending is None else records.write_ending(record.ending),
    }
    for measurement in record.measurements:
        attrs[f"{records.STEP}{measurement.step}"] = records.write_measurement(measurement, rungs.get(measurement.step))
    best = next((m.metrics for m in record.measurements if m.step == record.best_step), {})
    missed = spec.missed_floors(best)
    trial = create_trial(
        state=_STATES[record.state],
        values=[best[o.metric] for o in spec.objectives] if record.state is OurState.COMPLETE else None,
        params=dict(record.params),
        distributions=_distributions(record, space),
        user_attrs=attrs,
        system_attrs={GENERATIONS[spec.sampler.type]: 0} if spec.sampler.type in GENERATIONS else {},
        intermediate_values={} if spec.further_objectives else _values(record, spec),
        constraints={f"floor:{metric}": missed.get(metric, 0.0) for metric in spec.floors},
    )
    trial.datetime_start, trial.datetime_complete = _date(record.started_ms), _date(record.ended_ms)
    return trial


def extended_trial(frozen: FrozenTrial) -> FrozenTrial:
    """An open trial that goes on where a complete one ended: its parameters, seeds, measurements and decisions."""
    kept = (records.PROPOSED, records.STEP, records.REPEATED, records.REST)
    attrs = {key: value for key, value in frozen.user_attrs.items() if key.startswith(kept)}
    return create_trial(
        state=TrialState.RUNNING,
        params=frozen.params,
        distributions=frozen.distributions,
        user_attrs={**attrs, records.EXTENDS: frozen.number, records.ATTEMPT: 0, records.PAUSED: True},
        # The notes of a population or of CMA-ES belong to its place in a generation.
        system_attrs={key: value for key, value in frozen.system_attrs.items() if not key.startswith("constraints")},
        intermediate_values=frozen.intermediate_values,
    )


def _distributions(record: TrialRecord, space: SearchSpace) -> dict[str, BaseDistribution]:
    return {name: distribution(space.parameters[name]) for name in record.params}


def _values(record: TrialRecord, spec: SweepSpec) -> dict[int, float]:
    values = {m.step: m.metrics.get(spec.objective.metric, math.nan) for m in record.measurements}
    return {step: value for step, value in values.items() if math.isfinite(value)}


def _rungs(record: TrialRecord, spec: SweepSpec) -> dict[int, dict[str, float | int | bool | None]]:
    """What the trial would have been compared with at the rungs of this sweep's successive halving, by its step.

    A hyperband bracket belongs to a number of this sweep, so imported trials have none.
    """
    pruner = spec.pruner.pruner if isinstance(spec.pruner, PatientPruner) else spec.pruner
    if not isinstance(pruner, AshaPruner):
        return {}
    found: dict[int, dict[str, float | int | bool | None]] = {}
    rung = 0
    for measurement in _trained(record.measurements, spec):
        reached = rung
        while measurement.step >= pruner.min_epochs * pruner.reduction_factor**reached:
            reached += 1
        if reached > rung:
            value = measurement.metrics[spec.objective.metric]
            found[measurement.step] = {"step": measurement.step, "rung": reached - 1, "value": value, "pruned": False}
            rung = reached
    return found


def _trained(measurements: Sequence[Measurement], spec: SweepSpec) -> list[Measurement]:
    return [m for m in measurements if m.step > 0 and math.isfinite(m.metrics.get(spec.objective.metric, math.nan))]


def _date(at_ms: int | None) -> datetime | None:
    return None if at_ms is None else datetime.fromtimestamp(at_ms / 1000)
