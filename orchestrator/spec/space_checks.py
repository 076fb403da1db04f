"""Checks of `space:` in itself: names, domains, and conditions that nothing could ever satisfy.

Called by `loading` on a file of the right shape. Constraints have their own module.
"""

from collections.abc import Iterator, Mapping

from orchestrator.errors import Fault
from orchestrator.space import (
    Categorical,
    Float,
    Int,
    Parameter,
    allowed_values,
    describe,
    find_cycle,
    includes,
    same_value,
    show,
)
from orchestrator.spec.dotted import flatten
from orchestrator.spec.model import SweepSpec
from orchestrator.spec.nodes import Node
from orchestrator.spec.wording import did_you_mean
from orchestrator.trial import Value


def check_space(spec: SweepSpec, root: Node) -> Iterator[Fault]:
    """Faults of the parameters as far as the file alone tells."""
    yield from _check_names(spec, root)
    for name, parameter in spec.space.items():
        yield from _check_domain(name, parameter, root)
    faults = list(_check_conditions(spec, root))
    yield from faults or _check_reachable(spec.space, root)


def _check_names(spec: SweepSpec, root: Node) -> Iterator[Fault]:
    """A key is set in one place: not twice in the space, and not in the space and under `config:`."""
    config = flatten(spec.config)
    for name in spec.space:
        if not all(name.split(".")):
            yield root.fault(("space", name), "a dotted key with an empty part")
        for other in spec.space:
            if name.startswith(f"{other}."):
                yield root.fault(("space", name), f"lies inside {other!r}, which is searched as one value")
        for key, value in config.items():
            inside = name.startswith(f"{key}.") and value != {}
            if key == name or inside or key.startswith(f"{name}."):
                what = f"set here and searched as space.{name}; a key stands in one of the two"
                yield root.fault(("config", *key.split(".")), what, at_key=True)


def _check_domain(name: str, parameter: Parameter, root: Node) -> Iterator[Fault]:
    if isinstance(parameter, Float | Int):
        yield from _check_range(name, parameter, root)
    if isinstance(parameter, Categorical):
        for position, choice in enumerate(parameter.choices):
            if any(same_value(choice, earlier) for earlier in parameter.choices[:position]):
                yield root.fault(("space", name, "choices", position), f"{show(choice)} is listed twice")


def _check_range(name: str, parameter: Float | Int, root: Node) -> Iterator[Fault]:
    low, high, step = parameter.low, parameter.high, parameter.step
    at = ("space", name)
    if low > high:
        yield root.fault((*at, "low"), f"{low} is above high: {high}; low must be below high", "swap the two")
    elif low == high:
        what = f"{low} equals high; low must be below high"
        yield root.fault((*at, "low"), what, f"for one value use {{type: fixed, value: {low}}}")
    elif step is not None and step > high - low:
        yield root.fault((*at, "step"), f"{step} is larger than the range from {low} to {high}")
    if parameter.log and low <= 0:
        yield root.fault((*at, "low"), f"{low} with log: true; a logarithmic range needs low above 0")
    if parameter.log and step not in (None, 1):
        yield root.fault((*at, "step"), f"{step} with log: true; a range has a step or a logarithm, not both")


def _check_conditions(spec: SweepSpec, root: Node) -> Iterator[Fault]:
    """Conditions one by one, and cycles of them."""
    config = flatten(spec.config)
    for name, parameter in spec.space.items():
        for parent in parameter.when:
            if parent in spec.space:
                yield from _check_parent(name, parent, spec.space, root)
            elif parent in config:
                yield from _check_fixed_parent(name, parent, spec, root)
            else:
                at = ("space", name, "when", parent)
                hint = did_you_mean(parent, [*spec.space, *config]) or "name a parameter of space: or a key of config:"
                yield root.fault(at, f"unknown parameter {parent!r}", hint, at_key=True)
    if cycle := find_cycle(spec.space):
        at = ("space", cycle[0], "when", cycle[1])
        yield root.fault(at, f"the conditions form a cycle: {' -> '.join(cycle)}", at_key=True)


def _check_parent(name: str, parent_name: str, space: Mapping[str, Parameter], root: Node) -> Iterator[Fault]:
    at = ("space", name, "when", parent_name)
    parent = space[parent_name]
    condition = space[name].when[parent_name]
    if isinstance(parent, Float):
        what = f"{parent_name} is a float, which is never exactly one value"
        yield root.fault(at, what, "a condition needs a categorical, int or fixed parameter", at_key=True)
        return
    if condition == ():
        yield root.fault(at, "an empty list, so it could never be active")
    for position, value in enumerate(allowed_values(condition)):
        if not includes(parent, value):
            where = (*at, position) if isinstance(condition, tuple) else at
            choices = parent.choices if isinstance(parent, Categorical) else ()
            hint = did_you_mean(str(value), [choice for choice in choices if isinstance(choice, str)])
            yield root.fault(where, f"{show(value)} can never be; {parent_name} is {describe(parent)}", hint)


def _check_fixed_parent(name: str, parent: str, spec: SweepSpec, root: Node) -> Iterator[Fault]:
    value = flatten(spec.config)[parent]
    wanted = allowed_values(spec.space[name].when[parent])
    if not isinstance(value, bool | int | float | str) or not any(same_value(value, one) for one in wanted):
        what = f"never active: config: sets {parent} to {show(value)}, not to {_alternatives(wanted)}"
        yield root.fault(("space", name, "when", parent), what)


def _check_reachable(space: Mapping[str, Parameter], root: Node) -> Iterator[Fault]:
    """Parameters whose own and inherited conditions contradict each other."""
    needs: dict[str, dict[str, tuple[Value, ...]]] = {}
    unreachable: set[str] = set()

    def gather(name: str) -> Iterator[Fault]:
        if name in needs or name not in space:
            return
        needs[name] = {}
        for parent, condition in space[name].when.items():
            yield from gather(parent)
            if parent in unreachable:
                unreachable.add(name)
            for key, values in {**needs.get(parent, {}), parent: allowed_values(condition)}.items():
                both = tuple(v for v in needs[name].get(key, values) if any(same_value(v, one) for one in values))
                if not both and name not in unreachable:
                    unreachable.add(name)
                    what = f"never active: {key} would have to be {_alternatives(needs[name][key])}"
                    yield root.fault(("space", name, "when"), f"{what} and also {_alternatives(values)}")
                needs[name][key] = both

    for name in space:
        yield from gather(name)


def _alternatives(values: tuple[Value, ...]) -> str:
    return " or ".join(map(show, values))
