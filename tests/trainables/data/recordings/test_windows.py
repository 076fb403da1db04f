"""Cutting: peaks at one place, any sampling rate, and a reason for each record that cannot be used."""

import numpy as np
import pytest

from trainables.data.errors import DataError
from trainables.data.recordings.recordings import Recording
from trainables.data.recordings.sources import Windows
from trainables.data.recordings.windows import cut


def recording(signal, *, rate_hz=250.0):
    return Recording(name="who/rec_1", person="who", day="today", signal_CT=np.atleast_2d(signal), rate_hz=rate_hz)


def beating(rate_hz=250.0, seconds=8):
    time = np.arange(round(seconds * rate_hz)) / rate_hz
    return np.exp(-((((time % 0.8) - 0.4) / 0.012) ** 2) / 2)


@pytest.mark.parametrize("rate_hz", [250.0, 500.0, 333.0])
def test_the_peak_is_where_the_window_says(rate_hz):
    found = cut(recording(beating(rate_hz), rate_hz=rate_hz), Windows(before_ms=200, after_ms=300))
    assert found.shape == (10, 1, 125)
    assert found.dtype == np.float32
    assert set(found[:, 0].argmax(axis=1).tolist()) <= {49, 50, 51}


def test_beats_whose_window_leaves_the_record_are_left_out():
    found = cut(recording(beating()), Windows(before_ms=500, after_ms=500))
    assert len(found) == 8


def test_channels_are_cut_at_the_beats_of_the_first():
    found = cut(recording(np.stack([beating(), np.roll(beating(), 10)])), Windows())
    assert (found[:, 1].argmax(axis=1) - found[:, 0].argmax(axis=1)).mean() == pytest.approx(10, abs=1)


def test_fixed_windows_follow_each_other():
    found = cut(recording(beating()), Windows(kind="fixed", length_ms=2000))
    assert found.shape == (3, 1, 500) or found.shape == (4, 1, 500)


def test_nan_is_named_by_sample_and_channel():
    signal = np.stack([beating(), beating()])
    signal[1, 70:75] = np.nan
    with pytest.raises(DataError, match=r"who/rec_1: sample 70 of channel 1 is nan.*5 samples"):
        cut(recording(signal), Windows())


@pytest.mark.parametrize(
    ("signal", "what"),
    [
        (np.full(2000, 0.7), "channel 0 is 0.7 throughout"),
        (beating()[:300], "300 samples; expected 500"),
        (beating(seconds=3), "heartbeats that fit into 750 samples; expected 3"),
        (np.empty(0), "0 samples"),
    ],
)
def test_a_useless_record_says_why(signal, what):
    windows = Windows(before_ms=900, after_ms=900) if len(signal) == 750 else Windows()
    with pytest.raises(DataError, match=f"who/rec_1: .*{what}"):
        cut(recording(signal), windows)
