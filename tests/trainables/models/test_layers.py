"""Attention and the block."""

import torch

from trainables.models.layers import Attention, Block


def test_masked_positions_are_not_read():
    torch.manual_seed(0)
    block = Block(8, heads=2).eval()
    x = torch.randn(1, 4, 8)
    mask = torch.tensor([True, True, True, False])[None, None, None]
    changed = x.clone()
    changed[:, 3] += 1
    torch.testing.assert_close(block(x, mask=mask)[:, :3], block(changed, mask=mask)[:, :3])


def test_attention_is_blind_to_the_order_of_its_context():
    torch.manual_seed(0)
    attention = Attention(8, heads=2).eval()
    x, context = torch.randn(1, 3, 8), torch.randn(1, 5, 8)
    torch.testing.assert_close(
        attention.attend(x, attention.project(context)), attention.attend(x, attention.project(context.flip(1)))
    )
