"""Class-blind regression."""

from tests.support.histories import history
from trainables.health.regression import class_blind


def test_note_000s_plateau_is_class_blind():
    assert class_blind(history(val_r2_clip=[-20.0, -2.0, 0.0, 0.01, 0.01, 0.01, 0.01]))
    assert class_blind(history(val_r2=[-20.0, -2.0, 0.2, 0.4, 0.5])) is None


def test_a_fit_that_rises_through_zero_is_not():
    assert class_blind(history(val_r2_clip=[-20.0, -4.0, -2.0, -0.5, -0.05, 0.05])) is None


def test_a_fit_that_guesses_is_even_before_it_settles():
    blind = {"val_r2_clip": [-20.0, -3.0, -2.0, -1.2, -0.8], "val_chance_retrieval_accuracy": [0.25] * 5}
    assert class_blind(history(val_retrieval_accuracy_clip=[0.25] * 5, **blind))
    assert class_blind(history(val_retrieval_accuracy_clip=[0.25, 0.7, 0.9, 0.9, 0.9], **blind)) is None
