"""Where the heart beats in a signal: the places of the R peaks. `windows` cuts around them.

A simple detector: the energy of the band in which the QRS complex lies, its peaks above a share of the usual one,
moved to the highest point near by. Knows no files and no people.
"""

import numpy as np
from numpy.typing import NDArray
from scipy import signal

from trainables.data.recordings.band import band_pass

_BAND_HZ = (5.0, 20.0)
_SMOOTH_S = 0.08
_REFRACTORY_S = 0.35
"""No two beats are closer: 170 beats a minute."""
_HEIGHT = 0.3
"""Share of the usual peak energy (median over seconds of the largest) that makes a beat."""
_SEARCH_S = 0.08


def find_beats(signal_T: NDArray[np.float64], *, rate_hz: float) -> NDArray[np.int64]:
    """Samples of the R peaks, rising; none for a signal shorter than two seconds or without energy in the band.

    The peak is the highest point of the band-passed signal: a lead in which R points down is to be turned over first.
    """
    second = round(rate_hz)
    if len(signal_T) < 2 * second:
        return np.empty(0, dtype=np.int64)
    band_T = band_pass(signal_T, _BAND_HZ, rate_hz=rate_hz)
    smooth = max(1, round(_SMOOTH_S * rate_hz))
    energy_T = np.convolve(band_T**2, np.full(smooth, 1 / smooth), "same")
    usual = np.median([energy_T[i : i + second].max() for i in range(0, len(energy_T) - second + 1, second)])
    if usual <= np.finfo(np.float64).tiny:
        return np.empty(0, dtype=np.int64)
    found, _ = signal.find_peaks(energy_T, height=_HEIGHT * usual, distance=max(1, round(_REFRACTORY_S * rate_hz)))
    reach = round(_SEARCH_S * rate_hz)
    starts = np.maximum(found - reach, 0)
    peaks = [
        start + int(np.argmax(band_T[start : place + reach + 1])) for start, place in zip(starts, found, strict=True)
    ]
    return np.unique(np.array(peaks, dtype=np.int64))
