"""Where training went: each second once, whatever became of the trial."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.analysis.costs import Kind, costs, total_effort
from orchestrator.trial import ENDINGS, Cause, Effort, Ending, Measurement, Segment, TrialRecord, TrialState


def trial(number, cause, *, epochs=2, train_s=3.0, devices=2.0, **more):
    measurements = tuple(Measurement(step, {}, train_s, 0, devices=devices) for step in range(epochs + 1))
    state = ENDINGS[cause].state if cause else TrialState.PAUSED
    ending = Ending(cause, "why") if cause else None
    return TrialRecord(number, state, {}, measurements, ending=ending, **more)


@pytest.mark.parametrize(
    ("cause", "kind"),
    [
        (Cause.FINISHED, Kind.COMPLETE),
        (Cause.SETTLED, Kind.STOPPED),
        (Cause.SICK, Kind.STOPPED),
        (Cause.PRUNED, Kind.PRUNED),
        (Cause.DIVERGED, Kind.FAILED),
        (Cause.ERROR, Kind.FAILED),
        (Cause.WORKER_LOST, Kind.FAILED),
        (None, Kind.OPEN),
    ],
)
def test_each_ending_has_its_kind(cause, kind):
    told = costs([trial(0, cause)], on_gpu=True)
    assert {k: e for k, e in told.by_kind.items() if e.train_s} == {kind: Effort(9.0, 18.0, 2)}


def test_what_was_repeated_is_told_apart_and_what_came_after_the_last_measurement_is_not():
    record = trial(0, Cause.FINISHED, repeated=Effort(5.0, 10.0, 1), rest=Effort(1.0, 2.0, 0))
    told = costs([record], on_gpu=True)
    assert told.by_kind[Kind.REPEATED] == Effort(5.0, 10.0, 1)
    assert told.by_kind[Kind.COMPLETE] == Effort(10.0, 20.0, 2)
    assert told.total == record.effort


def test_an_extended_trial_counts_with_the_one_that_extends_it():
    first = trial(0, Cause.FINISHED)
    longer = trial(1, Cause.FINISHED, epochs=4, extends=0)
    assert costs([first, longer], on_gpu=False).total == longer.effort == total_effort([first, longer])


def test_a_stretch_of_a_training_counts_its_own_epochs():
    measurements = tuple(Measurement(step, {}, 1.0, 0) for step in (5, 6))
    stretch = TrialRecord(3, TrialState.COMPLETE, {}, measurements, segment=Segment(member=0, parent=1, until=6))
    assert stretch.effort.epochs == 2


def test_the_confirmation_is_one_kind():
    told = costs([], on_gpu=True, confirmation=[trial(0, Cause.FINISHED), trial(1, Cause.ERROR)])
    assert told.by_kind[Kind.CONFIRMATION] == told.total == Effort(18.0, 36.0, 4)


@given(
    st.lists(
        st.tuples(st.sampled_from([*Cause, None]), st.integers(0, 5), st.floats(0, 1e4), st.floats(0, 1e3)), max_size=12
    )
)
def test_the_parts_add_up_to_the_total(drawn):
    records = [
        trial(number, cause, epochs=epochs, train_s=train_s, repeated=Effort(again_s, again_s, 1))
        for number, (cause, epochs, train_s, again_s) in enumerate(drawn)
    ]
    told = costs(records, on_gpu=True, confirmation=records[:2])
    expected = sum(record.train_s for record in [*records, *records[:2]])
    assert told.total.train_s == pytest.approx(expected)
    document = told.to_json()
    parts = [part for key, part in document.items() if key not in ("unit", "total")]
    assert len(parts) == len(Kind)
    for key in ("train_s", "hours", "epochs"):
        assert sum(part[key] for part in parts) == pytest.approx(document["total"][key], abs=1e-2)
    json.dumps(document)


def test_in_words_and_tags_the_largest_first_and_only_what_there_is():
    records = [trial(0, Cause.PRUNED, epochs=1), trial(1, Cause.FINISHED, epochs=5)]
    told = costs(records, on_gpu=False)
    assert told.words == "0.0133 core-hours, 6 epochs: 75% complete, 25% pruned"
    assert told.tags() == {
        "orch.cost.complete_h": "0.01",
        "orch.cost.pruned_h": "0.00333333",
        "orch.cost.total_h": "0.0133333",
        "orch.cost.unit": "core-hours",
    }
    assert costs([], on_gpu=True).words == "0 GPU-hours"
