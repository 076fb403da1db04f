"""The contrastive loss that the config asks for: its settings in effect at a moment, and the bounds of its value."""

from dataclasses import dataclass

from torch import Tensor

from trainables.loop import Moment
from trainables.losses.bounds import Bounds, clip_bounds, supcon_bounds
from trainables.losses.clip import clip_loss
from trainables.losses.gated_softmax import gated_softmax_bounds, gated_softmax_loss
from trainables.losses.siglip import siglip_bounds, siglip_loss
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
    temperature: float | Tensor
    bias: float | Tensor
    margin: float
    ratio: float

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
    def fixed_temperature(self) -> float:
        """The temperature as a number, for losses that must not teach it."""
        return _number(self.temperature)

    def bounds(self, batch_size: int, *, positives: float) -> Bounds:
        """Args: positives: mean number of items that mean the same as an item, itself counted."""
        temperature, bias = _number(self.temperature), _number(self.bias)
        match self.kind:
            case ContrastiveKind.CLIP:
                return clip_bounds(batch_size, temperature, margin=self.margin, hard_negative_ratio=self.ratio)
            case ContrastiveKind.SUPCON:
                return supcon_bounds(
                    batch_size,
                    temperature,
                    positives_per_anchor=positives,
                    margin=self.margin,
                    hard_negative_ratio=self.ratio,
                )
            case ContrastiveKind.SIGLIP:
                return siglip_bounds(
                    batch_size, scale=1 / temperature, bias=bias, margin=self.margin, hard_negative_ratio=self.ratio
                )
            case ContrastiveKind.GATED_SOFTMAX:
                return gated_softmax_bounds(batch_size, temperature)

    def effective(self) -> dict[str, float]:
        """What is in effect, for the record."""
        if self.kind is ContrastiveKind.GATED_SOFTMAX:
            return {"temperature": _number(self.temperature)}
        return {
            "temperature": _number(self.temperature),
            "margin": self.margin,
            "hard_negative_ratio": self.ratio,
        }


def _number(value: float | Tensor) -> float:
    return value.item() if isinstance(value, Tensor) else value


def build_contrast(config: Config) -> Contrast:
    """The scalars that this config learns."""
    if config.contrastive is ContrastiveKind.SIGLIP:
        return Contrast(scale=config.siglip.scale, bias=config.siglip.bias)
    learned = config.temperature.kind is TemperatureKind.LEARNED
    return Contrast(temperature=config.temperature.start if learned else None)


def contrasting(config: Config, learned: Contrast, moment: Moment) -> Contrasting:
    """The loss at `moment`, its scalars from the schedules or from what is learned."""
    temperature: float | Tensor
    bias: float | Tensor = 0.0
    if learned.log_scale is not None and learned.bias is not None:
        temperature, bias = (-learned.log_scale).exp(), learned.bias
    elif learned.log_temperature is not None:
        temperature = learned.clamp_temperature(*LEARNED_TEMPERATURE_RANGE)
    else:
        temperature = config.temperature.at(moment.epoch, epochs=moment.epochs)
    return Contrasting(
        kind=config.contrastive,
        temperature=temperature,
        bias=bias,
        margin=config.margin.at(moment.epoch, epochs=moment.epochs),
        ratio=config.hard_negative_ratio,
    )
