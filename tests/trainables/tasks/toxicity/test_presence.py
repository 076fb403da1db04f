"""The record of absences."""

import pytest
import torch

from trainables.losses.uncertainty import TaskUncertainties
from trainables.tasks.toxicity.presence import Presence


@pytest.fixture
def uncertainties():
    return TaskUncertainties(["a", "b"])


def move(uncertainties, task, value, gradient=None):
    uncertainties[task].data.fill_(value)
    uncertainties[task].grad = None if gradient is None else torch.tensor(gradient)


def test_the_longest_absence_and_its_drift(uncertainties):
    presence = Presence(["a", "b"])
    presence.begin_epoch()
    presence.after_step({"a", "b"}, uncertainties)
    for value in (-0.2, -0.5, -0.4):
        move(uncertainties, "b", value, gradient=0.5)
        presence.after_step({"a"}, uncertainties)
    presence.after_step({"a", "b"}, uncertainties)
    found = presence.report(learned=True)
    assert (found["train/batches_since_seen_a"], found["train/batches_since_seen_b"]) == (0, 3)
    assert found["train/absent_drift_b"] == pytest.approx(-0.5)
    assert found["train/absent_gradient_b"] == 0.5
    assert found["train/absent_drift_a"] == found["train/absent_gradient_a"] == 0.0


def test_what_a_task_does_while_it_is_there_is_no_drift(uncertainties):
    presence = Presence(["a", "b"])
    for value in (1.0, 2.0, 3.0):
        move(uncertainties, "a", value, gradient=-1.0)
        presence.after_step({"a", "b"}, uncertainties)
    presence.after_step({"b"}, uncertainties)
    assert presence.report(learned=True)["train/absent_drift_a"] == 0.0


def test_an_absence_goes_on_over_epochs_and_a_resume(uncertainties):
    presence = Presence(["a", "b"])
    for _ in range(3):
        presence.after_step({"a"}, uncertainties)
    resumed = Presence(["a", "b"])
    resumed.restore(presence.state())
    for record in (presence, resumed):
        record.begin_epoch()
        move(uncertainties, "b", 0.25)
        record.after_step({"a"}, uncertainties)
        assert record.report(learned=True)["train/batches_since_seen_b"] == 4
        assert record.report(learned=True)["train/absent_drift_b"] == 0.25


def test_figures_begin_anew_with_an_epoch(uncertainties):
    presence = Presence(["a", "b"])
    presence.after_step({"a", "b"}, uncertainties)
    move(uncertainties, "b", 1.0, gradient=0.5)
    presence.after_step({"a"}, uncertainties)
    presence.after_step({"a", "b"}, uncertainties)
    presence.begin_epoch()
    assert set(presence.report(learned=True).values()) == {0.0}


def test_without_learned_weights_only_absences_are_counted():
    presence = Presence(["a", "b"])
    presence.after_step({"a"}, TaskUncertainties([]))
    assert presence.report(learned=False) == {"train/batches_since_seen_a": 0.0, "train/batches_since_seen_b": 1.0}
