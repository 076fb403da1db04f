"""Mining itself: one positive and one negative for each anchor, from any pool, with a record of what was done.

Tasks call `choose` with the distances that the loss is computed from. It knows no model and no loss; whether the pool
is the batch, a memory or the train set is the caller's affair, and on record.
"""

from dataclasses import dataclass, replace

import torch
from torch import Tensor

from trainables.mining.pool import Pool, chosen_mask
from trainables.mining.record import EFFECTIVE, REASONS, MiningRecord, negative_percentile
from trainables.mining.strategies import EffectiveMining, NegativeMining, PositiveMining, Reason, Window


@dataclass(frozen=True, slots=True)
class MiningRule:
    """What is asked for.

    Attributes:
        negative: full-hard also takes the farthest positive, whatever `positive` says.
        positive: how the positive is chosen.
        margin: width of the semi-hard window, in units of the distance.
        window: whose distance the window begins at.
        duplicate_distance: full-hard leaves out negatives that are this near, as copies under another label.
    """

    negative: NegativeMining
    positive: PositiveMining = PositiveMining.RANDOM
    margin: float = 0.0
    window: Window = Window.CHOSEN
    duplicate_distance: float = 1e-6

    @property
    def needs_distances(self) -> bool:
        """Whether any choice depends on the embeddings."""
        return self.negative is not NegativeMining.RANDOM or self.positive is PositiveMining.HARD


@dataclass(frozen=True, slots=True)
class Choice:
    """The pair of each of A anchors, as indices of candidates; both are -1 where an anchor lacks one of them."""

    positive_A: Tensor
    negative_A: Tensor
    record: MiningRecord

    @property
    def used_A(self) -> Tensor:
        """Which anchors have a positive and a negative; bool."""
        return self.positive_A >= 0

    def masks(self, num_candidates: int) -> tuple[Tensor, Tensor]:
        """(positives, negatives), bool (A, N) with at most one True in a row: the masks of the pair losses."""
        return chosen_mask(self.positive_A, num_candidates), chosen_mask(self.negative_A, num_candidates)


@dataclass(frozen=True, slots=True)
class _Negatives:
    """Chosen candidates, with places in `EFFECTIVE` and `REASONS`."""

    index_A: Tensor
    effective_A: Tensor
    reason_A: Tensor


@torch.no_grad()
def choose(pool: Pool, rule: MiningRule, *, generator: torch.Generator) -> Choice:
    """Choose for each anchor; both choices or none.

    Without finite distances all choices are random, and without the whole train set full-hard is hard: the record
    says so. Draws as much from the generator for each strategy, so that a change of strategy leaves the batches alone.
    """
    pool = _on_one_device(pool)
    noise_AN, more_noise_AN = (_noise(pool, generator) for _ in range(2))
    blind = _why_blind(pool)
    if blind is not None:
        pool = replace(pool, distance_AN=None)
    positive_A = _choose_positive(pool, rule, noise_AN)
    negatives = _choose_negative(pool, rule, positive_A=positive_A, noise_AN=more_noise_AN)
    if blind is not None and rule.needs_distances:
        negatives = _all(negatives.index_A, EffectiveMining.RANDOM, blind)
    return _both_or_none(pool, rule, positive_A, negatives)


def _on_one_device(pool: Pool) -> Pool:
    distance_AN, age_N = (
        None if x is None else x.detach().to(pool.positive_AN.device) for x in (pool.distance_AN, pool.age_N)
    )
    return replace(pool, distance_AN=distance_AN, age_N=age_N)


def _why_blind(pool: Pool) -> Reason | None:
    if pool.distance_AN is None:
        return Reason.NO_EMBEDDINGS
    return None if bool(pool.distance_AN.isfinite().all()) else Reason.NOT_FINITE


def _noise(pool: Pool, generator: torch.Generator) -> Tensor:
    # Drawn where the generator is, so that a trial makes the same choices on each device.
    drawn_AN = torch.rand(pool.positive_AN.shape, generator=generator, device=generator.device)
    return drawn_AN.to(pool.positive_AN.device)


def _choose_positive(pool: Pool, rule: MiningRule, noise_AN: Tensor) -> Tensor:
    hard = rule.positive is PositiveMining.HARD or rule.negative is NegativeMining.FULL_HARD
    score_AN = pool.distance_AN if hard and pool.distance_AN is not None else noise_AN
    return _largest(score_AN, pool.positive_AN)


def _choose_negative(pool: Pool, rule: MiningRule, *, positive_A: Tensor, noise_AN: Tensor) -> _Negatives:
    if rule.negative is NegativeMining.RANDOM or pool.distance_AN is None:
        return _all(_largest(noise_AN, pool.negative_AN), EffectiveMining.RANDOM)
    if rule.negative is NegativeMining.FARTHEST:
        return _all(_largest(pool.distance_AN, pool.negative_AN), EffectiveMining.FARTHEST)
    if rule.negative is NegativeMining.SEMI_HARD:
        return _semi_hard(pool, pool.distance_AN, rule=rule, positive_A=positive_A, noise_AN=noise_AN)
    nearest_A = _largest(-pool.distance_AN, pool.negative_AN)
    if rule.negative is NegativeMining.HARD:
        return _all(nearest_A, EffectiveMining.HARD)
    if not pool.is_global:
        return _all(nearest_A, EffectiveMining.HARD, Reason.NOT_GLOBAL)
    return _full_hard(pool, pool.distance_AN, nearest_A=nearest_A, duplicate_distance=rule.duplicate_distance)


def _semi_hard(
    pool: Pool, distance_AN: Tensor, *, rule: MiningRule, positive_A: Tensor, noise_AN: Tensor
) -> _Negatives:
    """A random negative of the window (d(a, p), d(a, p) + margin), or else the nearest beyond it, or the farthest.

    Nothing lies beyond where all negatives are nearer than the positive: the farthest of them is the mildest.
    """
    first_A = pool.positive_AN.to(torch.int8).argmax(dim=1)
    begin_A = positive_A if rule.window is Window.CHOSEN else first_A
    begin_A1 = distance_AN.gather(1, begin_A.clamp(min=0)[:, None])
    beyond_AN = pool.negative_AN & (distance_AN > begin_A1)
    inside_AN = beyond_AN & (distance_AN < begin_A1 + rule.margin)
    steps = [
        (_largest(noise_AN, inside_AN), EffectiveMining.SEMI_HARD, Reason.AS_REQUESTED),
        (_largest(-distance_AN, beyond_AN), EffectiveMining.NEAREST_BEYOND, Reason.EMPTY_WINDOW),
        (_largest(distance_AN, pool.negative_AN), EffectiveMining.FARTHEST_BELOW, Reason.EMPTY_WINDOW),
    ]
    negatives = _first_that_exists(steps)
    return negatives if rule.window is Window.CHOSEN else _outside_marked(negatives, distance_AN, rule, positive_A)


def _outside_marked(negatives: _Negatives, distance_AN: Tensor, rule: MiningRule, positive_A: Tensor) -> _Negatives:
    """Put on record which negatives are not in the window of the positive that they are trained with."""
    begin_A, chosen_A = (
        distance_AN.gather(1, index_A.clamp(min=0)[:, None]).squeeze(1) for index_A in (positive_A, negatives.index_A)
    )
    inside_A = (begin_A < chosen_A) & (chosen_A < begin_A + rule.margin)
    outside_A = ~inside_A & (negatives.reason_A == REASONS.index(Reason.AS_REQUESTED))
    return _Negatives(
        negatives.index_A,
        negatives.effective_A.masked_fill(outside_A, EFFECTIVE.index(EffectiveMining.OUTSIDE_WINDOW)),
        negatives.reason_A.masked_fill(outside_A, REASONS.index(Reason.OTHER_WINDOW)),
    )


def _full_hard(pool: Pool, distance_AN: Tensor, *, nearest_A: Tensor, duplicate_distance: float) -> _Negatives:
    distinct_AN = pool.negative_AN & (distance_AN > duplicate_distance)
    steps = [
        (_largest(-distance_AN, distinct_AN), EffectiveMining.FULL_HARD, Reason.AS_REQUESTED),
        (nearest_A, EffectiveMining.HARD, Reason.ONLY_DUPLICATES),
    ]
    return _first_that_exists(steps)


def _both_or_none(pool: Pool, rule: MiningRule, positive_A: Tensor, negatives: _Negatives) -> Choice:
    no_positive_A, no_negative_A = positive_A < 0, negatives.index_A < 0
    unused_A = no_positive_A | no_negative_A
    reason_A = negatives.reason_A.masked_fill(no_negative_A, REASONS.index(Reason.NO_NEGATIVE))
    negative_A = negatives.index_A.masked_fill(unused_A, -1)
    record = MiningRecord(
        requested=rule.negative,
        effective_A=negatives.effective_A.masked_fill(unused_A, EFFECTIVE.index(EffectiveMining.NONE)),
        reason_A=reason_A.masked_fill(no_positive_A, REASONS.index(Reason.NO_POSITIVE)),
        pool_size_A=pool.negative_AN.sum(dim=1),
        age_A=_ages(pool, negative_A),
        percentile_A=_percentiles(pool, negative_A),
    )
    return Choice(positive_A.masked_fill(unused_A, -1), negative_A, record)


def _ages(pool: Pool, negative_A: Tensor) -> Tensor:
    if pool.distance_AN is None:
        return torch.full(negative_A.shape, torch.nan, device=negative_A.device)
    age_N = torch.zeros(pool.positive_AN.shape[1], device=negative_A.device) if pool.age_N is None else pool.age_N
    return age_N.float()[negative_A.clamp(min=0)].masked_fill(negative_A < 0, torch.nan)


def _percentiles(pool: Pool, negative_A: Tensor) -> Tensor:
    if pool.distance_AN is None:
        return torch.full(negative_A.shape, torch.nan, device=negative_A.device)
    return negative_percentile(pool.distance_AN, pool.negative_AN, negative_A)


def _largest(score_AN: Tensor, mask_AN: Tensor) -> Tensor:
    """Index of the highest score inside the mask, -1 in empty rows."""
    index_A = score_AN.masked_fill(~mask_AN, -torch.inf).argmax(dim=1)
    return index_A.masked_fill(~mask_AN.any(dim=1), -1)


def _all(index_A: Tensor, effective: EffectiveMining, reason: Reason = Reason.AS_REQUESTED) -> _Negatives:
    return _first_that_exists([(index_A, effective, reason)])


def _first_that_exists(steps: list[tuple[Tensor, EffectiveMining, Reason]]) -> _Negatives:
    """The first step that chose something, anchor by anchor; that of the last step where none did."""
    index_A = steps[-1][0]
    effective_A = torch.full_like(index_A, EFFECTIVE.index(steps[-1][1]))
    reason_A = torch.full_like(index_A, REASONS.index(steps[-1][2]))
    for candidate_A, effective, reason in reversed(steps[:-1]):
        exists_A = candidate_A >= 0
        index_A = torch.where(exists_A, candidate_A, index_A)
        effective_A = effective_A.masked_fill(exists_A, EFFECTIVE.index(effective))
        reason_A = reason_A.masked_fill(exists_A, REASONS.index(reason))
    return _Negatives(index_A, effective_A, reason_A)
