"""THE training loop: one generator that every task uses, whatever it trains.

A task's `train` builds its `Task` and yields from `run_trial`. The loop owns the order of things, the optimizer,
randomness and the state for a resume; it knows no data, no model and no loss.
"""

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import combinations
from typing import Any, Generic, Protocol, TypeAlias, TypeVar, cast

import torch
from torch import Tensor, nn

from trainables.config import Optimizer
from trainables.contract import Measurement, State, TrialContext
from trainables.metrics.gradients import gradient_cosine, gradient_norm, shares, task_gradients

ModelT = TypeVar("ModelT", bound=nn.Module)
BatchT = TypeVar("BatchT")
StateDict: TypeAlias = dict[str, Any]
"""What torch calls one; what is in it is torch's own affair."""


@dataclass(frozen=True, slots=True)
class Moment:
    """A point in a trial.

    Attributes:
        epoch: epochs done, with a fraction inside an epoch.
        epochs: how many there will be.
        generator: the trial's own randomness, on the CPU; what is drawn from it survives a resume.
    """

    epoch: float
    epochs: int
    generator: torch.Generator


@dataclass(frozen=True, slots=True)
class Part:
    """One task's share in a batch: its loss, a scalar with a graph, and the factor on it in the total."""

    loss: Tensor
    weight: float


@dataclass(frozen=True, slots=True)
class BatchLoss:
    """The loss of one batch: parts by task name, and settings in effect to report (`temperature`, `margin`)."""

    parts: Mapping[str, Part]
    effective: Mapping[str, float] = field(default_factory=dict)

    @property
    def total(self) -> Tensor:
        """The weighted sum."""
        return torch.stack([part.weight * part.loss for part in self.parts.values()]).sum()


class Task(Protocol[ModelT, BatchT]):
    """What a task tells the loop."""

    def build_model(self) -> ModelT:
        """A new model on the CPU, initialised from torch's global generator, which the loop has seeded."""

    def parameter_groups(self, model: ModelT) -> Mapping[str, nn.Module]:
        """The parts of the model that are trained; the gradient norm of each is reported under its name."""

    def trunk(self, model: ModelT) -> nn.Module:
        """The part on which the gradients of the tasks are compared."""

    def batches(self, generator: torch.Generator) -> Iterable[BatchT]:
        """One epoch of batches, in an order drawn from `generator`."""

    def num_batches(self) -> int:
        """How many batches an epoch has."""

    def loss(self, model: ModelT, batch: BatchT, moment: Moment) -> BatchLoss:
        """The loss of one training batch."""

    def evaluate(self, model: ModelT, moment: Moment) -> Mapping[str, float]:
        """Measure on val, with full metric names; empty when the model's outputs are not finite.

        Called without gradients; must not draw randomness.
        """


def run_trial(
    task: Task[ModelT, BatchT], *, optimizer: Optimizer, epochs: int, context: TrialContext
) -> Iterator[Measurement]:
    """Measure the untrained model, then train and measure epoch by epoch.

    Deterministic on a CPU for one seed; a resume goes on exactly as if it had not been interrupted. When a loss is
    not finite the epoch ends there, and what it would have measured is NaN; so it is when outputs are not finite.
    """
    trial = _Trial(task, optimizer=optimizer, epochs=epochs, context=context)
    if context.resume is None:
        yield trial.measure_untrained()
    while trial.epoch < epochs:
        measurement = trial.train_epoch()
        context.save(trial.state)
        yield measurement


class _Trial(Generic[ModelT, BatchT]):
    """All that changes during a trial."""

    def __init__(self, task: Task[ModelT, BatchT], *, optimizer: Optimizer, epochs: int, context: TrialContext) -> None:
        self.task, self.config, self.epochs = task, optimizer, epochs
        self.epoch = 0
        self.measured: list[str] = []
        self.context = context
        self.generator = torch.Generator().manual_seed(context.seed)
        self.random = _RandomState(context.device, seed=context.seed)
        with self.random.in_use():
            self.model = task.build_model().to(context.device)
        self.groups = {name: list(part.parameters()) for name, part in task.parameter_groups(self.model).items()}
        self.optimizer = _build_optimizer(self.model, self.groups, optimizer)
        if context.resume is not None:
            self._restore(context.resume)

    def measure_untrained(self) -> Measurement:
        """Step 0."""
        with self.random.in_use():
            metrics = self._evaluate()
        self.measured = list(metrics)
        self.context.save(self.state)
        return Measurement(step=0, metrics=metrics)

    def train_epoch(self) -> Measurement:
        """One epoch of training, and the measurement after it."""
        with self.random.in_use():
            metrics = self._train()
            self.epoch += 1
            measured = self._evaluate() if math.isfinite(metrics["train/loss"]) else {}
        metrics |= measured or dict.fromkeys(self.measured, math.nan)
        return Measurement(step=self.epoch, metrics=metrics)

    def state(self) -> State:
        """A copy of everything that the next epoch depends on. The sampler's position is the generator's state."""
        return {
            "epoch": self.epoch,
            "measured": list(self.measured),
            "model": {name: value.detach().clone() for name, value in self.model.state_dict().items()},
            "optimizer": _copied(self.optimizer.state_dict()),
            "generator": self.generator.get_state(),
            "random": self.random.state(),
        }

    def _restore(self, state: State) -> None:
        self.epoch = cast(int, state["epoch"])
        self.measured = list(cast(Sequence[str], state["measured"]))
        self.model.load_state_dict(cast(Mapping[str, Tensor], state["model"]))
        self.optimizer.load_state_dict(cast(StateDict, _copied(state["optimizer"])))
        self.generator.set_state(cast(Tensor, state["generator"]))
        self.random.restore(cast(Mapping[str, Tensor], state["random"]))

    def _moment(self, epoch: float) -> Moment:
        return Moment(epoch=epoch, epochs=self.epochs, generator=self.generator)

    def _evaluate(self) -> dict[str, float]:
        self.model.eval()
        with torch.no_grad():
            return dict(self.task.evaluate(self.model, self._moment(self.epoch)))

    def _train(self) -> dict[str, float]:
        self.model.train()
        num_batches = self.task.num_batches()
        means = _Means()
        gradients: dict[str, float] = {}
        for number, batch in enumerate(self.task.batches(self.generator)):
            moment = self._moment(self.epoch + number / num_batches)
            loss = self.task.loss(self.model, batch, moment)
            values = _report(loss, lr=self._set_learning_rate(moment))
            means.add(values)
            if not math.isfinite(values["train/loss"]):
                break
            if number == 0:
                gradients = _compare_gradients(loss, list(self.task.trunk(self.model).parameters()))
            means.add(self._step(loss.total))
        metrics = means.values()
        return metrics | gradients | _shares_of_loss(metrics, loss)

    def _set_learning_rate(self, moment: Moment) -> float:
        lr = self.config.lr * self.config.schedule.at(moment.epoch, epochs=self.epochs)
        for group in self.optimizer.param_groups:
            group["lr"] = lr
        return lr

    def _step(self, total: Tensor) -> dict[str, float]:
        """Backward, clip, update; the gradient norms before clipping."""
        self.optimizer.zero_grad()
        total.backward()  # type: ignore[no-untyped-call]
        norms = {f"train/grad_norm_{name}": gradient_norm(group) for name, group in self.groups.items()}
        trained = [parameter for group in self.groups.values() for parameter in group]
        norms["train/grad_norm"] = float(nn.utils.clip_grad_norm_(trained, self.config.max_grad_norm))
        self.optimizer.step()
        return norms


class _Means:
    """Running means of values by name; a value that is not finite makes its mean so."""

    def __init__(self) -> None:
        self._sums: dict[str, float] = {}
        self._counts: dict[str, int] = {}

    def add(self, values: Mapping[str, float]) -> None:
        for name, value in values.items():
            self._sums[name] = self._sums.get(name, 0.0) + value
            self._counts[name] = self._counts.get(name, 0) + 1

    def values(self) -> dict[str, float]:
        return {name: total / self._counts[name] for name, total in self._sums.items()}


class _RandomState:
    """Torch's global generators as this trial sees them: seeded once, put in use while it works, kept meanwhile.

    Trials that take turns in one process therefore do not disturb each other, nor whoever pulls them.
    """

    def __init__(self, device: str, *, seed: int) -> None:
        self._device = torch.device(device)
        self._devices = [self._device] if self._device.type == "cuda" else []
        with torch.random.fork_rng(devices=self._devices):
            torch.manual_seed(seed)
            self._state = self._current()

    @contextmanager
    def in_use(self) -> Iterator[None]:
        with torch.random.fork_rng(devices=self._devices):
            torch.set_rng_state(self._state["cpu"])
            for device in self._devices:
                torch.cuda.set_rng_state(self._state["cuda"], device)
            yield
            self._state = self._current()

    def state(self) -> dict[str, Tensor]:
        return dict(self._state)

    def restore(self, state: Mapping[str, Tensor]) -> None:
        self._state = {**self._state, **state}

    def _current(self) -> dict[str, Tensor]:
        state = {"cpu": torch.get_rng_state()}
        for device in self._devices:
            state["cuda"] = torch.cuda.get_rng_state(device)
        return state


def _build_optimizer(
    model: nn.Module, groups: Mapping[str, Sequence[nn.Parameter]], config: Optimizer
) -> torch.optim.AdamW:
    """AdamW in two groups, with and without weight decay.

    Raises: ValueError: a parameter of the model is in no group, or in two.
    """
    grouped = [id(parameter) for group in groups.values() for parameter in group]
    if sorted(grouped) != sorted(id(parameter) for parameter in model.parameters()):
        raise ValueError("parameter_groups must name each parameter of the model exactly once")
    parameters = [parameter for group in groups.values() for parameter in group]
    decayed = {
        "params": [parameter for parameter in parameters if parameter.ndim >= 2],
        "weight_decay": config.weight_decay,
    }
    others = {"params": [parameter for parameter in parameters if parameter.ndim < 2], "weight_decay": 0.0}
    return torch.optim.AdamW([decayed, others], lr=config.lr, betas=config.betas, fused=True)


def _report(loss: BatchLoss, *, lr: float) -> dict[str, float]:
    return {
        "train/loss": loss.total.item(),
        "train/lr": lr,
        **{f"train/{name}_loss": part.loss.item() for name, part in loss.parts.items()},
        **{f"train/{name}": value for name, value in loss.effective.items()},
    }


def _compare_gradients(loss: BatchLoss, trunk: Sequence[nn.Parameter]) -> dict[str, float]:
    """What each weighted task would do to the trunk, on this one batch."""
    gradients = task_gradients({name: part.weight * part.loss for name, part in loss.parts.items()}, trunk)
    norm_shares = shares({name: float(gradient.norm()) for name, gradient in gradients.items()})
    cosines = {
        f"train/grad_cosine_{a}_{b}": gradient_cosine(gradients[a], gradients[b]) for a, b in combinations(gradients, 2)
    }
    return {f"train/grad_share_{name}": share for name, share in norm_shares.items()} | cosines


def _shares_of_loss(means: Mapping[str, float], loss: BatchLoss) -> dict[str, float]:
    weights = {name: part.weight for name, part in loss.parts.items()}
    weighted = {name: weight * means[f"train/{name}_loss"] for name, weight in weights.items()}
    return {
        **{f"train/weight_share_{name}": share for name, share in shares(weights).items()},
        **{f"train/loss_share_{name}": share for name, share in shares(weighted).items()},
    }


def _copied(value: object) -> object:
    """A copy of nested dicts and lists with their tensors."""
    if isinstance(value, Tensor):
        return value.detach().clone()
    if isinstance(value, dict):
        return {key: _copied(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return type(value)(_copied(item) for item in value)
    return value
