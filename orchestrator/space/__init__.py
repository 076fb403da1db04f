"""The search space: typed parameters, conditions and constraints. Plain frozen data; knows no sampler."""

from orchestrator.space.expression import Expression, ExpressionError, Kind, kind_of
from orchestrator.space.grammar import parse_expression
from orchestrator.space.kinds import Kinds, check_kinds, parameter_kinds
from orchestrator.space.parameters import Categorical, Choice, Fixed, Float, Int, Parameter
from orchestrator.space.search_space import SearchSpace, allowed_values, find_cycle
from orchestrator.space.values import (
    corners,
    describe,
    exact,
    includes,
    num_values,
    random_value,
    same_value,
    show,
    value_at,
)

__all__ = [
    "Categorical",
    "Choice",
    "Expression",
    "ExpressionError",
    "Fixed",
    "Float",
    "Int",
    "Kind",
    "Kinds",
    "Parameter",
    "SearchSpace",
    "allowed_values",
    "check_kinds",
    "corners",
    "describe",
    "exact",
    "find_cycle",
    "includes",
    "kind_of",
    "num_values",
    "parameter_kinds",
    "parse_expression",
    "random_value",
    "same_value",
    "show",
    "value_at",
]
