"""What is measured on val: ranking by protocol, verification, geometry, clusters, the loss with its bounds."""

import math
from collections.abc import Mapping

import torch
from torch import Tensor
from torch.nn import functional as F

from trainables.losses.bounds import Bounds
from trainables.losses.similarity import cosine_matrix
from trainables.metrics.clustering import clustering_scores
from trainables.metrics.collapse import effective_rank, mean_cosine, resultant_length, top_variance_fraction
from trainables.metrics.distances import distance_summary
from trainables.metrics.ranking import InvalidQueries, RankingScores, query_scores, ranking_scores
from trainables.metrics.resampling import Resamplable, weighted_mean
from trainables.metrics.verification import verification_scores
from trainables.mining.pool import Items, negative_candidates, positive_candidates
from trainables.mining.sampler import PKSampler
from trainables.tasks.identification.choices import Gallery, Protocol, Queries
from trainables.tasks.identification.config import Config, Evaluation
from trainables.tasks.identification.embed import Records
from trainables.tasks.identification.objective import Objective
from trainables.tasks.identification.protocol import Masks

_KS = (1, 5, 10)
_SEED = 11
_NUM_LOSS_BATCHES = 4


def ranking(
    val_RD: Tensor, train_RD: Tensor, protocols: Mapping[Protocol, Masks], evaluation: Evaluation
) -> dict[str, float]:
    """All of the protocol that is asked for, and Rank@1 with its chance of the other ones."""
    values: dict[str, float] = {}
    for protocol, scores in _by_protocol(val_RD, train_RD, protocols, evaluation).items():
        named = {
            "rank_at_1": scores.rank_at[1],
            "chance_rank_at_1": scores.chance_rank_at[1],
            "num_queries": float(scores.num_queries),
            "num_excluded_queries": float(scores.num_excluded_queries),
        }
        if protocol is not Protocol.ALL:
            values |= {f"val/{name}_{protocol.value}": value for name, value in named.items()}
        if protocol is evaluation.protocol:
            values |= {f"val/{name}": value for name, value in named.items()} | _in_full(scores)
    return values


def _in_full(scores: RankingScores) -> dict[str, float]:
    values = {
        "val/mean_average_precision": scores.mean_average_precision,
        "val/chance_mean_average_precision": scores.chance_mean_average_precision,
        "val/map_at_r": scores.map_at_r,
        "val/chance_map_at_r": scores.chance_map_at_r,
        "val/gallery_size": scores.gallery_size,
    }
    for k in _KS[1:]:
        values[f"val/rank_at_{k}"] = scores.rank_at[k]
        values[f"val/chance_rank_at_{k}"] = scores.chance_rank_at[k]
    return values


def raw_ranking(
    val: Records, train: Records, protocols: Mapping[Protocol, Masks], evaluation: Evaluation
) -> dict[str, float]:
    """Rank@1 of the median beats themselves: what an encoder has to beat."""
    templates = [_template(records.medians_RCL) for records in (val, train)]
    values = {}
    for protocol, scores in _by_protocol(templates[0], templates[1], protocols, evaluation).items():
        if protocol is not Protocol.ALL:
            values[f"val/raw_rank_at_1_{protocol.value}"] = scores.rank_at[1]
        if protocol is evaluation.protocol:
            values["val/raw_rank_at_1"] = scores.rank_at[1]
    return values


def train_ranking(train: Records, train_RD: Tensor) -> dict[str, float]:
    """Rank@1 among the training records, whatever their day: for the gap to val."""
    items = train.items
    other_RR = ~torch.eye(len(items), dtype=torch.bool)
    scores = ranking_scores(
        cosine_matrix(train_RD, train_RD),
        relevant_QG=positive_candidates(items, items),
        gallery_QG=other_RR,
        ks=(1,),
    )
    return {"train/rank_at_1": scores.rank_at[1]}


def geometry(z_RD: Tensor, items: Items, objective: Objective) -> dict[str, float]:
    """Distances over all pairs, verification, clusters, and signs of collapse."""
    positive_RR, negative_RR = positive_candidates(items, items), negative_candidates(items, items)
    cosine_RR = cosine_matrix(z_RD, z_RD)
    distances = distance_summary(objective.distances(z_RD, z_RD), positive_NN=positive_RR, negative_NN=negative_RR)
    verification = verification_scores(cosine_RR, same_NN=positive_RR, allowed_NN=positive_RR | negative_RR)
    clusters = clustering_scores(z_RD, items.labels_N, seed=_SEED)
    values = {
        "val/intra_distance": distances.intra_distance,
        "val/inter_distance": distances.inter_distance,
        "val/distance_ratio": distances.inter_distance / max(distances.intra_distance, 1e-12),
        "val/nearest_negative_distance": distances.nearest_negative_distance,
        "val/closer_positive_fraction": distances.closer_positive_fraction,
        "val/nearest_neighbor_accuracy": distances.nearest_neighbor_accuracy,
        "val/auc": verification.auc,
        "val/eer": verification.eer,
        "val/calinski_harabasz": clusters.calinski_harabasz,
        "val/calinski_harabasz_chance": clusters.calinski_harabasz_chance,
        "val/davies_bouldin": clusters.davies_bouldin,
        "val/davies_bouldin_chance": clusters.davies_bouldin_chance,
        "val/resultant_length": resultant_length(z_RD),
        "val/mean_cosine": mean_cosine(z_RD),
        "val/matched_cosine": float(cosine_RR[positive_RR].mean()),
        "val/unmatched_cosine": float(cosine_RR[negative_RR].mean()),
        "val/effective_rank": effective_rank(z_RD, centred=False),
        "val/effective_rank_centred": effective_rank(z_RD, centred=True),
        "val/top_variance_fraction": top_variance_fraction(z_RD),
        "val/embedding_size": float(z_RD.shape[1]),
    }
    # Davies-Bouldin is infinite where all people are one point; the collapse indicators say that better.
    return {name: value for name, value in values.items() if math.isfinite(value)}


def losses(z_RD: Tensor, items: Items, objective: Objective, config: Config) -> dict[str, float]:
    """The loss over all pairs of the same few batches at each call, made as in training where there are enough people.

    Whatever mining leaves of a training batch, this stays comparable with the bounds beside it.
    """
    people = set(items.labels_N[positive_candidates(items, items).any(dim=1)].tolist())
    if len(people) < 2:
        return {}
    sampler = PKSampler(
        items.labels_N,
        items.recordings_N,
        classes_per_batch=min(config.people_per_batch, len(people)),
        items_per_class=min(config.records_per_person, int(items.labels_N.bincount().max())),
        batches_per_epoch=_NUM_LOSS_BATCHES,
    )
    found, chances, floors = [], [], []
    for batch in sampler.batches(torch.Generator().manual_seed(_SEED)):
        chosen = items.select(batch)
        distance_BB = objective.distances(z_RD[batch], z_RD[batch])
        positive_BB, negative_BB = positive_candidates(chosen, chosen), negative_candidates(chosen, chosen)
        loss, _ = objective.loss(distance_BB, positive_AN=positive_BB, negative_AN=negative_BB)
        bounds = objective.bounds(len(batch), num_people=len(set(chosen.labels_N.tolist())))
        found.append(float(loss))
        chances.append(bounds.chance)
        floors.append(bounds.floor)
    bounds = Bounds(chance=sum(chances) / len(chances), floor=sum(floors) / len(floors))
    mean, name = sum(found) / len(found), objective.name
    return {
        f"val/{name}_loss": mean,
        f"val/{name}_chance": bounds.chance,
        f"val/{name}_floor": bounds.floor,
        f"val/{name}_position": bounds.position(mean),
    }


def resamplable(
    val: Records, val_RD: Tensor, train_RD: Tensor, protocols: Mapping[Protocol, Masks], evaluation: Evaluation
) -> dict[str, Resamplable]:
    """What `ranking` says, query by query; the records of a person are drawn together, from an unchanged gallery."""
    found: dict[str, Resamplable] = {}
    similarity_QG = _similarity(val_RD, train_RD, evaluation)
    for protocol, masks in protocols.items():
        scores = query_scores(similarity_QG, relevant_QG=masks.relevant_QG, gallery_QG=masks.gallery_QG, ks=_KS)
        counted_Q = masks.relevant_QG.any(dim=1) | (evaluation.queries is Queries.ALL)
        named = {"mean_average_precision": scores.average_precision, "map_at_r": scores.average_precision_at_r}
        named |= {f"rank_at_{k}": hits for k, hits in scores.found.items()}
        drawn = {
            name: Resamplable(val.items.labels_N[counted_Q], weighted_mean(score_Q[counted_Q]))
            for name, score_Q in named.items()
        }
        if protocol is not Protocol.ALL:
            found[f"val/rank_at_1_{protocol.value}"] = drawn["rank_at_1"]
        if protocol is evaluation.protocol:
            found |= {f"val/{name}": metric for name, metric in drawn.items()}
    return found


def _by_protocol(
    val_RD: Tensor, train_RD: Tensor, protocols: Mapping[Protocol, Masks], evaluation: Evaluation
) -> dict[Protocol, RankingScores]:
    similarity_QG = _similarity(val_RD, train_RD, evaluation)
    invalid = InvalidQueries.MISSED if evaluation.queries is Queries.ALL else InvalidQueries.EXCLUDED
    return {
        protocol: ranking_scores(
            similarity_QG, relevant_QG=masks.relevant_QG, gallery_QG=masks.gallery_QG, ks=_KS, invalid=invalid
        )
        for protocol, masks in protocols.items()
    }


def _similarity(val_RD: Tensor, train_RD: Tensor, evaluation: Evaluation) -> Tensor:
    """Of each query to the gallery."""
    return cosine_matrix(val_RD, torch.cat([val_RD, train_RD]) if evaluation.gallery is Gallery.ALL else val_RD)


def _template(medians_RCL: Tensor) -> Tensor:
    """The first channel of each median beat as a unit vector."""
    beat_RL = medians_RCL[:, 0]
    return F.normalize(beat_RL - beat_RL.mean(dim=1, keepdim=True), dim=1)
