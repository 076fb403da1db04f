"""Which assignments go to one worker together: those that can be lanes of one computation. Runners ask for bundles.

Trials fit together when all but what their trainable's `FUSING` lets vary is equal. One that fits nobody yet waits a
little for company; nothing waits once the control has nothing more to hand out.
"""

from collections.abc import Hashable, Mapping, Sequence, Set
from fnmatch import fnmatchcase

from pydantic import BaseModel

from orchestrator.execution.assignment import Assignment, Measured, Outcome
from orchestrator.execution.control import Directive, SweepControl
from orchestrator.execution.lane_count import LaneCount
from orchestrator.spec.dotted import flatten
from orchestrator.trial import Mishap
from trainables.contract import Fusing, Purpose
from trainables.registry import TrainableInfo, load_info

WAITING_SHARE = 2
"""So many times the size of a bundle may be asked for before the largest group goes, complete or not."""


class Bundler:
    """Hands out what a control hands out, in bundles."""

    def __init__(self, control: SweepControl) -> None:
        self._control = control
        fuse = control.spec.execution.fuse
        self._info: TrainableInfo | None = None if fuse == "off" else load_info(control.spec.trainable)
        self._count = LaneCount(1 if fuse == "off" else fuse, say=control.say)
        self._waiting: dict[Hashable, list[Assignment]] = {}
        self._said: set[str] = set()

    def next(self) -> tuple[Assignment, ...]:
        """The next bundle; empty when there is nothing to hand out now."""
        size = self._count.next()
        while len(self._largest) < size and sum(map(len, self._waiting.values())) < WAITING_SHARE * size:
            if (assignment := self._control.next()) is None:
                break
            self._waiting.setdefault(self._kind(assignment), []).append(assignment)
        largest = self._largest
        taken = tuple(largest[:size])
        del largest[:size]
        self._waiting = {kind: group for kind, group in self._waiting.items() if group}
        return taken

    @property
    def _largest(self) -> list[Assignment]:
        """Those that wait together in the largest number."""
        return max(self._waiting.values(), key=len, default=[])

    def release(self) -> list[Assignment]:
        """What waits for company; it is not handed out any more."""
        waiting = [assignment for group in self._waiting.values() for assignment in group]
        self._waiting = {}
        return waiting

    def saw(self, outcomes: Mapping[int, Outcome], *, num_lanes: int) -> None:
        """What a bundle of so many lanes has measured."""
        measured = [outcome for outcome in outcomes.values() if isinstance(outcome, Measured)]
        self._count.saw(measured, num_lanes=num_lanes)

    def _kind(self, assignment: Assignment) -> Hashable:
        """What assignments that fit together have in common; one that fits nobody has a kind of its own."""
        if self._info is None:
            return assignment.number
        kind, why = kind_of(assignment, self._info)
        if why and why not in self._said:
            self._said.add(why)
            self._control.say(f"not fused: {why}")
        return assignment.number if kind is None else kind


class InWork:
    """The attempts of one bundle that are not over: a runner passes on what happens to them."""

    def __init__(self, control: SweepControl, bundler: Bundler, assignments: Sequence[Assignment]) -> None:
        self._control, self._bundler = control, bundler
        self._assignments = {assignment.number: assignment for assignment in assignments}

    @property
    def numbers(self) -> Set[int]:
        """Of the trials."""
        return self._assignments.keys()

    def began(self) -> None:
        """They run."""
        for number, assignment in self._assignments.items():
            self._control.began(number, attempt=assignment.attempt)

    def outcome(self, outcomes: Mapping[int, Outcome]) -> tuple[Directive, tuple[int, ...]]:
        """Pass on what each of them did.

        Returns: how those that are left go on, and which have measured and are over, of which their worker must hear.
        """
        # Tune brings some outcomes a second time.
        new = {number: outcome for number, outcome in outcomes.items() if number in self._assignments}
        directives = {
            number: self._control.outcome(number, outcome, attempt=self._assignments[number].attempt)
            for number, outcome in new.items()
        }
        if new:
            self._bundler.saw(new, num_lanes=len(self._assignments))
        over = [number for number, directive in directives.items() if directive is Directive.END]
        for number in over:
            del self._assignments[number]
        told = tuple(number for number in over if isinstance(new[number], Measured))
        if not self._assignments:
            return Directive.END, told
        return Directive.PAUSE if Directive.PAUSE in directives.values() else Directive.GO_ON, told

    def lost(self, mishap: Mishap, what: str) -> None:
        """Their worker is gone."""
        for number, assignment in self._assignments.items():
            self._control.lost(number, mishap, what, attempt=assignment.attempt)

    def paused(self) -> None:
        """They were ended on purpose before their time."""
        for number, assignment in self._assignments.items():
            self._control.paused(number, attempt=assignment.attempt)


def kind_of(assignment: Assignment, info: TrainableInfo) -> tuple[Hashable | None, str]:
    """What assignments that can be lanes of one computation have in common; or None, and why it can be no lane."""
    if info.fusing is None:
        return None, f"{info.name} has no FUSING"
    if len(assignment.seeds) > 1:
        return None, "a trial of several seeds trains them side by side"
    if assignment.start is not None or assignment.until is not None or assignment.purpose is not Purpose.SEARCH:
        return None, "a trial goes on from another one's checkpoint"
    config = info.config_type.model_validate(assignment.config)
    if why := info.fusing.refuse(config):
        return None, why
    return (*_shape(config, info.fusing), ("seed", assignment.seeds[0]), ("step", assignment.last_step)), ""


def _shape(config: BaseModel, fusing: Fusing) -> Sequence[tuple[str, str]]:
    """All values that lanes must share, by dotted key."""
    shape = []
    for key, value in sorted(flatten(config.model_dump(mode="json")).items()):
        if any(fnmatchcase(key, pattern) for pattern in fusing.weights):
            shape.append((key, "weight" if value else "none"))
        elif not any(fnmatchcase(key, pattern) for pattern in fusing.varies):
            shape.append((key, repr(value)))
    return shape
