"""The dominated volume against counted random points, and how it grows."""

import numpy as np
import pytest

from orchestrator.spec.model import Direction, Objective
from orchestrator.study.hypervolume import hypervolume
from orchestrator.trial import TrialRecord, TrialState

DIRECTIONS = [Direction.MAXIMIZE, Direction.MINIMIZE, Direction.MAXIMIZE]
OBJECTIVES = [Objective(metric=f"val/{n}", direction=direction) for n, direction in enumerate(DIRECTIONS)]
DRAWS = 40_000


def trials(points):
    named = [{f"val/{n}": float(value) for n, value in enumerate(point)} for point in points]
    return [TrialRecord(3 * n, TrialState.COMPLETE, {}, values=values) for n, values in enumerate(named)]


@pytest.mark.parametrize("count", [2, 3])
def test_the_volume_is_the_share_of_random_points_that_are_dominated(count):
    rng = np.random.default_rng(4)
    points = rng.random((12, count))
    objectives = OBJECTIVES[:count]
    found = hypervolume(trials(points), objectives)
    signs = np.array([-1.0 if d is Direction.MAXIMIZE else 1.0 for d in DIRECTIONS[:count]])
    losses, reference = points * signs, np.array([found.reference[o.metric] for o in objectives]) * signs
    corner = losses.min(axis=0)
    for seen in (1, 5, 12):
        drawn = rng.uniform(corner, reference, (DRAWS, count))
        share = (losses[:seen, None] <= drawn).all(axis=2).any(axis=0).mean()
        box = np.prod(reference - corner)
        deviation = 5 * box * np.sqrt(share * (1 - share) / DRAWS)
        assert found.over_trials[seen - 1][1] == pytest.approx(share * box, abs=deviation)


def test_the_reference_point_is_a_tenth_of_the_range_beyond_the_worst():
    found = hypervolume(trials([(0.5, 3.0), (0.9, 5.0)]), OBJECTIVES[:2])
    assert found.reference == {"val/0": pytest.approx(0.46), "val/1": pytest.approx(5.2)}
    first, second = 0.04 * 2.2, 0.44 * 0.2
    assert found.over_trials == [(0, pytest.approx(first)), (3, pytest.approx(first + second - 0.04 * 0.2))]
    assert found.to_json()["hypervolume"] == found.final


def test_the_volume_never_falls():
    rng = np.random.default_rng(5)
    volumes = [volume for _, volume in hypervolume(trials(rng.random((30, 3))), OBJECTIVES).over_trials]
    assert volumes == sorted(volumes)


def test_without_trials_there_is_no_volume():
    assert hypervolume([], OBJECTIVES) is None
