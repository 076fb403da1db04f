"""Recall@k as retrieval work means it: the share of queries with something relevant among their first k results.

Tasks call it in both directions and put the recall of a random ranking beside it.
"""

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from trainables.metrics.rows import Matrix, chunks, counts


@dataclass(frozen=True, slots=True)
class QueryCounts:
    """How many queries have something relevant to find (`valid`), and how many have nothing (`excluded`)."""

    valid: int
    excluded: int


def count_queries(relevant_QG: Matrix) -> QueryCounts:
    """Count the queries that the recall is taken over and those that it leaves out."""
    valid = int((_num_relevant(relevant_QG) > 0).sum())
    return QueryCounts(valid=valid, excluded=len(relevant_QG) - valid)


def recall_at_k(similarity_QG: Matrix, relevant_QG: Matrix, *, ks: Sequence[int]) -> dict[int, float]:
    """Share of valid queries with a relevant item in the first k, for each k; valid means that there is one.

    Ties are broken against the query: what scores the same and is not relevant ranks first, so equal embeddings
    get no credit for the order of the data. An item with a NaN similarity ranks last and is never a hit.

    Shapes: Q queries, G gallery items; relevance is bool. A query's own copy in the gallery must not be relevant.
    Raises: ValueError: no query is valid, a k is below 1, or the shapes differ.
    """
    return {k: float(hit_V.mean()) for k, hit_V in hits_at_k(similarity_QG, relevant_QG, ks=ks).items()}


def hits_at_k(similarity_QG: Matrix, relevant_QG: Matrix, *, ks: Sequence[int]) -> dict[int, Tensor]:
    """For each valid query, in order, whether it is a hit as `recall_at_k` counts them: float64 (V,), 1 or 0.

    Raises: ValueError: as for `recall_at_k`.
    """
    _check_ks(ks)
    if similarity_QG.shape != relevant_QG.shape:
        raise ValueError(
            f"similarity {tuple(similarity_QG.shape)} and relevance {tuple(relevant_QG.shape)} differ in shape"
        )
    ranks = []
    for rows in chunks(relevant_QG):
        relevant_CG = relevant_QG[rows]
        ranks.append(_first_relevant_ranks(similarity_QG[rows].detach(), relevant_CG)[relevant_CG.any(dim=1)])
    rank_V = torch.cat(ranks) if ranks else torch.zeros(0)
    _check_valid(len(rank_V), num_queries=len(relevant_QG))
    return {k: (rank_V < k).double() for k in ks}


def chance_recall_at_k(relevant_QG: Matrix, *, ks: Sequence[int]) -> dict[int, float]:
    """Expected `recall_at_k` of a random ranking: 1 - C(G - R, k) / C(G, k), mean over valid queries with R relevant.

    Raises: ValueError: no query is valid, or a k is below 1.
    """
    _check_ks(ks)
    num_items = relevant_QG.shape[1]
    queries_by_relevant = Counter(relevant for relevant in _num_relevant(relevant_QG).tolist() if relevant)
    num_valid = queries_by_relevant.total()
    _check_valid(num_valid, num_queries=len(relevant_QG))

    def hit(relevant: int, k: int) -> float:
        k = min(k, num_items)
        return 1 - math.comb(num_items - relevant, k) / math.comb(num_items, k)

    return {k: sum(hit(r, k) * q for r, q in queries_by_relevant.items()) / num_valid for k in ks}


def _first_relevant_ranks(similarity_CG: Tensor, relevant_CG: Tensor) -> Tensor:
    """Rank from 0 of the first relevant item of each query, infinite where all relevant ones are NaN; (C,)."""
    scratch_CG = torch.where(relevant_CG, similarity_CG, -torch.inf)
    best_C1 = scratch_CG.amax(dim=1, keepdim=True)
    if bool(best_C1.isnan().any()):
        known_CG = relevant_CG & ~similarity_CG.isnan()
        return _first_relevant_ranks(similarity_CG, known_CG).masked_fill(~known_CG.any(dim=1), torch.inf)
    # Ones and zeros in floats, in memory that is there already: a sum of booleans takes ten times as long.
    ahead_CG = torch.ge(similarity_CG, best_C1, out=scratch_CG).masked_fill_(relevant_CG, 0)
    return ahead_CG.sum(dim=1, dtype=torch.float32)


def _num_relevant(relevant_QG: Matrix) -> Tensor:
    """Of each query, int64 (Q,)."""
    return torch.cat([counts(relevant_QG[rows]) for rows in chunks(relevant_QG)])


def _check_ks(ks: Sequence[int]) -> None:
    if any(k < 1 for k in ks):
        raise ValueError(f"recall at k needs k >= 1, not {list(ks)}")


def _check_valid(num_valid: int, *, num_queries: int) -> None:
    if not num_valid:
        raise ValueError(f"none of the {num_queries} queries has a relevant item")
