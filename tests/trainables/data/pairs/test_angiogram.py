"""Generated angiograms: reproducible, disjoint, and reports that tell the truth about the pictures."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trainables.data.errors import Split
from trainables.data.pairs.angiogram import PERCENTAGES, draw_findings, read_angiograms
from trainables.data.pairs.sources import AngiogramSource
from trainables.data.pairs.vessel_tree import SEGMENTS, Look, render
from trainables.metrics.stenosis import extract_findings


def small(seed=0, **changes):
    return AngiogramSource(num_train=48, num_val=16, num_test=16, seed=seed, **changes)


def test_the_same_seed_gives_the_same_items():
    first, second, other = (read_angiograms(small(seed), Split.VAL) for seed in (1, 1, 2))
    assert first.texts == second.texts
    assert np.array_equal(first.videos, second.videos)
    assert first.texts != other.texts


@settings(max_examples=10, deadline=None)
@given(seed=st.integers(0, 1000))
def test_splits_share_no_combination_of_findings(seed):
    findings = draw_findings(small(seed))
    combinations = {split: [frozenset(item.items()) for item in items] for split, items in findings.items()}
    assert [len(items) for items in combinations.values()] == [48, 16, 16]
    train, val, test = (set(items) for items in combinations.values())
    assert not train & val and not train & test and not val & test
    assert len(val) == len(test) == 16


def test_splits_share_no_picture_noise():
    train, val = (read_angiograms(small(), split) for split in (Split.TRAIN, Split.VAL))
    assert not np.isclose(train.videos[:16], val.videos).all(axis=(1, 2, 3)).any()


@settings(max_examples=5, deadline=None)
@given(seed=st.integers(0, 1000))
def test_reports_name_exactly_the_findings(seed):
    for split, findings in draw_findings(small(seed)).items():
        texts = read_angiograms(small(seed), split).texts
        for text, item in zip(texts, findings, strict=True):
            assert extract_findings(text, segments=SEGMENTS) == item


def test_reports_vary_in_words_and_cover_segments_and_percentages():
    texts = read_angiograms(AngiogramSource(num_train=256), Split.TRAIN).texts
    assert len(set(texts)) > 250
    found = [extract_findings(text, segments=SEGMENTS) for text in texts]
    assert {name for item in found for name in item} == set(SEGMENTS)
    assert {percent for item in found for percent in item.values()} == set(PERCENTAGES)


def test_videos_have_the_asked_shape_and_range():
    videos = read_angiograms(small(num_frames=5, size=48), Split.VAL).videos
    assert videos.shape == (16, 5, 48, 48)
    assert videos.dtype == np.float32
    assert 0 <= videos.min() < videos.max() <= 1


@pytest.mark.parametrize("place", range(len(SEGMENTS)))
def test_a_narrower_vessel_lets_more_light_through(place):
    look = Look(num_frames=4, size=32, noise=0.0)

    def light(narrowing):
        narrowings = np.zeros((8, len(SEGMENTS)), dtype=np.float32)
        narrowings[:, place] = narrowing
        return float(render(narrowings, look=look, rng=np.random.default_rng(0))[:, -1].mean())

    amounts = [light(percent / 100) for percent in (0, *PERCENTAGES)]
    assert amounts == sorted(amounts)
    assert amounts[0] < amounts[-1]


def test_contrast_arrives_during_the_video():
    healthy = np.zeros((8, len(SEGMENTS)), dtype=np.float32)
    videos = render(healthy, look=Look(num_frames=8, size=32, noise=0.0), rng=np.random.default_rng(0))
    light = videos.mean(axis=(0, 2, 3))
    assert (np.diff(light) <= 1e-6).all()
    assert light[0] > light[-1] + 0.02
