"""One claim of a source note beside what was measured here."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Claim:
    """A row of `docs/reproductions.md`.

    Attributes:
        what: what was measured, with its settings.
        note: the note's number, or what it expects.
        ours: our number, with its spread over seeds.
        verdict: a few words, such as "reproduced", "inverted", "no gain".
    """

    what: str
    note: str
    ours: str
    verdict: str
