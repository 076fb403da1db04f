"""The numbers in a report: which vessel segment is narrowed by how many percent.

The captioning task calls this beside BLEU and ROUGE, which hardly move when every percentage is wrong.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

_CLAUSE_END = re.compile(r"[;,]|\.(?!\d)|\band\b")
_PERCENTAGE = re.compile(r"(?<![\d.])(\d{1,3}) ?(?:%|percent\b|per cent\b)")


@dataclass(frozen=True, slots=True)
class StenosisScores:
    """Agreement of generated reports with their references, all reports together.

    A number is right when segment and percentage are both right.

    Attributes:
        recall: share of the reference's numbers that are generated; None where the references have none.
        precision: share of the generated numbers that are right; None where none is generated.
        mean_absolute_error: in percentage points, over segments that both give a number; None where there are none.
        num_references: numbers in the references.
        num_hypotheses: numbers in the generated reports.
        num_common: segments that both give a number, right or wrong.
    """

    recall: float | None
    precision: float | None
    mean_absolute_error: float | None
    num_references: int
    num_hypotheses: int
    num_common: int


def extract_findings(text: str, *, segments: Sequence[str]) -> dict[str, int]:
    """Percentage of each segment that a report gives one for, as in "70% stenosis of the mid right coronary artery".

    Clauses end at . ; , and "and". Within a clause the first percentage belongs to the first segment, the second to
    the second, and so on; what is left over is ignored. A segment keeps its first percentage. Case does not matter.

    Args:
        text: one report.
        segments: the names to look for, in lower case; where one contains another, the longest that fits is taken.

    Raises: ValueError: no segments.
    """
    if not segments:
        raise ValueError("no segment names to look for")
    longest_first = sorted(segments, key=len, reverse=True)
    name = re.compile(r"\b(?:" + "|".join(map(re.escape, longest_first)) + r")\b")
    findings: dict[str, int] = {}
    for clause in _CLAUSE_END.split(" ".join(text.lower().split())):
        named = [match.group() for match in name.finditer(clause)]
        for segment, percent in zip(named, _percentages(clause), strict=False):
            findings.setdefault(segment, percent)
    return findings


def stenosis_scores(references: Sequence[str], hypotheses: Sequence[str], *, segments: Sequence[str]) -> StenosisScores:
    """Compare the findings of generated reports with those of their references, pair by pair.

    Raises: ValueError: not as many references as hypotheses.
    """
    pairs = [
        (extract_findings(reference, segments=segments), extract_findings(hypothesis, segments=segments))
        for reference, hypothesis in zip(references, hypotheses, strict=True)
    ]
    errors = [abs(percent - found) for percent, found in _common(pairs)]
    num_right = errors.count(0)
    num_references = sum(len(reference) for reference, _ in pairs)
    num_hypotheses = sum(len(hypothesis) for _, hypothesis in pairs)
    return StenosisScores(
        recall=num_right / num_references if num_references else None,
        precision=num_right / num_hypotheses if num_hypotheses else None,
        mean_absolute_error=sum(errors) / len(errors) if errors else None,
        num_references=num_references,
        num_hypotheses=num_hypotheses,
        num_common=len(errors),
    )


def _common(pairs: Sequence[tuple[Mapping[str, int], Mapping[str, int]]]) -> Iterator[tuple[int, int]]:
    for reference, hypothesis in pairs:
        for segment in reference.keys() & hypothesis.keys():
            yield reference[segment], hypothesis[segment]


def _percentages(clause: str) -> list[int]:
    values = [int(digits) for digits in _PERCENTAGE.findall(clause)]
    return [value for value in values if value <= 100]
