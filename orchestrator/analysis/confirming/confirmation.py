"""All that a confirmation says, from its runs. Called by `sweeps`; knows no files, no clock and no randomness."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from math import inf, isfinite, isnan

from orchestrator.analysis.confirming.cells import Candidate, Cells, Run, cells_on_test, cells_on_val
from orchestrator.analysis.confirming.comparing import Comparing, Difference
from orchestrator.analysis.confirming.drops import Drop, drops, expected_drop
from orchestrator.analysis.confirming.elimination import finalists
from orchestrator.analysis.confirming.intervals import Interval, mean_interval
from orchestrator.analysis.confirming.verdict import Findings, Verdict, judge
from orchestrator.spec.model import Direction, Objective
from orchestrator.trial import JsonValue


@dataclass(frozen=True, slots=True)
class Estimate:
    """One candidate's mean over seeds, with its own 95 % interval.

    Attributes:
        metric: what it was measured by; a dropped candidate has no value on test.
        seeds: how many seeds have a value.
        failed: how many trainings failed.
        dropped: it was ruled out before the last round.
    """

    candidate: str
    metric: str
    value: Interval
    seeds: int
    failed: int
    default: bool = False
    dropped: bool = False


@dataclass(frozen=True, slots=True)
class Confirmation:
    """What fresh seeds have shown.

    Attributes:
        metric: what the finalists are judged by: the test split's metric where it was read, else val's.
        covers: what the intervals cover.
        estimates: best first, then those that were dropped or have no value on test, best first.
        against_default: each finalist against the default, best first; bounds that hold together.
        against_best: the best of them against each other one; each bound for itself.
        drops: search value minus confirmed value on val, per candidate.
        expected_drop: the mean of them.
    """

    metric: str
    covers: str
    estimates: tuple[Estimate, ...]
    against_default: tuple[Difference, ...]
    against_best: tuple[Difference, ...]
    drops: tuple[Drop, ...]
    expected_drop: Drop | None
    verdict: Verdict

    def to_json(self) -> dict[str, JsonValue]:
        """Plain values with stable keys; a bound that does not exist is null."""
        return {name: _plain(value) for name, value in asdict(self).items()}


def confirm(
    candidates: Sequence[Candidate],
    runs: Sequence[Run],
    *,
    objective: Objective,
    seeds: Sequence[int],
    bounds: tuple[float, float] = (-inf, inf),
) -> Confirmation:
    """Judge the candidates by their runs.

    Args:
        runs: as `next_run` gave them out, with what was measured.
        seeds: the seeds that were planned, in order.
        bounds: the least and the largest value that the metric can have.
    """
    direction = objective.direction
    left = finalists(candidates, runs, seeds=seeds, direction=direction)
    val = cells_on_val([candidate.name for candidate in candidates], runs, seeds)
    on_test = any(run.test is not None for run in runs)
    cells = cells_on_test(left, runs, seeds) if on_test else val.only(left)
    shown = Objective(metric=_on_test(objective.metric), direction=direction) if on_test else objective
    found = _findings(cells, shown, family=max(1, len(candidates) - 1), bounds=bounds)
    rest = val.only([name for name in val.names if name not in found.means])
    return Confirmation(
        metric=found.metric,
        covers="seeds alone" if cells.resamples is None else "seeds and test units",
        estimates=(
            *(_estimate(name, cells, runs, found) for name in found.means),
            *(
                Estimate(
                    name, objective.metric, value, _count(rest, name), _failed(name, runs), dropped=name not in left
                )
                for name, value in _means(rest, direction, bounds).items()
            ),
        ),
        against_default=tuple(found.against_default),
        against_best=tuple(found.against_best),
        drops=drops(candidates, val, direction=direction),
        expected_drop=expected_drop(candidates, val, direction=direction),
        verdict=judge(found),
    )


def _findings(cells: Cells, objective: Objective, *, family: int, bounds: tuple[float, float]) -> Findings:
    """The first of `cells` is the default."""
    default, direction = cells.names[0], objective.direction
    means = _means(cells, direction, bounds)
    comparing = Comparing(cells, direction)
    others = [name for name in means if name != default]
    against_default = comparing.against_default(default, others, family=family)
    best, *rest = [difference.candidate for difference in against_default] or [default]
    return Findings(
        metric=objective.metric,
        direction=direction,
        default=default,
        means=means,
        against_default=against_default,
        against_best=comparing.of_best(best, rest),
    )


def _means(cells: Cells, direction: Direction, bounds: tuple[float, float]) -> dict[str, Interval]:
    """Those with a value, best first."""
    resamples = [None] * len(cells.names) if cells.resamples is None else list(cells.resamples)
    made = {
        name: mean_interval(values, drawn).within(bounds)
        for name, values, drawn in zip(cells.names, cells.table, resamples, strict=True)
    }
    sign = -1 if direction is Direction.MAXIMIZE else 1
    with_value = [name for name, value in made.items() if not isnan(value.mean)]
    return {name: made[name] for name in sorted(with_value, key=lambda name: sign * made[name].mean)}


def _estimate(name: str, cells: Cells, runs: Sequence[Run], found: Findings) -> Estimate:
    count = _count(cells, name)
    return Estimate(name, found.metric, found.means[name], count, _failed(name, runs), default=name == found.default)


def _count(cells: Cells, name: str) -> int:
    return cells.num_seeds[cells.names.index(name)]


def _failed(name: str, runs: Sequence[Run]) -> int:
    return sum(run.candidate == name and run.val is not None and not isfinite(run.val) for run in runs)


def _on_test(metric: str) -> str:
    """`val/recall_at_1` is `test/recall_at_1` on the test split."""
    return f"test/{metric.removeprefix('val/')}"


def _plain(value: object) -> JsonValue:
    if isinstance(value, dict):
        return {str(key): _plain(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(inner) for inner in value]
    if isinstance(value, float) and not isfinite(value):
        return None
    assert value is None or isinstance(value, bool | int | float | str)
    return value
