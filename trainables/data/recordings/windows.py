"""From a record to windows: filter it, find its beats, cut. A record that cannot be used raises with the reason."""

import numpy as np
from numpy.typing import NDArray

from trainables.data.errors import DataError
from trainables.data.recordings.band import band_pass
from trainables.data.recordings.beats import find_beats
from trainables.data.recordings.recordings import Recording
from trainables.data.recordings.sources import WindowKind, Windows


def cut(recording: Recording, windows: Windows) -> NDArray[np.float32]:
    """The windows of a record, (N, C, L), at the windows' own sampling rate.

    Raises: DataError: a sample is not finite, a channel is constant, the record is short, or it has too few windows.
    """
    _check(recording, windows)
    nyquist_hz = recording.rate_hz / 2
    band = (windows.low_hz, min(windows.high_hz, 0.95 * nyquist_hz))
    filtered_CT = band_pass(recording.signal_CT, band, rate_hz=recording.rate_hz)
    begin_N = _begins(filtered_CT[0], recording.rate_hz, windows)
    step = recording.rate_hz / windows.rate_hz
    last = filtered_CT.shape[1] - 1
    begin_N = begin_N[(begin_N >= 0) & (begin_N + (windows.num_samples - 1) * step <= last)]
    if len(begin_N) < windows.min_windows:
        what = "heartbeats that fit" if windows.kind is WindowKind.BEATS else "windows that fit"
        raise DataError(
            f"{recording.name}: {len(begin_N)} {what} into {last + 1} samples; "
            f"expected {windows.min_windows} or more (windows.min_windows)"
        )
    place_NL = begin_N[:, None] + step * np.arange(windows.num_samples)
    cut_CNL = np.stack([np.interp(place_NL, np.arange(last + 1), channel_T) for channel_T in filtered_CT])
    return cut_CNL.swapaxes(0, 1).astype(np.float32)


def _begins(channel_T: NDArray[np.float64], rate_hz: float, windows: Windows) -> NDArray[np.float64]:
    """Where each window begins, in samples of the record."""
    if windows.kind is WindowKind.BEATS:
        peak_N = find_beats(channel_T, rate_hz=rate_hz).astype(np.float64)
        return peak_N - windows.before_ms * rate_hz / 1000
    return np.arange(0.0, len(channel_T), windows.length_ms * rate_hz / 1000)


def _check(recording: Recording, windows: Windows) -> None:
    channels = recording.signal_CT
    bad = np.argwhere(~np.isfinite(channels))
    if len(bad):
        channel, sample = bad[0]
        raise DataError(
            f"{recording.name}: sample {sample} of channel {channel} is {channels[channel, sample]}; expected finite "
            f"numbers ({len(bad)} samples are not)"
        )
    for channel, values in enumerate(channels):
        if len(values) and values.min() == values.max():
            raise DataError(f"{recording.name}: channel {channel} is {values[0]:g} throughout; expected a signal")
    shortest = 2 * recording.rate_hz
    if channels.shape[1] < shortest:
        raise DataError(
            f"{recording.name}: {channels.shape[1]} samples; expected {shortest:g} or more, which is two seconds"
        )
    if recording.rate_hz <= 2 * windows.low_hz:
        raise DataError(f"{recording.name}: {recording.rate_hz:g} samples a second; expected more")
