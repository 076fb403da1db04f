"""What a model is for, and what is noise."""

import pytest

from tests.support.histories import history
from trainables.health.deployment import chance, deployed, misleads, standard_error


def test_the_objective_is_what_a_model_is_for_unless_it_misleads():
    values = {"val_rank_at_1": [0.1], "val_map_at_r": [0.2], "val_loss": [3.0]}
    assert deployed(history(**values)).name == "val/rank_at_1"
    assert deployed(history(objective="val/map_at_r", **values)).name == "val/map_at_r"
    assert deployed(history(objective="val/loss", **values)).name == "val/rank_at_1"
    assert deployed(history(val_loss=[3.0])) is None


def test_accuracy_on_a_growing_set_of_classes_is_not_held_against_its_past():
    assert deployed(history(objective="val/last_accuracy", val_last_accuracy=[1.0])) is None


@pytest.mark.parametrize(
    ("metric", "expected"),
    [
        ("val/contrastive_loss", True),
        ("train/loss", True),
        ("val/calinski_harabasz", True),
        ("val/auc", True),
        ("val/matched_cosine", True),
        ("val/bleu", True),
        ("val/rank_at_1", False),
        ("val/macro_f1", False),
        ("val/stenosis_recall", False),
        ("val/my_score", False),
    ],
)
def test_which_metrics_mislead(metric, expected):
    assert misleads(metric) is expected


def test_the_standard_error_is_the_binomial_one():
    known = history(val_num_queries=[None, 400.0])
    assert standard_error(known, 0.5) == pytest.approx(0.025)
    assert 0 < standard_error(known, 0.0) < 0.005
    assert standard_error(history(), 0.5) == pytest.approx(0.05)


def test_chance_is_the_metrics_own_reference():
    measured = history(val_rank_at_1=[0.5], val_chance_rank_at_1=[0.02])
    assert chance(measured, "val/rank_at_1") == 0.02
    assert chance(measured, "val/macro_f1") == 0.0
