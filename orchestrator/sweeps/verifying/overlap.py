"""Which trials of a sweep were in work at the same time, by the clock that the ledger keeps. Pure."""

import itertools
from collections.abc import Sequence

from orchestrator.trial import TrialRecord

Interval = tuple[int, int]


def concurrency(trials: Sequence[TrialRecord]) -> int:
    """The most trials that were in work at once; at least 1. A paused trial counts until it goes on, too."""
    moments = sorted(moment for start, end in _intervals(trials) for moment in ((start, 1), (end, -1)))
    most = now = 0
    for _, change in moments:
        now += change
        most = max(most, now)
    return max(1, most)


def one_at_a_time(trials: Sequence[TrialRecord]) -> bool:
    """Whether each trial began after the one before it had ended; a clock that stepped back says no."""
    spans = [_interval(trial) for trial in trials]
    if any(span is None for span in spans[:-1]):
        return False
    known = [span for span in spans if span is not None]
    in_order = all(start <= end for start, end in known)
    return in_order and all(before[1] <= after[0] for before, after in itertools.pairwise(known))


def _intervals(trials: Sequence[TrialRecord]) -> list[Interval]:
    return [(start, max(start, end)) for span in map(_interval, trials) if span is not None for start, end in [span]]


def _interval(trial: TrialRecord) -> Interval | None:
    """From its first start to its end, or to the last that is known of it."""
    if trial.started_ms is None:
        return None
    last = trial.measurements[-1].at_ms if trial.measurements else trial.started_ms
    return trial.started_ms, last if trial.ended_ms is None else trial.ended_ms
