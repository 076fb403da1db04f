"""The band-pass filter that `beats` and `windows` share; designs are kept: they cost more than the filtering."""

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy import signal

_ORDER = 2


def band_pass(signal_CT: NDArray[np.float64], band_hz: tuple[float, float], *, rate_hz: float) -> NDArray[np.float64]:
    """Keep a band, forwards and backwards, so that nothing moves in time. Args: signal_CT: time is the last axis."""
    filtered_CT: NDArray[np.float64] = signal.sosfiltfilt(_sections(band_hz, rate_hz), signal_CT)
    return filtered_CT


@lru_cache(maxsize=32)
def _sections(band_hz: tuple[float, float], rate_hz: float) -> NDArray[np.float64]:
    sections: NDArray[np.float64] = signal.butter(_ORDER, band_hz, "bandpass", fs=rate_hz, output="sos")
    return sections
