"""The front against a naive loop over all pairs."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.analysis.pareto import candidates, front
from orchestrator.spec.model import Direction, Objective
from orchestrator.trial import TrialRecord, TrialState

DIRECTIONS = [Direction.MAXIMIZE, Direction.MINIMIZE, Direction.MAXIMIZE]
OBJECTIVES = [Objective(metric=f"val/{n}", direction=direction) for n, direction in enumerate(DIRECTIONS)]


def trial(number, *values, state=TrialState.COMPLETE, violated=None):
    named = {f"val/{n}": value for n, value in enumerate(values)}
    return TrialRecord(number, state, {}, value=values[0], best_step=1, values=named, violated=violated or {})


def dominates(one, other, objectives):
    pairs = [(one.values[o.metric], other.values[o.metric], o) for o in objectives]
    return all(a == b or o.better(a, b) for a, b, o in pairs) and any(o.better(a, b) for a, b, o in pairs)


@pytest.mark.parametrize("count", [1, 2, 3])
@given(data=st.data())
def test_the_front_is_what_a_loop_over_all_pairs_finds(count, data):
    # Few values, so that ties and equal points happen.
    value = st.integers(0, 3).map(float)
    points = data.draw(st.lists(st.tuples(*[value] * count), max_size=12))
    records = [trial(number, *point) for number, point in enumerate(points)]
    objectives = OBJECTIVES[:count]
    expected = [r for r in records if not any(dominates(other, r, objectives) for other in records)]
    assert front(records, objectives) == expected


def test_only_full_length_trials_that_keep_the_floors_are_on_the_front():
    records = [
        trial(0, 9.0, 0.0, state=TrialState.PRUNED),
        trial(1, 9.0, 0.0, violated={"val/f1": 0.1}),
        trial(2, 9.0, 0.0, state=TrialState.FAILED),
        trial(3, 9.0, 0.0, state=TrialState.RUNNING),
        trial(4, 1.0, 1.0),
        trial(5, 1.0),
    ]
    assert [r.number for r in candidates(records, OBJECTIVES[:2])] == [4]
    assert [r.number for r in front(records, OBJECTIVES[:2])] == [4]


def test_without_trials_there_is_no_front():
    assert front([], OBJECTIVES) == []
