"""Checks of a sweep file against the trainable's typed Config and metrics, before anything starts.

Called by `sweeps` with the Config class; knows no trainable. Field by field first; what only a whole configuration
can show is left to `config_trials`.
"""

from collections.abc import Collection, Iterator

from pydantic import BaseModel

from orchestrator.errors import Fault, SpecError
from orchestrator.space import Categorical, Fixed, Float, Int, Parameter, SearchSpace, value_at
from orchestrator.spec.config_fields import Objection, field_names, field_types, objection
from orchestrator.spec.config_trials import file_space, fixed_values, refused_configurations
from orchestrator.spec.constraint_checks import check_constraints
from orchestrator.spec.dotted import flatten
from orchestrator.spec.loading import SpecDocument
from orchestrator.spec.model import (
    BelowUntrainedRule,
    CollapseRule,
    NonFiniteRule,
    PlateauRule,
    SweepSpec,
    TargetRule,
)
from orchestrator.spec.nodes import Node, Path
from orchestrator.spec.point_checks import check_points_in, check_points_of
from orchestrator.spec.rule_checks import check_directions, check_population, check_pruner
from orchestrator.spec.wording import did_you_mean
from orchestrator.trial import Value


def check_config(
    document: SpecDocument, config_type: type[BaseModel], *, metrics: Collection[str] | None
) -> SearchSpace:
    """The search space, with the values of Config that are not searched in `fixed`.

    Args:
        document: a loaded sweep file.
        config_type: the trainable's Config.
        metrics: the names that the trainable reports; None if unknown.

    Raises: SpecError: the space, `config:`, the objective or a stop rule does not fit the trainable.
    """
    spec, root = document.spec, document.root
    faults = [*_check_space(spec, root, config_type), *_check_fixed(spec, root, config_type)]
    fits = not faults
    if metrics is not None:
        faults += _check_metrics(spec, root, metrics)
    faults += check_directions(spec, root, metrics=metrics)
    fixed = fixed_values(spec, config_type) if fits else None
    if fixed is not None:
        faults += check_constraints(spec, root, fixed, complete=True)
        faults += check_pruner(spec, root, fixed, complete=True)
        faults += check_population(spec, root, fixed, complete=True)
    if faults:
        raise SpecError(faults)
    space = file_space(spec) if fixed is None else SearchSpace(spec.space, spec.constraints, fixed)
    faults += check_points_in(space, spec, root) or check_points_of(config_type, space, spec, root)
    if faults := [*faults, *refused_configurations(spec, root, space, config_type)]:
        raise SpecError(faults)
    return space


def check_without_config(document: SpecDocument) -> SearchSpace:
    """The search space by what the file alone can say, where the trainable's Config is not to be had.

    Raises: SpecError: a point does not fit the space.
    """
    space = file_space(document.spec)
    if faults := check_points_in(space, document.spec, document.root):
        raise SpecError(faults)
    return space


def _unknown(root: Node, path: Path, key: str, config_type: type[BaseModel]) -> Fault:
    known = field_names(config_type)
    below = [name for name in known if name.startswith(f"{key}.")]
    hint = did_you_mean(key, known) or f"known: {', '.join(below or known)}"
    return root.fault(path, f"the trainable's Config has no field {key!r}", hint, at_key=True)


def _check_fixed(spec: SweepSpec, root: Node, config_type: type[BaseModel]) -> Iterator[Fault]:
    for key, value in flatten(spec.config).items():
        path = ("config", *key.split("."))
        types = field_types(config_type, key)
        if not types:
            yield _unknown(root, path, key, config_type)
        elif value != {} and (found := objection(types, value)):
            yield root.fault(path, found.what, found.hint)


def _check_space(spec: SweepSpec, root: Node, config_type: type[BaseModel]) -> Iterator[Fault]:
    for name, parameter in spec.space.items():
        types = field_types(config_type, name)
        if not types:
            yield _unknown(root, ("space", name), name, config_type)
            continue
        for part, found in _objections(parameter, types):
            yield root.fault(("space", name, *part), found.what, found.hint)


def _objections(parameter: Parameter, types: list[object]) -> Iterator[tuple[Path, Objection]]:
    """What a field says to the values of a parameter, with the key under the parameter that it is about."""
    probes: list[tuple[Path, Value]]
    match parameter:
        case Fixed():
            probes = [(("value",), parameter.value)]
        case Categorical():
            probes = [(("choices", position), choice) for position, choice in enumerate(parameter.choices)]
        case Float() | Int():
            inner = objection(types, _inner_value(parameter))
            if inner is not None and not inner.is_bound:
                yield ("type",), _wrong_kind(parameter, inner, types)
                return
            probes = [(("low",), parameter.low), (("high",), parameter.high)]
    for part, value in probes:
        if found := objection(types, value):
            yield part, found


def _wrong_kind(parameter: Float | Int, found: Objection, types: list[object]) -> Objection:
    what = f"the field does not take {'a float' if isinstance(parameter, Float) else 'an int'}"
    if found.options:
        what += f"; allowed: {', '.join(found.options)}"
    as_int = isinstance(parameter, Float) and "a whole number" in found.options and objection(types, 1) is None
    return Objection(what, hint="use type: int" if as_int else "")


def _inner_value(parameter: Float | Int) -> Value:
    """A value inside the range that is not whole by chance, unless all of them are."""
    if isinstance(parameter, Int) or parameter.step is not None:
        return value_at(parameter, 1)
    return parameter.low * 0.618 + parameter.high * 0.382


def _check_metrics(spec: SweepSpec, root: Node, metrics: Collection[str]) -> Iterator[Fault]:
    named: list[tuple[Path, str]] = [(("objective", "metric"), spec.objective.metric)]
    named += [(("further_objectives", n, "metric"), o.metric) for n, o in enumerate(spec.further_objectives)]
    named += [(("floors", metric), metric) for metric in spec.floors]
    for position, rule in enumerate(spec.stop):
        at = ("stop", position)
        match rule:
            case PlateauRule() | TargetRule() | BelowUntrainedRule() if rule.metric is not None:
                named.append(((*at, "metric"), rule.metric))
            case NonFiniteRule():
                named += [((*at, "metrics", index), metric) for index, metric in enumerate(rule.metrics)]
            case CollapseRule() if not any(rule.reads_resultant(name) or rule.reads_rank(name) for name in metrics):
                what = "collapse reads val/resultant_length and val/effective_rank; the trainable reports neither"
                yield root.fault((*at, "type"), what)
            case _:
                pass
    for path, metric in named:
        if metric not in metrics:
            hint = did_you_mean(metric, metrics) or f"reported: {', '.join(sorted(metrics))}"
            yield root.fault(path, f"the trainable does not report {metric!r}", hint)
