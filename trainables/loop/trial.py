"""The loop itself: the order of things in a trial, and all that changes during it."""

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Generic, cast

import torch
from torch import Tensor

from trainables.config import GroupOptimizer, Optimizer
from trainables.contract import Measurement, Purpose, State, TrialContext
from trainables.loop.randomness import RandomState
from trainables.loop.report import Means, Shares
from trainables.loop.task import BatchLoss, BatchT, ModelT, Moment, Task
from trainables.loop.update import StateDict, Update
from trainables.metrics.resampling import Resamplable


def run_trial(
    task: Task[ModelT, BatchT],
    *,
    optimizer: Optimizer,
    epochs: int,
    context: TrialContext,
    groups: Mapping[str, GroupOptimizer] | None = None,
) -> Iterator[Measurement]:
    """Measure the untrained model, then train and measure epoch by epoch; for TEST measure the resumed state once.

    Deterministic on a CPU for one seed; a resume goes on exactly as if it had not been interrupted. When a loss is
    not finite the epoch ends there, and what it would have measured is NaN; so it is when outputs are not finite.

    Args:
        groups: settings of the task's parameter groups that do not follow `optimizer`.
        context: with `Purpose.TEST` or `RETRAIN` the task must have been built on the data for that.

    Raises: ValueError: TEST without a state to resume from.
    """
    if context.purpose is Purpose.TEST and context.resume is None:
        raise ValueError("a test measures the state that it resumes from, and there is none")
    trial = _Trial(task, optimizer=optimizer, groups=groups or {}, epochs=epochs, context=context)
    if context.purpose is Purpose.TEST:
        yield trial.measure_test()
        return
    if context.resume is None:
        yield trial.measure_untrained()
    while trial.epoch < epochs:
        measurement = trial.train_epoch()
        context.save(trial.state)
        yield measurement


class _Trial(Generic[ModelT, BatchT]):
    """All that changes during a trial."""

    def __init__(
        self,
        task: Task[ModelT, BatchT],
        *,
        optimizer: Optimizer,
        groups: Mapping[str, GroupOptimizer],
        epochs: int,
        context: TrialContext,
    ) -> None:
        self.task, self.epochs, self.context = task, epochs, context
        self.epoch = 0
        self.measured: list[str] = []
        self.generator = torch.Generator().manual_seed(context.seed)
        self.random = RandomState(context.device, seed=context.seed)
        with self.random.in_use():
            self.model = task.build_model().to(context.device)
        self.update = Update(self.model, task.parameter_groups(self.model), optimizer, groups)
        if context.resume is not None:
            self._restore(context.resume)

    def measure_test(self) -> Measurement:
        """The resumed state on test. Figures on train are left out: they say nothing of it."""
        with self.random.in_use():
            measured = self._evaluate()
            resamplable = self._resamplable() if measured else {}
        metrics = measured or dict.fromkeys(self.measured, math.nan)
        self.context.save(self.state)
        return Measurement(
            step=self.epoch,
            metrics={_on_test(name): value for name, value in metrics.items() if name.startswith("val/")},
            resamples={_on_test(name): metric.resamples() for name, metric in resamplable.items()},
        )

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
            metrics = self._begin() | self._train()
            self.epoch += 1
            measured = self._evaluate() if math.isfinite(metrics.get("train/loss", 0.0)) else {}
        metrics |= measured or dict.fromkeys(self.measured, math.nan)
        return Measurement(step=self.epoch, metrics=metrics)

    def state(self) -> State:
        """A copy of everything that the next epoch depends on. The sampler's position is the generator's state."""
        return {
            "epoch": self.epoch,
            "measured": list(self.measured),
            "model": {name: value.detach().clone() for name, value in self.model.state_dict().items()},
            "optimizer": self.update.state(),
            "generator": self.generator.get_state(),
            "random": self.random.state(),
            "task": self.task.state(),
        }

    def _restore(self, state: State) -> None:
        self.epoch = cast(int, state["epoch"])
        self.measured = list(cast(Sequence[str], state["measured"]))
        self.model.load_state_dict(cast(Mapping[str, Tensor], state["model"]))
        self.update.restore(cast(StateDict, state["optimizer"]))
        self.generator.set_state(cast(Tensor, state["generator"]))
        self.random.restore(cast(Mapping[str, Tensor], state["random"]))
        self.task.restore(cast(State, state["task"]))

    def _moment(self, epoch: float) -> Moment:
        return Moment(epoch=epoch, epochs=self.epochs, generator=self.generator)

    def _evaluate(self) -> dict[str, float]:
        """Nothing when retraining: val is learned from."""
        if self.context.purpose is Purpose.RETRAIN:
            return {}
        self.model.eval()
        with torch.no_grad():
            return dict(self.task.evaluate(self.model, self._moment(self.epoch)))

    def _resamplable(self) -> Mapping[str, Resamplable]:
        with torch.no_grad():
            return self.task.resamplable(self.model, self._moment(self.epoch))

    def _begin(self) -> dict[str, float]:
        self.model.eval()
        with torch.no_grad():
            values = self.task.begin_epoch(self.model, self._moment(self.epoch))
        return {f"train/{name}": value for name, value in values.items()}

    def _train(self) -> dict[str, float]:
        self.model.train()
        means, shares = Means(), Shares(self.task.trunk(self.model))
        num_skipped, largest, ratio = 0, 0.0, math.nan
        begin = self._moment(self.epoch)
        num_batches = self.task.num_batches(begin)
        for number, batch in enumerate(self.task.batches(begin)):
            moment = self._moment(self.epoch + number / num_batches)
            loss = self.task.loss(self.model, batch, moment)
            if loss.is_empty:
                num_skipped += 1
                continue
            values = _report(loss) | self.update.begin(moment.epoch, epochs=self.epochs)
            means.add(values)
            if not math.isfinite(values["train/loss"]):
                break
            shares.add(loss)
            before = self.update.snapshot() if math.isnan(ratio) else None
            norms = self.update.step(loss.total)
            means.add(norms)
            largest = max(largest, norms["train/grad_norm"])
            if before is not None:
                ratio = self.update.ratio_since(before)
            with torch.no_grad():
                after = self.task.after_step(self.model, batch)
            means.add({f"train/{name}": value for name, value in after.items()})
        return means.values() | shares.values() | _whole_epoch(num_skipped, largest, ratio)


def _on_test(name: str) -> str:
    return f"test/{name.removeprefix('val/')}"


def _report(loss: BatchLoss) -> dict[str, float]:
    return {
        "train/loss": loss.total.item(),
        **{f"train/{name}_loss": part.loss.item() for name, part in loss.parts.items()},
        **{f"train/{name}": value for name, value in loss.effective.items()},
    }


def _whole_epoch(num_skipped: int, largest: float, ratio: float) -> dict[str, float]:
    """What is no mean over the steps; left out where there was nothing to measure."""
    values = {"train/grad_norm_max": largest}
    if not math.isnan(ratio):
        values["train/update_ratio"] = ratio
    if num_skipped:
        values["train/num_skipped_batches"] = float(num_skipped)
    return values
