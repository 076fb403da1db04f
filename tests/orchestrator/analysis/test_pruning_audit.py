"""What a pruner cost and saved, from curves that are known to their ends."""

import math

import numpy as np
import pytest
from scipy import stats

from orchestrator.analysis.pruning_audit import FullCurve, audit_pruning, share
from orchestrator.spec.model import Direction

UP = Direction.MAXIMIZE


def curve(number, *values, stopped_at=None):
    return FullCurve(number, dict(enumerate(values, 1)), stopped_at)


def test_a_pruned_trial_that_would_have_been_best_is_a_killed_winner():
    sweep = [curve(0, 0.5, 0.6, 0.6), curve(1, 0.1, 0.2, 0.9, stopped_at=1), curve(2, 0.1, 0.2, 0.3, stopped_at=2)]

    audit = audit_pruning([sweep], direction=UP)

    assert (audit.killed.hits, audit.killed.of) == (1, 2)
    assert (audit.sweeps_hurt.hits, audit.sweeps_hurt.of) == (1, 1)
    assert audit.loss == pytest.approx(0.3)
    assert audit.epochs_saved == pytest.approx((2 + 1) / 9)


def test_lower_is_better_when_it_is_said_so():
    sweep = [curve(0, 0.5, 0.4), curve(1, 0.9, 0.3, stopped_at=1), curve(2, 0.9, 0.5, stopped_at=1)]

    audit = audit_pruning([sweep], direction=Direction.MINIMIZE)

    assert audit.killed.hits == 1
    assert audit.loss == pytest.approx(0.1)


def test_what_a_pruned_trial_had_already_reached_is_not_lost():
    sweep = [curve(0, 0.5, 0.5), curve(1, 0.8, 0.8, stopped_at=1)]

    assert audit_pruning([sweep], direction=UP).killed.hits == 0


def test_the_loss_is_a_mean_over_sweeps():
    hurt = [curve(0, 0.5, 0.5), curve(1, 0.1, 0.9, stopped_at=1)]
    unhurt = [curve(0, 0.5, 0.5), curve(1, 0.1, 0.2, stopped_at=1)]

    audit = audit_pruning([hurt, unhurt], direction=UP)

    assert audit.loss == pytest.approx(0.2)
    assert audit.sweeps_hurt.rate == 0.5


def test_early_values_are_compared_with_final_ones_at_each_epoch_of_a_stop():
    rng = np.random.default_rng(0)
    ends = 0.3 + rng.random(30)
    sweep = [curve(n, 0.1 * rng.random(), 0.5 * end, end, stopped_at=1 + n % 2) for n, end in enumerate(ends)]

    first, second = audit_pruning([sweep], direction=UP).correlations

    expected = stats.spearmanr([c.values[1] for c in sweep], ends).statistic
    assert (first.epoch, first.num_trials, first.rho) == (1, 30, pytest.approx(expected))
    assert first.low < first.rho < first.high
    assert second.rho > 0.9


def test_a_trial_in_several_replays_counts_once_for_the_correlation():
    sweep = [curve(n, n / 9, n / 9, stopped_at=1) for n in range(8)]

    assert audit_pruning([sweep, sweep[::-1]], direction=UP).correlations[0].num_trials == 8


def test_values_that_are_no_numbers_are_no_winners():
    sweep = [curve(0, 0.5, 0.5), curve(1, math.nan, math.nan, stopped_at=1)]

    assert audit_pruning([sweep], direction=UP).killed.hits == 0


def test_a_share_has_the_exact_interval_and_nothing_has_none():
    assert (share(0, 20).low, share(0, 20).high) == pytest.approx((0.0, 0.1684), abs=1e-4)
    assert (share(0, 0).rate, share(0, 0).low, share(0, 0).high) == (0.0, 0.0, 1.0)
