"""All that labelled embeddings tell by themselves, under the names that the tasks report: for saved epochs.

`orch diagnose FOLDER` calls it on each epoch. Rows are normalised; distances are one minus cosine.
"""

import math

from torch import Tensor
from torch.nn import functional as F

from trainables.metrics.clustering import clustering_scores
from trainables.metrics.collapse import effective_rank, mean_cosine, resultant_length, top_variance_fraction
from trainables.metrics.distances import distance_summary
from trainables.metrics.ranking import ranking_scores
from trainables.metrics.rows import Rows, products
from trainables.metrics.verification import verification_scores

_KS = (1, 5, 10)


def measure_embeddings(z_ND: Tensor, labels_N: Tensor, records_N: Tensor, *, seed: int) -> dict[str, float]:
    """Ranking over valid queries, verification, distances, clusters and signs of collapse; finite values only.

    A query is compared with all items of other records, and is valid if one of these is of its class.

    Shapes: N embeddings of size D.
    Args: seed: of the permutations of labels that clusters are compared with.
    Raises: ValueError: no query is valid, or there are fewer than two classes.
    """
    z_ND = F.normalize(z_ND.detach().double(), dim=1)
    values = {
        **_ranking(z_ND, labels_N, records_N),
        **_geometry(z_ND, labels_N, records_N),
        **_clusters(z_ND, labels_N, seed=seed),
        "val/resultant_length": resultant_length(z_ND),
        "val/mean_cosine": mean_cosine(z_ND),
        "val/effective_rank": effective_rank(z_ND, centred=False),
        "val/effective_rank_centred": effective_rank(z_ND, centred=True),
        "val/top_variance_fraction": top_variance_fraction(z_ND),
        "val/embedding_size": float(z_ND.shape[1]),
    }
    return {name: value for name, value in values.items() if math.isfinite(value)}


def _ranking(z_ND: Tensor, labels_N: Tensor, records_N: Tensor) -> dict[str, float]:
    shape = (len(z_ND), len(z_ND))
    scores = ranking_scores(
        products(z_ND, z_ND),
        relevant_QG=Rows(shape, lambda rows: labels_N[rows, None] == labels_N),
        gallery_QG=Rows(shape, lambda rows: records_N[rows, None] != records_N),
        ks=_KS,
    )
    values = {
        "val/mean_average_precision": scores.mean_average_precision,
        "val/chance_mean_average_precision": scores.chance_mean_average_precision,
        "val/map_at_r": scores.map_at_r,
        "val/chance_map_at_r": scores.chance_map_at_r,
        "val/num_queries": float(scores.num_queries),
        "val/num_excluded_queries": float(scores.num_excluded_queries),
        "val/gallery_size": scores.gallery_size,
    }
    for k in _KS:
        values[f"val/rank_at_{k}"] = scores.rank_at[k]
        values[f"val/chance_rank_at_{k}"] = scores.chance_rank_at[k]
    return values


def _geometry(z_ND: Tensor, labels_N: Tensor, records_N: Tensor) -> dict[str, float]:
    shape = (len(z_ND), len(z_ND))
    same_NN = Rows(shape, lambda rows: labels_N[rows, None] == labels_N)
    other_NN = Rows(shape, lambda rows: records_N[rows, None] != records_N)
    distances = distance_summary(
        Rows(shape, lambda rows: 1 - z_ND[rows] @ z_ND.T),
        positive_NN=Rows(shape, lambda rows: same_NN[rows] & other_NN[rows]),
        negative_NN=Rows(shape, lambda rows: ~same_NN[rows] & other_NN[rows]),
    )
    verification = verification_scores(products(z_ND, z_ND), same_NN=same_NN, allowed_NN=other_NN)
    return {
        "val/intra_distance": distances.intra_distance,
        "val/inter_distance": distances.inter_distance,
        "val/distance_ratio": distances.inter_distance / max(distances.intra_distance, 1e-12),
        "val/nearest_negative_distance": distances.nearest_negative_distance,
        "val/closer_positive_fraction": distances.closer_positive_fraction,
        "val/matched_cosine": 1 - distances.intra_distance,
        "val/unmatched_cosine": 1 - distances.inter_distance,
        "val/auc": verification.auc,
        "val/eer": verification.eer,
    }


def _clusters(z_ND: Tensor, labels_N: Tensor, *, seed: int) -> dict[str, float]:
    scores = clustering_scores(z_ND, labels_N, seed=seed)
    return {
        "val/calinski_harabasz": scores.calinski_harabasz,
        "val/calinski_harabasz_chance": scores.calinski_harabasz_chance,
        "val/davies_bouldin": scores.davies_bouldin,
        "val/davies_bouldin_chance": scores.davies_bouldin_chance,
    }
