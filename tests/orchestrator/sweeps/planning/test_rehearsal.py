"""A sweep played on paper."""

import pytest

from orchestrator.analysis.budgets import Limit
from orchestrator.sweeps.planning.pace import Between, TrialPace
from orchestrator.sweeps.planning.rehearsal import rehearse

NOTHING = Between(0.0, 0.0, 0.0)


def play(lengths, *, concurrency=2, between=NOTHING, devices=1.0):
    return rehearse(lengths, [TrialPace(1.0, 2.0)] * len(lengths), between, concurrency=concurrency, devices=devices)


def test_trials_go_to_whoever_is_free_first():
    # Worker A: 1 + 8 s; worker B: 1 + 2 s, then 1 + 4 s.
    whole = play([4, 1, 2]).until({})
    assert (whole.trials, whole.epochs, whole.wall_s, whole.is_whole) == (3, 7, 9.0, True)
    assert whole.device_s == 3 * 1.0 + 7 * 2.0


def test_time_between_trainings_is_wall_time_alone():
    between = Between(warm_s=5.0, turn_s=0.5, step_s=0.25)
    whole = play([2, 2], concurrency=1, between=between, devices=2.0).until({})
    assert whole.wall_s == 5.0 + 2 * (1.0 + 2 * 2.25) + 0.5
    assert whole.device_s == 2 * 10.0


@pytest.mark.parametrize("concurrency", [1, 2, 3])
@pytest.mark.parametrize("epochs", [1, 3, 5])
def test_a_budget_of_epochs_is_exceeded_by_what_the_other_workers_are_at(concurrency, epochs):
    spent = play([3] * 6, concurrency=concurrency).until({Limit.EPOCHS: epochs})
    assert epochs <= spent.epochs < epochs + concurrency
    assert not spent.is_whole


def test_the_first_limit_counts():
    played = play([3] * 6, concurrency=1)
    assert played.until({Limit.EPOCHS: 9, Limit.WALL_HOURS: 8.5 / 3600}).epochs == 4
    assert played.until({Limit.GPU_HOURS: 7 / 3600}).trials == 1


def test_a_limit_beyond_the_end_changes_nothing():
    played = play([3] * 6)
    assert played.until({Limit.WALL_HOURS: 1.0}) == played.until({})


def test_a_trial_without_an_epoch_ends_too():
    assert play([0, 2]).until({}).trials == 2
