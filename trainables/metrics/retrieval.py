"""Recall@k as retrieval work means it: the share of queries with something relevant among their first k results.

Tasks call it in both directions and put the recall of a random ranking beside it.
"""

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

_CHUNK_ROWS = 1024
"""Queries ranked at a time, so that the working memory does not grow with their number."""


@dataclass(frozen=True, slots=True)
class QueryCounts:
    """How many queries have something relevant to find (`valid`), and how many have nothing (`excluded`)."""

    valid: int
    excluded: int


def count_queries(relevant_QG: Tensor) -> QueryCounts:
    """Count the queries that the recall is taken over and those that it leaves out."""
    valid = int(relevant_QG.any(dim=1).sum())
    return QueryCounts(valid=valid, excluded=relevant_QG.shape[0] - valid)


def recall_at_k(similarity_QG: Tensor, relevant_QG: Tensor, *, ks: Sequence[int]) -> dict[int, float]:
    """Share of valid queries with a relevant item in the first k, for each k; valid means that there is one.

    Ties are broken against the query: what scores the same and is not relevant ranks first, so equal embeddings
    get no credit for the order of the data. An item with a NaN similarity ranks last and is never a hit.

    Shapes: Q queries, G gallery items; relevance is bool. A query's own copy in the gallery must not be relevant.
    Raises: ValueError: no query is valid, a k is below 1, or the shapes differ.
    """
    return {k: float(hit_V.mean()) for k, hit_V in hits_at_k(similarity_QG, relevant_QG, ks=ks).items()}


def hits_at_k(similarity_QG: Tensor, relevant_QG: Tensor, *, ks: Sequence[int]) -> dict[int, Tensor]:
    """For each valid query, in order, whether it is a hit as `recall_at_k` counts them: float64 (V,), 1 or 0.

    Raises: ValueError: as for `recall_at_k`.
    """
    _check(relevant_QG, ks)
    if similarity_QG.shape != relevant_QG.shape:
        raise ValueError(
            f"similarity {tuple(similarity_QG.shape)} and relevance {tuple(relevant_QG.shape)} differ in shape"
        )
    rank_V = _first_relevant_ranks(similarity_QG, relevant_QG)
    return {k: (rank_V < k).double() for k in ks}


def chance_recall_at_k(relevant_QG: Tensor, *, ks: Sequence[int]) -> dict[int, float]:
    """Expected `recall_at_k` of a random ranking: 1 - C(G - R, k) / C(G, k), mean over valid queries with R relevant.

    Raises: ValueError: no query is valid, or a k is below 1.
    """
    _check(relevant_QG, ks)
    num_items = relevant_QG.shape[1]
    queries_by_relevant = Counter(relevant for relevant in relevant_QG.sum(dim=1).tolist() if relevant)

    def hit(relevant: int, k: int) -> float:
        k = min(k, num_items)
        return 1 - math.comb(num_items - relevant, k) / math.comb(num_items, k)

    num_valid = queries_by_relevant.total()
    return {k: sum(hit(r, k) * q for r, q in queries_by_relevant.items()) / num_valid for k in ks}


def _first_relevant_ranks(similarity_QG: Tensor, relevant_QG: Tensor) -> Tensor:
    """Rank from 0 of the first relevant item of each valid query, infinite where all relevant ones are NaN."""
    ranks = []
    for start in range(0, len(relevant_QG), _CHUNK_ROWS):
        relevant = relevant_QG[start : start + _CHUNK_ROWS]
        valid = relevant.any(dim=1)
        scores, relevant = similarity_QG[start : start + _CHUNK_ROWS][valid].detach(), relevant[valid]
        found = relevant & ~scores.isnan()
        best = scores.masked_fill(~found, -torch.inf).amax(dim=1, keepdim=True)
        rank = ((scores >= best) & ~relevant).sum(dim=1).double()
        ranks.append(rank.masked_fill(~found.any(dim=1), torch.inf))
    return torch.cat(ranks)


def _check(relevant_QG: Tensor, ks: Sequence[int]) -> None:
    if any(k < 1 for k in ks):
        raise ValueError(f"recall at k needs k >= 1, not {list(ks)}")
    if not bool(relevant_QG.any()):
        raise ValueError(f"none of the {relevant_QG.shape[0]} queries has a relevant item")
