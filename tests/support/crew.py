"""`Crew`: a runner of several workers in virtual time, so that budgets meet any order of events without waiting."""

import heapq
from collections.abc import Callable, Sequence

from orchestrator.execution.assignment import Assignment, Done, Measured
from orchestrator.execution.control import Directive, SweepControl
from tests.support.clocks import FakeClock

Seconds = Callable[[int, int], float]
"""Trial and step to the seconds that the stretch before the step takes."""


class Crew:
    """`concurrency` workers; each epoch takes what `seconds` says. Ends as a cluster does: no worker is cut off."""

    def __init__(self, clock: FakeClock, *, concurrency: int, epochs: int, seconds: Seconds) -> None:
        self._clock = clock
        self._concurrency = concurrency
        self._epochs = epochs
        self._seconds = seconds
        self.longest_s = 0.0

    def run(self, control: SweepControl) -> None:
        """Hand out, measure, obey, until the control has no more."""
        at_work: list[tuple[float, int, int, int]] = []
        now_s = 0.0
        for _ in range(self._concurrency):
            self._take(control, at_work, now_s)
        while at_work:
            then_s, number, step, attempt = heapq.heappop(at_work)
            self._clock.advance(then_s - now_s)
            now_s = then_s
            directive = control.outcome(
                number, Measured(step, {"val/score": 0.5 + step / 100}, self._of(number, step)), attempt=attempt
            )
            if directive is Directive.GO_ON and step < self._epochs:
                heapq.heappush(at_work, (now_s + self._of(number, step + 1), number, step + 1, attempt))
                continue
            if directive is Directive.PAUSE:
                control.paused(number, attempt=attempt)
            elif directive is Directive.GO_ON:
                control.outcome(number, Done(), attempt=attempt)
            self._take(control, at_work, now_s)

    def _take(self, control: SweepControl, at_work: list[tuple[float, int, int, int]], now_s: float) -> None:
        assignment = control.next()
        if assignment is not None:
            step = _first_step(assignment)
            then_s = now_s + self._of(assignment.number, step)
            heapq.heappush(at_work, (then_s, assignment.number, step, assignment.attempt))

    def _of(self, number: int, step: int) -> float:
        seconds = self._seconds(number, step)
        self.longest_s = max(self.longest_s, seconds)
        return seconds


def _first_step(assignment: Assignment) -> int:
    return 0 if assignment.last_step is None else assignment.last_step + 1


def table(durations: Sequence[float]) -> Seconds:
    """Durations in turn, the same for the same trial and step."""
    return lambda number, step: durations[(7 * number + step) % len(durations)]
