"""Rules about who meets whom: hard negatives from the start, and batches of P classes x K items."""

from collections.abc import Iterator
from typing import TypeVar

from orchestrator.sweeps.lint.meaning import Use, place, uses
from orchestrator.sweeps.lint.question import Question
from orchestrator.sweeps.lint.rule import Hit, Rule, Severity
from trainables.roles import ClassesPerBatch, HardNegatives, ItemsPerClass

P = TypeVar("P", ClassesPerBatch, ItemsPerClass)

FEW = 0.05
"""Of the negatives: a share below is the hardest ones alone."""
MANY = 8
"""Negatives from which on one of them is a choice."""


def hardest_from_the_start(question: Question) -> Iterator[Hit]:
    """An untrained encoder is trained on nothing but its hardest negatives."""
    worst: dict[str, Use[HardNegatives]] = {}
    for use in uses(question, HardNegatives):
        kept = worst.setdefault(use.key, use)
        if use.role.kept / max(use.role.available, 1) < kept.role.kept / max(kept.role.available, 1):
            worst[use.key] = use
    for key, use in worst.items():
        role = use.role
        if role.available >= MANY and (role.kept <= 1 or role.kept < FEW * role.available):
            some = "the hardest one" if role.kept <= 1 else f"the {role.kept:g} hardest"
            what = f"from the first step on an anchor meets {some} of its {role.available:g} negatives alone"
            edit = "low: 0.1" if use.number is not None else "all, random or semi_hard first"
            yield Hit(place(question, key, use.value), what, edit)


def beyond_the_data(question: Question) -> Iterator[Hit]:
    """More classes, or more items of a class, than there are."""
    for classes in _largest(uses(question, ClassesPerBatch)).values():
        data = classes.role.data
        if data is not None and classes.role.num > data.num:
            what = f"{classes.role.num} classes in a batch: training has {data.num}"
            yield Hit(place(question, classes.key, classes.value), what, str(data.num))
    for items in _largest(uses(question, ItemsPerClass)).values():
        data = items.role.data
        if data is None:
            continue
        if items.role.num > data.most:
            what = f"{items.role.num} items of each class in a batch: the largest class has {data.most}"
            yield Hit(place(question, items.key, items.value), what, str(data.typical))
        elif items.role.repeats and items.role.num > data.typical:
            what = (
                f"{items.role.num} items of each class, with replacement: the typical class has {data.typical}, and "
                "copies are positives at distance 0"
            )
            yield Hit(place(question, items.key, items.value), what, str(data.typical))


def not_filled(question: Question) -> Iterator[Hit]:
    """Batches smaller than P x K, because most classes have fewer than K items."""
    for items in _largest(uses(question, ItemsPerClass)).values():
        data, wanted = items.role.data, items.role.num
        if data is not None and not items.role.repeats and data.typical < wanted <= data.most:
            what = (
                f"{wanted} items of each class: half of the classes have at most {data.typical} and give what they have"
            )
            yield Hit(place(question, items.key, items.value), what)


def _largest(found: list[Use[P]]) -> dict[str, Use[P]]:
    """By key, the use with the largest number of classes or items."""
    largest: dict[str, Use[P]] = {}
    for use in found:
        if use.role.num >= largest.setdefault(use.key, use).role.num:
            largest[use.key] = use
    return largest


RULES = (
    Rule(
        id="ORC231",
        name="hardest-from-the-start",
        severity=Severity.WARNING,
        title=f"From the first step only the hardest negative, or less than {FEW:.0%} of them, is trained on.",
        why=(
            "Before training, the nearest negative of an anchor is nearest by chance, by a shared recording or by a "
            "wrong label. Pushing only these apart can end in a collapsed model early on. A `hard_negative_ratio` here "
            "is the share that is KEPT, hardest first: 1 keeps all and is safe, a very small one is what other code "
            "calls a hard ratio of 1."
        ),
        fix="Begin with all, random or semi-hard negatives (a curriculum), or keep a tenth of them at least.",
        bad="hard_negative_ratio: {type: float, low: 0.01, high: 1.0}",
        good="hard_negative_ratio: {type: float, low: 0.1, high: 1.0}",
        source="Schroff et al. 2015, arXiv:1503.03832, sec. 3.2: hardest negatives lead to bad local minima early on.",
        check=hardest_from_the_start,
    ),
    Rule(
        id="ORC232",
        name="batch-beyond-the-data",
        severity=Severity.WARNING,
        title="P x K asks for more classes, or more items of a class, than training has.",
        why=(
            "A sampler that must fill K places from a class of two repeats its items: copies are positives at distance "
            "0, and teach nothing. One that does not repeat gives a smaller batch, or refuses to start."
        ),
        fix="Lower K to the size of a typical class, and raise P instead.",
        bad="records_per_person: {type: int, low: 2, high: 16}   # 4 records of each person",
        good="records_per_person: {type: int, low: 2, high: 4}",
        source="pytorch-metric-learning's MPerClassSampler draws with replacement; the shipped data was counted.",
        check=beyond_the_data,
    ),
    Rule(
        id="ORC233",
        name="batch-not-filled",
        severity=Severity.NOTE,
        title="Most classes have fewer than K items: batches are smaller than P x K.",
        why="Each class gives what it has, so that the batch, and with it chance and floor of the loss, is smaller.",
        fix="Nothing, if that is known. train/positives_per_anchor and train/classes_per_batch say what came of it.",
        bad="records_per_person: 4   # ECG-ID: most people have 2",
        good="records_per_person: 2",
        source="Counted: half of ECG-ID's people have 2 records, one has 22.",
        check=not_filled,
    ),
)
