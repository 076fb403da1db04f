"""Several seeds of one trial, trained side by side as one trainable whose measurements are their means.

Called by `Attempt`, which notices no difference. Each seed trains as it would alone: it has its own state and its own
view of the global random generators.
"""

import math
import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace

import numpy as np
import torch
from pydantic import BaseModel

from orchestrator.execution.yielded import checked
from orchestrator.trial import STANDARD_ERROR
from trainables.contract import Measurement, State, Train, TrialContext

SEED = "{}/seed_{}"
_SEEDS = "seeds"
"""The key of a checkpoint's state that holds each seed's own, by the seed in decimal."""


def repeat(
    train: Train, config: BaseModel, context: TrialContext, *, seeds: Sequence[int], metrics: Sequence[str]
) -> Iterator[Measurement]:
    """Pull one trainable for each seed in turn and yield the mean of each metric that all of them measured.

    The trial ends with the first seed that ends: a mean over fewer seeds is another figure. A seed that raises ends it
    too. A metric that is NaN for one seed is NaN.

    Args:
        context: of the trial; its `resume` is a state that a trial of the same seeds has saved.
        seeds: two or more.
        metrics: those that are reported with their standard error and for each seed, too.

    Raises:
        ValueError: the seeds do not measure at the same steps, or `resume` is not of these seeds.
    """
    generators = _Generators.now(context.device)
    lanes = [_Lane(train, config, _context(context, seed), generators) for seed in seeds]
    with ExitStack() as stack:
        for lane in lanes:
            stack.callback(lane.close)
        while None not in (round_ := [lane.advance() for lane in lanes]):
            measured = [measurement for measurement in round_ if measurement is not None]
            _check_steps(seeds, measured)
            if all(lane.offered for lane in lanes):
                context.save(lambda: {_SEEDS: {str(lane.seed): lane.state() for lane in lanes}})
            yield _mean(measured, seeds=seeds, metrics=metrics)


def seed_states(state: State) -> Mapping[int, State]:
    """Each seed's own state in a checkpoint of several; empty where it is a checkpoint of one."""
    states = state.get(_SEEDS)
    return {int(seed): own for seed, own in states.items()} if isinstance(states, Mapping) else {}


@dataclass(frozen=True, slots=True)
class _Generators:
    """States of the global random generators of Python, NumPy and torch."""

    python: object
    numpy: Mapping[str, object]
    torch_cpu: torch.Tensor
    torch_cuda: torch.Tensor | None

    @classmethod
    def now(cls, device: str) -> "_Generators":
        cuda = torch.cuda.get_rng_state(device) if device.startswith("cuda") else None
        # A trainable may draw from NumPy's old global generator.
        numpy = np.random.get_state(legacy=False)  # noqa: NPY002
        assert isinstance(numpy, dict), "legacy=False"
        return cls(random.getstate(), numpy, torch.get_rng_state(), cuda)

    def put_in_place(self, device: str) -> None:
        random.setstate(self.python)  # type: ignore[arg-type]
        np.random.set_state(self.numpy)  # type: ignore[arg-type]  # noqa: NPY002
        torch.set_rng_state(self.torch_cpu)
        if self.torch_cuda is not None:
            torch.cuda.set_rng_state(self.torch_cuda, device)


class _Lane:
    """One seed."""

    def __init__(self, train: Train, config: BaseModel, context: TrialContext, generators: _Generators) -> None:
        self.seed = context.seed
        self.offered: Callable[[], State] | None = None
        self._context = replace(context, save=self._offer)
        self._train = train
        self._config = config
        self._measurements: Iterator[Measurement] | None = None
        self._generators = generators
        self._step = -1

    def advance(self) -> Measurement | None:
        """Train up to the next measurement; None when the trainable has returned."""
        try:
            with self._own_generators():
                if self._measurements is None:
                    self._measurements = self._train(self._config, self._context)
                yielded = next(self._measurements, None)
            if yielded is None:
                return None
            measurement = checked(yielded, after=self._step)
        except BaseException as error:
            error.add_note(f"with seed {self.seed}")
            raise
        self._step = measurement.step
        return measurement

    def state(self) -> State:
        assert self.offered is not None, "asked only after all have offered one"
        with self._own_generators():
            return self.offered()

    def close(self) -> None:
        if self._measurements is not None and hasattr(self._measurements, "close"):
            with self._own_generators():
                self._measurements.close()

    def _offer(self, state: Callable[[], State]) -> None:
        self.offered = state

    @contextmanager
    def _own_generators(self) -> Iterator[None]:
        others = _Generators.now(self._context.device)
        self._generators.put_in_place(self._context.device)
        try:
            yield
        finally:
            self._generators = _Generators.now(self._context.device)
            others.put_in_place(self._context.device)


def _context(context: TrialContext, seed: int) -> TrialContext:
    if context.resume is None:
        return replace(context, seed=seed)
    states = context.resume.get(_SEEDS)
    state = states.get(str(seed)) if isinstance(states, Mapping) else None
    if not isinstance(state, Mapping):
        raise ValueError(f"the checkpoint holds no state of seed {seed}: it is of a trial with other seeds")
    return replace(context, seed=seed, resume=state)


def _check_steps(seeds: Sequence[int], measured: Sequence[Measurement]) -> None:
    for seed, measurement in zip(seeds, measured, strict=True):
        if measurement.step != measured[0].step:
            raise ValueError(
                f"seed {seeds[0]} measured step {measured[0].step} where seed {seed} measured step {measurement.step}; "
                "the seeds of a trial must measure at the same steps"
            )


def _mean(measured: Sequence[Measurement], *, seeds: Sequence[int], metrics: Sequence[str]) -> Measurement:
    shared = [name for name in measured[0].metrics if all(name in m.metrics for m in measured)]
    values = {name: [m.metrics[name] for m in measured] for name in shared}
    found = {name: sum(of_seeds) / len(of_seeds) for name, of_seeds in values.items()}
    for name in metrics:
        if name in values:
            found[STANDARD_ERROR.format(name)] = _standard_error(values[name])
            found |= {SEED.format(name, seed): value for seed, value in zip(seeds, values[name], strict=True)}
    resamples = {
        name: tuple(sum(draw) / len(draw) for draw in zip(*(m.resamples[name] for m in measured), strict=True))
        for name in measured[0].resamples
        if all(name in m.resamples for m in measured)
    }
    return Measurement(measured[0].step, found, resamples)


def _standard_error(values: Sequence[float]) -> float:
    """Of the mean of at least two values; NaN when one of them is not finite."""
    mean = sum(values) / len(values)
    deviations = [value - mean for value in values]
    return math.sqrt(sum(d * d for d in deviations) / (len(values) - 1) / len(values))
