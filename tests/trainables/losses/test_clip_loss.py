import math

import pytest
import torch

from trainables.losses.clip import clip_loss


def test_one_pair_has_nothing_to_tell_apart(pairs):
    video, text = (x.requires_grad_() for x in pairs(1))
    loss = clip_loss(video, text, temperature=0.1, margin=0.2, hard_negative_ratio=0.5)
    loss.backward()
    assert loss.item() == 0.0
    assert video.grad.abs().max() == 0.0


def test_all_texts_equal_gives_zero_and_no_nan(pairs):
    video, text = (x.requires_grad_() for x in pairs())
    equivalent = torch.ones(8, 8, dtype=torch.bool)
    for ratio in (1.0, 0.3):
        loss = clip_loss(video, text, temperature=0.1, hard_negative_ratio=ratio, equivalent_BB=equivalent)
        gradient = torch.autograd.grad(loss, [video, text])
        assert loss.item() == 0.0
        assert all(g.abs().max() == 0.0 for g in gradient)


def test_equal_embeddings_give_chance():
    z = torch.ones(16, 4) / 2
    assert clip_loss(z, z, temperature=0.07).item() == pytest.approx(math.log(16), abs=1e-5)


def test_the_diagonal_of_the_equivalence_is_ignored(pairs):
    equivalent = torch.zeros(8, 8, dtype=torch.bool)
    equivalent[1, 2] = equivalent[2, 1] = True
    with_diagonal = equivalent | torch.eye(8, dtype=torch.bool)
    losses = [clip_loss(*pairs(), temperature=0.1, equivalent_BB=e) for e in (equivalent, with_diagonal)]
    assert losses[0] == losses[1]
    assert losses[0] < clip_loss(*pairs(), temperature=0.1)


def test_a_larger_margin_never_lowers_it(pairs):
    losses = [clip_loss(*pairs(), temperature=0.1, margin=m).item() for m in (0.0, 0.1, 0.2, 0.5, 1.0)]
    assert losses == sorted(losses)


def test_a_smaller_ratio_never_raises_it(pairs):
    losses = [clip_loss(*pairs(), temperature=0.1, hard_negative_ratio=r).item() for r in (0.01, 0.2, 0.5, 0.9, 1.0)]
    assert losses == sorted(losses)
    assert losses[0] < losses[-1]


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_half_precision_is_computed_in_float32(pairs, dtype):
    video, text = (x.requires_grad_() for x in pairs(dtype=dtype))
    loss = clip_loss(video, text, temperature=0.01, hard_negative_ratio=0.5)
    loss.backward()
    assert loss.dtype is torch.float32
    assert loss.item() == clip_loss(video.float(), text.float(), temperature=0.01, hard_negative_ratio=0.5).item()
    assert video.grad.dtype is dtype
    assert video.grad.isfinite().all()


def test_a_learned_temperature_gets_a_gradient(pairs):
    log_temperature = torch.tensor(math.log(0.1), requires_grad=True)
    clip_loss(*pairs(), temperature=log_temperature.exp()).backward()
    assert log_temperature.grad.isfinite()
    assert log_temperature.grad != 0
