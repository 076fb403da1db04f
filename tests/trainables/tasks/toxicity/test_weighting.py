"""Factors on classes and on tasks."""

import pytest
import torch

from trainables.data.texts.load import load_texts
from trainables.data.texts.sources import GeneratedSource
from trainables.loop import BatchLoss
from trainables.losses.uncertainty import TaskUncertainties, uncertainty_loss
from trainables.tasks.toxicity.config import Focal, Weighting
from trainables.tasks.toxicity.weighting import class_alphas, scalars_of, weigh

TASKS = ["a", "b", "c"]


def total(weighting, present, *, start=0.7):
    uncertainties = TaskUncertainties(TASKS, start=start)
    losses = {task: torch.tensor(0.5 + i) for i, task in enumerate(TASKS) if task in present}
    config = Weighting.model_validate(weighting)
    scalars = scalars_of(config, TASKS)
    parts, added = weigh(losses, weighting=config, scalars=scalars, uncertainties=uncertainties)
    loss = BatchLoss(parts=parts, regularizer=added)
    if not loss.is_empty and loss.total.requires_grad:
        loss.total.backward()
    return loss, uncertainties


def gradient(uncertainties, task):
    found = uncertainties[task].grad
    return None if found is None else found.item()


def test_frozen_leaves_an_absent_task_out_of_the_graph():
    loss, uncertainties = total({}, "ac")
    dense = uncertainty_loss(torch.tensor([0.5, 0.0, 2.5]), torch.full((3,), 0.7), torch.tensor([True, False, True]))
    assert loss.total.item() == pytest.approx(dense.item())
    assert gradient(uncertainties, "b") is None
    assert gradient(uncertainties, "a") is not None


def test_masked_gives_an_absent_task_a_gradient_of_zero():
    loss, uncertainties = total({"absent": "masked"}, "ac")
    assert loss.total.item() == pytest.approx(total({}, "ac")[0].total.item())
    assert gradient(uncertainties, "b") == 0.0


def test_phantom_gives_it_a_half():
    loss, uncertainties = total({"absent": "phantom"}, "ac")
    assert loss.total.item() == pytest.approx(total({}, "ac")[0].total.item() + 0.35)
    assert gradient(uncertainties, "b") == 0.5


def test_a_present_task_is_weighted_the_same_in_all_three():
    gradients = [gradient(total({"absent": absent}, "ac")[1], "a") for absent in ("frozen", "masked", "phantom")]
    assert len(set(gradients)) == 1


def test_a_task_with_loss_0_that_is_present_still_moves():
    uncertainties = TaskUncertainties(TASKS)
    none = {"a": torch.tensor(0.0)}
    parts, added = weigh(none, weighting=Weighting(), scalars={"decay": 0.0}, uncertainties=uncertainties)
    BatchLoss(parts=parts, regularizer=added).total.backward()
    assert gradient(uncertainties, "a") == 0.5


def test_without_the_log_term_only_the_weighted_losses_are_left():
    loss, uncertainties = total({"log_term": False}, "a")
    assert loss.total.item() == pytest.approx(0.5 * 0.5 * torch.tensor(-0.7).exp().item())
    assert gradient(uncertainties, "a") < 0


def test_decay_reaches_what_is_in_the_graph():
    assert gradient(total({"decay": 0.1}, "a")[1], "b") is None
    assert gradient(total({"decay": 0.1, "absent": "masked"}, "a")[1], "b") == pytest.approx(0.07)


@pytest.mark.parametrize("absent", ["frozen", "masked", "phantom"])
def test_a_batch_without_labels_is_empty(absent):
    assert total({"absent": absent}, "")[0].is_empty


def test_fixed_and_equal():
    assert total({"kind": "equal"}, "ab")[0].total.item() == pytest.approx(0.5 + 1.5)
    fixed, _ = total({"kind": "fixed", "weights": {"a": 3.0, "b": 0.0}}, "abc")
    assert fixed.total.item() == pytest.approx(3 * 0.5 + 2.5)
    assert fixed.parts.keys() == {"a", "c"}


def test_balanced_alphas():
    data = load_texts(GeneratedSource(num_train=400, missing_fraction=0))
    for balance, ratio in ((0.0, 1.0), (0.5, 19**0.5), (1.0, 19.0)):
        alpha = class_alphas(Focal(balance=balance), data)["toxic"]
        assert alpha[1] / alpha[0] == pytest.approx(ratio)
        assert 0.95 * alpha[0] + 0.05 * alpha[1] == pytest.approx(1.0)


def test_alphas_that_are_named_take_the_place():
    data = load_texts(GeneratedSource(num_train=400, missing_fraction=0))
    alphas = class_alphas(Focal(alpha={"toxic": (0.25, 0.75)}), data)
    assert alphas["toxic"].tolist() == [0.25, 0.75]
    assert len(alphas["emotion"]) == 4
