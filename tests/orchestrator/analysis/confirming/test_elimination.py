import math

import pytest

from orchestrator.analysis.confirming import Candidate, Run, finalists, next_run
from orchestrator.spec.model import Direction

UP = Direction.MAXIMIZE


def race(candidates, value, *, seeds, direction=UP, max_runs=None):
    """One at a time, each measured before the next is asked for."""
    runs = []
    while (found := next_run(candidates, runs, seeds=seeds, direction=direction, max_runs=max_runs)) is not None:
        runs.append(Run(*found, value(*found)))
    return runs


def values(means, jitter=0.01):
    """Deterministic noise that differs among candidates and seeds."""
    return lambda name, seed: means[name] + jitter * math.sin(7 * seed + 13 * list(means).index(name))


def test_rounds_go_in_order_and_the_default_goes_first(candidates):
    runs = race(candidates, values({"default": 0.5, "trial 4": 0.5, "trial 7": 0.5}), seeds=[11, 12, 13])

    assert [(run.candidate, run.seed) for run in runs[:4]] == [
        ("default", 11),
        ("trial 4", 11),
        ("trial 7", 11),
        ("default", 12),
    ]
    assert len(runs) == 9


def test_a_loser_is_dropped_and_the_default_keeps_up_with_the_winner(candidates):
    runs = race(candidates, values({"default": 0.1, "trial 4": 0.9, "trial 7": 0.5}), seeds=range(8))
    of = {name: sum(run.candidate == name for run in runs) for name in ("default", "trial 4", "trial 7")}

    assert of == {"default": 8, "trial 4": 8, "trial 7": 3}
    assert finalists(candidates, runs, seeds=range(8), direction=UP) == ("default", "trial 4")


def test_lower_is_better_when_it_is_said_so(candidates):
    means = {"default": 0.1, "trial 4": 0.9, "trial 7": 0.1}
    runs = race(candidates, values(means), seeds=range(6), direction=Direction.MINIMIZE)

    assert finalists(candidates, runs, seeds=range(6), direction=Direction.MINIMIZE) == ("default", "trial 7")


def test_it_ends_when_only_the_default_is_left(candidates):
    runs = race(candidates, values({"default": 0.9, "trial 4": 0.1, "trial 7": 0.2}), seeds=range(8))

    assert len(runs) == 9


def test_nothing_waits_for_what_is_in_work(candidates):
    runs = []
    for _ in range(9):
        runs.append(Run(*next_run(candidates, runs, seeds=range(3), direction=UP)))

    assert {(run.candidate, run.seed) for run in runs} == {(c.name, s) for c in candidates for s in range(3)}
    assert next_run(candidates, runs, seeds=range(3), direction=UP) is None


def test_the_order_of_arrival_does_not_matter(candidates):
    runs = race(candidates, values({"default": 0.1, "trial 4": 0.9, "trial 7": 0.5}), seeds=range(8))

    for seen in (runs, runs[::-1], sorted(runs, key=lambda run: (run.seed * 7 % 5, run.candidate))):
        assert finalists(candidates, seen, seeds=range(8), direction=UP) == ("default", "trial 4")


def test_a_straggler_keeps_its_rivals_in_the_race(candidates):
    value = values({"default": 0.1, "trial 4": 0.9, "trial 7": 0.5})
    runs = [Run(c.name, seed, value(c.name, seed)) for c in candidates for seed in range(4)]
    runs[0] = Run("default", 0)

    assert finalists(candidates, runs, seeds=range(8), direction=UP) == ("default", "trial 4", "trial 7")


@pytest.mark.parametrize(("cap", "expected"), [(2, 0), (3, 3), (8, 6), (9, 9), (100, 12)])
def test_a_round_is_begun_only_if_the_cap_lets_all_of_it_through(candidates, cap, expected):
    equal = values({"default": 0.5, "trial 4": 0.5, "trial 7": 0.5}, jitter=0.1)

    assert len(race(candidates, equal, seeds=range(4), max_runs=cap)) == expected


def test_a_failed_seed_is_not_run_again_and_one_who_always_fails_is_dropped(candidates):
    def value(name, seed):
        return math.nan if name == "trial 7" or (name, seed) == ("trial 4", 0) else 0.5 + 0.1 * math.sin(9 * seed)

    runs = race(candidates, value, seeds=range(5))

    assert len({(run.candidate, run.seed) for run in runs}) == len(runs)
    assert finalists(candidates, runs, seeds=range(5), direction=UP) == ("default", "trial 4")


def test_a_metric_without_any_noise_decides_as_soon_as_it_may():
    candidates = [Candidate("default", default=True), Candidate("a", 1.0), Candidate("b", 1.0)]
    runs = race(candidates, lambda name, _: {"default": 0.3, "a": 0.1 + 0.2, "b": 0.1}[name], seeds=range(5))

    assert finalists(candidates, runs, seeds=range(5), direction=UP) == ("default", "a")
