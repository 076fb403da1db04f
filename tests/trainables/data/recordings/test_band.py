"""The band-pass filter keeps its band and moves nothing."""

import numpy as np

from trainables.data.recordings.band import band_pass

RATE_HZ = 250.0
TIME_S = np.arange(2500) / RATE_HZ


def test_a_wave_inside_the_band_stays_where_it_is():
    wave = np.sin(2 * np.pi * 10 * TIME_S)
    kept = band_pass(wave[None], (1.0, 40.0), rate_hz=RATE_HZ)[0]
    np.testing.assert_allclose(kept[500:-500], wave[500:-500], atol=0.02)


def test_what_is_slower_and_faster_goes():
    for hertz in (0.05, 100.0):
        gone = band_pass(np.sin(2 * np.pi * hertz * TIME_S), (1.0, 40.0), rate_hz=RATE_HZ)
        assert np.abs(gone[500:-500]).max() < 0.05
