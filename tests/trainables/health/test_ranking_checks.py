"""The ranking against step 0, against the loss, and as an objective."""

from tests.support.histories import history
from trainables.health.ranking import (
    invalid_queries_counted,
    ranking_falls,
    worse_than_untrained,
    wrong_selection_metric,
)

QUERIES = {"val_num_queries": [240.0] * 6, "val_chance_rank_at_1": [0.02] * 6}


def test_note_001s_farthest_negatives_end_below_the_untrained_model():
    found = worse_than_untrained(history(val_rank_at_1=[0.885, 0.85, 0.78, 0.74, 0.72], **QUERIES))
    assert found.evidence["untrained"] == 0.885
    assert worse_than_untrained(history(val_rank_at_1=[0.885, 0.9, 0.91, 0.92, 0.92], **QUERIES)) is None
    assert worse_than_untrained(history(val_rank_at_1=[0.885, 0.96, 0.8, 0.8, 0.8], **QUERIES)) is None


def test_a_model_at_chance_cannot_get_worse():
    assert worse_than_untrained(history(val_rank_at_1=[0.06, 0.02, 0.02, 0.02], **QUERIES)) is None


def test_the_ranking_falls_while_the_loss_falls():
    loss = {"train_loss": [None, 1.0, 0.5, 0.3, 0.2, 0.1], "train_intra_distance": [None, *[0.01] * 5]}
    found = ranking_falls(history(val_rank_at_1=[0.8, 0.9, 0.8, 0.7, 0.7, 0.7], **loss, **QUERIES))
    assert found.evidence["train/intra_distance"] == 0.01
    assert ranking_falls(history(val_rank_at_1=[0.5, 0.6, 0.7, 0.8, 0.85, 0.9], **loss, **QUERIES)) is None
    level = {"train_loss": [None, *[1.0] * 5]}
    assert ranking_falls(history(val_rank_at_1=[0.8, 0.9, 0.8, 0.7, 0.7, 0.7], **level, **QUERIES)) is None


def test_queries_without_an_answer():
    assert invalid_queries_counted(history(val_num_unanswerable_queries=[3.0, 3.0]))
    assert invalid_queries_counted(history(val_num_unanswerable_queries=[0.0, 0.0])) is None


def test_selection_by_another_metric():
    measured = {"val_rank_at_1": [0.5], "val_calinski_harabasz": [6.75], "val_rank_at_5": [0.8]}
    assert wrong_selection_metric(history(objective="val/calinski_harabasz", **measured))
    assert wrong_selection_metric(history(objective="val/rank_at_5", **measured)) is None
    assert wrong_selection_metric(history(**measured)) is None
    assert wrong_selection_metric(history(objective="val/loss", val_loss=[1.0])) is None
