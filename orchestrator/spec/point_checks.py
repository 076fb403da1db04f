"""Checks of `points:`: each must be a configuration of the space, as far as it goes.

Called by `loading` with what the file says, and by `config_check` once the trainable's defaults are known.
"""

from collections.abc import Iterator, Mapping

from pydantic import BaseModel, ValidationError

from orchestrator.errors import Fault
from orchestrator.space import SearchSpace, allowed_values, describe, includes, same_value, show
from orchestrator.spec.dumping import resolve
from orchestrator.spec.model import SweepSpec
from orchestrator.spec.nodes import Node
from orchestrator.spec.wording import did_you_mean
from orchestrator.trial import Value


def check_points(spec: SweepSpec, root: Node) -> Iterator[Fault]:
    """Names that are not searched, and values outside of their domain."""
    for position, point in enumerate(spec.points):
        for name, value in point.items():
            at = ("points", position, name)
            if name not in spec.space:
                hint = did_you_mean(name, list(spec.space)) or f"searched: {', '.join(spec.space)}"
                yield root.fault(at, f"{name!r} is not a parameter of space:", hint, at_key=True)
            elif not includes(spec.space[name], value):
                yield root.fault(at, f"{show(value)} is outside of the space: {describe(spec.space[name])}")


def check_points_in(space: SearchSpace, spec: SweepSpec, root: Node) -> list[Fault]:
    """Values of parameters that are not active, and constraints that a point breaks; all names are known by now."""
    return list(_misfits(space, spec, root))


def _misfits(space: SearchSpace, spec: SweepSpec, root: Node) -> Iterator[Fault]:
    for position, point in enumerate(spec.points):
        for name in point:
            if unmet := _unmet_condition(space, name, point):
                yield root.fault(("points", position, name), f"not active: {unmet}", "leave it out", at_key=True)
        if not space.is_feasible(point):
            broken = [text for text in spec.constraints if not _holds(space, text, point)]
            yield root.fault(("points", position), f"does not satisfy {' and '.join(broken)}")


def check_points_of(config_type: type[BaseModel], space: SearchSpace, spec: SweepSpec, root: Node) -> Iterator[Fault]:
    """Points that the trainable's Config refuses as they are; one with open parameters may still be filled up well."""
    for position, point in enumerate(spec.points):
        if not space.contains(point):
            continue
        try:
            config_type.model_validate(resolve(spec, point))
        except ValidationError as error:
            details = error.errors(include_url=False)[0]
            where = ".".join(map(str, details["loc"]))
            what = f"the trainable's Config says of {where}: {details['msg']}" if where else details["msg"]
            yield root.fault(("points", position), what)


def _unmet_condition(space: SearchSpace, name: str, point: Mapping[str, Value]) -> str:
    """The first condition of a parameter, or of one above it, that the point does not meet; empty if it is active."""
    for parent, condition in space.parameters[name].when.items():
        known = point if parent in space.parameters else space.fixed
        wanted = " or ".join(map(show, allowed_values(condition)))
        if parent not in known:
            return f"{name} needs {parent} to be {wanted}, which the point does not set"
        if not any(same_value(known[parent], value) for value in allowed_values(condition)):
            return f"{name} needs {parent} to be {wanted}, not {show(known[parent])}"
        if parent in space.parameters and (unmet := _unmet_condition(space, parent, point)):
            return unmet
    return ""


def _holds(space: SearchSpace, constraint: str, point: Mapping[str, Value]) -> bool:
    return SearchSpace(space.parameters, (constraint,), space.fixed).is_feasible(point)
