"""Shares of several losses."""

from tests.support.histories import history
from trainables.health.balance import auxiliary_dominates, conflicting_gradients


def shares(weight, grad, position=1.0):
    return history(
        train_weight_share_contrastive=[None, *[1 - weight] * 3],
        train_weight_share_captioning=[None, *[weight] * 3],
        train_grad_share_contrastive=[None, *[1 - grad] * 3],
        train_grad_share_captioning=[None, *[grad] * 3],
        val_contrastive_position=[1.0, *[position] * 3],
    )


def test_a_side_task_rules_by_weight_or_by_gradient():
    assert "share of the weight" in auxiliary_dominates(shares(0.6, 0.1)).meaning
    assert "share of the gradient" in auxiliary_dominates(shares(0.1, 0.6)).meaning
    assert auxiliary_dominates(shares(0.3, 0.3)) is None


def test_a_main_task_that_is_nearly_solved_may_have_little_gradient():
    assert auxiliary_dominates(shares(0.1, 0.6, position=0.1)) is None


def test_tasks_without_a_main_one_are_not_compared():
    assert auxiliary_dominates(history(train_weight_share_a=[None, 0.9], train_weight_share_b=[None, 0.1])) is None


def test_gradients_conflict_over_several_epochs_only():
    assert conflicting_gradients(history(train_grad_cosine_a_b=[None, *[-0.5] * 5]))
    assert conflicting_gradients(history(train_grad_cosine_a_b=[None, *[-0.5] * 4])) is None
    assert conflicting_gradients(history(train_grad_cosine_a_b=[None, -0.9, 0.3, -0.4, 0.2, -0.3])) is None


def test_the_main_task_is_the_one_that_the_objective_needs():
    weights = {"train_weight_share_contrastive": [None, 0.2], "train_weight_share_class_contrastive": [None, 0.8]}
    assert auxiliary_dominates(history(objective="val/recall_at_1", **weights))
    assert auxiliary_dominates(history(objective="val/class_recall_at_1", **weights)) is None
