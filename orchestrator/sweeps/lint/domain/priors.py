"""Where published searches found their optima, and rules about searched ranges that do not even touch them.

The ranges are over the data sets of the paper (CUB200, Cars196, Stanford Online Products), in its conventions:
margins between embeddings of unit length in 2-norm, cosines divided by temperatures. They are told in the key's unit.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass

from orchestrator.sweeps.lint.meaning import Use, by_key, place, span, uses
from orchestrator.sweeps.lint.question import Question
from orchestrator.sweeps.lint.rule import Hit, Rule, Severity
from trainables.roles import (
    Contrast,
    Convention,
    Margin,
    MarginKind,
    Measure,
    Role,
    Scale,
    Sharpness,
    Side,
    Temperature,
)

Tuned = Temperature | Margin | Scale | Sharpness
"""Roles for which there are published optima."""
FAR = 10.0
"""Factor between the nearest ends of two ranges from which on one of them is likely in another unit."""
SOURCE = (
    "Musgrave, Belongie and Lim 2020, A Metric Learning Reality Check, arXiv:2003.08505: Bayesian optimisation, 50 "
    "iterations for each loss and data set, batches of 32."
)


@dataclass(frozen=True, slots=True)
class Prior:
    """Where tuned values lay. Attributes: name: of what. unit: of `low` and `high`, in words."""

    name: str
    low: float
    high: float
    unit: str = ""


_TEMPERATURES = {
    Contrast.NT_XENT: Prior("NT-Xent temperature", 0.0002, 0.0415),
    Contrast.NORMALISED_SOFTMAX: Prior("normalised softmax temperature", 0.063, 0.109),
}
_DISTANCES = {
    MarginKind.TRIPLET: Prior("triplet margin", 0.045, 0.137),
    MarginKind.CONTRASTIVE_POSITIVE: Prior("positive margin of the contrastive loss", -0.20, 0.29),
    MarginKind.CONTRASTIVE_NEGATIVE: Prior("negative margin of the contrastive loss", 0.38, 0.77),
}
_SCALES = {
    MarginKind.COSFACE: Prior("CosFace scale", 88, 161),
    MarginKind.ARCFACE: Prior("ArcFace scale", 50, 220),
}
_SHARPNESS = {
    Side.POSITIVES: Prior("Multi-Similarity alpha", 0.01, 18),
    Side.NEGATIVES: Prior("Multi-Similarity beta", 47, 157),
}
_COSFACE = Prior("CosFace margin", 0.34, 0.62, "in cosine")
_ARCFACE = Prior("ArcFace margin", 18.6, 23.2, "in degrees")


def prior_of(role: Role) -> Prior | None:
    """The tuned range in the unit of the role; None where nothing was published."""
    match role:
        case Temperature(convention=Convention.DIVIDES):
            return _TEMPERATURES.get(role.loss)
        case Scale():
            return _SCALES.get(role.kind)
        case Sharpness():
            return _SHARPNESS[role.side]
        case Margin(kind=MarginKind.COSFACE, measure=Measure.COSINE):
            return _COSFACE
        case Margin(kind=MarginKind.ARCFACE, measure=Measure.DEGREES):
            return _ARCFACE
        case Margin(kind=MarginKind.ARCFACE, measure=Measure.RADIANS):
            low, high = math.radians(_ARCFACE.low), math.radians(_ARCFACE.high)
            return Prior(_ARCFACE.name, low, high, "in radians")
        case Margin():
            return _in_measure(role)
        case _:
            return None


def _in_measure(role: Margin) -> Prior | None:
    """A margin in 2-norm d as one in d^2 or in 1 - cosine, which is d^2 / 2.

    A triplet margin is a difference of distances: it is converted where negatives begin, at right angles, where d is
    the square root of 2 and d^2 changes 2 d times as fast.
    """
    prior = _DISTANCES.get(role.kind)
    squares = {Measure.EUCLIDEAN: None, Measure.SQUARED_EUCLIDEAN: 1.0, Measure.COSINE: 0.5}
    if prior is None or role.measure not in squares:
        return None
    factor = squares[role.measure]
    if factor is None:
        return Prior(prior.name, prior.low, prior.high, "in 2-norm")
    if role.kind is MarginKind.TRIPLET:
        slope = 2 * math.sqrt(2) * factor
        return Prior(prior.name, prior.low * slope, prior.high * slope, f"converted to {_unit(role.measure)}")
    low, high = (math.copysign(d * d, d) * factor for d in (prior.low, prior.high))
    return Prior(prior.name, low, high, f"converted to {_unit(role.measure)}")


def _unit(measure: Measure) -> str:
    return "1 - cosine" if measure is Measure.COSINE else "squared 2-norm"


def beside_the_tuned(question: Question) -> Iterator[Hit]:
    """A searched range beside the tuned one, by less than a factor of `FAR`."""
    yield from (hit for hit, factor in _misses(question) if factor < FAR)


def far_from_the_tuned(question: Question) -> Iterator[Hit]:
    """A searched range beside the tuned one, by more."""
    yield from (hit for hit, factor in _misses(question) if factor >= FAR)


def _misses(question: Question) -> Iterator[tuple[Hit, float]]:
    """Searched ranges that do not touch the tuned ones, with the factor between the nearest ends."""
    tuned: list[Use[Tuned]] = [
        *uses(question, Temperature),
        *uses(question, Margin),
        *uses(question, Scale),
        *uses(question, Sharpness),
    ]
    for key, found in by_key(tuned).items():
        prior = prior_of(found[0].role)
        if prior is None or not question.is_searched(key) or any(prior_of(use.role) != prior for use in found):
            continue
        low, high = found[0].number or 0.0, found[-1].number or 0.0
        if high >= prior.low and low <= prior.high:
            continue
        nearest, end = (high, prior.low) if high < prior.low else (low, prior.high)
        unit = f" {prior.unit}" if prior.unit else ""
        what = f"{low:.3g} to {high:.3g}; tuned on three data sets, the {prior.name} lay between "
        what += f"{prior.low:.3g} and {prior.high:.3g}{unit}"
        edit = span(question, key, max(prior.low, 0.0), prior.high)
        yield Hit(place(question, key), what, edit), _factor(nearest, end)


def _factor(a: float, b: float) -> float:
    """How many times the larger is the smaller; 1 where that means nothing."""
    return max(a / b, b / a) if a > 0 and b > 0 else 1.0


RULES = (
    Rule(
        id="ORC251",
        name="beside-the-tuned-range",
        severity=Severity.NOTE,
        title="A searched range does not touch where a published search found its optima.",
        why=(
            "A fair comparison tuned each loss by Bayesian optimisation on three data sets. Its optima are often not "
            "the defaults of the original papers: NT-Xent T .0002-.0415, normalised softmax T .063-.109, triplet "
            "margin .045-.137, contrastive margins -.20 to .29 (positive; below 0 means 0) and .38 to .77 (negative), "
            "CosFace margin .34-.62 and scale 88-161, ArcFace 18.6-23.2 degrees and scale 50-220, Multi-Similarity "
            "alpha .01-18 and beta 47-157. Your data may differ; a range that does not even touch these deserves a "
            "reason."
        ),
        fix="Widen the range until it touches the tuned one, or go on: a note is no reason to change anything.",
        bad="margin.start: {type: float, low: 0.3, high: 0.6}   # triplet, euclidean",
        good="margin.start: {type: float, low: 0.05, high: 0.6, log: true}",
        source=SOURCE,
        check=beside_the_tuned,
    ),
    Rule(
        id="ORC252",
        name="far-from-the-tuned-range",
        severity=Severity.WARNING,
        title=f"A searched range is a factor of {FAR:g} away from where a published search found its optima.",
        why=(
            "So far away the value is rarely a matter of data: it is in another unit or convention (degrees and "
            "radians, 1 / T and T, squared distances), or a zero is missing."
        ),
        fix="Check the unit; the ranges and their units are on the page of ORC251.",
        bad="cosface.scale: {type: float, low: 1, high: 8}",
        good="cosface.scale: {type: float, low: 30, high: 200, log: true}",
        source=SOURCE,
        check=far_from_the_tuned,
    ),
)
