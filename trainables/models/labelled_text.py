"""One encoder of words and a head of its own for each task: what the toxicity task trains.

Shape suffixes: B texts, L words, V different words, P pieces of a word, W channels, H heads, C classes.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from trainables.models.bags import MeanBags


@dataclass(frozen=True, slots=True)
class TextSizes:
    """Attributes: buckets: rows of the table that word pieces share by hashing; layers: of neighbouring words."""

    width: int
    heads: int
    layers: int
    buckets: int
    dropout: float
    word_dropout: float


class WordEncoder(nn.Module):
    """Words as means of the vectors of their pieces, then layers that look at the words beside them."""

    def __init__(self, sizes: TextSizes) -> None:
        super().__init__()
        self.pieces = MeanBags(sizes.buckets, sizes.width)
        # Small, so that words that were hardly trained on do not drown the others.
        nn.init.normal_(self.pieces.weight, std=0.02)
        self.layers = nn.ModuleList(_Neighbours(sizes.width) for _ in range(sizes.layers))
        self.norm = nn.LayerNorm(sizes.width)
        self.buckets, self.dropout, self.word_dropout = sizes.buckets, sizes.dropout, sizes.word_dropout

    def forward(self, words_BL: Tensor, pieces_VP: Tensor) -> tuple[Tensor, Tensor]:
        """Vectors (B, L, W), and which of them are words that may be read, bool (B, L).

        Args: words_BL: places in `pieces_VP`, 0 for padding; pieces_VP: numbers of pieces, 0 for padding.
        """
        kept_BL = self._keep(words_BL)
        different_U, place_BL = torch.unique(words_BL, return_inverse=True)
        pieces_UP = pieces_VP[different_U]
        # 0 stays 0, the padding; the rest share the other rows.
        rows_UP = torch.where(pieces_UP > 0, 1 + pieces_UP % (self.buckets - 1), 0)
        x_BLW = F.dropout(self.pieces(rows_UP)[place_BL] * kept_BL[..., None], self.dropout, self.training)
        for layer in self.layers:
            x_BLW = layer(x_BLW) * kept_BL[..., None]
        return self.norm(x_BLW), kept_BL

    def _keep(self, words_BL: Tensor) -> Tensor:
        """Real words; in training some of them are left out, but never all of a text."""
        real_BL = words_BL > 0
        if not self.training or not self.word_dropout:
            return real_BL
        kept_BL = real_BL & (torch.rand(words_BL.shape, device=words_BL.device) >= self.word_dropout)
        return torch.where(kept_BL.any(dim=1, keepdim=True), kept_BL, real_BL)


class _Neighbours(nn.Module):
    """A residual of each word, the one before and the one after."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(width)
        self.mix = nn.Conv1d(width, width, kernel_size=3, padding=1)

    def forward(self, x_BLW: Tensor) -> Tensor:
        return x_BLW + F.gelu(self.mix(self.norm(x_BLW).transpose(1, 2)).transpose(1, 2))


class TaskHead(nn.Module):
    """Attentions over the words with queries of the task's own, beside the largest value of each channel."""

    def __init__(self, sizes: TextSizes, num_classes: int) -> None:
        super().__init__()
        self.score = nn.Linear(sizes.width, sizes.heads)
        self.value = nn.Linear(sizes.width, sizes.width)
        self.out = nn.Linear(2 * sizes.width, num_classes)
        self.dropout = sizes.dropout

    def forward(self, x_BLW: Tensor, kept_BL: Tensor) -> Tensor:
        """Logits (B, C)."""
        hidden_BL1 = ~kept_BL[..., None]
        weight_BLH = self.score(x_BLW).masked_fill(hidden_BL1, -torch.inf).softmax(dim=1)
        value_BLHD = self.value(x_BLW).unflatten(-1, (weight_BLH.shape[-1], -1))
        read_BW = (weight_BLH[..., None] * value_BLHD).sum(dim=1).flatten(1)
        largest_BW = x_BLW.masked_fill(hidden_BL1, -torch.inf).amax(dim=1)
        both_B2W = torch.cat([F.gelu(read_BW), largest_BW], dim=1)
        return self.out(F.dropout(both_B2W, self.dropout, self.training))  # type: ignore[no-any-return]


class LabelledTextModel(nn.Module):
    """The encoder and the heads by task."""

    def __init__(self, sizes: TextSizes, num_classes: Mapping[str, int]) -> None:
        super().__init__()
        self.encoder = WordEncoder(sizes)
        self.heads = nn.ModuleDict({task: TaskHead(sizes, num) for task, num in num_classes.items()})

    def forward(self, words_BL: Tensor, pieces_VP: Tensor) -> dict[str, Tensor]:
        """Logits (B, C) by task."""
        x_BLW, kept_BL = self.encoder(words_BL, pieces_VP)
        return {task: head(x_BLW, kept_BL) for task, head in self.heads.items()}
