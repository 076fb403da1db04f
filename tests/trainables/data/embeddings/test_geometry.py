import numpy as np
import pytest

from trainables.data.embeddings.geometry import points_at_distances, random_distances, random_rotation


def distances(points):
    return np.linalg.norm(points[:, None] - points[None], axis=-1)


@pytest.mark.parametrize("num", [2, 4, 10])
def test_points_have_the_chosen_distances(num):
    wanted = random_distances(num, low=14, high=17, rng=np.random.default_rng(0))
    points = points_at_distances(wanted)
    assert points.shape == (num, num - 1)
    np.testing.assert_allclose(distances(points), wanted, atol=1e-8)
    np.testing.assert_allclose(points.mean(axis=0), 0, atol=1e-10)


def test_impossible_distances_are_moved_towards_their_mean_no_further_than_needed():
    wanted = random_distances(60, low=5, high=30, rng=np.random.default_rng(0))
    points = points_at_distances(wanted)
    off = ~np.eye(60, dtype=bool)
    assert 5 <= distances(points)[off].min() < distances(points)[off].max() <= 30
    assert (distances(points)[off] ** 2).mean() == pytest.approx((wanted[off] ** 2).mean())
    assert np.corrcoef(distances(points)[off], wanted[off])[0, 1] > 0.98


def test_many_classes_stay_within_the_notes_distances():
    wanted = random_distances(100, low=14, high=17, rng=np.random.default_rng(0))
    off = ~np.eye(100, dtype=bool)
    found = distances(points_at_distances(wanted))[off]
    assert 14 <= found.min() <= found.max() <= 17


def test_one_point_and_equal_distances_of_zero():
    assert points_at_distances(np.zeros((1, 1))).shape == (1, 0)
    np.testing.assert_array_equal(points_at_distances(np.zeros((3, 3))), np.zeros((3, 2)))


def test_a_rotation_keeps_lengths_and_angles():
    rotation = random_rotation(3, 7, rng=np.random.default_rng(0))
    np.testing.assert_allclose(rotation @ rotation.T, np.eye(3), atol=1e-12)
