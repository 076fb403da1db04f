"""Generated remarks: the labels are what the sentence says, and are spoilt in train only."""

import numpy as np
import pytest

from trainables.data.errors import Split
from trainables.data.texts.generated import GENERATED_TASKS, read_generated
from trainables.data.texts.sources import GeneratedSource

CLEAN = {"misspelt_fraction": 0, "missing_fraction": 0, "label_noise": 0}


def labels(split=Split.TRAIN, **fields):
    return read_generated(GeneratedSource(**fields), split).labels_NT


def test_the_rare_class_is_as_rare_as_asked():
    for split in Split:
        assert labels(split, missing_fraction=0)[:, 0].mean() == pytest.approx(0.05)
    assert labels(rare_fraction=0.001, missing_fraction=0)[:, 0].sum() == 2


def test_what_is_said_decides_the_label():
    raw = read_generated(GeneratedSource(**CLEAN), Split.TRAIN)
    for text, (toxic, sentiment, _, sarcastic) in zip(raw.texts, raw.labels_NT.tolist(), strict=True):
        assert toxic or not any(f"you are a {name}" in text for name in ("fool", "clown", "idiot"))
        if "not lovely" in text or "not great" in text:
            assert sentiment == 0
        assert sarcastic == any(sign in text for sign in ("yeah right", ", sure.", "/s", "surprising", "of course"))


def test_every_class_of_every_task_occurs():
    found = labels(missing_fraction=0)
    for number, task in enumerate(GENERATED_TASKS):
        assert set(found[:, number]) == set(range(len(task.classes)))


def test_labels_are_blank_in_train_only():
    assert (labels(missing_fraction=0.3) < 0).mean() == pytest.approx(0.3, abs=0.02)
    assert (labels(Split.VAL, missing_fraction=0.3) >= 0).all()


def test_noise_keeps_the_shares_and_is_in_train_only():
    clean, noisy = labels(missing_fraction=0), labels(missing_fraction=0, label_noise=0.4)
    changed = (clean != noisy).mean(axis=0)
    # A label drawn anew is often the same: the rarer the other classes, the more often.
    assert changed[1] == pytest.approx(0.4 * 2 / 3, abs=0.04)
    assert noisy[:, 0].mean() == pytest.approx(0.05, abs=0.02)
    assert (labels(Split.VAL) == labels(Split.VAL, label_noise=0.4)).all()


def test_the_seed_decides_everything_and_splits_differ():
    first, again, other = (read_generated(GeneratedSource(seed=seed), Split.TRAIN) for seed in (0, 0, 1))
    assert first.texts == again.texts != other.texts
    assert np.array_equal(first.labels_NT, again.labels_NT)
    assert read_generated(GeneratedSource(), Split.VAL).texts != first.texts[:1000]
