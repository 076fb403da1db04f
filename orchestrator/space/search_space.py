"""`SearchSpace`: parameters, their conditions and the constraints between them, walked parents first.

Built by `spec.check_config`; read by the samplers' adapter and by the planning of a sweep. Knows no sampler.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from orchestrator.errors import UsageError
from orchestrator.space.expression import Expression
from orchestrator.space.grammar import parse_expression
from orchestrator.space.parameters import Choice, Fixed, Parameter
from orchestrator.space.values import includes, num_values, same_value, value_at
from orchestrator.trial import Value


def allowed_values(condition: Choice | tuple[Choice, ...]) -> tuple[Value, ...]:
    """The values that one entry of a `when:` lists."""
    return condition if isinstance(condition, tuple) else (condition,)


def find_cycle(parameters: Mapping[str, Parameter]) -> tuple[str, ...]:
    """The first cycle of conditions, as the names along it with the first one again at the end; empty if none."""
    done: set[str] = set()

    def visit(name: str, trail: tuple[str, ...]) -> tuple[str, ...]:
        if name in trail:
            return (*trail[trail.index(name) :], name)
        if name in done or name not in parameters:
            return ()
        for parent in parameters[name].when:
            if cycle := visit(parent, (*trail, name)):
                return cycle
        done.add(name)
        return ()

    return next((cycle for name in parameters if (cycle := visit(name, ()))), ())


@dataclass(frozen=True)
class SearchSpace:
    """The configurations that a sweep may try.

    Attributes:
        parameters: dotted name to domain, in file order.
        constraints: expressions over dotted names that must hold.
        fixed: dotted names of the trainable's Config that are not searched, with their values; constraints and
            `when:` may name them.

    Raises: UsageError: a name that neither `parameters` nor `fixed` has, a cycle of conditions, an unreadable
        constraint. A sweep file is checked earlier and with line numbers.
    """

    parameters: Mapping[str, Parameter]
    constraints: Sequence[str] = ()
    fixed: Mapping[str, Value] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if cycle := find_cycle(self.parameters):
            raise UsageError(f"the conditions form a cycle: {' -> '.join(cycle)}")
        used = [parent for parameter in self.parameters.values() for parent in parameter.when]
        used += [name.name for expression in self._expressions for name in expression.names]
        if unknown := [name for name in used if name not in self.parameters and name not in self.fixed]:
            raise UsageError(f"unknown names in conditions or constraints: {', '.join(unknown)}")

    @cached_property
    def names(self) -> tuple[str, ...]:
        """Every parameter, parents before children, otherwise in file order."""
        ordered: dict[str, None] = {}

        def visit(name: str) -> None:
            for parent in self.parameters[name].when:
                if parent in self.parameters and parent not in ordered:
                    visit(parent)
            ordered[name] = None

        for name in self.parameters:
            if name not in ordered:
                visit(name)
        return tuple(ordered)

    @cached_property
    def _expressions(self) -> tuple[Expression, ...]:
        return tuple(parse_expression(text) for text in self.constraints)

    def is_active(self, name: str, values: Mapping[str, Value]) -> bool:
        """Whether a parameter is searched, given the values of its active ancestors."""
        for parent, condition in self.parameters[name].when.items():
            known = values if parent in self.parameters else self.fixed
            if parent not in known or (parent in self.parameters and not self.is_active(parent, values)):
                return False
            if not any(same_value(known[parent], value) for value in allowed_values(condition)):
                return False
        return True

    def sample(self, draw: Callable[[str, Parameter], Value]) -> dict[str, Value]:
        """One walk over the active parameters, parents first; `draw` is called once for each but the fixed ones."""
        values: dict[str, Value] = {}
        for name in self.names:
            parameter = self.parameters[name]
            if self.is_active(name, values):
                values[name] = parameter.value if isinstance(parameter, Fixed) else draw(name, parameter)
        return values

    def is_feasible(self, values: Mapping[str, Value]) -> bool:
        """Whether all constraints hold; one that names an inactive parameter is skipped."""
        known = {**self.fixed, **values}
        return all(
            expression.holds(known)
            for expression in self._expressions
            if all(name.name in known for name in expression.names)
        )

    def contains(self, values: Mapping[str, Value]) -> bool:
        """Whether exactly the active parameters are set, each inside its domain. Constraints are `is_feasible`'s."""
        return all(
            name in values and includes(parameter, values[name]) if self.is_active(name, values) else name not in values
            for name, parameter in self.parameters.items()
        ) and all(name in self.parameters for name in values)

    def endless(self) -> tuple[str, ...]:
        """The parameters that a grid cannot enumerate: floats without a step."""
        return tuple(name for name, parameter in self.parameters.items() if num_values(parameter) is None)

    def grid(self) -> Iterator[dict[str, Value]]:
        """Every distinct feasible assignment, the last parameter of `names` varying fastest.

        Raises: UsageError: a float without a step; the message names each.
        """
        if endless := self.endless():
            raise UsageError(f"a grid needs choices or a step: {', '.join(endless)}")
        return (values for values in self._assignments(0, {}) if self.is_feasible(values))

    def _assignments(self, index: int, chosen: dict[str, Value]) -> Iterator[dict[str, Value]]:
        if index == len(self.names):
            yield dict(chosen)
            return
        name = self.names[index]
        parameter = self.parameters[name]
        if not self.is_active(name, chosen):
            yield from self._assignments(index + 1, chosen)
            return
        for position in range(num_values(parameter) or 0):
            yield from self._assignments(index + 1, {**chosen, name: value_at(parameter, position)})
