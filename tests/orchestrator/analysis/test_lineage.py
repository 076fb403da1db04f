"""A stretch is read back through its parents to the untrained model."""

from orchestrator.analysis.lineage import Stretch, lineage
from orchestrator.trial import Measurement, Segment, TrialRecord, TrialState


def stretch(number, parent, until, x):
    return TrialRecord(
        number,
        TrialState.COMPLETE,
        {"x": x},
        (Measurement(until, {"val/score": x}, 0.1, 1),),
        segment=Segment(number % 2, parent, until),
    )


TRIALS = [stretch(0, None, 2, 0.1), stretch(1, None, 2, 0.2), stretch(2, 0, 4, 0.1), stretch(3, 0, 4, 0.12)]


def test_it_goes_through_the_parents():
    assert lineage(TRIALS, 3) == (Stretch(0, 1, 2, {"x": 0.1}), Stretch(3, 3, 4, {"x": 0.12}))


def test_a_whole_training_has_none():
    assert lineage([TrialRecord(0, TrialState.COMPLETE, {})], 0) == ()
