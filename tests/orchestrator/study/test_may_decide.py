"""The pruner is asked only where it can have something to say."""

import pytest

from orchestrator.spec.model import AshaPruner, HyperbandPruner, MedianPruner, NoPruner
from orchestrator.study.pruning import may_decide


@pytest.mark.parametrize(
    ("pruner", "rungs", "first"),
    [
        (AshaPruner(type="asha", min_epochs=2, reduction_factor=3), 0, 2),
        (AshaPruner(type="asha", min_epochs=2, reduction_factor=3), 2, 18),
        (HyperbandPruner(type="hyperband", min_epochs=1, reduction_factor=3), 1, 3),
        (MedianPruner(type="median", min_epochs=4), 0, 4),
    ],
)
def test_from_the_step_on_where_a_comparison_is_due(pruner, rungs, first):
    assert [may_decide(pruner, step=step, rungs=rungs) for step in (first - 1, first, first + 1)] == [False, True, True]


def test_without_a_pruner_never():
    assert not may_decide(NoPruner(), step=100, rungs=0)
