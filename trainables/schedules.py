"""Values that change over the epochs of a trial, and the strict base that every config model shares.

Task configs hold schedules as nested models, so that a sweep addresses `temperature.start` or `margin.kind`; the
training loop and the tasks ask for the value at a point in time. Must not know torch, and nothing of what is scheduled.
"""

import math
from collections.abc import Mapping
from enum import StrEnum
from typing import Any, Self

from pydantic import BaseModel, ConfigDict, Field, SerializerFunctionWrapHandler, model_serializer, model_validator


class StrictModel(BaseModel):
    """Frozen, and any key that is unknown, or known but not read in this configuration, is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    def unread(self) -> Mapping[str, str]:
        """The fields that nothing reads, given the values of the others: field name to the reason."""
        return {}

    @model_validator(mode="after")
    def _refuse_unread(self) -> Self:
        faults = [f"{name} is not read {why}" for name, why in self.unread().items() if name in self.model_fields_set]
        if faults:
            raise ValueError("; ".join(faults))
        return self

    @model_serializer(mode="wrap")
    def _dump_what_is_read(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """Leave out what is not read: a dump says what is in effect, and can be validated again."""
        unread = self.unread()
        return {name: value for name, value in handler(self).items() if name not in unread}


class ScheduleKind(StrEnum):
    """How a value moves from `start` to `end`."""

    CONSTANT = "constant"
    LINEAR = "linear"
    COSINE = "cosine"


class TemperatureKind(StrEnum):
    """As `ScheduleKind`; `learned` makes the temperature a parameter of the model that begins at `start`."""

    CONSTANT = "constant"
    LINEAR = "linear"
    COSINE = "cosine"
    LEARNED = "learned"


class LearningRateKind(StrEnum):
    """As `ScheduleKind`; `one_cycle` rises to the full rate at `peak_at` of the epochs and falls to almost nothing."""

    CONSTANT = "constant"
    LINEAR = "linear"
    COSINE = "cosine"
    ONE_CYCLE = "one_cycle"


class Schedule(StrictModel):
    """A value over the epochs: `start` at first, held for `warmup_epochs`, then on its way to `end`."""

    kind: ScheduleKind | TemperatureKind | LearningRateKind = ScheduleKind.CONSTANT
    start: float
    end: float | None = Field(default=None, description="Reached at the last epoch; linear and cosine need it.")
    warmup_epochs: float = Field(default=0.0, ge=0, description="Epochs before the value begins to move.")

    @property
    def moves(self) -> bool:
        """Whether the value goes from `start` to `end`."""
        return self.kind.value in (ScheduleKind.LINEAR, ScheduleKind.COSINE)

    def unread(self) -> Mapping[str, str]:
        """`end` and `warmup_epochs` belong to the kinds that move."""
        return {} if self.moves else dict.fromkeys(("end", "warmup_epochs"), f"when kind is {self.kind.value}")

    @model_validator(mode="after")
    def _need_an_end(self) -> Self:
        if self.moves and self.end is None:
            raise ValueError(f"end is missing: kind {self.kind.value} needs it")
        return self

    def at(self, epoch: float, *, epochs: float) -> float:
        """The value after `epoch` (fractional) of `epochs` epochs."""
        if not self.moves or self.end is None:
            return self.start
        span = epochs - self.warmup_epochs
        done = min(max((epoch - self.warmup_epochs) / span, 0.0), 1.0) if span > 0 else 0.0
        if self.kind.value == ScheduleKind.COSINE:
            return _half_cosine(self.start, self.end, done)
        return self.start + done * (self.end - self.start)


def check_warmups(schedules: Mapping[str, Schedule], *, epochs: int) -> None:
    """Config models call this with their schedules by dotted key.

    Raises: ValueError: one of them would still be warming up when the trial ends.
    """
    for name, schedule in schedules.items():
        if schedule.warmup_epochs >= epochs:
            raise ValueError(f"{name}.warmup_epochs is {schedule.warmup_epochs:g}: it must be below epochs, {epochs}")


class Temperature(Schedule):
    """What cosines are divided by. CLIP works near 0.1; far above 1 the loss has hardly a range to fall through."""

    kind: TemperatureKind = TemperatureKind.CONSTANT
    start: float = Field(default=0.1, gt=0, le=100)
    end: float | None = Field(default=None, gt=0, le=100)

    @model_validator(mode="after")
    def _learn_inside_the_clamp(self) -> Self:
        low, high = LEARNED_TEMPERATURE_RANGE
        if self.kind is TemperatureKind.LEARNED and not low <= self.start <= high:
            raise ValueError(f"start is {self.start:g}: a learned temperature stays within [{low:g}, {high:g}]")
        return self


LEARNED_TEMPERATURE_RANGE = (0.01, 1.0)
"""Where a learned temperature is clamped, as in open_clip: logit scale between 1 and 100."""


class MarginSchedule(Schedule):
    """What a matched pair's cosine must win by before the contrastive loss counts it as right."""

    kind: ScheduleKind = ScheduleKind.CONSTANT
    start: float = Field(default=0.0, ge=0, lt=2)
    end: float | None = Field(default=None, ge=0, lt=2)


class LearningRateSchedule(Schedule):
    """A factor on the learning rate, by batch: it rises from 0 to `start` over `warmup_epochs`, then goes to `end`.

    One cycle goes from `start` / 25 up to `start` at `peak_at` and down to `start` / 250,000, along cosines; AdamW's
    first beta goes from .95 to .85 and back.
    Source of one cycle: Smith and Topin 2018, arXiv:1708.07120, with the constants of torch's OneCycleLR.
    """

    kind: LearningRateKind = LearningRateKind.CONSTANT
    start: float = Field(default=1.0, gt=0, le=1)
    end: float | None = Field(default=None, ge=0, le=1)
    peak_at: float = Field(default=0.3, gt=0, lt=1, description="Share of the epochs after which one cycle peaks.")

    def unread(self) -> Mapping[str, str]:
        """A constant factor, too, can be warmed up to; one cycle has its own beginning and end."""
        why = f"when kind is {self.kind.value}"
        match self.kind:
            case LearningRateKind.ONE_CYCLE:
                return dict.fromkeys(("end", "warmup_epochs"), why)
            case LearningRateKind.CONSTANT:
                return dict.fromkeys(("end", "peak_at"), why)
            case _:
                return {"peak_at": why}

    def at(self, epoch: float, *, epochs: float) -> float:
        """The factor after `epoch` (fractional) of `epochs` epochs."""
        if self.kind is LearningRateKind.ONE_CYCLE:
            ends = (1 / _ONE_CYCLE_RISE, 1 / (_ONE_CYCLE_RISE * _ONE_CYCLE_FALL))
            return self.start * self._over_the_peak(epoch / epochs, peak=1.0, ends=ends)
        if epoch < self.warmup_epochs:
            return self.start * epoch / self.warmup_epochs
        return super().at(epoch, epochs=epochs)

    def beta1_at(self, epoch: float, *, epochs: float) -> float | None:
        """AdamW's first beta after `epoch` of `epochs` epochs; None leaves it as it is."""
        if self.kind is not LearningRateKind.ONE_CYCLE:
            return None
        return self._over_the_peak(epoch / epochs, peak=_ONE_CYCLE_BETA[1], ends=(_ONE_CYCLE_BETA[0],) * 2)

    def _over_the_peak(self, done: float, *, peak: float, ends: tuple[float, float]) -> float:
        """Along half a cosine from the first end to the peak, and along another one to the second end."""
        if done < self.peak_at:
            return _half_cosine(ends[0], peak, done / self.peak_at)
        return _half_cosine(peak, ends[1], min(1.0, (done - self.peak_at) / (1 - self.peak_at)))


_ONE_CYCLE_RISE, _ONE_CYCLE_FALL = 25.0, 1e4
_ONE_CYCLE_BETA = (0.95, 0.85)


def _half_cosine(start: float, end: float, share: float) -> float:
    return start + (end - start) * (1 - math.cos(math.pi * share)) / 2
