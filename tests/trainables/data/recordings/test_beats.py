"""The detector of R peaks: where they are, and none where there is nothing."""

import numpy as np
import pytest

from trainables.data.recordings.beats import find_beats

PLACES_S = np.array([0.5, 1.3, 2.2, 2.95, 3.8, 4.7, 5.5, 6.3, 7.2])


def heartbeat(rate_hz, *, noise=0.0, wander=0.0, t_wave=0.3):
    time = np.arange(round(8 * rate_hz)) / rate_hz
    distance = time[:, None] - PLACES_S
    signal = np.exp(-((distance / 0.012) ** 2) / 2).sum(axis=1)
    signal += t_wave * np.exp(-(((distance - 0.25) / 0.05) ** 2) / 2).sum(axis=1)
    rng = np.random.default_rng(0)
    return signal + wander * np.sin(2 * np.pi * 0.2 * time) + noise * rng.standard_normal(len(time))


@pytest.mark.parametrize("rate_hz", [200.0, 250.0, 500.0, 360.5])
@pytest.mark.parametrize(("noise", "wander"), [(0.0, 0.0), (0.05, 1.0)])
def test_finds_every_beat_and_nothing_else(rate_hz, noise, wander):
    found = find_beats(heartbeat(rate_hz, noise=noise, wander=wander), rate_hz=rate_hz)
    np.testing.assert_allclose(found / rate_hz, PLACES_S, atol=0.012)


def test_one_loud_artefact_does_not_hide_the_beats():
    signal = heartbeat(250.0)
    signal[1000:1004] += 20
    found = find_beats(signal, rate_hz=250.0) / 250
    assert all(np.abs(found - place).min() < 0.012 for place in PLACES_S if abs(place - 4) > 0.4)


def test_nothing_in_a_constant_or_a_short_signal():
    assert len(find_beats(np.zeros(2500), rate_hz=250.0)) == 0
    assert len(find_beats(heartbeat(250.0)[:400], rate_hz=250.0)) == 0
