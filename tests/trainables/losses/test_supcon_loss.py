import math

import pytest
import torch

from trainables.losses.bounds import sup_con_bounds
from trainables.losses.clip import clip_loss
from trainables.losses.supcon import anchors_without_positive, masked_sup_con, sup_con, supcon_loss

NOTHING = torch.zeros(8, 8, dtype=torch.bool)
TWOS = torch.arange(8)[:, None] // 2 == torch.arange(8) // 2


@pytest.mark.parametrize("ratio", [0.3, 1.0])
def test_the_diagonal_alone_is_clip(pairs, ratio):
    settings = {"temperature": 0.1, "margin": 0.2, "hard_negative_ratio": ratio}
    assert torch.allclose(supcon_loss(*pairs(), positive_BB=NOTHING, **settings), clip_loss(*pairs(), **settings))


def test_without_negatives_it_is_zero_and_no_nan(pairs):
    video, text = (x.requires_grad_() for x in pairs())
    loss = supcon_loss(video, text, positive_BB=~NOTHING, temperature=0.1, hard_negative_ratio=0.5)
    assert loss.item() == 0.0
    assert all(g.abs().max() == 0.0 for g in torch.autograd.grad(loss, [video, text]))


def test_one_pair_gives_zero(pairs):
    assert supcon_loss(*pairs(1), positive_BB=torch.ones(1, 1, dtype=torch.bool), temperature=0.1).item() == 0.0


def test_a_larger_margin_never_lowers_it(pairs):
    losses = [supcon_loss(*pairs(), positive_BB=TWOS, temperature=0.1, margin=m).item() for m in (0.0, 0.1, 0.5, 1.0)]
    assert losses == sorted(losses)


def test_a_smaller_ratio_never_raises_it(pairs):
    losses = [
        supcon_loss(*pairs(), positive_BB=TWOS, temperature=0.1, hard_negative_ratio=r).item() for r in (0.1, 0.5, 1.0)
    ]
    assert losses == sorted(losses)


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_half_precision_is_computed_in_float32(pairs, dtype):
    video, text = pairs(dtype=dtype)
    labels = torch.arange(8) // 2
    assert supcon_loss(video, text, positive_BB=TWOS, temperature=0.01).dtype is torch.float32
    assert sup_con(video, labels, temperature=0.01).item() == sup_con(video.float(), labels, temperature=0.01).item()


def test_single_view_collapse_value():
    z = torch.ones(16, 4) / 2
    assert sup_con(z, torch.arange(16) // 4, temperature=0.1).item() == pytest.approx(math.log(15), abs=1e-5)


@pytest.mark.parametrize("labels", [[0, 1, 2, 3, 4, 5, 6, 7], [0] * 8])
def test_single_view_without_positives_or_negatives_is_zero_and_no_nan(pairs, labels):
    video = pairs()[0].requires_grad_()
    loss = sup_con(video, torch.tensor(labels), temperature=0.1)
    assert loss.item() == 0.0
    assert torch.autograd.grad(loss, video)[0].abs().max() == 0.0


def test_single_view_of_one_item(pairs):
    video = pairs(1)[0].requires_grad_()
    loss = sup_con(video, torch.zeros(1, dtype=torch.long), temperature=0.1)
    assert loss.item() == 0.0
    assert torch.autograd.grad(loss, video)[0].abs().max() == 0.0


def test_lone_anchors_are_counted_and_do_not_dilute_the_mean(pairs):
    video, _ = pairs(3)
    labels = torch.tensor([0, 0, 1])
    similarity = (video @ video.T / 0.1).tolist()
    a = -similarity[0][1] + math.log(math.exp(similarity[0][1]) + math.exp(similarity[0][2]))
    b = -similarity[1][0] + math.log(math.exp(similarity[1][0]) + math.exp(similarity[1][2]))
    assert anchors_without_positive(labels).item() == 1
    assert sup_con(video, labels, temperature=0.1).item() == pytest.approx((a + b) / 2)


def test_a_pair_in_neither_mask_is_left_out_of_the_denominator(pairs):
    z = pairs()[0]
    positive, negative = TWOS & ~torch.eye(8, dtype=torch.bool), ~TWOS
    kept = negative.clone()
    kept[:, 7] = kept[7] = positive[:, 7] = positive[7] = False
    loss = masked_sup_con(z @ z.T, positive_AN=positive, negative_AN=kept, temperature=0.1)
    smaller = masked_sup_con(
        z[:7] @ z[:7].T, positive_AN=positive[:7, :7], negative_AN=negative[:7, :7], temperature=0.1
    )
    assert torch.allclose(loss, smaller)


@pytest.mark.parametrize("temperature", [0.07, 0.5, 10.0])
def test_single_view_bounds_are_what_collapse_and_a_simplex_of_classes_get(temperature):
    labels = torch.arange(12) // 3
    bounds = sup_con_bounds(12, temperature, items_per_class=3)
    equal = torch.ones(12, 4, dtype=torch.float64) / 2
    assert sup_con(equal, labels, temperature=temperature).item() == pytest.approx(bounds.chance)
    corners = torch.eye(4, dtype=torch.float64) - 0.25
    z = (corners / corners.norm(dim=1, keepdim=True))[labels]
    assert sup_con(z, labels, temperature=temperature).item() == pytest.approx(bounds.floor)


@pytest.mark.parametrize("items", [1, 12])
def test_single_view_bounds_need_positives_and_negatives(items):
    with pytest.raises(ValueError, match="1 < K < B"):
        sup_con_bounds(12, 0.1, items_per_class=items)
