"""The error tree and the exit codes. Every room raises these; only `cli` turns them into text and an exit code.

No message of this tree shows a password: `redact` hides those of all URLs.

OrchError
+-- UsageError                2   the person asked for something that cannot be
|   +-- SpecError             2   faults in a sweep file, all of them at once
|   +-- SweepNotFoundError    2
+-- InfrastructureError       3   cluster, ledger or tracking server not reachable, or unable to do the work
|   +-- BrokenOffError        3   the same, in the middle of a sweep, which can be resumed
+-- LockedError               5   another process holds the sweep
+-- IntegrityError            6   records contradict each other
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum

_CREDENTIALS = re.compile(r"(?<=://)(?:[^/\s]*@|[^/@\s:]*:(?!\d+/)[^@\s]*@)")
_SECRET_VALUE = re.compile(r"(?i)(?<=[?&])([\w.-]*(?:password|passwd|secret|token|key)[\w.-]*=)[^&#\s'\"]+")


def redact(text: str) -> str:
    """Hide the user names and passwords of all URLs in a text, and values such as `?password=`."""
    return _SECRET_VALUE.sub(r"\1***", _CREDENTIALS.sub("***@", text))


class ExitCode(IntEnum):
    """What `orch` returns to the shell."""

    DONE = 0
    FAILURES = 1
    USAGE = 2
    INFRASTRUCTURE = 3
    BUDGET = 4
    LOCKED = 5
    INTEGRITY = 6
    SIGHUP = 129
    SIGINT = 130
    SIGTERM = 143


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing wrong in a sweep file, as `file:line:col path: what, value, what is allowed`.

    Attributes:
        file, line, column: where; lines and columns count from 1, 0 means unknown.
        path: dotted path in the file, such as `space.optimizer.lr.low`; may be empty.
        what: the fault and, where it helps, the value and what is allowed, in one sentence.
        hint: what to do, such as a did-you-mean; may be empty.
    """

    file: str
    line: int
    column: int
    path: str
    what: str
    hint: str = ""

    def __str__(self) -> str:
        where = f"{self.file}:{self.line}:{self.column}" if self.line else self.file
        path = f" {self.path}" if self.path else ""
        hint = f" ({self.hint})" if self.hint else ""
        return f"{where}{path}: {self.what}{hint}"


class OrchError(Exception):
    """The root: everything that Orch raises on purpose."""

    exit_code: ExitCode = ExitCode.FAILURES

    def __str__(self) -> str:
        return redact(super().__str__())


class UsageError(OrchError):
    """A command or a file asks for something that cannot be."""

    exit_code = ExitCode.USAGE


class SpecError(UsageError):
    """A sweep file with one or more faults; `faults` holds all of them, in file order."""

    def __init__(self, faults: Sequence[Fault]) -> None:
        self.faults = tuple(sorted(faults, key=lambda f: (f.file, f.line, f.column)))
        super().__init__("\n".join(str(fault) for fault in self.faults))


class SweepNotFoundError(UsageError):
    """No sweep has this name or id."""


class InfrastructureError(OrchError):
    """A cluster, ledger or server cannot be reached or cannot do the work."""

    exit_code = ExitCode.INFRASTRUCTURE


class BrokenOffError(InfrastructureError):
    """What a sweep needs has failed in its middle; what was acknowledged is stored, and `sweep` can be resumed."""

    def __init__(self, message: str, *, sweep: str) -> None:
        self.sweep = sweep
        super().__init__(message)


class LockedError(OrchError):
    """Another process drives this sweep; the message names it."""

    exit_code = ExitCode.LOCKED


class IntegrityError(OrchError):
    """Records contradict each other."""

    exit_code = ExitCode.INTEGRITY
