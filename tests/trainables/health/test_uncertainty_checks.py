"""Learned weights of absent tasks."""

import math

import pytest

from tests.support.histories import history
from trainables.health.uncertainty import phantom_gradient, precision_shock


def test_a_gradient_or_a_drift_of_an_absent_task():
    assert phantom_gradient(history(train_absent_gradient_hate=[None, 0.5]))
    assert phantom_gradient(history(train_absent_gradient_hate=[None, 0.0], train_absent_drift_hate=[None, 0.09]))
    assert (
        phantom_gradient(history(train_absent_gradient_hate=[None, 0.0], train_absent_drift_hate=[None, 0.0])) is None
    )


def test_a_precision_that_jumps():
    found = precision_shock(history(train_absent_drift_hate=[None, -math.log(36.6)]))
    assert found.evidence["factor on precision"] == pytest.approx(36.6)
    assert precision_shock(history(train_absent_drift_hate=[None, 0.1])) is None
