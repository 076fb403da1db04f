"""Ranking a gallery by similarity: Rank@k, mAP and MAP@R over the queries that can be answered.

Tasks that identify call this with masks that keep a query's own recording out of its gallery, and report the counts
and the chance values beside the scores. `retrieval` is its smaller relative for pairs.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum

import torch
from torch import Tensor

from trainables.metrics.rows import Matrix, chunks, counts

_FEW = 64
"""Up to so many relevant items a query, counting what ranks before each takes less time than to sort the gallery."""


class InvalidQueries(Enum):
    """What becomes of queries with nothing to find: left out, or counted as misses.

    Counted, they lower every score by a share that no model can change. It is the protocol of source note 001, and
    the default of torchmetrics; here it is only for comparison.
    """

    EXCLUDED = "excluded"
    MISSED = "missed"


@dataclass(frozen=True, slots=True)
class RankingScores:
    """Means over the queries that count, and what a random ranking would get on the same ones.

    Attributes:
        rank_at: share of queries with something relevant among the first k, by k.
        mean_average_precision: mean over queries of the mean precision at the relevant places.
        map_at_r: as before, but only the first R places count, R = relevant items of the query.
        num_queries: how many the means are over.
        num_excluded_queries: how many they leave out.
        num_unanswerable_queries: how many of those counted have nothing to find; above 0 the scores mislead.
        gallery_size: mean number of items that a query is compared with.
        chance_rank_at: expected value for a random ranking, like the other `chance_` values.
    """

    rank_at: Mapping[int, float]
    mean_average_precision: float
    map_at_r: float
    num_queries: int
    num_excluded_queries: int
    num_unanswerable_queries: int
    gallery_size: float
    chance_rank_at: Mapping[int, float]
    chance_mean_average_precision: float
    chance_map_at_r: float


def ranking_scores(
    similarity_QG: Matrix,
    *,
    relevant_QG: Matrix,
    gallery_QG: Matrix,
    ks: Sequence[int] = (1, 5, 10),
    invalid: InvalidQueries = InvalidQueries.EXCLUDED,
) -> RankingScores:
    """Rank each query's gallery, most similar first, and score the order.

    Ties are broken against the query, so equal embeddings get no credit for the order of the data. Where a similarity
    is NaN, what is relevant is never found, and what is not ranks first.

    Shapes: Q queries, G items; masks are bool.

    Args:
        similarity_QG: higher is nearer.
        relevant_QG: same class; only counts inside the gallery.
        gallery_QG: what a query may be compared with: not itself, and nothing from its own recording.
        ks: each >= 1.
        invalid: what to do with queries that have nothing relevant in their gallery.

    Raises: ValueError: no query has something to find, a k is below 1, or the shapes differ.
    """
    scores = query_scores(similarity_QG, relevant_QG=relevant_QG, gallery_QG=gallery_QG, ks=ks)
    valid_Q = scores.num_relevant > 0
    relevant_V, gallery_V = scores.num_relevant[valid_Q], scores.gallery_size[valid_Q]
    num_valid, num_all = len(relevant_V), len(valid_Q)
    num_queries = num_valid if invalid is InvalidQueries.EXCLUDED else num_all
    hits, chance = _Hits.sums_of(scores), _Hits.expected(relevant_V, gallery_V, ks=ks)
    counted_Q = gallery_V if invalid is InvalidQueries.EXCLUDED else scores.gallery_size
    return RankingScores(
        rank_at={k: total / num_queries for k, total in hits.found.items()},
        mean_average_precision=hits.average_precision / num_queries,
        map_at_r=hits.average_precision_at_r / num_queries,
        num_queries=num_queries,
        num_excluded_queries=num_all - num_queries,
        num_unanswerable_queries=num_queries - num_valid,
        gallery_size=float(counted_Q.double().mean()),
        chance_rank_at={k: total / num_queries for k, total in chance.found.items()},
        chance_mean_average_precision=chance.average_precision / num_queries,
        chance_map_at_r=chance.average_precision_at_r / num_queries,
    )


@dataclass(frozen=True, slots=True)
class QueryScores:
    """What each query gets, float64 (Q,); `RankingScores` has the means over those that count.

    Attributes:
        found: 1 with something relevant among the first k, by k.
        num_relevant: what there is to find, int64 like the next one.
        gallery_size: what a query is compared with.
    """

    found: Mapping[int, Tensor]
    average_precision: Tensor
    average_precision_at_r: Tensor
    num_relevant: Tensor
    gallery_size: Tensor


def query_scores(
    similarity_QG: Matrix, *, relevant_QG: Matrix, gallery_QG: Matrix, ks: Sequence[int] = (1, 5, 10)
) -> QueryScores:
    """As `ranking_scores`, query by query; (Q,), 0 where there is nothing to find.

    Raises: ValueError: as for `ranking_scores`.
    """
    shapes = [tuple(x.shape) for x in (similarity_QG, relevant_QG, gallery_QG)]
    if len(set(shapes)) != 1:
        raise ValueError(f"similarity, relevance and gallery differ in shape: {shapes}")
    if any(k < 1 for k in ks):
        raise ValueError(f"rank at k needs k >= 1, not {list(ks)}")
    parts = []
    for rows in chunks(similarity_QG):
        gallery_CG = gallery_QG[rows]
        parts.append(_chunk_scores(similarity_QG[rows].detach(), relevant_QG[rows] & gallery_CG, gallery_CG, ks=ks))
    if not any(bool(part.num_relevant.any()) for part in parts):
        raise ValueError(f"none of the {len(similarity_QG)} queries has a relevant item in its gallery")
    return QueryScores(
        found={k: torch.cat([part.found[k] for part in parts]) for k in ks},
        average_precision=torch.cat([part.average_precision for part in parts]),
        average_precision_at_r=torch.cat([part.average_precision_at_r for part in parts]),
        num_relevant=torch.cat([part.num_relevant for part in parts]),
        gallery_size=torch.cat([part.gallery_size for part in parts]),
    )


def _chunk_scores(similarity_CG: Tensor, relevant_CG: Tensor, gallery_CG: Tensor, *, ks: Sequence[int]) -> QueryScores:
    relevant_C1 = counts(relevant_CG)[:, None]
    place_CR = _places(similarity_CG, relevant_CG, gallery_CG, most=int(relevant_C1.max()))
    # Of the j-th relevant item that is found, the precision is j over its place.
    number_R = torch.arange(1, place_CR.shape[1] + 1, device=place_CR.device, dtype=torch.float64)
    precision_CR = number_R / place_CR / relevant_C1.clamp(min=1)
    return QueryScores(
        found={k: (place_CR <= k).any(dim=1).double() for k in ks},
        average_precision=precision_CR.sum(dim=1),
        average_precision_at_r=(precision_CR * (place_CR <= relevant_C1)).sum(dim=1),
        num_relevant=relevant_C1.squeeze(1),
        gallery_size=counts(gallery_CG),
    )


def _places(similarity_CG: Tensor, relevant_CG: Tensor, gallery_CG: Tensor, *, most: int) -> Tensor:
    """Place from 1 of the first, second, ... relevant item of each ranking: float64 (C, R), infinite where none is.

    What is relevant and has no similarity is never found; what is not relevant and has none ranks first.

    Args: most: R, the relevant items of the query that has the most of them.
    """
    unknown_CG = similarity_CG.isnan()
    known_CG = relevant_CG
    if bool(unknown_CG.any()):
        known_CG = relevant_CG & ~unknown_CG
        similarity_CG = similarity_CG.masked_fill(unknown_CG, torch.inf)
    score_CR = torch.where(known_CG, similarity_CG, -torch.inf).topk(most, dim=1).values
    other_CG = torch.where(gallery_CG & ~relevant_CG, similarity_CG, -torch.inf)
    number_R = torch.arange(1, most + 1, device=score_CR.device)
    place_CR = (number_R + _num_at_least(score_CR, other_CG)).double()
    return place_CR.masked_fill(number_R > counts(known_CG)[:, None], torch.inf)


def _num_at_least(score_CR: Tensor, other_CG: Tensor) -> Tensor:
    """How many of the others of a row have at least each of its scores; (C, R)."""
    if score_CR.shape[1] > _FEW:
        return other_CG.shape[1] - torch.searchsorted(other_CG.sort(dim=1).values, score_CR)
    # Ones and zeros in floats, in memory that is there already: a sum of booleans takes ten times as long.
    scratch_CG = torch.empty_like(other_CG)
    num_R = [
        torch.ge(other_CG, score_C1, out=scratch_CG).sum(dim=1, dtype=torch.float32)
        for score_C1 in score_CR.T[:, :, None]
    ]
    return torch.stack(num_R, dim=1) if num_R else score_CR


@dataclass(frozen=True, slots=True)
class _Hits:
    """Sums over valid queries."""

    found: Mapping[int, float]
    average_precision: float
    average_precision_at_r: float

    @classmethod
    def sums_of(cls, scores: QueryScores) -> "_Hits":
        return cls(
            {k: float(hits.sum()) for k, hits in scores.found.items()},
            float(scores.average_precision.sum()),
            float(scores.average_precision_at_r.sum()),
        )

    @classmethod
    def expected(cls, relevant_V: Tensor, gallery_V: Tensor, *, ks: Sequence[int]) -> "_Hits":
        """What random rankings collect on average.

        A place is relevant with probability R / G, and then each place before it with (R - 1) / (G - 1).
        """
        found = {k: float(_chance_of_hit(relevant_V, gallery_V, k=k).sum()) for k in ks}
        relevant_V, gallery_V = relevant_V.double(), gallery_V.double()
        other_V = (relevant_V - 1) / (gallery_V - 1).clamp(min=1)

        def precision_until(last_V: Tensor) -> float:
            harmonic_V = torch.digamma(last_V + 1) - torch.digamma(torch.ones_like(last_V))
            return float(((harmonic_V + other_V * (last_V - harmonic_V)) / gallery_V).sum())

        return cls(found, precision_until(gallery_V), precision_until(relevant_V))


def _chance_of_hit(relevant_V: Tensor, gallery_V: Tensor, *, k: int) -> Tensor:
    """1 - C(G - R, k) / C(G, k), as a product over the first k places."""
    relevant_V, gallery_V = relevant_V.double(), gallery_V.double()
    miss_V = torch.ones_like(relevant_V)
    for place in range(k):
        left_V = (gallery_V - place).clamp(min=1)
        miss_V = miss_V * ((left_V - relevant_V) / left_V).clamp(min=0)
    return 1 - miss_V
