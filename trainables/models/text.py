"""The text encoder and the caption decoder.

Shape suffixes: B items, L positions, N video tokens, C channels, V words, E embedding size.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from trainables.models.layers import Attention, Block, FeedForward


class TextEncoder(nn.Module):
    """Words and places, transformer blocks, the mean over what is not padding."""

    def __init__(
        self, num_words: int, *, max_length: int, channels: int, layers: int, heads: int, embedding: int
    ) -> None:
        super().__init__()
        self.words = nn.Embedding(num_words, channels)
        self.position = nn.Parameter(0.1 * torch.randn(max_length, channels))
        self.blocks = nn.ModuleList(Block(channels, heads=heads) for _ in range(layers))
        self.norm = nn.LayerNorm(channels)
        self.project = nn.Linear(channels, embedding)

    def forward(self, tokens_BL: Tensor, *, pad: int) -> Tensor:
        """Embeddings (B, E), L2-normalised."""
        real_BL = tokens_BL != pad
        x_BLC = self.words(tokens_BL) + self.position[: tokens_BL.shape[1]]
        for block in self.blocks:
            x_BLC = block(x_BLC, mask=real_BL[:, None, None, :])
        weight_BL1 = real_BL[..., None] / real_BL.sum(dim=1)[:, None, None]
        return F.normalize(self.project((self.norm(x_BLC) * weight_BL1).sum(dim=1)), dim=-1)


class _DecoderBlock(nn.Module):
    def __init__(self, channels: int, *, heads: int) -> None:
        super().__init__()
        self.norm_own = nn.LayerNorm(channels)
        self.own = Attention(channels, heads=heads)
        self.norm_video = nn.LayerNorm(channels)
        self.video = Attention(channels, heads=heads)
        self.norm_forward = nn.LayerNorm(channels)
        self.forward_layers = FeedForward(channels)

    def forward(
        self, x_BLC: Tensor, video: tuple[Tensor, Tensor], *, past: tuple[Tensor, Tensor] | None = None
    ) -> tuple[Tensor, tuple[Tensor, Tensor]]:
        """Positions after this block, and their keys and values.

        Args:
            x_BLC: all positions, or with `past` the next one alone.
            video: keys and values of the video tokens.
            past: keys and values of the positions before.
        """
        normed_BLC = self.norm_own(x_BLC)
        key_value = self.own.project(normed_BLC)
        if past is not None:
            key_value = (torch.cat([past[0], key_value[0]], dim=2), torch.cat([past[1], key_value[1]], dim=2))
        x_BLC = x_BLC + self.own.attend(normed_BLC, key_value, causal=past is None)
        x_BLC = x_BLC + self.video.attend(self.norm_video(x_BLC), video)
        return x_BLC + self.forward_layers(self.norm_forward(x_BLC)), key_value


class CaptionDecoder(nn.Module):
    """Writes a text word by word, looking at the video's tokens."""

    def __init__(self, num_words: int, *, max_length: int, channels: int, layers: int, heads: int) -> None:
        super().__init__()
        self.words = nn.Embedding(num_words, channels)
        # Torch's own deviation of 1 takes AdamW several epochs to get away from: captions learn twice as fast so.
        nn.init.normal_(self.words.weight, std=0.2)
        self.position = nn.Parameter(0.1 * torch.randn(max_length, channels))
        self.blocks = nn.ModuleList(_DecoderBlock(channels, heads=heads) for _ in range(layers))
        self.norm = nn.LayerNorm(channels)
        self.out = nn.Linear(channels, num_words)

    @property
    def max_length(self) -> int:
        """Longest text that can be read or written, in tokens."""
        return len(self.position)

    def forward(self, tokens_BL: Tensor, video_BNC: Tensor) -> Tensor:
        """Logits (B, L, V) of the word after each position."""
        x_BLC = self.words(tokens_BL) + self.position[: tokens_BL.shape[1]]
        for block in self._blocks():
            x_BLC, _ = block(x_BLC, block.video.project(video_BNC))
        return self.out(self.norm(x_BLC))  # type: ignore[no-any-return]

    def generate(self, video_BNC: Tensor, *, begin: int, end: int, max_tokens: int) -> Tensor:
        """The likeliest word at each place, ids (B, at most max_tokens); after `end` anything may follow."""
        blocks = self._blocks()
        videos = [block.video.project(video_BNC) for block in blocks]
        pasts: list[tuple[Tensor, Tensor] | None] = [None] * len(blocks)
        word_B1 = torch.full((len(video_BNC), 1), begin, device=video_BNC.device)
        ended_B1 = torch.zeros_like(word_B1, dtype=torch.bool)
        written: list[Tensor] = []
        while len(written) < min(max_tokens, self.max_length) and not bool(ended_B1.all()):
            x_B1C = self.words(word_B1) + self.position[len(written)]
            for i, block in enumerate(blocks):
                x_B1C, pasts[i] = block(x_B1C, videos[i], past=pasts[i])
            word_B1 = self.out(self.norm(x_B1C)).argmax(dim=-1)
            written.append(word_B1)
            ended_B1 = ended_B1 | (word_B1 == end)
        return torch.cat(written, dim=1)

    def _blocks(self) -> list[_DecoderBlock]:
        return [block for block in self.blocks if isinstance(block, _DecoderBlock)]
