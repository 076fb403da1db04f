"""Fail-points: named functions of the product that misbehave at their n-th call. The product knows nothing of them.

`Orch.start(..., failing=[FailPoint("orchestrator.study.ledger:Ledger.report", Action.KILL, call=3)])` starts a command
with them, in its Ray workers too, where the toy installs them. `armed(...)` has them in this process for a while.
"""

import errno
import functools
import json
import os
import pkgutil
import signal
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any

VARIABLE = "PYTHONORCH_FAILPOINTS"
"""Where processes that are started find their fail-points. Workers inherit variables that begin with PYTHON."""
_WRAPPED = "__failpoint__"


class Action(StrEnum):
    """What happens instead of, or after, a call."""

    KILL = "kill"
    EXIT = "exit"
    RAISE = "raise"
    SLEEP = "sleep"
    NO_SPACE = "no_space"


@dataclass(frozen=True)
class FailPoint:
    """Where, when and how.

    Attributes:
        target: `module:Class.method` or `module:function`, as the caller looks it up.
        call: the first call that fails, from 1, counted in each process.
        times: how many calls fail from there on.
        after: whether the function does its work first.
        seconds: of `SLEEP`.
    """

    target: str
    action: Action = Action.KILL
    call: int = 1
    times: int = 1
    after: bool = False
    seconds: float = 0.0

    def strike(self) -> None:
        match self.action:
            case Action.KILL:
                os.kill(os.getpid(), signal.SIGKILL)
            case Action.EXIT:
                os._exit(1)
            case Action.RAISE:
                raise RuntimeError(f"a fault at {self.target}")
            case Action.NO_SPACE:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), "a full disk")
            case Action.SLEEP:
                time.sleep(self.seconds)


def environment(points: Sequence[FailPoint]) -> Mapping[str, str]:
    """What a process is started with so that `install` finds the points."""
    return {VARIABLE: json.dumps([asdict(point) for point in points])} if points else {}


def install() -> None:
    """Wrap what the environment names; what is wrapped already is left alone."""
    for written in json.loads(os.environ.get(VARIABLE, "[]")):
        point = FailPoint(**{**written, "action": Action(written["action"])})
        owner, name = _owner(point.target)
        if not hasattr(getattr(owner, name), _WRAPPED):
            setattr(owner, name, _failing(getattr(owner, name), point))


@contextmanager
def armed(*points: FailPoint) -> Iterator[None]:
    """The points in this process, until the block ends."""
    before = []
    try:
        for point in points:
            owner, name = _owner(point.target)
            before.append((owner, name, getattr(owner, name)))
            setattr(owner, name, _failing(getattr(owner, name), point))
        yield
    finally:
        for owner, name, function in reversed(before):
            setattr(owner, name, function)


def _owner(target: str) -> tuple[Any, str]:
    """The class or module that has the function, and the function's name there."""
    module, _, path = target.partition(":")
    *above, name = path.split(".")
    return pkgutil.resolve_name(f"{module}:{'.'.join(above)}"), name


def _failing(function: Callable[..., Any], point: FailPoint) -> Callable[..., Any]:
    calls = 0

    @functools.wraps(function)
    def wrapped(*args: object, **kwargs: object) -> object:
        nonlocal calls
        calls += 1
        strikes = point.call <= calls < point.call + point.times
        if strikes and not point.after:
            point.strike()
        result = function(*args, **kwargs)
        if strikes and point.after:
            point.strike()
        return result

    setattr(wrapped, _WRAPPED, True)
    return wrapped
