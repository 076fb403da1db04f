"""A ledger's storage and an outbox in memory whose driver can be killed before or after any of their writes.

Both keep what was written; a `Killed` driver is dropped with all else. They store what a database would: JSON.
"""

import json
import math
from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime

from optuna.storages import InMemoryStorage

from orchestrator.execution.clock import Clock
from orchestrator.tracking import Lag, Tracker
from orchestrator.tracking.operations import Operation, dump, parse


class Killed(BaseException):
    """What `kill -9` does: nothing of the driver goes on."""


class Fuse:
    """Kills at a write to come, before or after it was made."""

    def __init__(self) -> None:
        self._left = 0
        self._after = False

    def light(self, writes: int, *, after: bool) -> None:
        """The `writes`-th write from now is the last."""
        self._left, self._after = writes, after

    @property
    def is_lit(self) -> bool:
        return self._left > 0

    def put_out(self) -> None:
        self._left = 0

    @contextmanager
    def writing(self) -> Iterator[None]:
        strikes = self._left == 1
        self._left = max(0, self._left - 1)
        if strikes and not self._after:
            raise Killed
        yield
        if strikes:
            raise Killed


class KillableStorage(InMemoryStorage):
    """Optuna's storage in memory, with dates by a given clock."""

    def __init__(self, fuse: Fuse, clock: Clock) -> None:
        super().__init__()
        self._fuse = fuse
        self._clock = clock

    def create_new_trial(self, study_id, template_trial=None):
        with self._fuse.writing():
            trial_id = super().create_new_trial(study_id, template_trial)
            trial = self._get_trial(trial_id)
            trial.user_attrs, trial.datetime_start = _as_stored(trial.user_attrs), self._date()
            return trial_id

    def set_trial_user_attr(self, trial_id, key, value):
        with self._fuse.writing():
            super().set_trial_user_attr(trial_id, key, _as_stored(value))

    def set_trial_system_attr(self, trial_id, key, value):
        with self._fuse.writing():
            super().set_trial_system_attr(trial_id, key, _as_stored(value))

    def set_trial_intermediate_value(self, trial_id, step, intermediate_value):
        with self._fuse.writing():
            super().set_trial_intermediate_value(trial_id, step, intermediate_value)

    def set_trial_state_values(self, trial_id, state, values=None):
        with self._fuse.writing():
            is_set = super().set_trial_state_values(trial_id, state, values)
            if state.is_finished():
                self._get_trial(trial_id).datetime_complete = self._date()
            return is_set

    def set_study_user_attr(self, study_id, key, value):
        with self._fuse.writing():
            super().set_study_user_attr(study_id, key, _as_stored(value))

    def _date(self) -> datetime:
        return datetime.fromtimestamp(self._clock.now_ms() / 1000)


@dataclass
class Said:
    """What an outbox in memory holds: operations in order, and the facts that were told with them."""

    operations: list[Operation] = field(default_factory=list)
    facts: set[str] = field(default_factory=set)


class KillableTracker(Tracker):
    """Says what a tracker says, to an outbox that outlives the driver; ships nothing."""

    def __init__(self, said: Said, fuse: Fuse, clock: Clock) -> None:
        self._said = said
        self._fuse = fuse
        self._name = "toy-1"
        self._now_ms = clock.now_ms
        self._missed = Counter()
        self._failed_ms = -math.inf
        self._gathered = None

    @property
    def lag(self) -> Lag:
        return Lag(len(self._said.operations), 0.0, 0)

    @property
    def last_error(self) -> str | None:
        return None

    def told(self) -> frozenset[str]:
        return frozenset(self._said.facts)

    def _try_to_append(self, operations: Sequence[Operation], facts: Collection[str]) -> bool:
        with self._fuse.writing():
            self._said.operations += [parse(dump(operation)) for operation in operations]
            self._said.facts |= set(facts)
        return True


def _as_stored(value):
    return json.loads(json.dumps(value))
