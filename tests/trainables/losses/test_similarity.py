import torch

from trainables.losses.similarity import cosine_matrix, diagonal_mask


def test_half_precision_is_widened_and_float64_kept(pairs):
    for dtype, expected in [
        (torch.bfloat16, torch.float32),
        (torch.float16, torch.float32),
        (torch.float32, torch.float32),
        (torch.float64, torch.float64),
    ]:
        assert cosine_matrix(*pairs(dtype=dtype)).dtype is expected


def test_autocast_does_not_narrow_it(pairs):
    video, text = pairs(dtype=torch.float32)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        under_autocast = cosine_matrix(video, text)
    assert torch.equal(under_autocast, video @ text.T)


def test_diagonal_mask():
    assert diagonal_mask(torch.zeros(2, 2)).tolist() == [[True, False], [False, True]]
