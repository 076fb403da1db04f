"""Shared config models."""

import pytest
from pydantic import ValidationError

from trainables.config import Optimizer, loop_metrics


@pytest.mark.parametrize(
    "fields",
    [{"lr": 0}, {"lr": 2}, {"weight_decay": -1}, {"betas": (0.9, 1.0)}, {"max_grad_norm": 0}, {"momentum": 0.9}],
)
def test_optimizer_refuses(fields):
    with pytest.raises(ValidationError):
        Optimizer.model_validate(fields)


def test_clipping_defaults_to_one():
    assert Optimizer().max_grad_norm == 1.0


def test_the_loops_metrics_are_named_for_parts_pairs_and_groups():
    metrics = loop_metrics(("a", "b"), groups=("trunk",), own_rates=("trunk",))
    assert {"train/a_loss", "train/grad_cosine_a_b", "train/grad_norm_trunk", "train/lr_trunk"} <= metrics.keys()
    assert all(metrics.values())
