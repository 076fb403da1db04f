"""Which training of a confirmation comes next: rounds of one seed for everyone who is not ruled out.

A pure function of what was asked and measured, so that it never waits and a resumed confirmation goes on as it was.
A candidate is ruled out for good, after a round, when another one is better by a bound that holds at all rounds and
for all pairs together. It takes all candidates to be equally noisy: their own variances say little so early. The
default is never ruled out, so that it has as many seeds as the best.
"""

from collections.abc import Sequence

import numpy as np
from scipy.special import stdtrit

from orchestrator.analysis.confirming.cells import EQUAL, Candidate, Cells, Run, cells_on_val
from orchestrator.analysis.confirming.differences import pooled_noise
from orchestrator.spec.model import Direction

MIN_SEEDS = 3
"""Everyone trains with this many seeds before anyone is ruled out."""
ERROR = 0.01
"""The probability that the best candidate is ever ruled out."""


def next_run(
    candidates: Sequence[Candidate],
    runs: Sequence[Run],
    *,
    seeds: Sequence[int],
    direction: Direction,
    max_runs: int | None = None,
) -> tuple[str, int] | None:
    """The candidate and the seed to train next; None when there is nothing more to start.

    A round is begun only if `max_runs` lets all of it through.

    Args:
        runs: all that were ever asked for, also those in work and those that failed.
    """
    asked = {(run.candidate, run.seed) for run in runs}
    alive = finalists(candidates, runs, seeds=seeds, direction=direction)
    if len(alive) < 2:
        return None
    for seed in seeds:
        missing = [name for name in alive if (name, seed) not in asked]
        if not missing:
            continue
        begun = len(missing) < len(alive)
        if not begun and max_runs is not None and len(asked) + len(alive) > max_runs:
            return None
        return missing[0], seed
    return None


def finalists(
    candidates: Sequence[Candidate], runs: Sequence[Run], *, seeds: Sequence[int], direction: Direction
) -> tuple[str, ...]:
    """The default and the candidates that are not ruled out, by the rounds that are complete."""
    default = next(candidate.name for candidate in candidates if candidate.default)
    alive = [default, *(candidate.name for candidate in candidates if not candidate.default)]
    cells = cells_on_val(alive, runs, seeds)
    done = {(run.candidate, run.seed) for run in runs if run.val is not None}
    looks = max(1, len(seeds) - MIN_SEEDS)
    level = 1 - ERROR / (looks * max(1, len(alive) - 1))
    for last in range(len(seeds) - 1):
        if any((name, seeds[last]) not in done for name in alive):
            break
        if last + 1 >= MIN_SEEDS:
            so_far = Cells(cells.names, cells.table[:, : last + 1]).only(alive)
            lost = _ruled_out(so_far, default, level=level, direction=direction)
            alive = [name for name in alive if name not in lost]
    return tuple(alive)


def _ruled_out(cells: Cells, default: str, *, level: float, direction: Direction) -> set[str]:
    """Those that are clearly worse than another one, and those that never had a value."""
    noise = pooled_noise(cells)
    worse = np.array([not count for count in cells.num_seeds])
    if noise.df:
        sign = 1 if direction is Direction.MAXIMIZE else -1
        leads = sign * (cells.table[:, None, :] - cells.table[None, :, :])  # [K, K, S]: the first over the second
        common = np.isfinite(leads).sum(axis=2)
        mean = np.nansum(leads, axis=2) / np.maximum(common, 1)
        error = np.sqrt(2 * noise.variance / np.maximum(common, 1))
        reach = stdtrit(noise.df, level) * np.maximum(error, EQUAL * cells.scale)
        worse |= ((mean > reach) & (common > 1)).any(axis=0)
    return {name for name, lost in zip(cells.names, worse, strict=True) if lost} - {default}
