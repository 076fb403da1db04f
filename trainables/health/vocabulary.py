"""What the names of metrics mean: which way is good, and what to compare with.

`orch diagnose` words trends with it, checks ask it what kind of metric the objective is. Knows no trainable: the
names are a shared vocabulary, and a trainable that uses it is understood.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum


class Direction(StrEnum):
    """Which way a metric should go."""

    HIGHER = "higher"
    LOWER = "lower"
    NEUTRAL = "neutral"


@dataclass(frozen=True, slots=True)
class Reference:
    """Another metric that gives a value its scale: `role` is `chance`, `floor` or `baseline`."""

    role: str
    metric: str


@dataclass(frozen=True, slots=True)
class Meaning:
    """What a metric's name says. Its untrained value, step 0, is a reference of every metric and is not listed."""

    direction: Direction = Direction.NEUTRAL
    text: str = ""
    references: tuple[Reference, ...] = ()


@dataclass(frozen=True, slots=True)
class _Entry:
    """A pattern of names, and the references as templates of its groups."""

    pattern: re.Pattern[str]
    direction: Direction
    text: str
    references: Sequence[tuple[str, str]] = ()


def _entry(pattern: str, direction: Direction, text: str, **references: str) -> _Entry:
    return _Entry(re.compile(pattern), direction, text, tuple(references.items()))


_HIGHER, _LOWER, _NEUTRAL = Direction.HIGHER, Direction.LOWER, Direction.NEUTRAL
_CHANCE = r"val/chance_\g<x>"

_ENTRIES: Sequence[_Entry] = (
    # Scales of others: they are what they are.
    _entry(
        r"val/(chance|raw|majority|class_blind|class_mean)_\w+|val/\w+_(chance|floor)",
        _NEUTRAL,
        "a reference of another metric",
    ),
    _entry(r"val/rare_prevalence\w*", _NEUTRAL, "share of the rare class"),
    _entry(r"val/(num_\w+|gallery_size|embedding_size)", _NEUTRAL, "a count"),
    # What a model would be deployed for.
    _entry(
        r"val/(?P<x>([a-z]+_)?recall_at_\d+\w*)",
        _HIGHER,
        "share of queries with a match among the first k",
        chance=_CHANCE,
        baseline=r"val/raw_\g<x>",
    ),
    _entry(
        r"val/(?P<x>rank_at_\d+\w*)",
        _HIGHER,
        "share of valid queries with one of their class among the first k",
        chance=_CHANCE,
        baseline=r"val/raw_\g<x>",
    ),
    _entry(
        r"val/(?P<x>mean_average_precision\w*|map_at_r\w*|nearest_neighbou?r_accuracy)",
        _HIGHER,
        "how early the ranking has what belongs to the query",
        chance=_CHANCE,
        baseline=r"val/raw_\g<x>",
    ),
    _entry(r"val/(?P<x>(cosine_)?retrieval_accuracy)(?P<y>\w*)", _HIGHER, "right class target found", chance=_CHANCE),
    _entry(r"val/r2\w*", _HIGHER, "1 at perfection, 0 for the best prediction that ignores the class"),
    _entry(
        r"(train|val)/(?P<x>macro_f1)(?P<y>\w*)",
        _HIGHER,
        "F1, each class counting the same",
        baseline=r"val/majority_\g<x>\g<y>",
    ),
    _entry(r"(train|val)/(last_|average_|stream_)?(accuracy|precision)(_\w+)?", _HIGHER, "share that is right"),
    _entry(
        r"val/(rare|stenosis(_segment)?)_(recall|precision|f1)\w*",
        _HIGHER,
        "of what matters, found; of what was found, right",
    ),
    _entry(r"train/(([a-z]+_)?recall|rank)_at_\d+\w*", _HIGHER, "the same on training items: for the train-val gap"),
    _entry(r"val/auc", _HIGHER, "chance that a matching pair is nearer than another; blind to the first ranks"),
    _entry(r"val/eer", _LOWER, "equal error rate of the yes-or-no question"),
    _entry(r"val/backward_transfer", _HIGHER, "change of old tasks since they were learned"),
    _entry(r"val/forgetting", _LOWER, "what old tasks lost since their best"),
    _entry(r"val/(bleu|rouge_\w+)", _HIGHER, "words shared with the true text; blind to wrong numbers"),
    _entry(r"val/stenosis_mae", _LOWER, "error of the numbers that are named"),
    _entry(r"val/calibration_error\w*", _LOWER, "how far confidence is from accuracy"),
    # Losses.
    _entry(r"(train|val)/\w+_position", _LOWER, "the loss between its floor, 0, and chance, 1"),
    _entry(r"train/ant_(floor|excess)", _LOWER, "what of the ANT loss is not its count floor"),
    _entry(
        r"(?P<s>train|val)/(?P<x>\w+_loss|loss)",
        _LOWER,
        "comparable only at the same batch size and temperature",
        chance=r"val/\g<x>|chance",
        floor=r"val/\g<x>|floor",
    ),
    _entry(r"val/mse(?P<x>\w*)", _LOWER, "mean squared error per dimension", baseline=r"val/class_blind_mse\g<x>"),
    _entry(
        r"val/(target|output)_(distance|norm)\w*|val/norm_(gain|floor)\w*", _NEUTRAL, "lengths of what is regressed"
    ),
    # Geometry.
    _entry(r"val/matched_cosine|(train|val)/positive_cosine", _HIGHER, "nearness of what belongs together"),
    _entry(r"val/(unmatched|mean)_cosine|(train|val)/negative_cosine", _LOWER, "nearness of what does not"),
    _entry(r"(train|val)/hardest_negative_cosine", _LOWER, "nearness of the worst confusion"),
    _entry(r"(train|val)/(hardest_)?gap", _HIGHER, "positive cosine less negative cosine"),
    _entry(r"val/resultant_length", _LOWER, "1 when all embeddings point the same way"),
    _entry(r"val/effective_rank\w*", _HIGHER, "directions in use"),
    _entry(r"val/top_variance_fraction", _LOWER, "share of the variance along one axis"),
    _entry(r"val/intra_distance", _LOWER, "within classes, over all of val"),
    _entry(r"val/inter_distance", _HIGHER, "between classes, over all of val"),
    _entry(r"train/(intra|inter)_distance", _NEUTRAL, "of the pairs that the loss chose; says nothing of neighbours"),
    _entry(r"val/distance_ratio", _HIGHER, "inter over intra distance, over all of val"),
    _entry(r"train/distance_ratio", _NEUTRAL, "of the pairs that the loss chose; says nothing of neighbours"),
    _entry(r"val/nearest_negative_distance", _HIGHER, "to the nearest of another class"),
    _entry(r"val/closer_positive_fraction", _HIGHER, "share whose positive is nearer than every negative"),
    _entry(r"val/calinski_harabasz", _HIGHER, "spread between over spread within", chance=r"\g<0>_chance"),
    _entry(r"val/davies_bouldin", _LOWER, "overlap of clusters; 0 at collapse", chance=r"\g<0>_chance"),
    # Mining and batches.
    _entry(r"train/mining_requested_fraction", _HIGHER, "anchors mined as the config asks"),
    _entry(r"train/mining_fallback_\w+", _LOWER, "anchors mined in another way"),
    _entry(r"train/negative_percentile", _NEUTRAL, "rank of the chosen negative: 0 nearest, 1 farthest"),
    _entry(r"train/anchors_without_positive_fraction", _LOWER, "anchors that teach nothing about likeness"),
    _entry(r"train/(positives_per_anchor|distinct_items_fraction)", _HIGHER, "how much a batch teaches about likeness"),
    _entry(r"train/active_(negative|triplet)_fraction", _NEUTRAL, "pairs within the margin; falls as the loss is met"),
    # Uncertainties.
    _entry(r"train/absent_(gradient|drift)_\w+", _LOWER, "what an absent task does to its weight; must be 0"),
    _entry(r"train/violation_rate", _NEUTRAL, "negatives that ANT keeps; too few and too many are both bad"),
    # Steps.
    _entry(r"train/num_skipped_batches", _LOWER, "batches without anything to learn from"),
)


def describe(name: str) -> Meaning:
    """The meaning of a metric; an unknown name is neutral, without a text."""
    for entry in _ENTRIES:
        found = entry.pattern.fullmatch(name)
        if found:
            references = tuple(Reference(role, _expand(found, to)) for role, to in entry.references)
            return Meaning(entry.direction, entry.text, references)
    return Meaning()


def _expand(found: re.Match[str], template: str) -> str:
    """A reference's name; those of a loss drop its ending: `contrastive_loss` has `contrastive_floor`."""
    metric, _, of_loss = found.expand(template).partition("|")
    return f"{metric.removesuffix('_loss')}_{of_loss}" if of_loss else metric
