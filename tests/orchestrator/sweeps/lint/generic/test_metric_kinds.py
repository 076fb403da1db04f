"""What the names of metrics say, for every metric of every shipped trainable."""

import pytest

from orchestrator.sweeps.lint.generic.metric_kinds import (
    direction,
    is_error,
    is_loss,
    is_retrieval,
    is_scale,
    is_share,
    is_total,
)


@pytest.mark.parametrize(
    ("metric", "kinds"),
    [
        ("val/recall_at_1", {is_retrieval, is_share}),
        ("val/class_recall_at_1", {is_retrieval, is_share}),
        ("val/rank_at_1_cross_day", {is_retrieval, is_share}),
        ("val/map_at_r", {is_retrieval, is_share}),
        ("val/retrieval_accuracy_clip", {is_retrieval, is_share}),
        ("val/macro_f1_kind", {is_share}),
        ("val/stream_accuracy", {is_share}),
        ("val/chance_recall_at_1", {is_scale, is_share}),
        ("val/contrastive_chance", {is_scale}),
        ("val/num_queries", {is_scale}),
        ("val/class_blind_mse_clip", {is_scale}),
        ("val/contrastive_loss", {is_loss}),
        ("train/loss", {is_loss, is_total}),
        ("val/mse_clip", {is_error}),
        ("val/stenosis_mae", {is_error}),
        ("val/r2", set()),
        ("val/matched_cosine", set()),
        ("my_metric", set()),
    ],
)
def test_kinds(metric, kinds):
    every = (is_error, is_loss, is_retrieval, is_scale, is_share, is_total)

    assert {kind for kind in every if kind(metric)} == kinds


def test_directions():
    assert [direction(name) for name in ("val/recall_at_1", "val/eer", "my_metric")] == ["higher", "lower", "neutral"]
