"""What the classes of a source are used for: a contrast among the videos of a batch, and recall by class on val.

`task` calls it where the source has classes; texts play no part here.
"""

import math
from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn import functional as F

from trainables.losses.bounds import sup_con_bounds
from trainables.losses.supcon import anchors_without_positive, sup_con
from trainables.metrics.resampling import Resamplable, weighted_mean
from trainables.metrics.retrieval import hits_at_k
from trainables.metrics.rows import Rows


def batch_make(labels_B: Tensor) -> dict[str, float]:
    """How many positives the items of a batch have."""
    others_B = _others(labels_B)
    return {
        "positives_per_anchor": float(others_B.float().mean()),
        "anchors_without_positive_fraction": float(anchors_without_positive(labels_B)) / len(labels_B),
    }


def contrast(video_ND: Tensor, labels_N: Tensor, *, batches: Sequence[Tensor], temperature: float) -> dict[str, float]:
    """The loss among val videos, in batches of the training's size and make, with its bounds where there are any."""
    losses = [float(sup_con(video_ND[rows], labels_N[rows], temperature=temperature)) for rows in batches]
    loss, size = sum(losses) / len(losses), len(batches[0])
    values = {"val/class_contrastive_loss": loss}
    items_per_class = 1 + sum(float(_others(labels_N[rows]).float().mean()) for rows in batches) / len(batches)
    if 1 < items_per_class < size:
        bounds = sup_con_bounds(size, temperature, items_per_class=items_per_class)
        values |= {
            "val/class_contrastive_chance": bounds.chance,
            "val/class_contrastive_floor": bounds.floor,
            "val/class_contrastive_position": bounds.position(loss),
        }
    return values


def recall(video_ND: Tensor, labels_N: Tensor) -> dict[str, float]:
    """`class_recall` beside chance and the number of queries."""
    num_valid = int((_others(labels_N) > 0).sum())
    return {
        "val/class_recall_at_1": class_recall(video_ND, labels_N),
        "val/chance_class_recall_at_1": class_chance(labels_N),
        "val/num_class_queries": float(num_valid),
        "val/num_excluded_class_queries": float(len(labels_N) - num_valid),
    }


def class_recall(embeddings_ND: Tensor, labels_N: Tensor) -> float:
    """Share of items whose nearest other item, by cosine, is of the same class; lone items are left out.

    Raises: ValueError: all items are lone.
    """
    return float(_hits(embeddings_ND, labels_N).mean())


def resamplable(video_ND: Tensor, labels_N: Tensor) -> dict[str, Resamplable]:
    """The recall, query by query; the queries of a class are drawn together."""
    unit_V = labels_N[_others(labels_N) > 0]
    return {"val/class_recall_at_1": Resamplable(unit_V, weighted_mean(_hits(video_ND, labels_N)))}


def _hits(embeddings_ND: Tensor, labels_N: Tensor) -> Tensor:
    """Which of the items that are not alone in their class are found by `class_recall`; float64 (V,)."""
    unit_ND, place_N = F.normalize(embeddings_ND, dim=1), torch.arange(len(labels_N))
    others_NN = Rows(
        (len(labels_N), len(labels_N)),
        lambda rows: (unit_ND[rows] @ unit_ND.T).masked_fill_(place_N[rows, None] == place_N, math.nan),
    )
    relevant_NN = Rows(
        others_NN.shape,
        lambda rows: (labels_N[rows, None] == labels_N) & (place_N[rows, None] != place_N),
    )
    return hits_at_k(others_NN, relevant_NN, ks=(1,))[1]


def class_chance(labels_N: Tensor) -> float:
    """What `class_recall` is of a random ranking: the share of an item's class among the other items, on average."""
    others_N = _others(labels_N)
    return float(others_N[others_N > 0].float().mean()) / (len(labels_N) - 1)


def has_pairs(labels_N: Tensor) -> bool:
    """Whether any two items are of one class."""
    return bool((_others(labels_N) > 0).any())


def _others(labels_N: Tensor) -> Tensor:
    """How many other items each item's class has."""
    return labels_N.bincount()[labels_N] - 1
