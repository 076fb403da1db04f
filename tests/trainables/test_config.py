"""Shared config models."""

import pytest
from pydantic import ValidationError

from trainables.config import Optimizer


@pytest.mark.parametrize(
    "fields",
    [{"lr": 0}, {"lr": 2}, {"weight_decay": -1}, {"betas": (0.9, 1.0)}, {"max_grad_norm": 0}, {"momentum": 0.9}],
)
def test_optimizer_refuses(fields):
    with pytest.raises(ValidationError):
        Optimizer.model_validate(fields)


def test_clipping_defaults_to_one():
    assert Optimizer().max_grad_norm == 1.0
