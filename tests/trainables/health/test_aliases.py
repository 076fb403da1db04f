"""Columns of other tools are understood."""

import pytest

from trainables.health.aliases import factor, is_step, translate


@pytest.mark.parametrize(
    ("column", "ours"),
    [
        ("recall@1", "val/recall_at_1"),
        ("val_recall@1", "val/recall_at_1"),
        ("R@5", "val/recall_at_5"),
        ("R@2", "val/recall_at_2"),
        ("val_r2", "val/r2"),
        ("Rank-1", "val/rank_at_1"),
        ("Top 1", "val/rank_at_1"),
        ("mAP", "val/mean_average_precision"),
        ("MAP@R", "val/map_at_r"),
        ("train_loss", "train/loss"),
        ("val loss", "val/loss"),
        ("intra", "train/intra_distance"),
        ("inter", "train/inter_distance"),
        ("ratio", "train/distance_ratio"),
        ("val_ch", "val/calinski_harabasz"),
        ("val_db", "val/davies_bouldin"),
        ("active_neg%", "train/active_negative_fraction"),
        ("effective_rank", "val/effective_rank"),
        ("alignment", "val/matched_cosine"),
        ("grad_norm_video_backbone", "train/grad_norm_video_backbone"),
        ("val/rank_at_1", "val/rank_at_1"),
        ("train/whatever_it_is", "train/whatever_it_is"),
        ("Mystery Column", "Mystery Column"),
    ],
)
def test_a_column_is_translated(column, ours):
    assert translate(column) == ours


@pytest.mark.parametrize(("column", "step"), [("Epoch", True), ("global_step", True), ("loss", False), ("", False)])
def test_a_column_of_steps_is_recognised(column, step):
    assert is_step(column) is step


@pytest.mark.parametrize(("column", "times"), [("active_neg%", 0.01), ("violation_pct", 0.01), ("violation", 1.0)])
def test_percentages_become_fractions(column, times):
    assert factor(column) == times
