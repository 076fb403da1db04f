"""Generated recordings: people differ, days differ less, splits share nobody, a seed gives the same again."""

import time

import numpy as np
import pytest

from trainables.data.errors import Split
from trainables.data.recordings.load import load_recordings
from trainables.data.recordings.simulated import list_simulated
from trainables.data.recordings.sources import SimulatedSource, Windows

SOURCE = SimulatedSource(num_train=4, num_val=3, num_test=2, days=2, records_per_day=2, duration_s=6)


def test_records_of_people_on_days():
    records = [entry.read() for entry in list_simulated(SOURCE, Split.VAL)]
    assert len(records) == 12
    assert len({record.person for record in records}) == 3
    assert [record.day for record in records[:4]] == ["day 0", "day 0", "day 1", "day 1"]
    assert records[0].signal_CT.shape == (1, 1500)


def test_splits_share_nobody_and_no_stream():
    people = [{entry.person for entry in list_simulated(SOURCE, split)} for split in Split]
    assert sum(map(len, people)) == len(set().union(*people)) == 9
    train, val = (list_simulated(SOURCE, split)[0].read().signal_CT for split in (Split.TRAIN, Split.VAL))
    assert abs(np.corrcoef(train[0], val[0])[0, 1]) < 0.9


def test_a_seed_gives_the_same_again_and_another_one_does_not():
    def first(seed):
        return list_simulated(SOURCE.model_copy(update={"seed": seed}), Split.TRAIN)[0].read().signal_CT

    np.testing.assert_array_equal(first(1), first(1))
    assert not np.array_equal(first(1), first(2))


def test_beats_of_one_person_are_more_alike_than_those_of_two():
    data = load_recordings(SimulatedSource(num_train=8, num_val=8, day_variation=0.5, noise=0.02), Windows())
    beats = data.val.medians()[:, 0].numpy()
    alike = np.corrcoef(beats)
    same = data.val.person_R.numpy()[:, None] == data.val.person_R.numpy()
    other = ~np.eye(len(beats), dtype=bool)
    assert alike[same & other].mean() > alike[~same].mean()


@pytest.mark.parametrize("variation", [0.0, 2.0])
def test_day_variation_moves_days_apart(variation):
    source = SimulatedSource(num_train=2, num_val=6, day_variation=variation, noise=0.0, duration_s=10)
    val = load_recordings(source, Windows()).val
    alike = np.corrcoef(val.medians()[:, 0].numpy())
    same = val.person_R.numpy()[:, None] == val.person_R.numpy()
    across = same & (val.day_R.numpy()[:, None] != val.day_R.numpy())
    assert (alike[across].min() > 0.98) == (variation == 0)


def test_the_default_is_generated_in_a_moment():
    begin_s = time.process_time()
    load_recordings(SimulatedSource(seed=123), Windows())
    assert time.process_time() - begin_s < 3
