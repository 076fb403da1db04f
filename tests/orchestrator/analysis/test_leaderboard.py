import math
from dataclasses import replace

import pytest

from orchestrator.analysis.leaderboard import best, counts, failure_groups, leaderboard
from orchestrator.spec.model import Direction, Objective
from orchestrator.trial import Cause, Ending, Measurement, TrialRecord, TrialState

MAXIMIZE = Objective(metric="val/x", direction=Direction.MAXIMIZE)
MINIMIZE = Objective(metric="val/x", direction=Direction.MINIMIZE)

STATES = {
    Cause.FINISHED: TrialState.COMPLETE,
    Cause.SETTLED: TrialState.COMPLETE,
    Cause.SICK: TrialState.PRUNED,
    Cause.PRUNED: TrialState.PRUNED,
    Cause.DIVERGED: TrialState.FAILED,
    Cause.ERROR: TrialState.FAILED,
    Cause.WORKER_LOST: TrialState.FAILED,
    Cause.HUNG: TrialState.FAILED,
    Cause.OUT_OF_MEMORY: TrialState.FAILED,
}


def ended(number, value, cause=Cause.FINISHED, reason="reason"):
    return TrialRecord(number, STATES[cause], {"lr": 0.1 * number}, value=value, ending=Ending(cause, reason))


def test_the_best_value_stands_first_in_either_direction():
    records = [ended(0, 0.1), ended(1, 0.9), ended(2, 0.5)]
    assert [row.number for row in leaderboard(records, MAXIMIZE)] == [1, 2, 0]
    assert [row.number for row in leaderboard(records, MINIMIZE)] == [0, 2, 1]
    assert [row.rank for row in leaderboard(records, MAXIMIZE)] == [1, 2, 3]


def test_equal_values_stand_by_number():
    records = [ended(2, 0.5), ended(0, 0.5), ended(1, 0.5)]
    assert [row.number for row in leaderboard(records, MAXIMIZE)] == [0, 1, 2]


def test_sick_and_failed_trials_have_no_rank_and_stand_after_the_sound_ones():
    records = [ended(0, 0.9, Cause.SICK), ended(1, 0.1), ended(2, 0.95, Cause.ERROR), ended(3, None, Cause.ERROR)]
    rows = leaderboard(records, MAXIMIZE)
    assert [row.number for row in rows] == [1, 2, 0, 3]
    assert [row.rank for row in rows] == [1, None, None, None]


def test_best_prefers_any_sound_trial_to_a_sick_one():
    assert best([ended(0, 0.9, Cause.SICK), ended(1, 0.1)], MAXIMIZE).number == 1
    assert best([ended(0, 0.9, Cause.SICK), ended(1, None, Cause.ERROR)], MAXIMIZE).number == 0


def test_best_may_be_pruned_or_running():
    running = TrialRecord(1, TrialState.RUNNING, {}, value=0.7)
    assert best([ended(0, 0.5), running], MAXIMIZE) is running
    assert best([ended(0, 0.5), ended(1, 0.6, Cause.PRUNED)], MAXIMIZE).number == 1


def test_no_value_means_no_best():
    assert best([], MAXIMIZE) is None
    assert best([ended(0, None, Cause.ERROR)], MAXIMIZE) is None
    assert best([ended(0, math.nan, Cause.DIVERGED)], MAXIMIZE) is None


def test_a_value_that_is_not_finite_gets_no_rank():
    rows = leaderboard([ended(0, math.inf), ended(1, 0.1)], MAXIMIZE)
    assert [(row.number, row.rank) for row in rows] == [(1, 1), (0, None)]


def test_counts_put_every_trial_in_one_place():
    records = [ended(number, 0.1, cause) for number, cause in enumerate(Cause)]
    open_states = (TrialState.RUNNING, TrialState.PAUSED, TrialState.WAITING)
    records += [TrialRecord(100 + number, state, {}) for number, state in enumerate(open_states)]
    expected = {"complete": 1, "stopped": 2, "pruned": 1, "failed": 5, "running": 1, "paused": 1, "waiting": 1}
    assert counts(records) == expected
    assert sum(counts(records).values()) == len(records)


def test_counts_of_nothing_have_all_keys():
    assert set(counts([])) == {"complete", "stopped", "pruned", "failed", "running", "paused", "waiting"}


def test_equal_failures_are_grouped_with_the_first_as_example():
    records = [
        ended(0, None, Cause.ERROR, "ValueError: lr"),
        ended(1, 0.5),
        ended(2, None, Cause.WORKER_LOST, "worker lost"),
        ended(3, None, Cause.WORKER_LOST, "worker lost"),
    ]
    groups = failure_groups(records)
    assert [(g.reason, list(g.numbers), g.example.number) for g in groups] == [
        ("worker lost", [2, 3], 2),
        ("ValueError: lr", [0], 0),
    ]


def test_a_row_carries_epochs_and_seconds():
    measurements = [Measurement(0, {}, 0.5, 1), Measurement(1, {}, 1.5, 2)]
    record = TrialRecord(0, TrialState.COMPLETE, {}, measurements, value=1.0, best_step=1, run_id="r")
    row = leaderboard([record], MAXIMIZE)[0]
    assert (row.epochs, row.train_s, row.best_step, row.run_id, row.reason) == (1, 2.0, 1, "r", "")


def test_a_trial_below_a_floor_stands_last_and_is_never_best():
    records = [ended(0, 0.9), ended(1, 0.1)]
    below = TrialRecord(2, TrialState.COMPLETE, {}, value=0.95, violated={"val/f1": 0.2})
    rows = leaderboard([*records, below], MAXIMIZE)
    assert [(row.number, row.rank) for row in rows] == [(0, 1), (1, 2), (2, None)]
    assert rows[-1].violated == {"val/f1": 0.2}
    assert best([*records, below], MAXIMIZE).number == 0
    assert best([below], MAXIMIZE) is None


def test_further_objectives_are_shown_with_the_front():
    further = [Objective(metric="val/size", direction=Direction.MINIMIZE)]
    sizes = [3.0, 1.0, 4.0]
    records = [
        TrialRecord(n, TrialState.COMPLETE, {}, value=x, values={"val/x": x, "val/size": sizes[n]})
        for n, x in enumerate([0.9, 0.5, 0.7])
    ]
    rows = leaderboard(records, MAXIMIZE, further=further)
    assert [(row.number, row.further["val/size"], row.on_front) for row in rows] == [
        (0, 3.0, True),
        (2, 4.0, False),
        (1, 1.0, True),
    ]
    assert all(row.on_front is None and not row.further for row in leaderboard(records, MAXIMIZE))


def test_a_configuration_is_ranked_by_the_mean_of_its_seeds():
    lucky, unlucky = ended(0, 0.9), replace(ended(1, 0.1), replicate_of=0)
    steady, failed = ended(2, 0.6), replace(ended(3, 0.7, Cause.ERROR), replicate_of=2)
    records = [lucky, unlucky, steady, failed]
    rows = leaderboard(records, MAXIMIZE)
    assert [(row.number, row.rank, row.mean, row.num_trials) for row in rows] == [
        (2, 1, 0.6, 1),
        (0, 2, 0.5, 2),
        (1, 2, 0.5, 2),
        (3, None, None, 1),
    ]
    assert best(records, MAXIMIZE) == steady


def test_an_extended_trial_counts_once_and_stays_with_its_replicates():
    old, new = ended(0, 0.5), replace(ended(2, 0.9), extends=0)
    replicate = replace(ended(1, 0.7), replicate_of=0)
    records = [old, replicate, new]
    assert counts(records)["complete"] == 2
    rows = leaderboard(records, MAXIMIZE)
    assert [(row.number, row.rank, row.mean) for row in rows] == [
        (1, 1, pytest.approx(0.8)),
        (2, 1, pytest.approx(0.8)),
    ]
