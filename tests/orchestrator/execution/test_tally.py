"""Counts, the best trial and repeated failures, as the control keeps them in memory."""

import math

import pytest

from orchestrator.execution.progress import RunningTrial, describe_ending
from orchestrator.execution.tally import Active, Tally
from orchestrator.spec.model import Direction, Objective
from orchestrator.trial import ENDINGS, Cause, Ending, Measurement, Suggestion, TrialRecord

UP = Objective(metric="m", direction=Direction.MAXIMIZE)
DOWN = Objective(metric="m", direction=Direction.MINIMIZE)


def ended(number, cause, *, value=None, reason=""):
    best_step = None if value is None else 1
    state = ENDINGS[cause].state
    return TrialRecord(number, state, {}, value=value, best_step=best_step, ending=Ending(cause, reason or cause.value))


def running(number, value):
    return RunningTrial(number, {}, 2, value, value, 1.0)


@pytest.mark.parametrize(("objective", "best"), [(UP, (1, 0.9, 1)), (DOWN, (0, 0.5, 1))])
def test_best_follows_the_direction(objective, best):
    tally = Tally(objective)
    for number, value in enumerate([0.5, 0.9, 0.7]):
        tally.count(ended(number, Cause.FINISHED, value=value))
    assert tally.best == best
    assert tally.num_ended == 3


@pytest.mark.parametrize("cause", [Cause.SICK, Cause.DIVERGED, Cause.ERROR])
def test_the_ill_and_the_failed_are_never_best(cause):
    tally = Tally(UP)
    tally.count(ended(0, cause, value=0.9))
    assert tally.best is None


def test_running_trials_count_for_the_best_shown():
    tally = Tally(UP)
    tally.count(ended(0, Cause.FINISHED, value=0.5))
    assert tally.best_with([running(1, 0.7), running(2, None)]) == (1, 0.7, 2)
    assert tally.best_with([running(1, 0.4)]) == (0, 0.5, 1)


def test_repeated_failures_end_with_the_first_success():
    tally = Tally(UP)
    for number in range(3):
        tally.count(ended(number, Cause.ERROR, reason="boom"))
    tally.count(ended(3, Cause.ERROR, reason="other"))
    repeated = tally.repeated_failure()
    assert repeated is not None
    assert (repeated.reason, repeated.count) == ("boom", 3)
    tally.count(ended(4, Cause.PRUNED, value=0.1))
    assert tally.repeated_failure() is None


def test_the_untrained_model_and_nan_are_no_best():
    active = Active(Suggestion(0, {}), [], 0.0)
    for step, value in enumerate([0.9, math.nan, 0.3, 0.2]):
        active.note(Measurement(step, {"m": value}, 0.1, 0), UP)
    shown = active.running(UP, 5.0)
    assert (shown.step, shown.value, shown.last_value, shown.elapsed_s) == (3, 0.3, 0.2, 5.0)


@pytest.mark.parametrize(
    ("record", "text"),
    [
        (ended(3, Cause.FINISHED, value=0.5), "trial 3 complete after 0 epochs, best 0.5 at epoch 1"),
        (ended(3, Cause.SICK, value=0.5, reason="collapse"), "trial 3 stopped (collapse) after 0 epochs, best 0.5 at"),
        (ended(3, Cause.ERROR, reason="boom"), "trial 3 failed (boom) after 0 epochs, no value"),
    ],
)
def test_an_ending_is_one_line(record, text):
    assert describe_ending(record).startswith(text)
