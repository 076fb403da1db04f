"""Checks of a sweep file against the trainable's typed Config and metrics, before anything starts."""

from collections.abc import Collection

from pydantic import BaseModel

from orchestrator.space import SearchSpace
from orchestrator.spec.dotted import flatten
from orchestrator.spec.loading import SpecDocument


def check_config(
    document: SpecDocument, config_type: type[BaseModel], *, metrics: Collection[str] | None
) -> SearchSpace:
    """The search space, with the values of Config that are not searched in `fixed`.

    Args: metrics: the names that the trainable reports; None if unknown.
    Raises: SpecError: the space, `config:`, the objective or a stop rule does not fit the trainable.
    """
    spec = document.spec
    fixed = {name: value for name, value in flatten(spec.config).items() if isinstance(value, bool | int | float | str)}
    return SearchSpace(spec.space, spec.constraints, fixed)
