"""Ranking a gallery by similarity: Rank@k, mAP and MAP@R over the queries that can be answered.

Tasks that identify call this with masks that keep a query's own recording out of its gallery, and report the counts
and the chance values beside the scores. `retrieval` is its smaller relative for pairs.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum

import torch
from torch import Tensor

_CHUNK_ROWS = 1024
"""Queries ranked at a time, so that the working memory does not grow with their number."""


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
    similarity_QG: Tensor,
    *,
    relevant_QG: Tensor,
    gallery_QG: Tensor,
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
    relevant_QG = _checked_relevance(similarity_QG, relevant_QG, gallery_QG, ks=ks)
    valid_Q = relevant_QG.any(dim=1)
    relevant_V, gallery_V = relevant_QG[valid_Q].sum(dim=1), gallery_QG[valid_Q].sum(dim=1)
    num_valid, num_all = len(relevant_V), len(valid_Q)
    num_queries = num_valid if invalid is InvalidQueries.EXCLUDED else num_all
    hits = _Hits.sums_of(_collect(similarity_QG[valid_Q], relevant_QG[valid_Q], gallery_QG[valid_Q], ks=ks))
    chance = _Hits.expected(relevant_V, gallery_V, ks=ks)
    counted_QG = gallery_QG[valid_Q] if invalid is InvalidQueries.EXCLUDED else gallery_QG
    return RankingScores(
        rank_at={k: total / num_queries for k, total in hits.found.items()},
        mean_average_precision=hits.average_precision / num_queries,
        map_at_r=hits.average_precision_at_r / num_queries,
        num_queries=num_queries,
        num_excluded_queries=num_all - num_queries,
        num_unanswerable_queries=num_queries - num_valid,
        gallery_size=float(counted_QG.sum(dim=1).double().mean()),
        chance_rank_at={k: total / num_queries for k, total in chance.found.items()},
        chance_mean_average_precision=chance.average_precision / num_queries,
        chance_map_at_r=chance.average_precision_at_r / num_queries,
    )


@dataclass(frozen=True, slots=True)
class QueryScores:
    """What each query gets, float64 (Q,); `RankingScores` has the means over those that count.

    Attributes:
        found: 1 with something relevant among the first k, by k.
    """

    found: Mapping[int, Tensor]
    average_precision: Tensor
    average_precision_at_r: Tensor


def query_scores(
    similarity_QG: Tensor, *, relevant_QG: Tensor, gallery_QG: Tensor, ks: Sequence[int] = (1, 5, 10)
) -> QueryScores:
    """As `ranking_scores`, query by query; (Q,), 0 where there is nothing to find.

    Raises: ValueError: as for `ranking_scores`.
    """
    return _collect(similarity_QG, _checked_relevance(similarity_QG, relevant_QG, gallery_QG, ks=ks), gallery_QG, ks=ks)


def _collect(similarity_QG: Tensor, relevant_QG: Tensor, gallery_QG: Tensor, *, ks: Sequence[int]) -> QueryScores:
    found: dict[int, list[Tensor]] = {k: [] for k in ks}
    average_precision, average_precision_at_r = [], []
    place_G = torch.arange(1, similarity_QG.shape[1] + 1, device=similarity_QG.device, dtype=torch.float64)
    for rows in _chunks(len(similarity_QG)):
        hit_CG = _hits_in_order(similarity_QG[rows], relevant_QG[rows], gallery_QG[rows])
        relevant_C1 = relevant_QG[rows].sum(dim=1, keepdim=True)
        precision_CG = hit_CG * hit_CG.cumsum(dim=1) / place_G / relevant_C1.clamp(min=1)
        average_precision.append(precision_CG.sum(dim=1))
        average_precision_at_r.append((precision_CG * (place_G <= relevant_C1)).sum(dim=1))
        for k in ks:
            found[k].append(hit_CG[:, :k].any(dim=1).double())
    return QueryScores(
        found={k: torch.cat(hits) for k, hits in found.items()},
        average_precision=torch.cat(average_precision),
        average_precision_at_r=torch.cat(average_precision_at_r),
    )


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


def _hits_in_order(similarity_CG: Tensor, relevant_CG: Tensor, gallery_CG: Tensor) -> Tensor:
    """Which places of each ranking hold something relevant; bool (C, G). What is not in the gallery comes last."""
    scores_CG = similarity_CG.detach().double()
    unknown_CG = scores_CG.isnan()
    scores_CG = scores_CG.masked_fill(unknown_CG, torch.inf).masked_fill(unknown_CG & relevant_CG, -torch.inf)
    scores_CG = scores_CG.masked_fill(~gallery_CG, -torch.inf)
    against_CG = relevant_CG.to(torch.int8).argsort(dim=1, stable=True)
    order_CG = scores_CG.gather(1, against_CG).argsort(dim=1, descending=True, stable=True)
    return (relevant_CG & ~unknown_CG).gather(1, against_CG.gather(1, order_CG))


def _chunks(num_rows: int) -> Iterator[slice]:
    return (slice(start, start + _CHUNK_ROWS) for start in range(0, num_rows, _CHUNK_ROWS))


def _checked_relevance(similarity_QG: Tensor, relevant_QG: Tensor, gallery_QG: Tensor, *, ks: Sequence[int]) -> Tensor:
    """What is relevant and in the gallery."""
    shapes = [tuple(x.shape) for x in (similarity_QG, relevant_QG, gallery_QG)]
    if len(set(shapes)) != 1:
        raise ValueError(f"similarity, relevance and gallery differ in shape: {shapes}")
    if any(k < 1 for k in ks):
        raise ValueError(f"rank at k needs k >= 1, not {list(ks)}")
    relevant_QG = relevant_QG & gallery_QG
    if not bool(relevant_QG.any()):
        raise ValueError(f"none of the {len(relevant_QG)} queries has a relevant item in its gallery")
    return relevant_QG
