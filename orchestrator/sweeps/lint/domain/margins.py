"""Rules about margins: their unit, how far points of the unit sphere can be apart, and which way ANT's margin works."""

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import pairwise

from orchestrator.sweeps.lint.meaning import Use, by_key, place, uses
from orchestrator.sweeps.lint.question import Question
from orchestrator.sweeps.lint.rule import Hit, Rule, Severity
from trainables.losses.bounds import simplex_distance
from trainables.roles import AntMargin, Margin, MarginKind, Measure

CEILINGS: Mapping[Measure, float] = {
    Measure.COSINE: 2.0,
    Measure.EUCLIDEAN: 2.0,
    Measure.SQUARED_EUCLIDEAN: 4.0,
    Measure.DEGREES: 180.0,
    Measure.RADIANS: math.pi,
}
"""How far two unit vectors can be apart."""
_BEYOND: Mapping[MarginKind, str] = {
    MarginKind.TRIPLET: "triplets stay active however well they are placed",
    MarginKind.CONTRASTIVE_POSITIVE: "positives are never drawn together",
    MarginKind.CONTRASTIVE_NEGATIVE: "negatives are pushed however far they are",
    MarginKind.LOGIT: "a perfect match still counts as a miss",
    MarginKind.COSFACE: "a perfect match still counts as a miss",
    MarginKind.ARCFACE: "a perfect match still counts as a miss",
}
"""What a margin beyond reach does."""
RIGHT_ANGLE = math.pi / 2
"""No one adds more than this to an angle, in radians; in degrees no one adds less."""
ANT_KEPT = (
    (0.0, 0.0),
    (0.1, 0.027),
    (0.2, 0.073),
    (0.3, 0.155),
    (0.4, 0.277),
    (0.5, 0.426),
    (0.6, 0.578),
    (0.7, 0.715),
)
"""Margin, and the share of 127 negatives that it keeps, measured at a mean cosine of .08."""
ANT_ALL = 0.9
"""From here on more than nine tenths of the negatives are kept."""


def unit_of_an_angle(question: Question) -> Iterator[Hit]:
    """Degrees where radians are meant, or the other way round."""
    for key, found in _in_one_unit(question):
        low, high = _ends(found)
        measure = found[0].role.measure
        if measure is Measure.DEGREES and 0 < high <= RIGHT_ANGLE:
            what = f"{high:g} degrees are {math.radians(high):.2g} radians: nothing; in radians it would be"
            yield Hit(place(question, key), f"{what} {math.degrees(high):.3g} degrees", _span(low, high, math.degrees))
        if measure is Measure.RADIANS and high > RIGHT_ANGLE:
            what = f"{high:g} radians are {math.degrees(high):.3g} degrees, more than a right angle"
            edit = _span(low, high, math.radians) if low > RIGHT_ANGLE else "high: 0.6"
            yield Hit(place(question, key, found[-1].value), what, edit)


def above_the_ceiling(question: Question) -> Iterator[Hit]:
    """No value of the margin can be met by any two points of the unit sphere."""
    for key, found in _in_one_unit(question):
        role, least = found[0].role, _ends(found)[0]
        if least > CEILINGS[role.measure]:
            what = (
                f"{_name(role)} of {least:g} can never be met: two unit vectors are at most {CEILINGS[role.measure]:g} "
                f"apart, so that {_BEYOND[role.kind]}"
            )
            yield Hit(place(question, key, found[0].value), what, f"below {CEILINGS[role.measure] / 2:g}")


def out_of_reach(question: Question) -> Iterator[Hit]:
    """A margin that the classes of a batch cannot keep from each other all at once."""
    for key, found in _in_one_unit(question):
        over = [use for use in found if (use.number or 0) > reach(use.role)]
        if not over or _ends(found)[0] > CEILINGS[found[0].role.measure]:
            continue
        worst = over[-1]
        farthest, classes = reach(worst.role), worst.role.classes_per_batch
        all_classes = classes and farthest < CEILINGS[worst.role.measure]
        whose = f"the {classes:g} classes of a batch" if all_classes else "two unit vectors"
        at_once = " all at once" if all_classes else ""
        what = f"{_name(worst.role)} of {worst.number:g}: {whose} are at most {farthest:.3g} apart{at_once}"
        edit = f"below {farthest:.2g}"
        yield Hit(place(question, key, worst.value), f"{what}, so that {_BEYOND[worst.role.kind]}", edit)


def reach(role: Margin) -> float:
    """How far apart the classes of a batch can be, all pairs at once; of two points where their number is not known.

    The margin of positives says nothing of classes, and an angle is added whatever the others are.
    """
    classes = role.classes_per_batch
    alone = role.kind is MarginKind.CONTRASTIVE_POSITIVE or role.measure in (Measure.DEGREES, Measure.RADIANS)
    if alone or classes is None or classes < 2:
        return CEILINGS[role.measure]
    distance = simplex_distance(classes, euclidean=role.measure is not Measure.COSINE)
    return distance**2 if role.measure is Measure.SQUARED_EUCLIDEAN else distance


def growing_ant_margin(question: Question) -> Iterator[Hit]:
    """In every trial that moves it, ANT's margin grows."""
    found = [use for use in uses(question, AntMargin) if len(use.role.over_time) > 1]
    steps = [(a, b) for use in found for a, b in pairwise(use.role.over_time)]
    if any(b < a for a, b in steps) or not any(b > a for a, b in steps):
        return
    widest = max(found, key=lambda use: use.role.over_time[-1] - use.role.over_time[0])
    first, last = widest.role.over_time[0], widest.role.over_time[-1]
    what = (
        f"the margin only ever grows, such as from {first:g} to {last:g}: ANT then looks at more and more negatives "
        f"(about {ant_kept(first):.0%}, then {ant_kept(last):.0%} of them), not at harder ones"
    )
    yield Hit(place(question, widest.key), what, "a start above the end, to narrow down to the hardest")


def useless_ant_margin(question: Question) -> Iterator[Hit]:
    """A margin that keeps no negative, or all of them."""
    found = uses(question, AntMargin)
    least = min(found, key=lambda use: min(use.role.over_time), default=None)
    most = max(found, key=lambda use: max(use.role.over_time), default=None)
    if least is not None and min(least.role.over_time) <= 0:
        what = "a margin of 0 keeps no negative at all, not even the hardest one: ANT has no gradient"
        yield Hit(place(question, least.key), what, "low: 0.05")
    if most is not None and max(most.role.over_time) >= ANT_ALL:
        what = f"a margin of {max(most.role.over_time):g} keeps more than nine in ten negatives: ANT selects nothing"
        yield Hit(place(question, most.key), what, "high: 0.6")


def ant_kept(margin: float) -> float:
    """Share of the negatives that a margin keeps, between the measured ones; 1 from where it was not measured."""
    for (low, a), (high, b) in pairwise(ANT_KEPT):
        if margin <= high:
            return a + (b - a) * (margin - low) / (high - low)
    return 1.0


def _in_one_unit(question: Question) -> Iterator[tuple[str, list[Use[Margin]]]]:
    """Each key with its uses, the least first, those of each kind and measure together."""
    found = uses(question, Margin)
    for kind, measure in dict.fromkeys((use.role.kind, use.role.measure) for use in found):
        same = [use for use in found if (use.role.kind, use.role.measure) == (kind, measure)]
        yield from by_key(same).items()


def _name(role: Margin) -> str:
    return f"a {role.kind.value.replace('_', ' ')} margin ({role.measure.value.replace('_', ' ')})"


def _ends(found: Sequence[Use[Margin]]) -> tuple[float, float]:
    return found[0].number or 0.0, found[-1].number or 0.0


def _span(low: float, high: float, convert: Callable[[float], float]) -> str:
    return f"low: {convert(low):.3g}, high: {convert(high):.3g}"


RULES = (
    Rule(
        id="ORC211",
        name="unit-of-an-angle",
        severity=Severity.WARNING,
        title="A margin in degrees that is small enough to be radians, or one in radians above a right angle.",
        why=(
            "ArcFace adds its margin to an angle. Its paper writes 0.5 radians, pytorch-metric-learning takes 28.6 "
            "degrees: the same number in the wrong unit is 57 times too small or too large. 0.5 degrees are no margin; "
            "28.6 radians are four and a half turns."
        ),
        fix="Convert: degrees = radians * 57.3.",
        bad="arcface.margin_degrees: {type: float, low: 0.2, high: 0.6}",
        good="arcface.margin_degrees: {type: float, low: 11.5, high: 34.4}",
        source="Deng et al. 2019, arXiv:1801.07698: 0.5 radians; pytorch-metric-learning's ArcFaceLoss: 28.6 degrees.",
        check=unit_of_an_angle,
    ),
    Rule(
        id="ORC212",
        name="margin-above-the-ceiling",
        severity=Severity.ERROR,
        title="No two unit vectors can be as far apart as the smallest margin asks for.",
        why=(
            "On the unit sphere the 2-norm of a difference and one minus a cosine are at most 2, a squared 2-norm at "
            "most 4. Above that every triplet is active in every step: the loss is a constant more, its gradient does "
            "not depend on the margin, and all values of it are the same trial. Negatives of a pair loss are pushed "
            "for ever, and positives with such a margin not at all."
        ),
        fix="Search well below half of the ceiling; published optima for triplets are near 0.1 in 2-norm.",
        bad="margin: {type: float, low: 2.5, high: 5.0}",
        good="margin: {type: float, low: 0.05, high: 0.5}",
        source="Geometry: |a - b|^2 = 2 - 2 cos <= 4 for unit a and b.",
        check=above_the_ceiling,
    ),
    Rule(
        id="ORC213",
        name="margin-out-of-reach",
        severity=Severity.WARNING,
        title="A margin that the classes of a batch cannot keep from each other all at once.",
        why=(
            "C classes can be at most C / (C - 1) apart in one minus cosine, and the square root of twice that in "
            "2-norm, when all pairs are equally far. With 16 classes that is 1.07 and 1.46. A margin above it leaves a "
            "loss above 0 whatever is learned, and pushes apart what is as far apart as it can be."
        ),
        fix="Keep the margin below that distance. Above the ceiling itself (ORC212) it has no effect at all.",
        bad="margin.start: {type: float, low: 0.1, high: 1.5}   # 16 people in a batch",
        good="margin.start: {type: float, low: 0.1, high: 0.6}",
        source="A regular simplex of C unit vectors has cosines of -1 / (C - 1); trainables/losses/bounds.py.",
        check=out_of_reach,
    ),
    Rule(
        id="ORC214",
        name="growing-ant-margin",
        severity=Severity.WARNING,
        title="ANT's margin grows in every trial that moves it.",
        why=(
            "ANT keeps the negatives with s_ij > max_j s_ij - margin. A larger margin lowers the threshold and keeps "
            "MORE negatives: of 127 about 3 % at 0.1, 16 % at 0.3, 43 % at 0.5 and 72 % at 0.7. Who raises the margin "
            "to become more selective gets the opposite."
        ),
        fix="Let the margin fall, or ignore the rule if the loss is meant to look at more and more negatives.",
        bad="margin.start: {type: float, low: 0.1, high: 0.2}   # margin: {kind: linear, end: 0.5}",
        good="margin.start: {type: float, low: 0.1, high: 0.5}   # margin.end: {type: float, low: 0.05, high: 0.5}",
        source="The definition; shares measured at B = 128 and a mean negative cosine of .08.",
        check=growing_ant_margin,
    ),
    Rule(
        id="ORC215",
        name="useless-ant-margin",
        severity=Severity.WARNING,
        title=f"A margin of 0, or of {ANT_ALL:g} and more, for ANT.",
        why=(
            "At 0 the threshold is the hardest negative itself and nothing is above it: the loss has no gradient, or "
            "is the logarithm of 0. From about 0.9 on more than nine in ten negatives are above it: nothing is "
            "selected."
        ),
        fix="Search 0.05 to 0.6.",
        bad="margin.start: {type: float, low: 0.0, high: 1.0}",
        good="margin.start: {type: float, low: 0.05, high: 0.6}",
        source="The definition; the share at 0.9 is continued from those measured up to 0.7 (ORC214).",
        check=useless_ant_margin,
    ),
)
