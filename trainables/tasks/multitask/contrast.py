"""The contrastive loss that the config asks for: its settings in effect at a moment, and the bounds of its value."""

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from trainables.loop import Moment
from trainables.losses.bounds import Bounds, clip_bounds, supcon_bounds
from trainables.losses.clip import clip_loss
from trainables.losses.gated_softmax import gated_softmax_bounds, gated_softmax_loss
from trainables.losses.siglip import siglip_bounds, siglip_loss
from trainables.losses.similarity import Scalar
from trainables.losses.supcon import supcon_loss
from trainables.models.paired import Contrast
from trainables.schedules import LEARNED_TEMPERATURE_RANGE, TemperatureKind
from trainables.tasks.multitask.config import Config, ContrastiveKind


@dataclass(frozen=True, slots=True)
class Contrasting:
    """One contrastive loss at one moment.

    Attributes:
        temperature: divides cosines; for SigLIP the reciprocal of its scale.
        bias: of SigLIP's logits; not read by the others.
        ratio: share of the negatives that is kept, hardest first.
    """

    kind: ContrastiveKind
    temperature: Scalar
    bias: Scalar
    margin: Scalar
    ratio: Scalar

    def loss(self, video_BD: Tensor, text_BD: Tensor, *, same_BB: Tensor) -> Tensor:
        """Args: same_BB: bool, pairs that mean the same: positives for supcon, no negatives for the others."""
        match self.kind:
            case ContrastiveKind.CLIP:
                return clip_loss(
                    video_BD,
                    text_BD,
                    temperature=self.temperature,
                    margin=self.margin,
                    hard_negative_ratio=self.ratio,
                    equivalent_BB=same_BB,
                )
            case ContrastiveKind.SUPCON:
                return supcon_loss(
                    video_BD,
                    text_BD,
                    positive_BB=same_BB,
                    temperature=self.temperature,
                    margin=self.margin,
                    hard_negative_ratio=self.ratio,
                )
            case ContrastiveKind.SIGLIP:
                return siglip_loss(
                    video_BD,
                    text_BD,
                    scale=1 / self.temperature,
                    bias=self.bias,
                    margin=self.margin,
                    hard_negative_ratio=self.ratio,
                    equivalent_BB=same_BB,
                )
            case ContrastiveKind.GATED_SOFTMAX:
                return gated_softmax_loss(video_BD, text_BD, temperature=self.temperature, equivalent_BB=same_BB)

    @property
    def fixed_temperature(self) -> Scalar:
        """The temperature for losses that must not teach it."""
        return self.temperature.detach() if isinstance(self.temperature, Tensor) else self.temperature

    def bounds(self, batch_size: int, *, positives: float) -> Bounds:
        """Args: positives: mean number of items that mean the same as an item, itself counted."""
        temperature, bias, margin, ratio = map(_number, (self.temperature, self.bias, self.margin, self.ratio))
        match self.kind:
            case ContrastiveKind.CLIP:
                return clip_bounds(batch_size, temperature, margin=margin, hard_negative_ratio=ratio)
            case ContrastiveKind.SUPCON:
                return supcon_bounds(
                    batch_size,
                    temperature,
                    positives_per_anchor=positives,
                    margin=margin,
                    hard_negative_ratio=ratio,
                )
            case ContrastiveKind.SIGLIP:
                return siglip_bounds(
                    batch_size, scale=1 / temperature, bias=bias, margin=margin, hard_negative_ratio=ratio
                )
            case ContrastiveKind.GATED_SOFTMAX:
                return gated_softmax_bounds(batch_size, temperature)

    def effective(self) -> dict[str, Scalar]:
        """What is in effect, for the record."""
        if self.kind is ContrastiveKind.GATED_SOFTMAX:
            return {"temperature": self.fixed_temperature}
        return {"temperature": self.fixed_temperature, "margin": self.margin, "hard_negative_ratio": self.ratio}


def _number(value: Scalar) -> float:
    return value.item() if isinstance(value, Tensor) else value


def build_contrast(config: Config) -> Contrast:
    """The scalars that this config learns."""
    if config.contrastive is ContrastiveKind.SIGLIP:
        return Contrast(scale=config.siglip.scale, bias=config.siglip.bias)
    learned = config.temperature.kind is TemperatureKind.LEARNED
    return Contrast(temperature=config.temperature.start if learned else None)


def scalars_at(config: Config, moment: Moment) -> dict[str, float]:
    """The numbers of the loss at `moment`, from the schedules; what is learned is not among them."""
    return {
        "temperature": config.temperature.at(moment.epoch, epochs=moment.epochs),
        "margin": config.margin.at(moment.epoch, epochs=moment.epochs),
        "hard_negative_ratio": config.hard_negative_ratio,
    }


def contrasting(config: Config, learned: Contrast, moment: Moment) -> Contrasting:
    """The loss at `moment`: its numbers are those of `moment`, if it has them, or what is learned."""
    scalars: Mapping[str, Scalar] = moment.scalars or scalars_at(config, moment)
    temperature: Scalar = scalars["temperature"]
    bias: Scalar = 0.0
    if learned.log_scale is not None and learned.bias is not None:
        temperature, bias = (-learned.log_scale).exp(), learned.bias
    elif learned.log_temperature is not None:
        temperature = learned.clamp_temperature(*LEARNED_TEMPERATURE_RANGE)
    return Contrasting(
        kind=config.contrastive,
        temperature=temperature,
        bias=bias,
        margin=scalars["margin"],
        ratio=scalars["hard_negative_ratio"],
    )


def batch_recall(video_BD: Tensor, text_BD: Tensor, same_BB: Tensor) -> Tensor:
    """`recall_at_k` for k = 1 within a batch in which each row has its match, mean of both directions; 0-d."""
    similarity_BB = (video_BD @ text_BD.mT).detach()
    both = [(similarity_BB, same_BB), (similarity_BB.mT, same_BB.mT)]
    return torch.stack([_first_is_right(scores, right).double().mean() for scores, right in both]).mean()


def _first_is_right(score_BB: Tensor, right_BB: Tensor) -> Tensor:
    found_BB = right_BB & ~score_BB.isnan()
    best_B1 = score_BB.masked_fill(~found_BB, -torch.inf).amax(dim=1, keepdim=True)
    return found_BB.any(dim=1) & ~((score_BB >= best_B1) & ~right_BB).any(dim=1)
