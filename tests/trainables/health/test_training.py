"""Steps, gradients, numbers that are none, and overfitting."""

import math

from tests.support.histories import history
from trainables.health import Severity
from trainables.health.training import exploding_gradients, lr_too_high, lr_too_low, non_finite, overfitting


def test_not_a_number():
    assert non_finite(history(train_loss=[None, 1.0, math.nan])).severity is Severity.ILL
    assert non_finite(history(train_loss=[None, math.inf, 1.0])).severity is Severity.WARNING
    assert non_finite(history(train_loss=[None, 1.0])) is None


def test_gradients_that_explode():
    assert exploding_gradients(history(train_grad_norm_max=[None, 5e3, 1.0])).severity is Severity.ILL
    burst = exploding_gradients(history(train_grad_norm=[None, 1.0, 1.0, 1.0, 50.0]))
    assert burst.severity is Severity.WARNING
    assert exploding_gradients(history(train_grad_norm=[None, 20.0, 5.0, 8.0, 12.0])) is None


def overfit(accuracy, position):
    return overfitting(
        history(
            val_x_loss=[1.0, 0.5, 0.6, 0.7, 0.8],
            train_x_loss=[None, 0.5, 0.3, 0.2, 0.1],
            val_x_position=[1.0, *[position] * 4],
            val_accuracy=accuracy,
        )
    )


def test_overfitting_is_a_warning_where_it_costs_something_and_a_note_otherwise():
    assert overfit([0.1, 0.9, 0.7, 0.6, 0.6], 0.9).severity is Severity.WARNING
    assert overfit([0.1, 0.5, 0.6, 0.7, 0.7], 0.9).severity is Severity.NOTE
    assert overfit([0.1, 0.5, 0.6, 0.7, 0.7], 1.5).severity is Severity.WARNING


def test_a_val_loss_that_rises_with_the_training_loss_is_not_overfitting():
    assert overfitting(history(val_x_loss=[1.0, 0.5, 0.6, 0.7, 0.8], train_x_loss=[None, 0.5, 0.6, 0.7, 0.8])) is None


def test_steps_that_do_nothing():
    still = {"train_loss": [None, 2.0, 2.0, 1.999, 1.999]}
    assert lr_too_low(history(train_update_ratio=[None, *[1e-6] * 4], **still))
    assert lr_too_low(history(train_update_ratio=[None, *[1e-2] * 4], **still)) is None
    falls = {"train_loss": [None, 2.0, 1.5, 1.2, 1.0]}
    assert lr_too_low(history(train_update_ratio=[None, *[1e-6] * 4], **falls)) is None


def test_steps_that_replace_the_model():
    assert lr_too_high(history(train_update_ratio=[None, 3.0]))
    learned, not_learned = ([0.1, 0.8, 0.8, 0.8], [0.1, 0.1, 0.1, 0.1])
    assert lr_too_high(history(train_update_ratio=[None, *[0.1] * 3], val_rank_at_1=not_learned))
    assert lr_too_high(history(train_update_ratio=[None, *[0.1] * 3], val_rank_at_1=learned)) is None
    assert lr_too_high(history(train_update_ratio=[None, *[0.01] * 3], val_rank_at_1=not_learned)) is None
