"""What a confirmation stores besides its trials: each read of the test split, what was measured there, the report.

Called by `sweeps.confirming`. All of it is attributes of the confirmation's own study: the searched one stays as it is.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING

from orchestrator.trial import JsonValue

if TYPE_CHECKING:  # whoever reads a report does without Optuna
    from orchestrator.study.ledger import Ledger

READS = "orch:test_reads"
"""Study attribute with the list of reads."""
EXAMINED = "orch:examined:"
"""Study attribute prefix: trial number to what its best checkpoint measured on test."""
NOT_EXAMINED = "orch:not_examined:"
"""Study attribute prefix: trial number to why its best checkpoint could not be measured."""
REPORT = "orch:confirmation"
"""Study attribute with the finished report."""


@dataclass(frozen=True, slots=True)
class SplitRead:
    """One read of a test split.

    Attributes:
        split: a fingerprint of the data that was read.
        who: user@host.
        why: the command, and what was to be confirmed.
        ended_ms: when the figures were stored; None for a read that was interrupted, which counts all the same.
    """

    split: str
    who: str
    why: str
    confirmation: str
    candidates: tuple[str, ...]
    at_ms: int
    ended_ms: int | None = None


@dataclass(frozen=True, slots=True)
class Examined:
    """What one trained state measured on test.

    Attributes:
        resamples: of the metric that is confirmed: its values when the measured units are drawn anew.
    """

    step: int
    metrics: Mapping[str, float]
    resamples: Sequence[float] = ()
    at_ms: int = 0


def read_reads(attrs: Mapping[str, object]) -> list[SplitRead]:
    """The reads among the attributes of a study, oldest first."""
    written = attrs.get(READS, [])
    assert isinstance(written, list)
    return [SplitRead(**{**read, "candidates": tuple(read["candidates"])}) for read in written]


class ConfirmationLog:
    """The attributes of one confirmation's study."""

    def __init__(self, ledger: "Ledger") -> None:
        self._study = ledger.study

    @property
    def reads(self) -> list[SplitRead]:
        """Its reads of the test split, oldest first."""
        return read_reads(self._study.user_attrs)

    def begin_read(self, read: SplitRead) -> None:
        """Store that the split is about to be read, before it is."""
        self._write_reads([*self.reads, read])

    def end_read(self, *, at_ms: int) -> None:
        """Store that what the last read measured is stored."""
        *earlier, last = self.reads
        self._write_reads([*earlier, replace(last, ended_ms=at_ms)])

    def examined(self) -> dict[int, Examined]:
        """Trial number to what was measured on test."""
        attrs = self._study.user_attrs
        return {int(k.removeprefix(EXAMINED)): Examined(**v) for k, v in attrs.items() if k.startswith(EXAMINED)}

    def note_examined(self, number: int, examined: Examined) -> None:
        """Store what a trial's state measured on test."""
        written = {**asdict(examined), "resamples": list(examined.resamples)}
        self._study.set_user_attr(f"{EXAMINED}{number}", written)

    def note_failed(self, number: int, why: str) -> None:
        """Store why a trial's state could not be measured."""
        self._study.set_user_attr(f"{NOT_EXAMINED}{number}", why)

    def failed(self) -> dict[int, str]:
        """Trial number to why it could not be measured; one that could later is not among them."""
        attrs, known = self._study.user_attrs, self.examined()
        found = {int(k.removeprefix(NOT_EXAMINED)): str(v) for k, v in attrs.items() if k.startswith(NOT_EXAMINED)}
        return {number: why for number, why in found.items() if number not in known}

    @property
    def report(self) -> Mapping[str, JsonValue] | None:
        """The report; None while the confirmation is not finished."""
        written: Mapping[str, JsonValue] | None = self._study.user_attrs.get(REPORT)
        return written

    def write_report(self, report: Mapping[str, JsonValue]) -> None:
        """Store the report: the confirmation is finished."""
        self._study.set_user_attr(REPORT, dict(report))

    def _write_reads(self, reads: Sequence[SplitRead]) -> None:
        self._study.set_user_attr(READS, [asdict(read) for read in reads])
