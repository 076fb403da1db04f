"""Metric names say which way is good and what to compare with."""

import pytest

from trainables.health.vocabulary import Direction, Meaning, Reference, describe
from trainables.registry import TRAINABLES, load_info


@pytest.mark.parametrize(
    ("name", "direction"),
    [
        ("val/recall_at_1", Direction.HIGHER),
        ("val/rank_at_5", Direction.HIGHER),
        ("val/forgetting", Direction.LOWER),
        ("val/davies_bouldin", Direction.LOWER),
        ("train/contrastive_loss", Direction.LOWER),
        ("train/intra_distance", Direction.NEUTRAL),
        ("val/intra_distance", Direction.LOWER),
        ("train/rank_at_1", Direction.HIGHER),
        ("train/batch_recall_at_1", Direction.HIGHER),
        ("train/lr", Direction.NEUTRAL),
        ("val/chance_recall_at_1", Direction.NEUTRAL),
    ],
)
def test_a_name_has_a_direction(name, direction):
    assert describe(name).direction is direction


def test_an_unknown_name_is_neutral():
    assert describe("loudness") == Meaning(Direction.NEUTRAL, "", ())


@pytest.mark.parametrize(
    ("name", "references"),
    [
        ("val/rank_at_1", {("chance", "val/chance_rank_at_1"), ("baseline", "val/raw_rank_at_1")}),
        ("train/contrastive_loss", {("chance", "val/contrastive_chance"), ("floor", "val/contrastive_floor")}),
        ("val/mse_clip", {("baseline", "val/class_blind_mse_clip")}),
        ("val/macro_f1_hate", {("baseline", "val/majority_macro_f1_hate")}),
        ("val/calinski_harabasz", {("chance", "val/calinski_harabasz_chance")}),
    ],
)
def test_a_name_has_references(name, references):
    assert set(describe(name).references) == {Reference(*reference) for reference in references}


@pytest.mark.parametrize("trainable", sorted(TRAINABLES))
def test_every_val_metric_of_a_trainable_is_known(trainable):
    unknown = [name for name in load_info(trainable).metrics if name.startswith("val/") and not describe(name).text]
    assert unknown == []
