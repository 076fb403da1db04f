"""Rules about temperatures: which convention, how soft, and what that leaves a loss to fall through."""

import math
from collections.abc import Iterator, Sequence

from orchestrator.sweeps.lint.meaning import Use, by_key, place, span, uses
from orchestrator.sweeps.lint.question import Question
from orchestrator.sweeps.lint.rule import Hit, Rule, Severity
from trainables.losses.bounds import Bounds, sup_con_bounds, supcon_bounds
from trainables.roles import Convention, Format, Precision, Temperature

LEAST_SCALE = 2.0
"""A temperature that divides and is never below this was meant to multiply; a scale never above 1 / 2, to divide."""
LEAST_SHARE = 0.25
"""Of the way from chance to a perfect arrangement at T near 0, that a loss should be able to go."""
LOGIT_ERROR = {Format.BFLOAT16: 2.2e-3, Format.FLOAT16: 2.7e-4}
"""Error of a cosine near 1 in these formats: half of the last place is 2^-9 and 2^-12, and more in a sum."""
MOST_LOGIT_ERROR = 0.1


def convention(question: Question) -> Iterator[Hit]:
    """All values of one key look like the other convention."""
    for key, found in _by_convention(question, Convention.DIVIDES).items():
        low, high = _ends(found)
        if low >= LEAST_SCALE:
            what = (
                f"{_range(low, high)} looks like a scale, which cosines are multiplied by (SigLIP starts at 10); here "
                f"they are divided by it, so that all logits lie within {1 / low:.2g} of 0"
            )
            yield Hit(place(question, key), what, span(question, key, 1 / high, 1 / low))
    for key, found in _by_convention(question, Convention.MULTIPLIES).items():
        low, high = _ends(found)
        if high <= 1 / LEAST_SCALE:
            what = (
                f"{_range(low, high)} looks like a temperature, which cosines are divided by (CLIP's is near 0.1); "
                f"here they are multiplied by it, so that cosines move a logit by {high:.2g} at most"
            )
            yield Hit(place(question, key), what, span(question, key, 1 / high, 1 / low))


def above_one(question: Question) -> Iterator[Hit]:
    """A cosine divided by more than 1."""
    for key, found in _by_convention(question, Convention.DIVIDES).items():
        low, high = _ends(found)
        if high > 1:
            what = (
                f"T = {high:.3g}: cosines lie within 1 of 0, so that the best match can be at most "
                f"e^{2 / high:.2g} = {math.exp(2 / high):.3g} times as likely as the worst"
            )
            edit = "high: 0.5" if question.is_searched(key) and low < 0.5 else span(question, key, 0.05, 0.2)
            yield Hit(place(question, key, found[-1].value), what, edit)


def no_way_to_fall(question: Question) -> Iterator[Hit]:
    """A softmax loss whose floor is near chance at this temperature and batch size."""
    for key, found in _by_convention(question, Convention.DIVIDES).items():
        shares = {id(use): share for use in found if (share := _share(use)) is not None}
        if not shares:
            continue
        worst = min((use for use in found if id(use) in shares), key=lambda use: shares[id(use)])
        if shares[id(worst)] < LEAST_SHARE:
            others = [use for use in (found[0], found[-1]) if use.number != worst.number and id(use) in shares]
            what = f"{_described(worst)}: {shares[id(worst)]:.0%} of what a low temperature leaves it to fall"
            what += "".join(f"; {_described(use)}" for use in others[:1])
            edit = span(question, key, 0.05, 0.2)
            yield Hit(place(question, key, worst.value), what, edit)


def losses_differ(question: Question) -> Iterator[Hit]:
    """A searched temperature: what the loss can be at both ends."""
    said = set()
    for key, found in _by_convention(question, Convention.DIVIDES).items():
        known = [use for use in found if loss_bounds(use) is not None]
        if not known or known[0].number == known[-1].number:
            continue
        ends = [_with_most_negatives(known, end.number) for end in (known[0], known[-1])]
        what = "; ".join(map(_described, ends))
        if what not in said:
            yield Hit(place(question, key), f"{what}: losses of these trials are not comparable")
        said.add(what)


def low_precision(question: Question) -> Iterator[Hit]:
    """Cosines in 16 bits, multiplied by a large number."""
    formats = {id(use.whole): use.role.format for use in uses(question, Precision)}
    for convention_ in Convention:
        for key, found in _by_convention(question, convention_).items():
            errors = [(error, use) for use in found if (error := _logit_error(use, formats.get(id(use.whole))))]
            if not errors:
                continue
            error, use = max(errors, key=lambda pair: pair[0])
            if error > MOST_LOGIT_ERROR:
                name = formats[id(use.whole)].value
                what = f"{use.number:.3g} with cosines in {name}: their rounding moves a logit by about {error:.2g}"
                yield Hit(place(question, key, use.value), what, "compute cosines and logits in float32")


def loss_bounds(use: Use[Temperature]) -> Bounds | None:
    """Chance and floor at this temperature; None where the batch is not known or has nothing to contrast."""
    role, temperature = use.role, use.number
    if role.batch_size is None or role.convention is not Convention.DIVIDES or not temperature:
        return None
    try:
        if role.one_modality:
            return sup_con_bounds(role.batch_size, temperature, items_per_class=role.items_per_class)
        return supcon_bounds(
            role.batch_size,
            temperature,
            positives_per_anchor=role.items_per_class,
            margin=role.margin,
            hard_negative_ratio=role.kept_fraction,
        )
    except ValueError:
        return None


def _share(use: Use[Temperature]) -> float | None:
    """How much of the range that the loss has at a temperature near 0 it still has at this one."""
    bounds = loss_bounds(use)
    sharpest = loss_bounds(Use(use.key, use.role, 1e-3, use.whole))
    if bounds is None or sharpest is None:
        return None
    # A margin moves chance with 1 / T; what is left to fall is compared from the same start.
    whole = bounds.chance - min(sharpest.floor, bounds.floor)
    return (bounds.chance - bounds.floor) / whole if whole > 0 else None


def _with_most_negatives(found: Sequence[Use[Temperature]], number: float | None) -> Use[Temperature]:
    """Of the uses with this temperature, the one with the largest chance value."""

    def chance(use: Use[Temperature]) -> float:
        bounds = loss_bounds(use)
        return 0.0 if bounds is None else bounds.chance

    return max((use for use in found if use.number == number), key=chance)


def _described(use: Use[Temperature]) -> str:
    bounds, role = loss_bounds(use), use.role
    assert bounds is not None
    single = role.items_per_class == 1 and role.margin == 0 and role.kept_fraction == 1
    chance = "ln B" if single else "chance"
    return (
        f"at T = {use.number:.3g} and B = {role.batch_size} the loss is between its floor, {bounds.floor:.3f}, "
        f"and {chance}, {bounds.chance:.3f}"
    )


def _logit_error(use: Use[Temperature], used: Format | None) -> float | None:
    if used not in LOGIT_ERROR or not use.number:
        return None
    return LOGIT_ERROR[used] * (1 / use.number if use.role.convention is Convention.DIVIDES else use.number)


def _by_convention(question: Question, wanted: Convention) -> dict[str, list[Use[Temperature]]]:
    return by_key([use for use in uses(question, Temperature) if use.role.convention is wanted])


def _ends(found: Sequence[Use[Temperature]]) -> tuple[float, float]:
    return found[0].number or 0.0, found[-1].number or 0.0


def _range(low: float, high: float) -> str:
    return f"{low:g}" if low == high else f"{low:g} to {high:g}"


RULES = (
    Rule(
        id="ORC201",
        name="temperature-convention",
        severity=Severity.WARNING,
        title=f"A temperature that divides is never below {LEAST_SCALE:g}, or a scale that multiplies never above 0.5.",
        why=(
            "CLIP, SupCon and NT-Xent divide cosines by a temperature near 0.1; SigLIP multiplies them by a scale near "
            "10. A value that is right in one convention is a hundred times off in the other. With cosines divided by "
            "10 all logits lie within 0.1 of 0: every text is nearly as likely as every other, whatever is learned."
        ),
        fix="Write the reciprocal: 10 becomes 0.1. Ignore it if the loss is meant to be that soft.",
        bad="temperature.start: {type: float, low: 5.0, high: 20.0}",
        good="temperature.start: {type: float, low: 0.05, high: 0.2}",
        source=(
            "Radford et al. 2021, arXiv:2103.00020 (logit scale 1 / 0.07); Zhai et al. 2023, arXiv:2303.15343, "
            "algorithm 1 (t = 10, b = -10)."
        ),
        check=convention,
    ),
    Rule(
        id="ORC202",
        name="temperature-above-1",
        severity=Severity.WARNING,
        title="Cosines are divided by more than 1.",
        why=(
            "A cosine lies in [-1, 1]. Divided by T it moves the odds of two candidates by a factor of e^(2/T) at "
            "most: 7.4 at T = 1, 1.2 at T = 10. CLIP's own learned temperature is clamped to [0.01, 1]. Above 1 the "
            "gradient is weak and spread over all negatives alike."
        ),
        fix="Search 0.02 to 0.5.",
        bad="temperature: {type: float, low: 0.1, high: 5.0}",
        good="temperature: {type: float, low: 0.05, high: 0.5, log: true}",
        source="open_clip clamps the logit scale to [0, ln 100]: T between 0.01 and 1.",
        check=above_one,
    ),
    Rule(
        id="ORC203",
        name="no-way-to-fall",
        severity=Severity.WARNING,
        title=f"At this temperature and batch size the loss can go less than {LEAST_SHARE:.0%} of its way.",
        why=(
            "A contrastive softmax loss starts near chance, ln B, and cannot go below its floor, "
            "ln(1 + (B - 1) exp(-(1 + 1 / (B - 1)) / T)). At B = 20 and T = 10 that is 2.996 and 2.896: a loss that "
            "'hangs at 2.9' has arrived. The larger the batch, the lower T must be: T = 1 leaves 32 % of the way at "
            "B = 20 and 12 % at B = 4096. For several positives the floor is ln(P + N exp(-C / (C - 1) / T))."
        ),
        fix="Lower the temperature, or judge by the position between floor and chance, which the tasks report.",
        bad="temperature.start: {type: float, low: 5.0, high: 20.0}   # batch_size: 20",
        good="temperature.start: {type: float, low: 0.07, high: 0.15}",
        source="trainables/losses/bounds.py; tests/numerics/test_loss_bounds.py trains embeddings to these floors.",
        check=no_way_to_fall,
    ),
    Rule(
        id="ORC204",
        name="losses-differ-over-temperature",
        severity=Severity.NOTE,
        title="The temperature is searched: floor and chance of the loss at both ends.",
        why=(
            "A loss is a number in units of its own temperature and batch size. Trials with different T have different "
            "floors, so that the lower loss is not the better model."
        ),
        fix="Rank trials by a retrieval metric. Compare losses by their position between floor and chance.",
        bad="temperature: {type: float, low: 0.05, high: 0.3, log: true}   # objective: val/nce_loss",
        good="temperature: {type: float, low: 0.05, high: 0.3, log: true}   # objective: val/recall_at_1",
        source="trainables/losses/bounds.py.",
        check=losses_differ,
    ),
    Rule(
        id="ORC205",
        name="low-precision-with-low-temperature",
        severity=Severity.WARNING,
        title=f"Cosines in 16 bits are off by more than {MOST_LOGIT_ERROR:g} once divided by the temperature.",
        why=(
            "bfloat16 keeps 8 bits: a cosine near 1 is off by about 0.002. Divided by T = 0.01 that is 0.22 in a "
            "logit, as much as separates a hard negative from its positive late in training."
        ),
        fix="Leave the encoder in 16 bits, and compute cosines and the loss in float32; or keep T above 0.02.",
        bad="temperature: {type: float, low: 0.005, high: 0.1, log: true}   # precision: bfloat16",
        good="temperature: {type: float, low: 0.03, high: 0.1, log: true}",
        source="Measured: bfloat16 cosines of unit vectors, error 2e-3, 0.22 in a logit at T = 0.01.",
        check=low_precision,
    ),
)
