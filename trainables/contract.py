"""What a trainable is: one generator function and the three types that it sees. Read this first.

A trainable is `def train(config: Config, context: TrialContext) -> Iterator[Measurement]`. It yields one
`Measurement` per evaluation, and whoever runs it pulls. Not pulling any more is how a trial ends early: the
generator is closed (`GeneratorExit`). Standard library only, so that any package can implement the contract.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

State = Mapping[str, object]
"""A checkpoint: nested dicts and lists whose leaves are tensors, numbers, strings, booleans or None."""


@dataclass(frozen=True, slots=True)
class Measurement:
    """One evaluation.

    Attributes:
        step: epochs (or other units of progress) done; 0 is the untrained model. Strictly increasing in a trial.
        metrics: name to value, such as `{"val/recall_at_1": 0.31}`. A value may be NaN or infinite: the trial then
            ends as diverged if it is the objective.
    """

    step: int
    metrics: Mapping[str, float]


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
    """

    seed: int = 0
    device: str = "cpu"
    resume: State | None = None
    save: Callable[[Callable[[], State]], None] = field(default=_keep_nothing)


Train = Callable[..., Iterator[Measurement]]
"""`train(config, context)`; the type of `config` is the annotation of its first parameter, a pydantic model."""
