"""Attempts that one worker runs together: lanes of one computation where that can be, in turns where it cannot.

Every runner hands out bundles; most hold one attempt. What each lane does comes back as that attempt's own outcome.
"""

import sys
import time
import traceback
from collections.abc import Collection, Sequence

from orchestrator.execution.assignment import Assignment, Measured, Outcome
from orchestrator.execution.attempt import Attempt
from trainables.contract import CannotFuse, LaneSteps
from trainables.registry import load_train_lanes


class Bundle:
    """Attempts at several trials, each known by its trial's number. `advance` until all are over."""

    def __init__(self, assignments: Sequence[Assignment]) -> None:
        """Keep the assignments; nothing is imported and nothing runs before the first `advance`."""
        self._attempts = {assignment.number: Attempt(assignment) for assignment in assignments}
        self._numbers = tuple(self._attempts)
        self._trainable = assignments[0].trainable
        self._lanes: LaneSteps | None = None
        self._take_turns = len(self._attempts) == 1

    @property
    def is_over(self) -> bool:
        """Whether no attempt is left."""
        return not self._attempts

    def advance(self) -> dict[int, Outcome]:
        """Train each attempt that is left up to its next measurement; one that is done or has raised is over."""
        outcomes = self._advance_in_turns() if self._take_turns else self._advance_lanes()
        self.end([number for number, outcome in outcomes.items() if not isinstance(outcome, Measured)])
        return outcomes

    def end(self, numbers: Collection[int]) -> None:
        """These are over; the others go on."""
        for number in numbers:
            if (attempt := self._attempts.pop(number, None)) is not None:
                attempt.close()

    def save(self) -> None:
        """Checkpoint the step that was measured last, of each attempt."""
        for attempt in self._attempts.values():
            attempt.save()

    def close(self) -> None:
        """End all that is left."""
        self.end(list(self._attempts))
        if self._lanes is not None:
            try:
                self._lanes.close()
            except (Exception, SystemExit):
                traceback.print_exc(file=sys.stderr)

    def _advance_in_turns(self) -> dict[int, Outcome]:
        return {number: attempt.advance() for number, attempt in self._attempts.items()}

    def _advance_lanes(self) -> dict[int, Outcome]:
        """Seconds are shared by the lanes that are left."""
        started_s = time.perf_counter()
        try:
            if self._lanes is None:
                self._lanes = self._start()
                started_s = time.perf_counter()
                step = next(self._lanes)
            else:
                step = self._lanes.send({place for place, n in enumerate(self._numbers) if n in self._attempts})
        except StopIteration:
            share_s = self._share_s(started_s)
            return {number: attempt.finish(share_s) for number, attempt in self._attempts.items()}
        except CannotFuse as error:
            return self._give_up(f"trained by itself: {error}")
        except (Exception, SystemExit) as error:
            share_s = self._share_s(started_s)
            return {number: attempt.fail(error, share_s) for number, attempt in self._attempts.items()}
        share_s = self._share_s(started_s)
        found = {self._numbers[place]: what for place, what in step.items()}
        return {number: attempt.take(found[number], share_s) for number, attempt in self._attempts.items()}

    def _start(self) -> LaneSteps:
        # One lane reads for all what they have in common.
        begun = [attempt.begin(watch=not place) for place, attempt in enumerate(self._attempts.values())]
        return load_train_lanes(self._trainable)([config for config, _ in begun], [context for _, context in begun])

    def _give_up(self, note: str) -> dict[int, Outcome]:
        self._take_turns, self._lanes = True, None
        for attempt in self._attempts.values():
            attempt.note(note)
        return self._advance_in_turns()

    def _share_s(self, started_s: float) -> float:
        return (time.perf_counter() - started_s) / len(self._attempts)
