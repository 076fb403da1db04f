"""A forest shares out the variance of values; branches count by what lies within them."""

import numpy as np
import pytest
from optuna.distributions import CategoricalDistribution, FloatDistribution
from optuna.trial import create_trial

from orchestrator.study.variance import variance_shares

UNIT = FloatDistribution(0, 1)
KIND = CategoricalDistribution(["a", "b"])


def complete(value, **params):
    kinds = {"kind": KIND, "lr": FloatDistribution(1e-6, 1, log=True)}
    return create_trial(value=value, params=params, distributions={name: kinds.get(name, UNIT) for name in params})


def test_the_parameter_that_decides_has_nearly_all():
    rng = np.random.default_rng(0)
    trials = [complete(x + 0.01 * y, x=x, y=y) for x, y in rng.random((40, 2))]

    shares = variance_shares(trials, seed=0)

    assert shares["x"] > 0.9
    assert sum(shares.values()) == pytest.approx(1)
    assert variance_shares(trials, seed=0) == shares


def test_a_log_scaled_range_counts_by_its_logarithm():
    """All that happens below 1e-3 is a thousandth of the range, but half of its logarithm."""
    rng = np.random.default_rng(1)
    exponents, other = rng.uniform(-6, 0, 40), rng.random(40)
    trials = [
        complete(min(e, -3) + 0.5 * y, lr=float(10**e), y=float(y)) for e, y in zip(exponents, other, strict=True)
    ]

    assert variance_shares(trials, seed=0)["lr"] > 0.8


def test_a_parameter_of_a_branch_counts_by_the_variance_within_its_branch():
    rng = np.random.default_rng(2)
    branch_a = [complete(10 + 0.1 * m, kind="a", m=m) for m in rng.random(15)]
    branch_b = [complete(0.0, kind="b") for _ in range(15)]

    shares = variance_shares([*branch_a, *branch_b], seed=0)

    assert shares["kind"] > 0.95
    assert 0 < shares["m"] < 0.05


def test_equal_values_explain_nothing():
    assert variance_shares([complete(0.5, x=n / 9) for n in range(9)], seed=0) == {}
