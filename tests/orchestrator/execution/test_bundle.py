"""Several attempts in one worker: each trial's outcomes are its own, whether they are lanes or take turns."""

import pytest

from orchestrator.execution.assignment import Assignment, Done, Measured, Raised
from orchestrator.execution.bundle import Bundle
from orchestrator.execution.checkpoint_names import step_folder, steps_in
from tests.support.specs import toy_spec
from trainables.checkpoint import read_checkpoint

LANES = "tests.support.lanes:train"


@pytest.fixture
def bundle(tmp_path):
    """A bundle with a trial for each mode."""

    def make(*modes, **fields):
        assignments = [
            Assignment(
                number=number,
                attempt=1,
                trainable=LANES,
                config={"x": 0.1 * (number + 1), "mode": mode},
                objective=toy_spec().objective,
                seeds=(0,),
                checkpoints=tmp_path / str(number),
                **fields,
            )
            for number, mode in enumerate(modes)
        ]
        return Bundle(assignments)

    return make


def run(bundle, *, leave=None):
    """All outcomes of each trial; `leave` maps a trial to the step after which it is over."""
    found = {}
    while not bundle.is_over:
        for number, outcome in bundle.advance().items():
            found.setdefault(number, []).append(outcome)
            if isinstance(outcome, Measured) and (leave or {}).get(number) == outcome.step:
                bundle.end([number])
    return found


def lanes_seen(outcomes):
    return [outcome.metrics["lanes"] for outcome in outcomes if isinstance(outcome, Measured)]


def test_lanes_have_outcomes_of_their_own(bundle):
    found = run(bundle("learn", "learn", "learn"))
    for number, outcomes in found.items():
        scores = [o.metrics["val/score"] for o in outcomes if isinstance(o, Measured)]
        assert scores == pytest.approx([0.1 * (number + 1) * epoch for epoch in range(4)])
        assert outcomes[-1] == Done()
        assert lanes_seen(outcomes) == [3, 3, 3, 3]


def test_a_trial_that_is_over_leaves_the_others(bundle):
    found = run(bundle("learn", "learn", "learn"), leave={1: 1})
    assert [type(o) for o in found[1]] == [Measured, Measured]
    assert lanes_seen(found[0]) == [3, 3, 2, 2]
    assert found[2][-1] == Done()


def test_one_that_raises_fails_by_itself(bundle):
    found = run(bundle("learn", "raise"))
    assert isinstance(found[1][-1], Raised)
    assert found[1][-1].message == "RuntimeError: this lane alone"
    assert lanes_seen(found[0]) == [2, 2, 2, 1]
    assert found[0][-1] == Done()


def test_what_the_computation_raises_all_have_raised(bundle):
    found = run(bundle("learn", "all_raise"))
    assert [outcomes[-1].message for outcomes in found.values()] == [
        "RuntimeError: the computation that they share"
    ] * 2


def test_those_that_cannot_be_fused_take_turns_and_say_why(bundle):
    found = run(bundle("learn", "apart"))
    for outcomes in found.values():
        assert lanes_seen(outcomes) == [1, 1, 1, 1]
        assert outcomes[0].notes == ("trained by itself: one of them wants to be alone",)
        assert outcomes[-1] == Done()


def test_a_single_trial_is_no_lane(bundle):
    assert lanes_seen(run(bundle("learn"))[0]) == [1, 1, 1, 1]


def test_a_pause_keeps_each_lane_where_it_is_and_all_go_on_together(bundle, tmp_path):
    first = bundle("learn", "learn")
    first.advance()
    first.advance()
    first.save()
    first.close()
    assert [steps_in(tmp_path / str(number)) for number in range(2)] == [[1], [1]]
    assert read_checkpoint(step_folder(tmp_path / "1", 1))["epoch"] == 1
    found = run(bundle("learn", "learn", last_step=1))
    assert [[o.step for o in outcomes if isinstance(o, Measured)] for outcomes in found.values()] == [[2, 3], [2, 3]]
    assert lanes_seen(found[0]) == [2, 2]


def test_seconds_are_shared(bundle):
    pair = bundle("learn", "learn")
    outcomes = pair.advance()
    assert outcomes[0].train_s == outcomes[1].train_s
