import torch

from trainables.losses.masked import masked_modeling_loss


def test_nothing_masked_gives_zero_and_no_nan():
    predicted = torch.randn(2, 3, 4, requires_grad=True)
    loss = masked_modeling_loss(predicted, torch.zeros(2, 3, 4), torch.zeros(2, 3, dtype=torch.bool))
    loss.backward()
    assert loss.item() == 0.0
    assert predicted.grad.abs().max() == 0.0


def test_visible_patches_do_not_matter_even_if_not_finite():
    predicted = torch.ones(1, 2, 4)
    predicted[0, 1] = torch.nan
    predicted.requires_grad_()
    loss = masked_modeling_loss(predicted, torch.zeros(1, 2, 4), torch.tensor([[True, False]]))
    loss.backward()
    assert loss.item() == 1.0
    assert predicted.grad[0, 1].abs().max() == 0.0


def test_each_masked_patch_weighs_the_same():
    predicted = torch.tensor([[[4.0], [0.0]], [[1.0], [1.0]]])
    mask = torch.tensor([[True, False], [True, True]])
    assert masked_modeling_loss(predicted, torch.zeros(2, 2, 1), mask).item() == (16 + 1 + 1) / 3


def test_bfloat16_is_widened():
    predicted = torch.randn(1, 2, 4).bfloat16()
    assert masked_modeling_loss(predicted, predicted * 0, torch.ones(1, 2, dtype=torch.bool)).dtype is torch.float32
