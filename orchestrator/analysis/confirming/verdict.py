"""The answer of a confirmation in one word and one sentence."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from orchestrator.analysis.confirming.comparing import Difference
from orchestrator.analysis.confirming.intervals import Interval
from orchestrator.spec.model import Direction


class Outcome(StrEnum):
    """What a confirmation has shown."""

    WINNER = "winner"
    """One configuration is better than the default and than every other candidate."""
    TIE = "tie"
    """Several may be the best, and at least one of them is better than the default."""
    NONE = "none"
    """No configuration is shown to be better than the default."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """The outcome, the configurations that it names (best first), and the same in plain words with the figures."""

    outcome: Outcome
    names: tuple[str, ...]
    sentence: str


@dataclass(frozen=True, slots=True)
class Findings:
    """What a verdict rests on.

    Attributes:
        means: the finalists that have values, best first, with the default among them.
        against_default: the others, each against the default, best first.
        against_best: the best of the others, against each other.
    """

    metric: str
    direction: Direction
    default: str
    means: dict[str, Interval]
    against_default: Sequence[Difference]
    against_best: Sequence[Difference]


def judge(found: Findings) -> Verdict:
    """Name a winner, a tie or nobody."""
    if found.default not in found.means:
        return Verdict(Outcome.NONE, (), _no_default(found))
    better = {d.candidate: d for d in found.against_default if d.separated}
    if not better:
        return Verdict(Outcome.NONE, (), _nobody(found))
    others = [d.candidate for d in found.against_default]
    rivals = [d.against for d in found.against_best if not d.separated]
    names = tuple(name for name in others if name == others[0] or name in rivals or name in better)
    if not rivals and others[0] in better:
        return Verdict(Outcome.WINNER, names[:1], _winner(found, better[others[0]]))
    return Verdict(Outcome.TIE, names, _tie(found, names, list(better.values())))


def _winner(found: Findings, lead: Difference) -> str:
    others = len(found.against_best)
    also = f", and better than {'the other one' if others == 1 else f'each of the other {others}'}" if others else ""
    value = found.means[lead.candidate]
    return f"{lead.candidate} is the winner: {found.metric} {value}, {_lead(lead, found)}{also}."


def _tie(found: Findings, names: Sequence[str], better: Sequence[Difference]) -> str:
    *first, last = (f"{name} ({found.means[name].mean:.4g})" for name in names)
    leads = ", ".join(f"{lead.candidate} is {_lead(lead, found)}" for lead in better)
    return f"a tie: {', '.join(first)} and {last} cannot be told apart by {found.metric}; {leads}."


def _nobody(found: Findings) -> str:
    default = f"the default, whose {found.metric} is {found.means[found.default]}"
    if not found.against_default:
        return f"no winner: every other configuration was ruled out or failed, and what is left is {default}."
    first = found.against_default[0]
    return (
        f"no winner: no configuration is shown to be better than {default}; the nearest, {first.candidate}, is better "
        f"by {Interval(first.mean, first.low, first.high)}."
    )


def _no_default(found: Findings) -> str:
    return f"no winner: the default has no value of {found.metric}, so nothing is shown to be better than it."


def _lead(lead: Difference, found: Findings) -> str:
    word = "above" if found.direction is Direction.MAXIMIZE else "below"
    default = found.means[found.default].mean
    return f"{lead.mean:.4g} {word} the default's {default:.4g} (at least {lead.at_least:.4g}, by 95 % confidence)"
