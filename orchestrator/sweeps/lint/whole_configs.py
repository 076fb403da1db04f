"""Whole configs of a space, for rules about what only a combination of values shows.

Called by `Question.configs`. Knows no rule.
"""

import random
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from pydantic import BaseModel

from orchestrator.space import Parameter, SearchSpace, corners, random_value
from orchestrator.spec import SweepSpec, resolve
from orchestrator.trial import Value
from trainables.roles import Role

NUM_CORNERS = 48
NUM_INSIDE = 32


@dataclass(frozen=True, slots=True)
class WholeConfig:
    """One configuration as a trial would get it.

    Attributes:
        params: what is searched, by dotted key; parameters that are not active are left out.
        config: the trainable's Config, validated.
    """

    params: Mapping[str, Value]
    config: BaseModel


def whole_configs(spec: SweepSpec, space: SearchSpace, config_type: type[BaseModel]) -> tuple[WholeConfig, ...]:
    """Corners of the space and random points, without those that a constraint or the Config refuses, each once."""
    found: dict[tuple[tuple[str, Value], ...], WholeConfig] = {}
    for params in _points(space, spec.seed):
        key = tuple(params.items())
        if key in found or not space.is_feasible(params):
            continue
        try:
            found[key] = WholeConfig(params, config_type.model_validate(resolve(spec, params)))
        # A validator in a person's own Config may raise anything.
        except Exception:
            continue
    return tuple(found.values())


def roles_of(config: BaseModel) -> Mapping[str, Role]:
    """What a Config says of its keys; what is no role is left out, and a `roles()` that fails says nothing."""
    say = getattr(config, "roles", None)
    try:
        said = say() if callable(say) else {}
        return {str(key): role for key, role in said.items() if isinstance(role, Role)}
    # A person's own Config may do anything; a rule speaks of it.
    except Exception:
        return {}


def _points(space: SearchSpace, seed: int) -> Iterator[dict[str, Value]]:
    """All low, all high, random corners, random points."""
    rng = random.Random(seed)
    draws: list[Callable[[str, Parameter], Value]] = [
        lambda _, parameter: corners(parameter)[0],
        lambda _, parameter: corners(parameter)[-1],
        *[lambda _, parameter: rng.choice(corners(parameter))] * NUM_CORNERS,
        *[lambda _, parameter: random_value(parameter, rng)] * NUM_INSIDE,
    ]
    for draw in draws:
        yield space.sample(draw)
