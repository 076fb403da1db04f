"""One definition, many trials: each loss under vmap, with settings that differ by lane, against a loop over lanes."""

import pytest
import torch
from torch.func import grad_and_value, vmap
from torch.nn import functional as F

from trainables.losses.captioning import captioning_loss
from trainables.losses.clip import clip_loss
from trainables.losses.masked import masked_modeling_loss
from trainables.losses.siglip import siglip_loss
from trainables.losses.supcon import sup_con, supcon_loss

LANES, BATCH, SIZE = 4, 10, 6
TEMPERATURE, MARGIN, RATIO = ("temperature", "margin", "hard_negative_ratio")
VALUES = {
    TEMPERATURE: torch.tensor([0.05, 0.1, 0.5, 1.0]),
    MARGIN: torch.tensor([0.0, 0.1, 0.2, 0.5]),
    RATIO: torch.tensor([0.01, 0.3, 0.5, 1.0]),
}
LABELS = torch.tensor([0, 0, 1, 1, 1, 2, 3, 4, 5, 6])
SAME = LABELS[:, None] == LABELS


def rows(seed):
    return F.normalize(torch.randn(LANES, BATCH, SIZE, generator=torch.Generator().manual_seed(seed)), dim=-1)


def clip(inputs, settings):
    return clip_loss(*inputs, equivalent_BB=SAME, **settings)


def siglip(inputs, settings):
    scale = 1 / settings[TEMPERATURE]
    rest = {MARGIN: settings[MARGIN], RATIO: settings[RATIO]}
    return siglip_loss(*inputs, scale=scale, bias=-scale, equivalent_BB=SAME, **rest)


def supcon(inputs, settings):
    return supcon_loss(*inputs, positive_BB=SAME, **settings)


def single_view(inputs, settings):
    return sup_con(inputs[0], LABELS, temperature=settings[TEMPERATURE])


def lanes_equal_loop(loss, inputs, settings):
    gradients, values = vmap(grad_and_value(loss))(inputs, settings)
    for lane in range(LANES):
        lane_inputs = tuple(x[lane].clone().requires_grad_() for x in inputs)
        lane_loss = loss(lane_inputs, {name: float(value[lane]) for name, value in settings.items()})
        torch.testing.assert_close(values[lane], lane_loss.detach())
        expected = torch.autograd.grad(lane_loss, lane_inputs, allow_unused=True)
        for gradient, reference in zip(gradients, expected, strict=True):
            reference = torch.zeros_like(gradient[lane]) if reference is None else reference
            torch.testing.assert_close(gradient[lane], reference, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("loss", [clip, siglip, supcon, single_view])
def test_contrastive_losses(loss):
    lanes_equal_loop(loss, (rows(0), rows(1)), VALUES)


def test_settings_get_a_gradient_by_lane():
    gradients, _ = vmap(grad_and_value(lambda settings, inputs: clip(inputs, settings)))(VALUES, (rows(0), rows(1)))
    assert gradients[TEMPERATURE].shape == (LANES,)
    assert (gradients[MARGIN] > 0).all()


def test_captioning():
    logits = torch.randn(LANES, 3, 5, 7, generator=torch.Generator().manual_seed(0))
    target = torch.tensor([[1, 2, 3, 0, 0], [4, 5, 6, 1, 2], [0, 0, 0, 0, 0]])
    lanes_equal_loop(lambda inputs, _: captioning_loss(inputs[0], target, pad=0), (logits,), {})


def test_captioning_with_targets_by_lane():
    logits = torch.randn(LANES, 2, 4, 5, generator=torch.Generator().manual_seed(0))
    target = torch.randint(0, 5, (LANES, 2, 4), generator=torch.Generator().manual_seed(1))
    target[0] = 0
    values = vmap(lambda a, b: captioning_loss(a, b, pad=0))(logits, target)
    assert values.tolist() == pytest.approx([captioning_loss(logits[i], target[i], pad=0).item() for i in range(LANES)])
    assert values[0] == 0.0


def test_masked_modeling():
    predicted, target = rows(0), rows(1)
    mask = torch.rand(LANES, BATCH, generator=torch.Generator().manual_seed(2)) < torch.tensor(
        [[0.0], [0.2], [0.5], [1.0]]
    )
    gradients, values = vmap(grad_and_value(masked_modeling_loss))(predicted[:, None], target[:, None], mask[:, None])
    for lane in range(LANES):
        expected = masked_modeling_loss(predicted[lane, None], target[lane, None], mask[lane, None])
        torch.testing.assert_close(values[lane], expected)
    assert gradients[0].abs().max() == 0.0
