"""The cheapest and the dearest configuration, probably: parameters that size a batch or a model at their ends.

Which of the two is dearer is measured. Called by the plan before it probes.
"""

import random
from collections.abc import Callable, Mapping

from orchestrator.space import Categorical, Int, Parameter, SearchSpace, corners, num_values, random_value
from orchestrator.trial import Value

SIZES = ("batch", "size", "width", "hidden", "dim", "depth", "layers", "heads", "channels", "negatives", "kernel")
"""Parts of names of parameters that change what an epoch costs; whole numbers may as well."""
MAX_TRIES = 20


def cost_corners(space: SearchSpace, *, is_valid: Callable[[Mapping[str, Value]], bool]) -> list[dict[str, Value]]:
    """Two whole configurations; none where no parameter changes the cost or the ends are not allowed."""
    sizing = {name for name, parameter in space.parameters.items() if _sizes(name, parameter)}
    if not sizing:
        return []
    found = [_corner(space, sizing, is_valid=is_valid, high=high) for high in (False, True)]
    return [corner for corner in found if corner is not None]


def _sizes(name: str, parameter: Parameter) -> bool:
    last = name.rpartition(".")[2]
    if last == "epochs" or (num_values(parameter) or 0) < 2:
        return False
    numbers = isinstance(parameter, Categorical) and all(type(c) in (int, float) for c in parameter.choices)
    return isinstance(parameter, Int) or (numbers and any(part in name for part in SIZES))


def _corner(
    space: SearchSpace, sizing: set[str], *, is_valid: Callable[[Mapping[str, Value]], bool], high: bool
) -> dict[str, Value] | None:
    """The other parameters are drawn until the whole is allowed."""
    rng = random.Random(0)

    def draw(name: str, parameter: Parameter) -> Value:
        if name not in sizing:
            return random_value(parameter, rng)
        return (max if high else min)(corners(parameter), key=float)

    for _ in range(MAX_TRIES):
        params = space.sample(draw)
        if space.is_feasible(params) and is_valid(params):
            return params
    return None
