"""Attention and the pre-norm block that the video trunk, the text encoder and the caption decoder are made of.

Shape suffixes: B items, L positions, M context positions, W channels, H heads, D channels of one head.
"""

from torch import Tensor, nn
from torch.nn import functional as F


class Attention(nn.Module):
    """Multi-head attention from positions to a context, which may be the positions themselves."""

    def __init__(self, width: int, *, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.query = nn.Linear(width, width)
        self.key_value = nn.Linear(width, 2 * width)
        self.out = nn.Linear(width, width)

    def project(self, context_BMW: Tensor) -> tuple[Tensor, Tensor]:
        """Keys and values of a context, each (B, H, M, D)."""
        key_BMW, value_BMW = self.key_value(context_BMW).chunk(2, dim=-1)
        return self._split(key_BMW), self._split(value_BMW)

    def attend(
        self, x_BLW: Tensor, key_value: tuple[Tensor, Tensor], *, mask: Tensor | None = None, causal: bool = False
    ) -> Tensor:
        """Read from keys and values. Args: mask: bool, (B, 1, 1, M) or wider, True where a position may be read."""
        key_BHMD, value_BHMD = key_value
        query_BHLD = self._split(self.query(x_BLW))
        read_BHLD = F.scaled_dot_product_attention(query_BHLD, key_BHMD, value_BHMD, attn_mask=mask, is_causal=causal)
        return self.out(read_BHLD.transpose(1, 2).flatten(2))  # type: ignore[no-any-return]

    def _split(self, x_BLW: Tensor) -> Tensor:
        return x_BLW.reshape(*x_BLW.shape[:2], self.heads, -1).transpose(1, 2)


class FeedForward(nn.Sequential):
    """Two linear layers with a GELU between them, widening by two."""

    def __init__(self, width: int) -> None:
        super().__init__(nn.Linear(width, 2 * width), nn.GELU(), nn.Linear(2 * width, width))


class Block(nn.Module):
    """Pre-norm self-attention and feed-forward, each around a residual."""

    def __init__(self, width: int, *, heads: int) -> None:
        super().__init__()
        self.norm_attention = nn.LayerNorm(width)
        self.attention = Attention(width, heads=heads)
        self.norm_forward = nn.LayerNorm(width)
        self.forward_layers = FeedForward(width)

    def forward(self, x_BLW: Tensor, *, mask: Tensor | None = None) -> Tensor:
        """Mix positions. Args: mask: as in `Attention.attend`."""
        normed_BLW = self.norm_attention(x_BLW)
        x_BLW = x_BLW + self.attention.attend(normed_BLW, self.attention.project(normed_BLW), mask=mask)
        return x_BLW + self.forward_layers(self.norm_forward(x_BLW))  # type: ignore[no-any-return]
