"""The video trunk: boxes and pictures, hiding, odd shapes."""

import pytest
import torch

from trainables.models.video import VideoHead, VideoShape, VideoTrunk


def trunk(*shape, deep=False):
    torch.manual_seed(0)
    return VideoTrunk(VideoShape(*shape), channels=16, layers=1, heads=2, deep=deep).eval()


@pytest.mark.parametrize("deep", [False, True])
@pytest.mark.parametrize(
    ("shape", "grid", "box_pixels"),
    [((8, 32, 32), (4, 4, 4), 128), ((1, 32, 48), (1, 4, 6), 64), ((5, 16, 8), (3, 2, 1), 128)],
)
def test_tokens_follow_the_shape(shape, grid, box_pixels, deep):
    model = trunk(*shape, deep=deep)
    assert model.shape.grid == grid
    tokens = model(torch.randn(3, *shape))
    assert tokens.shape == (3, grid[0] * grid[1] * grid[2], 16)
    assert model.boxes(torch.randn(3, *shape)).shape == (3, tokens.shape[1], box_pixels)
    assert VideoHead(model.shape, channels=16, embedding=5)(tokens).norm(dim=1).tolist() == pytest.approx([1, 1, 1])


def test_a_box_holds_the_pixels_of_its_place():
    model = trunk(4, 16, 24)
    video = torch.zeros(1, 4, 16, 24)
    video[0, 2:4, 8:16, 16:24] = 1
    lit = model.boxes(video)[0].mean(dim=1)
    assert lit.nonzero().tolist() == [[11]]
    assert lit[11] == 1


def test_pictures_are_put_together_again_before_the_convolutions():
    model = trunk(4, 16, 24)
    video = torch.randn(2, 4, 16, 24)
    seen = []
    model.stem.register_forward_hook(lambda _, inputs, __: seen.append(inputs[0]))
    model(video)
    assert torch.equal(seen[0], video.reshape(4, 2, 16, 24))


def test_hidden_pixels_do_not_matter_and_visible_ones_do():
    model = trunk(2, 16, 16)
    video = torch.randn(1, 2, 16, 16)
    hidden = torch.tensor([[False, True, False, False]])
    changed = video.clone()
    changed[..., :8, 8:] += 1
    assert torch.equal(model(video, hidden_BN=hidden), model(changed, hidden_BN=hidden))
    assert not torch.allclose(model(video), model(changed))
    changed = video.clone()
    changed[..., 8:, 8:] += 1
    assert not torch.allclose(model(video, hidden_BN=hidden), model(changed, hidden_BN=hidden))


@pytest.mark.parametrize("deep", [False, True])
def test_items_do_not_influence_each_other(deep):
    model = trunk(2, 16, 16, deep=deep)
    videos = torch.randn(3, 2, 16, 16)
    torch.testing.assert_close(model(videos)[1:2], model(videos[1:2]))
