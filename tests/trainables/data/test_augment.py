"""Random warps of training videos."""

import torch

from trainables.data.augment import warp


def generator():
    return torch.Generator().manual_seed(0)


def test_no_warp_changes_nothing():
    videos = torch.rand(3, 2, 8, 16)
    torch.testing.assert_close(warp(videos, amount=0.0, generator=generator()), videos, atol=1e-5, rtol=0)


def test_a_warp_keeps_shape_and_range_and_moves_all_frames_alike():
    frame = torch.rand(3, 1, 16, 16)
    warped = warp(frame.expand(3, 4, 16, 16), amount=0.1, generator=generator())
    assert warped.shape == (3, 4, 16, 16)
    assert warped.min() >= 0 and warped.max() <= 1
    torch.testing.assert_close(warped, warped[:, :1].expand_as(warped))
    assert not torch.allclose(warped[:, :1], frame, atol=1e-2)
