"""Checks of `constraints:`: readable, about known names, of the right kinds, and possible to satisfy.

Called by `loading` with the names that the file has, and by `config_check` once the trainable's defaults are known.
"""

import itertools
import random
from collections.abc import Iterator, Mapping

from orchestrator.errors import Fault
from orchestrator.space import (
    Expression,
    ExpressionError,
    Kinds,
    SearchSpace,
    check_kinds,
    corners,
    describe,
    kind_of,
    parameter_kinds,
    parse_expression,
    random_value,
    show,
)
from orchestrator.spec.model import SweepSpec
from orchestrator.spec.nodes import Node
from orchestrator.spec.wording import did_you_mean
from orchestrator.trial import Value

NUM_DRAWS = 2000
MAX_CORNERS = 4096


def check_constraints(
    spec: SweepSpec, root: Node, fixed: Mapping[str, Value], *, complete: bool, sample: bool = True
) -> Iterator[Fault]:
    """Faults of each constraint, and of all of them together.

    Args: spec: the sweep. root: for the places. fixed: dotted values that are not searched.
        complete: whether `fixed` has every field of the Config; until then an unknown name is no fault.
        sample: whether to look for a configuration that satisfies them; the space must be free of faults for that.
    """
    kinds: dict[str, Kinds] = {name: frozenset({kind_of(value)}) for name, value in fixed.items()}
    kinds |= {name: parameter_kinds(parameter) for name, parameter in spec.space.items()}
    readable: dict[int, Expression] = {}
    faults: list[Fault] = []
    for position, text in enumerate(spec.constraints):
        try:
            expression = parse_expression(text)
            unknown = [name for name in expression.names if name.name not in kinds]
            if not unknown:
                check_kinds(expression, kinds)
                readable[position] = expression
            faults += [_unknown_name(name.name, name.column, position, kinds, root) for name in unknown if complete]
        except ExpressionError as error:
            faults.append(root.fault(("constraints", position), str(error)))
    yield from faults
    if sample and not faults:
        yield from _check_satisfiable(spec, root, fixed, readable)


def _unknown_name(name: str, column: int, position: int, kinds: Mapping[str, Kinds], root: Node) -> Fault:
    hint = did_you_mean(name, kinds) or "name a parameter of space: or a field of the trainable's Config"
    return root.fault(("constraints", position), f"column {column}: unknown name {name!r}", hint)


def _check_satisfiable(
    spec: SweepSpec, root: Node, fixed: Mapping[str, Value], readable: Mapping[int, Expression]
) -> Iterator[Fault]:
    """Constraints that no random draw and no corner of the space satisfies, alone or together."""
    impossible = False
    for position, expression in readable.items():
        space = SearchSpace(spec.space, (expression.text,), fixed)
        if not _can_hold(space, expression, spec.seed):
            impossible = True
            what = f"can never hold: {_evidence()} satisfies {show(expression.text)}"
            yield root.fault(("constraints", position), what, _domains(expression, spec, fixed))
    if impossible or len(readable) < 2:
        return
    space = SearchSpace(spec.space, tuple(expression.text for expression in readable.values()), fixed)
    if not any(map(space.is_feasible, _points(space, tuple(readable.values()), spec.seed))):
        yield root.fault(("constraints",), f"can never hold together: {_evidence()} satisfies all of them")


def _evidence() -> str:
    return f"none of {NUM_DRAWS} random configurations and no corner of the space"


def _domains(expression: Expression, spec: SweepSpec, fixed: Mapping[str, Value]) -> str:
    names = dict.fromkeys(name.name for name in expression.names)
    return "; ".join(
        f"{name} is {describe(spec.space[name]) if name in spec.space else show(fixed[name])}" for name in names
    )


def _can_hold(space: SearchSpace, expression: Expression, seed: int) -> bool:
    """Whether it holds somewhere where all its names are active. One that never applies excludes nothing."""
    applies = False
    for values in _points(space, (expression,), seed):
        known = {**space.fixed, **values}
        if all(name.name in known for name in expression.names):
            applies = True
            if expression.holds(known):
                return True
    return not applies


def _points(space: SearchSpace, expressions: tuple[Expression, ...], seed: int) -> Iterator[dict[str, Value]]:
    """Random draws first, then corners of what the constraints name and of what that depends on."""
    rng = random.Random(seed)
    for _ in range(NUM_DRAWS):
        yield space.sample(lambda _, parameter: random_value(parameter, rng))
    names = _with_ancestors(space, [name.name for expression in expressions for name in expression.names])
    extremes = [corners(space.parameters[name]) for name in names]
    for combination in itertools.islice(itertools.product(*extremes), MAX_CORNERS):
        chosen = dict(zip(names, combination, strict=True))
        yield space.sample(lambda name, parameter, at=chosen: at.get(name, corners(parameter)[0]))  # type: ignore[misc]


def _with_ancestors(space: SearchSpace, names: list[str]) -> list[str]:
    found = [name for name in names if name in space.parameters]
    for name in found:  # grows while it is walked
        found += [parent for parent in space.parameters[name].when if parent in space.parameters]
    return list(dict.fromkeys(found))
