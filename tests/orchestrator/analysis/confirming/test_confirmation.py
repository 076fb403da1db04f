import json
import math
from dataclasses import replace

import numpy as np

from orchestrator.analysis.confirming import Candidate, Outcome, Run, confirm
from orchestrator.spec.model import Direction, Objective


def test_a_clear_effect_is_a_winner_with_its_figures(candidates, runs_of, objective):
    runs = runs_of({"default": 0.4, "trial 4": 0.6, "trial 7": 0.5})

    found = confirm(candidates, runs, objective=objective, seeds=range(10))

    assert (found.verdict.outcome, found.verdict.names) == (Outcome.WINNER, ("trial 4",))
    assert (found.metric, found.covers) == ("val/recall_at_1", "seeds alone")
    assert [estimate.candidate for estimate in found.estimates] == ["trial 4", "default", "trial 7"]
    assert [estimate.dropped for estimate in found.estimates] == [False, False, True]
    assert found.drops[0].drop.mean > 0.25
    assert found.expected_drop is not None


def test_equal_candidates_win_nothing(candidates, runs_of, objective):
    runs = runs_of({"default": 0.5, "trial 4": 0.5, "trial 7": 0.5})

    found = confirm(candidates, runs, objective=objective, seeds=range(10))

    assert found.verdict.outcome is Outcome.NONE
    assert len(found.against_default) == 2
    assert len(found.against_best) == 1


def test_two_good_ones_tie(candidates, runs_of, objective):
    runs = runs_of({"default": 0.4, "trial 4": 0.6, "trial 7": 0.6})

    found = confirm(candidates, runs, objective=objective, seeds=range(10))

    assert found.verdict.outcome is Outcome.TIE
    assert set(found.verdict.names) == {"trial 4", "trial 7"}


def test_the_test_split_judges_where_it_was_read(candidates, runs_of, objective):
    rng = np.random.default_rng(3)
    units = rng.normal(size=100) * 0.05
    on_val = runs_of({"default": 0.4, "trial 4": 0.6, "trial 7": 0.6})
    on_test = {"default": 0.4, "trial 4": 0.4, "trial 7": 0.4}
    runs = [
        replace(run, test=on_test[run.candidate] + 0.01 * rng.normal(), resamples=tuple(0.4 + units)) for run in on_val
    ]

    found = confirm(candidates, runs, objective=objective, seeds=range(10), bounds=(0.0, 1.0))

    assert (found.metric, found.covers) == ("test/recall_at_1", "seeds and test units")
    assert found.verdict.outcome is Outcome.NONE
    assert found.estimates[0].value.high - found.estimates[0].value.low > 0.15
    assert abs(found.against_default[0].high - found.against_default[0].low) < 0.05


def test_lower_is_better_when_it_is_said_so(candidates, runs_of):
    objective = Objective(metric="val/loss", direction=Direction.MINIMIZE)
    runs = runs_of({"default": 0.4, "trial 4": 0.2, "trial 7": 0.38}, seeds=6)

    found = confirm(candidates, runs, objective=objective, seeds=range(6))

    assert found.verdict.names == ("trial 4",)
    assert found.against_default[0].mean > 0


def test_three_seeds_show_a_huge_effect_and_no_small_one(candidates, runs_of, objective):
    huge = confirm(
        candidates,
        runs_of({"default": 0.1, "trial 4": 0.9, "trial 7": 0.1}, seeds=3),
        objective=objective,
        seeds=range(3),
    )
    small = confirm(
        candidates,
        runs_of({"default": 0.1, "trial 4": 0.11, "trial 7": 0.1}, seeds=3),
        objective=objective,
        seeds=range(3),
    )

    assert huge.verdict.outcome is Outcome.WINNER
    assert small.verdict.outcome is Outcome.NONE


def test_a_metric_that_never_varies(candidates, objective):
    equal = [Run(c.name, seed, 0.1 + 0.2 if c.default else 0.3) for c in candidates for seed in range(4)]
    better = [replace(run, val=0.4) if run.candidate == "trial 7" else run for run in equal]

    assert confirm(candidates, equal, objective=objective, seeds=range(4)).verdict.outcome is Outcome.NONE
    assert confirm(candidates, better, objective=objective, seeds=range(4)).verdict.names == ("trial 7",)


def test_failed_seeds_are_counted_and_left_out(candidates, runs_of, objective):
    runs = runs_of({"default": 0.4, "trial 4": 0.6, "trial 7": 0.59})
    runs = [replace(run, val=math.nan) if (run.candidate, run.seed) == ("trial 4", 2) else run for run in runs]

    found = confirm(candidates, runs, objective=objective, seeds=range(10))
    of = {estimate.candidate: estimate for estimate in found.estimates}

    assert (of["trial 4"].seeds, of["trial 4"].failed) == (9, 1)
    assert found.verdict.outcome is not Outcome.NONE


def test_a_confirmation_without_any_value_says_so(candidates, objective):
    failed = [Run(c.name, seed, math.nan) for c in candidates for seed in range(3)]

    found = confirm(candidates, failed, objective=objective, seeds=range(3))

    assert found.verdict.outcome is Outcome.NONE
    assert found.estimates == ()
    json.dumps(found.to_json(), allow_nan=False)


def test_a_finalist_without_a_test_value_is_shown_by_val(candidates, runs_of, objective):
    on_val = runs_of({"default": 0.4, "trial 4": 0.6, "trial 7": 0.6})
    runs = [replace(run, test=run.val) if run.candidate != "trial 7" else run for run in on_val]

    found = confirm(candidates, runs, objective=objective, seeds=range(10))
    last = found.estimates[-1]

    assert (last.candidate, last.metric, last.dropped) == ("trial 7", "val/recall_at_1", False)
    assert found.verdict.names == ("trial 4",)


def test_the_plain_form_is_json_with_null_for_what_is_not_there(runs_of, objective):
    candidates = [Candidate("default", default=True), Candidate("trial 4", 0.9)]
    runs = runs_of({"default": 0.4, "trial 4": 0.6}, seeds=1)

    plain = confirm(candidates, runs, objective=objective, seeds=range(3)).to_json()

    assert json.loads(json.dumps(plain, allow_nan=False)) == plain
    assert plain["estimates"][0]["value"]["low"] is None
    assert plain["verdict"]["outcome"] == "none"


def test_noise_names_a_winner_hardly_ever_and_two_deviations_mostly(objective):
    """A small version of `make confirmation-proof`."""
    rng = np.random.default_rng(0)
    candidates = [Candidate("default", default=True), *(Candidate(str(n), 1.0) for n in range(3))]
    outcomes = {0.0: [], 2.0: []}
    for effect, seen in outcomes.items():
        for _ in range(120):
            runs = [
                Run(c.name, seed, effect * (c.name == "1") + rng.normal()) for seed in range(10) for c in candidates
            ]
            seen.append(confirm(candidates, runs, objective=objective, seeds=range(10)).verdict)

    assert sum(verdict.outcome is Outcome.WINNER for verdict in outcomes[0.0]) <= 3
    assert sum(verdict.outcome is not Outcome.NONE for verdict in outcomes[0.0]) <= 11
    assert sum(verdict.names == ("1",) for verdict in outcomes[2.0]) >= 102
