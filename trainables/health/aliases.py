"""What other tools call the metrics of our vocabulary. `orch diagnose` maps the columns of a CSV with it."""

import re
from collections.abc import Sequence

_ALIASES: Sequence[tuple[str, str]] = (
    # Before recall at k: "r2" is R squared, "R@2" (r_2 by then) is not.
    (r"(val_|valid_|test_)?(r2|r_squared|r2_score)", r"val/r2"),
    (r"(val_|valid_|test_)?(recall|r)(_at)?_?(?P<k>\d+)", r"val/recall_at_\g<k>"),
    (r"(val_|valid_|test_)?(rank|top|cmc)(_at)?_?(?P<k>\d+)(_acc(uracy)?)?", r"val/rank_at_\g<k>"),
    (r"(val_|valid_|test_)?(map|mean_average_precision)", r"val/mean_average_precision"),
    (r"(val_|valid_|test_)?map_?(at)?_?r", r"val/map_at_r"),
    (r"(val_|valid_|test_)?(nn|nearest_neighbou?r)_acc(uracy)?", r"val/rank_at_1"),
    (r"(train_|training_)?loss", r"train/loss"),
    (r"(val|valid|validation|test)_loss", r"val/loss"),
    (r"(train_|training_)?(?P<x>contrastive|captioning|masked_modeling|ant|nce|gap)_loss", r"train/\g<x>_loss"),
    (r"(val|valid|validation)_(?P<x>contrastive|captioning|masked_modeling|ant|nce|gap)_loss", r"val/\g<x>_loss"),
    (r"(?P<x>contrastive|captioning)", r"train/\g<x>_loss"),
    (r"(train_|training_)?acc(uracy)?", r"train/accuracy"),
    (r"(val|valid|validation|test)_acc(uracy)?", r"val/accuracy"),
    (r"(train_)?(?P<x>intra|inter)(_dist(ance)?)?", r"train/\g<x>_distance"),
    (r"(val|valid|validation|test|global)_(?P<x>intra|inter)(_dist(ance)?)?", r"val/\g<x>_distance"),
    (r"(train_)?ratio", r"train/distance_ratio"),
    (r"(val|valid|validation|test|global)_ratio", r"val/distance_ratio"),
    (r"(val_|valid_|test_)?(ch|calinski_harabasz)(_score|_index)?", r"val/calinski_harabasz"),
    (r"(val_|valid_|test_)?(db|dbi|davies_bouldin)(_score|_index)?", r"val/davies_bouldin"),
    (r"(train_)?active_neg(ative)?s?(_(%|percent|pct|fraction))?", r"train/active_negative_fraction"),
    (r"(train_)?active_triplets?(_(%|percent|pct|fraction))?", r"train/active_triplet_fraction"),
    (r"(val_|valid_|test_)?(e_?rank|effective_rank)", r"val/effective_rank"),
    (r"(val_|valid_|test_)?(top_?1_var(iance)?|top_variance(_fraction)?)", r"val/top_variance_fraction"),
    (r"(val_|valid_|test_)?(mean_(pairwise_)?cos(ine)?)", r"val/mean_cosine"),
    (r"(val_|valid_|test_)?(resultant(_length)?)", r"val/resultant_length"),
    (r"(val_|valid_|test_)?(alignment(_score)?|matched_cos(ine)?)", r"val/matched_cosine"),
    (r"(val_|valid_|test_)?(roc_)?auc", r"val/auc"),
    (r"(val_|valid_|test_)?eer", r"val/eer"),
    (r"(val_|valid_|test_)?bleu(_?4)?", r"val/bleu"),
    (r"(val_|valid_|test_)?rouge_?l", r"val/rouge_l"),
    (r"(val_|valid_|test_)?(macro_)?f1(_macro)?(_score)?", r"val/macro_f1"),
    (r"(train_)?violation(s|_rate)?(_(%|percent|pct))?", r"train/violation_rate"),
    (r"pos(itive)?_(mean|cos(ine)?)", r"train/positive_cosine"),
    (r"neg(ative)?_(mean|cos(ine)?)", r"train/negative_cosine"),
    (r"(true_|current_)?gap", r"train/gap"),
    (r"(ant_)?margin", r"train/margin"),
    (r"(train_)?(temperature|temp|tau)", r"train/temperature"),
    (r"(train_)?(lr|learning_rate)", r"train/lr"),
    (r"(train_)?grad(ient)?_norm", r"train/grad_norm"),
    (r"grad(ient)?_norm_(?P<x>\w+)", r"train/grad_norm_\g<x>"),
)
"""Names of other tools in lower case with `_` between words, and ours."""

_ALIAS_PATTERNS = tuple((re.compile(pattern), ours) for pattern, ours in _ALIASES)
_PERCENT = re.compile(r".*_(%|percent|pct)")
_STEP = re.compile(r"(global_)?(epochs?|steps?|iterations?|iters?|index)")
_OURS = re.compile(r"(train|val)/[a-z0-9_]+")


def translate(column: str) -> str:
    """What a column written by another tool is called here; one that says nothing to us stays as it is.

    Case, spaces, `-`, `@`, `/` and `_` do not matter. See `factor` for percentages.
    """
    if _OURS.fullmatch(column):
        return column
    plain = _plain(column)
    for pattern, ours in _ALIAS_PATTERNS:
        found = pattern.fullmatch(plain)
        if found:
            return found.expand(ours)
    return column


def factor(column: str) -> float:
    """What turns a column's values into ours: .01 when its name says that they are percentages."""
    return 0.01 if _PERCENT.fullmatch(_plain(column)) else 1.0


def is_step(column: str) -> bool:
    """Whether a column counts epochs or steps."""
    return _STEP.fullmatch(_plain(column)) is not None


def _plain(column: str) -> str:
    spaced = re.sub(r"[\s\-@/.()]+", "_", column.strip().lower()).replace("%", "_%")
    return re.sub(r"_+", "_", spaced).strip("_")
