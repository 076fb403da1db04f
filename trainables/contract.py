"""What a trainable is: one generator function and the three types that it sees. Read this first.

A trainable is `def train(config: Config, context: TrialContext) -> Iterator[Measurement]`. It yields one
`Measurement` per evaluation, and whoever runs it pulls. Not pulling any more is how a trial ends early: the
generator is closed (`GeneratorExit`). Standard library only, so that any package can implement the contract.
"""

from collections.abc import Callable, Collection, Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

State = Mapping[str, object]
"""A checkpoint: nested dicts and lists whose leaves are tensors, numbers, strings, booleans or None."""


class Purpose(StrEnum):
    """What a trial is run for, and so which split is learned from and which is measured."""

    SEARCH = "search"
    """Learns from train, measures on val. Every trial of a sweep."""
    TEST = "test"
    """Learns nothing: yields one measurement of the resumed state, made on test, its names beginning with `test/`."""
    RETRAIN = "retrain"
    """Learns from train and val together; measures nothing on val."""


@dataclass(frozen=True, slots=True)
class Measurement:
    """One evaluation.

    Attributes:
        step: epochs (or other units of progress) done; 0 is the untrained model. Strictly increasing in a trial.
        metrics: name to value, such as `{"val/recall_at_1": 0.31}`. A value may be NaN or infinite: the trial then
            ends as diverged if it is the objective.
        resamples: metric name to its values when the measured units (queries, people, classes) are drawn anew with
            replacement; for `Purpose.TEST`. The draws depend on the units alone, so that resample n of two trials
            has the same units.
    """

    step: int
    metrics: Mapping[str, float]
    resamples: Mapping[str, Sequence[float]] = field(default_factory=dict)


def _keep_nothing(_: Callable[[], State]) -> None:
    """The default `TrialContext.save`: no checkpoints."""


@dataclass(frozen=True, slots=True)
class TrialContext:
    """What the runner gives to one attempt at one trial.

    Attributes:
        seed: seed for everything random in this trial; the same for each attempt.
        device: a torch device string, `"cpu"` or `"cuda:0"`.
        resume: the state of the last checkpoint, or None at the first attempt. A trainable that gets one continues
            after its step and does not measure that step again.
        save: call it before each `yield` with a function that returns the state at that moment. The runner calls
            the function when a checkpoint is due, when the measurement is the best so far, or when the trial is
            paused; always while the generator is suspended at that `yield`.
        purpose: what the trial is run for. A module says with `PURPOSES` which ones its trainable knows; without it
            that is `SEARCH` alone.
    """

    seed: int = 0
    device: str = "cpu"
    resume: State | None = None
    save: Callable[[Callable[[], State]], None] = field(default=_keep_nothing)
    purpose: Purpose = Purpose.SEARCH


Train = Callable[..., Iterator[Measurement]]
"""`train(config, context)`; the type of `config` is the annotation of its first parameter, a pydantic model."""

LaneSteps = Generator[Mapping[int, Measurement | Exception], Collection[int] | None, None]
"""What lanes yield at each step, by place, and which places they are sent; see `TrainLanes`."""
TrainLanes = Callable[..., LaneSteps]
"""`train_lanes(configs, contexts)`: several trials as lanes of one computation; optional, beside `train`.

It yields what `train` would yield for each lane, all at one step: place in `configs` to measurement, or to what that
lane alone has raised. It is sent the places that go on, or None for all; what is not among them is over. Each lane's
curve is that of `train`, to rounding. It raises `CannotFuse` before it yields anything where these trials cannot be
lanes of one computation.
"""


class CannotFuse(ValueError):
    """Trials cannot be lanes of one computation; the text says why."""


@dataclass(frozen=True, slots=True)
class Fusing:
    """In what trials may differ and still be lanes of one computation; a module's `FUSING`, beside its config.

    Attributes:
        varies: dotted config keys, `*` for any part of one: what changes no shape, no batch and no draw.
        weights: likewise; of these lanes must have all 0 or none, since a part without weight is not computed.
        refuse: why a config cannot be fused at all; empty where it can.
    """

    varies: tuple[str, ...]
    weights: tuple[str, ...] = ()
    refuse: Callable[[Any], str] = field(default=lambda config: "")
