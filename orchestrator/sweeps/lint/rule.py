"""What a lint rule is, and what it says: plain data. A rule is a pure function of a `Question`.

Made by the modules of `generic` and `domain`, collected in `table`, run by `judge`. Knows no file and no rule.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum

from orchestrator.errors import Fault
from orchestrator.spec.nodes import Path
from orchestrator.sweeps.lint.question import Question
from orchestrator.trial import JsonValue


class Severity(StrEnum):
    """How much a rule weighs."""

    ERROR = "error"
    """Certain: the sweep cannot answer its question. It does not start."""
    WARNING = "warning"
    """The sweep is likely to waste its budget or to mislead."""
    NOTE = "note"
    """Worth knowing, and no reason to change anything. Shown by `orch lint` alone."""


@dataclass(frozen=True, slots=True)
class Hit:
    """What a rule says of one place of a file.

    Attributes:
        path: keys and list positions from the top, such as `("space", "temperature.start", "high")`.
        what: what is wrong, with the numbers, in one sentence without a full stop.
        edit: what to write instead, as it would stand in the file; empty where there is no one edit.
    """

    path: Path
    what: str
    edit: str = ""


Check = Callable[[Question], Iterator[Hit]]


@dataclass(frozen=True, slots=True)
class Rule:
    """One thing that a sweep file can get wrong, and the page that explains it.

    Attributes:
        id: `ORC1..` for any sweep, `ORC2..` for embedding models; never used again for another rule.
        name: a few words with dashes, such as `wide-range-not-log`.
        title: one line: what it finds, and with which limits.
        why: what goes wrong in such a sweep.
        fix: what to do, and when to ignore the rule.
        bad: lines of a sweep file that it speaks of.
        good: the same lines, mended.
        source: where the limits are from: a paper with its equation or table, or how they were measured.
        check: the rule itself; None for the one that the judge asks.
        of_machine: it reads `Question.facts`, so that it may speak on one machine and not on another.
    """

    id: str
    name: str
    severity: Severity
    title: str
    why: str
    fix: str
    bad: str
    good: str
    source: str
    check: Check | None
    of_machine: bool = False


@dataclass(frozen=True, slots=True)
class Advice:
    """A hit of one rule, with its place in the file."""

    rule: str
    name: str
    severity: Severity
    fault: Fault

    def __str__(self) -> str:
        fault = self.fault
        where = f"{fault.file}:{fault.line}:{fault.column}" if fault.line else fault.file
        path = f"{fault.path}: " if fault.path else ""
        return f"{where} {self.rule} {self.severity}: {path}{fault.what}"

    def to_json(self) -> dict[str, JsonValue]:
        """Plain values."""
        fault = self.fault
        return {
            "rule": self.rule,
            "name": self.name,
            "severity": self.severity.value,
            "file": fault.file,
            "line": fault.line,
            "column": fault.column,
            "path": fault.path,
            "what": fault.what,
            "edit": fault.hint,
        }
