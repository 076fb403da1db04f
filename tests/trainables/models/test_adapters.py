import pytest
import torch
from torch import nn

from trainables.models.adapters import (
    AdapterModel,
    AdapterShape,
    ChannelNorm,
    MultiHeadAdapter,
    PlainAdapter,
    ResidualAdapter,
    resample_positions,
)


def num_parameters(module):
    return sum(parameter.numel() for parameter in module.parameters())


def adapters(**fields):
    """One of each kind."""
    shape = AdapterShape(**({"inputs": 16, "hidden": 32, "outputs": 16} | fields))
    return [PlainAdapter(shape), MultiHeadAdapter(shape, heads=3), ResidualAdapter(shape)]


def test_the_multi_head_adapter_has_the_notes_size():
    adapter = MultiHeadAdapter(AdapterShape(inputs=768, hidden=1024, outputs=768, groups=8), heads=4)
    assert num_parameters(adapter) == 6_311_428
    assert num_parameters(adapter.heads[0]) == 1_576_704
    assert adapter(torch.randn(2, 3, 768)).shape == (2, 1, 768)


def test_the_residual_adapter_has_the_notes_size():
    adapter = ResidualAdapter(AdapterShape(inputs=768, hidden=2048, outputs=768, groups=16, dropout=0.05))
    assert num_parameters(adapter) == 3_744_769
    assert adapter(torch.randn(2, 3, 768)).shape == (2, 1, 768)


def test_the_notes_norm_is_applied_to_the_wrong_axis():
    with pytest.raises(RuntimeError, match="channels in input to be divisible by num_groups"):
        nn.GroupNorm(8, 1024)(torch.randn(2, 5, 1024))
    x_BSC = torch.randn(2, 16, 1024)
    with pytest.raises(RuntimeError, match="equal to the number of channels in input"):
        nn.GroupNorm(8, 1024)(x_BSC)
    assert ChannelNorm(1024, groups=8)(x_BSC).shape == x_BSC.shape


def test_where_positions_are_as_many_as_channels_the_wrong_axis_passes_silently_and_differs():
    x_BSC = torch.randn(2, 16, 16)
    wrong = nn.GroupNorm(4, 16)(x_BSC)
    assert not torch.allclose(ChannelNorm(16, groups=4)(x_BSC), wrong)


@pytest.mark.parametrize("groups", [1, 4])
def test_group_norm_of_channels_against_a_loop(groups):
    x_BSC = torch.randn(3, 5, 8)
    size = 8 // groups
    for item, normed in zip(x_BSC, ChannelNorm(8, groups=groups)(x_BSC), strict=True):
        for group in range(groups):
            part = item[:, group * size : (group + 1) * size]
            expected = (part - part.mean()) / (part.var(correction=0) + 1e-5).sqrt()
            torch.testing.assert_close(normed[:, group * size : (group + 1) * size], expected)


def test_layer_norm_leaves_positions_apart_and_group_norm_mixes_them():
    x_BSC = torch.randn(1, 2, 8)
    changed = x_BSC.clone()
    changed[0, 1] *= 3
    for groups, mixes in ((None, False), (2, True)):
        norm = ChannelNorm(8, groups=groups)
        assert torch.allclose(norm(x_BSC)[0, 0], norm(changed)[0, 0]) is not mixes


@pytest.mark.parametrize("shape", [(2, 8), (2, 8, 5), (2, 3, 4, 8)])
def test_a_norm_refuses_what_does_not_have_its_channels_last(shape):
    with pytest.raises(ValueError, match=r"expected \(items, positions, 8\)"):
        ChannelNorm(8, groups=2)(torch.zeros(shape))


@pytest.mark.parametrize("groups", [None, 4])
@pytest.mark.parametrize("positions", [1, 2, 3, 7])
def test_every_kind_gives_the_positions_and_channels_of_the_target(groups, positions):
    for adapter in adapters(groups=groups, positions=positions):
        output = adapter(torch.randn(5, 3, 16))
        assert output.shape == (5, positions, 16)
        output.square().sum().backward()
        assert all(parameter.grad is not None for parameter in adapter.parameters())


@pytest.mark.parametrize("groups", [None, 4])
def test_a_final_norm_gives_every_output_the_same_length_at_first(groups):
    for adapter in adapters(groups=groups, positions=2):
        for scale in (0.1, 1.0, 30.0):
            lengths = adapter(scale * torch.randn(4, 3, 16)).flatten(1).norm(dim=1)
            torch.testing.assert_close(lengths, torch.full((4,), 32**0.5), rtol=2e-2, atol=0.0)


def test_without_a_final_norm_the_length_is_free():
    for adapter in adapters(final_norm=False):
        assert adapter.final_norm is None
        assert adapter(torch.randn(4, 3, 16)).flatten(1).norm(dim=1).std() > 0


def test_repeated_positions_are_told_apart():
    adapter = PlainAdapter(AdapterShape(inputs=4, hidden=8, outputs=4, positions=2))
    output = adapter(torch.randn(1, 1, 4))
    assert not torch.allclose(output[0, 0], output[0, 1])


def test_heads_are_shared_out_by_item_and_sum_to_one():
    adapter = MultiHeadAdapter(AdapterShape(inputs=4, hidden=8, outputs=4), heads=3)
    shares = adapter.head_shares(torch.randn(6, 2, 4))
    assert shares.shape == (6, 3)
    torch.testing.assert_close(shares.sum(dim=1), torch.ones(6))
    assert shares.std(dim=0).min() > 0


def test_a_residual_adapter_needs_equal_sizes_and_learns_its_scale():
    with pytest.raises(ValueError, match="as many inputs as outputs, not 8, 4"):
        ResidualAdapter(AdapterShape(inputs=8, hidden=8, outputs=4))
    adapter = ResidualAdapter(AdapterShape(inputs=4, hidden=8, outputs=4))
    assert adapter.residual_scale.item() == 1.0
    before = adapter(torch.ones(1, 1, 4) * torch.arange(4))
    adapter.residual_scale.data.zero_()
    assert not torch.allclose(before, adapter(torch.ones(1, 1, 4) * torch.arange(4)))


def test_dropout_only_in_training():
    adapter = PlainAdapter(AdapterShape(inputs=8, hidden=64, outputs=8, dropout=0.5))
    x = torch.randn(2, 1, 8)
    assert not torch.equal(adapter(x), adapter(x))
    adapter.eval()
    assert torch.equal(adapter(x), adapter(x))


def test_positions_are_averaged_or_repeated():
    x_BSC = torch.arange(4.0).reshape(1, 4, 1)
    assert resample_positions(x_BSC, positions=2).flatten().tolist() == [0.5, 2.5]
    assert resample_positions(x_BSC, positions=8).flatten().tolist() == [0, 0, 1, 1, 2, 2, 3, 3]
    assert resample_positions(x_BSC, positions=4) is x_BSC


def test_a_model_standardises_once_for_all_spaces():
    shape = AdapterShape(inputs=4, hidden=8, outputs=4)
    model = AdapterModel({"clip": PlainAdapter(shape), "t5": PlainAdapter(shape)}, mean=2.0, deviation=5.0)
    x = torch.randn(3, 2, 4)
    outputs = model(2.0 + 5.0 * x)
    assert list(outputs) == ["clip", "t5"]
    torch.testing.assert_close(outputs["t5"], model.adapter("t5")(x), rtol=1e-4, atol=1e-5)
