"""The loop itself: the order of things in a trial, or in several lanes of one computation, and all that changes."""

import math
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Generic, TypeAlias, cast

import torch
from torch import Tensor

from trainables.config import GroupOptimizer, Optimizer
from trainables.contract import CannotFuse, LaneSteps, Measurement, Purpose, State, TrialContext
from trainables.loop.alone import Alone, Lane
from trainables.loop.randomness import RandomState
from trainables.loop.report import Record, Shares, first_not_finite, means
from trainables.loop.stack import Stack
from trainables.loop.task import BatchLoss, BatchT, ModelT, Moment, Task
from trainables.loop.update import StateDict, Update
from trainables.losses.similarity import Scalar
from trainables.metrics.resampling import Resamplable

_Step: TypeAlias = dict[int, Measurement | Exception]


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
    training = _Training([task], optimizers=[optimizer], groups=[groups or {}], epochs=epochs, contexts=[context])
    if context.purpose is Purpose.TEST:
        yield training.measure_test()
        return
    for step in training.steps():
        (measured,) = step.values()
        if isinstance(measured, Exception):
            raise measured
        yield measured


def run_lanes(
    tasks: Sequence[Task[ModelT, BatchT]],
    *,
    optimizers: Sequence[Optimizer],
    epochs: int,
    contexts: Sequence[TrialContext],
    groups: Sequence[Mapping[str, GroupOptimizer]] | None = None,
) -> LaneSteps:
    """What `run_trial` yields for each task, to rounding, from one computation; see `contract.TrainLanes`.

    The tasks have configs that differ in the settings of the optimizers and in what their `scalars` give, and nowhere
    else. A lane whose numbers are not finite leaves the others as they are.

    Raises: CannotFuse: models differ in shape; seeds differ; lanes resume from different moments.
    """
    if len({context.seed for context in contexts}) > 1:
        raise CannotFuse("their seeds differ, and with them the order of batches")
    if any(context.purpose is not Purpose.SEARCH for context in contexts):
        raise CannotFuse("only trials of a search are fused")
    of_each = groups or [{} for _ in tasks]
    training = _Training(tasks, optimizers=optimizers, groups=of_each, epochs=epochs, contexts=contexts)
    yield from training.steps()


class _Training(Generic[ModelT, BatchT]):
    """All that changes during a trial, or during several that are lanes of one computation."""

    def __init__(
        self,
        tasks: Sequence[Task[ModelT, BatchT]],
        *,
        optimizers: Sequence[Optimizer],
        groups: Sequence[Mapping[str, GroupOptimizer]],
        epochs: int,
        contexts: Sequence[TrialContext],
    ) -> None:
        self.epochs, self.epoch = epochs, 0
        seed, self.device = contexts[0].seed, contexts[0].device
        self.generator = torch.Generator().manual_seed(seed)
        models = [self._fresh_model(task, seed=seed) for task in tasks]
        self.lanes = [
            Lane(place, task, model, Update(model, task.parameter_groups(model), optimizer, own), context)
            for place, (task, model, optimizer, own, context) in enumerate(
                zip(tasks, models, optimizers, groups, contexts, strict=True)
            )
        ]
        self._resume()
        self.engine = Alone(self.lanes[0]) if len(tasks) == 1 else Stack(self.lanes)

    def steps(self) -> LaneSteps:
        """Measure the untrained models, unless they resume, then train and measure epoch by epoch."""
        if self.lanes[0].context.resume is None:
            self._keep((yield self._offered(self.measure_untrained())))
        while self.epoch < self.epochs and self.lanes:
            self._keep((yield self._offered(self.train_epoch())))

    def measure_test(self) -> Measurement:
        """The resumed state on test. Figures on train are left out: they say nothing of it."""
        (lane,) = self.lanes
        with self.random.in_use():
            measured = self._evaluate(lane)
            resamplable = self._resamplable(lane) if measured else {}
        metrics = measured or dict.fromkeys(lane.measured, math.nan)
        lane.context.save(partial(self.state, lane))
        return Measurement(
            step=self.epoch,
            metrics={_on_test(name): value for name, value in metrics.items() if name.startswith("val/")},
            resamples={_on_test(name): metric.resamples() for name, metric in resamplable.items()},
        )

    def measure_untrained(self) -> _Step:
        """Step 0."""
        step = self._measured([{} for _ in self.lanes])
        for lane in self.lanes:
            measured = step[lane.place]
            lane.measured = list(measured.metrics) if isinstance(measured, Measurement) else []
        return step

    def train_epoch(self) -> _Step:
        """One epoch of training, and the measurements after it."""
        with self.random.in_use():
            begun = self._begin()
            trained = self._train()
        self.epoch += 1
        return self._measured([before | after for before, after in zip(begun, trained, strict=True)])

    def state(self, lane: Lane[ModelT, BatchT]) -> State:
        """A copy of all that a lane's next epoch depends on. The sampler's position is the generator's state."""
        return {
            "epoch": self.epoch,
            "measured": list(lane.measured),
            "model": {name: value.detach().clone() for name, value in lane.model.state_dict().items()},
            "optimizer": lane.update.state(),
            "generator": self.generator.get_state(),
            "random": self.random.state(),
            "task": lane.task.state(),
        }

    def _fresh_model(self, task: Task[ModelT, BatchT], *, seed: int) -> ModelT:
        """Each lane begins with the same draws, and what is drawn later goes on after them."""
        self.random = RandomState(self.device, seed=seed)
        with self.random.in_use():
            return task.build_model().to(self.device)

    def _resume(self) -> None:
        states = [lane.context.resume for lane in self.lanes]
        if all(state is None for state in states):
            return
        for lane, state in zip(self.lanes, states, strict=True):
            first = states[0]
            if first is None or state is None or not _is_same_moment(first, state):
                raise CannotFuse("they resume from different moments")
            self._restore(lane, state)

    def _restore(self, lane: Lane[ModelT, BatchT], state: State) -> None:
        self.epoch = cast(int, state["epoch"])
        lane.measured = list(cast(Sequence[str], state["measured"]))
        lane.model.load_state_dict(cast(Mapping[str, Tensor], state["model"]))
        lane.update.restore(cast(StateDict, state["optimizer"]))
        self.generator.set_state(cast(Tensor, state["generator"]))
        self.random.restore(cast(Mapping[str, Tensor], state["random"]))
        lane.task.restore(cast(State, state["task"]))

    def _offered(self, step: _Step) -> _Step:
        """Lets each runner keep the state at this moment."""
        for lane in self.lanes:
            lane.context.save(partial(self.state, lane))
        return step

    def _keep(self, places: Collection[int] | None) -> None:
        """Go on with the lanes at these places only; None keeps all."""
        kept = [lane for lane in self.lanes if places is None or lane.place in places]
        if kept and len(kept) < len(self.lanes) and isinstance(self.engine, Stack):
            self.engine.keep(kept)
        self.lanes = kept

    def _moment(self, epoch: float) -> Moment:
        return Moment(epoch=epoch, epochs=self.epochs, generator=self.generator)

    def _moment_of(self, lane: Lane[ModelT, BatchT]) -> Moment:
        moment = self._moment(self.epoch)
        return replace(moment, scalars=lane.task.scalars(moment))

    def _measured(self, trained: Sequence[Mapping[str, float]]) -> _Step:
        """What each lane measures now, with what it reports of its training; an error of one lane is its own."""
        found: _Step = {}
        with self.random.in_use():
            for lane, metrics in zip(self.lanes, trained, strict=True):
                try:
                    measured = self._evaluate(lane) if math.isfinite(metrics.get("train/loss", 0.0)) else {}
                except Exception as error:
                    found[lane.place] = error
                    continue
                values = {**metrics, **(measured or dict.fromkeys(lane.measured, math.nan))}
                found[lane.place] = Measurement(step=self.epoch, metrics=values)
        return found

    def _evaluate(self, lane: Lane[ModelT, BatchT]) -> dict[str, float]:
        """Nothing when retraining: val is learned from."""
        if lane.context.purpose is Purpose.RETRAIN:
            return {}
        lane.model.eval()
        with torch.no_grad():
            return dict(lane.task.evaluate(lane.model, self._moment_of(lane)))

    def _resamplable(self, lane: Lane[ModelT, BatchT]) -> Mapping[str, Resamplable]:
        with torch.no_grad():
            return lane.task.resamplable(lane.model, self._moment_of(lane))

    def _begin(self) -> list[dict[str, float]]:
        """Each lane begins its epoch with the same draws."""
        before, found = self.generator.get_state(), []
        for lane in self.lanes:
            self.generator.set_state(before)
            lane.model.eval()
            with torch.no_grad():
                values = lane.task.begin_epoch(lane.model, self._moment_of(lane))
            found.append({f"train/{name}": value for name, value in values.items()})
        return found

    def _train(self) -> list[dict[str, float]]:
        for lane in self.lanes:
            lane.model.train()
        num = len(self.lanes)
        said, done, shares = Record(num), Record(num), Shares(self.engine.trunk, lanes=self.engine.num_lanes)
        num_skipped, ratio = 0, None
        begin = self._moment(self.epoch)
        task = self.lanes[0].task
        num_batches = task.num_batches(begin)
        for number, batch in enumerate(task.batches(begin)):
            moment = self._moment(self.epoch + number / num_batches)
            loss = self.engine.loss(batch, moment)
            if loss.is_empty:
                num_skipped += 1
                continue
            total = loss.total
            said.add(_report(loss, total) | self.engine.begin(moment.epoch, epochs=self.epochs))
            if not self._any_finite(total):
                break
            shares.add(loss)
            before = self.engine.snapshot() if ratio is None else None
            done.add(self.engine.step(total))
            ratio = self.engine.ratio_since(before) if before is not None else ratio
            self._after_step(batch, done)
        return _epoch_values(said, done, shares, num_skipped=num_skipped, ratio=ratio)

    def _any_finite(self, total: Tensor) -> bool:
        """Whether to go on with the epoch. A GPU is not waited for: it goes on, and its mean loss is not finite."""
        return total.device.type == "cuda" or bool(total.isfinite().any())

    def _after_step(self, batch: BatchT, done: Record) -> None:
        if type(self.lanes[0].task).after_step is Task.after_step:
            return
        with torch.no_grad():
            rows = [lane.task.after_step(lane.model, batch) for lane in self.lanes]
        done.add({f"train/{name}": torch.tensor([row[name] for row in rows], dtype=torch.float64) for name in rows[0]})


def _on_test(name: str) -> str:
    return f"test/{name.removeprefix('val/')}"


def _is_same_moment(one: State, other: State) -> bool:
    """Whether two states have the same epoch and the same randomness before them."""
    states = [[cast(Tensor, s["generator"]), *cast(Mapping[str, Tensor], s["random"]).values()] for s in (one, other)]
    return one["epoch"] == other["epoch"] and all(torch.equal(a, b) for a, b in zip(*states, strict=True))


def _report(loss: BatchLoss, total: Tensor) -> dict[str, Scalar]:
    return {
        "train/loss": total,
        **{f"train/{name}_loss": part.loss for name, part in loss.parts.items()},
        **{f"train/{name}": value for name, value in loss.effective.items()},
    }


def _epoch_values(
    said: Record, done: Record, shares: Shares, *, num_skipped: int, ratio: Tensor | None
) -> list[dict[str, float]]:
    """For each lane what its epoch reports: means over the steps until its loss was not finite, and single values."""
    read_said, read_done = said.read(), done.read()
    ratios = [math.nan] * len(read_said) if ratio is None else ratio.double().reshape(-1).tolist()
    ends = [first_not_finite(steps.get("train/loss", ())) for steps in read_said]
    found = []
    for steps, after, of_shares, of_ratio, end in zip(
        read_said, read_done, shares.values(until=ends), ratios, ends, strict=True
    ):
        values = means(steps, until=None if end is None else end + 1) | means(after, until=end) | of_shares
        values["train/grad_norm_max"] = max(after.get("train/grad_norm", [])[:end], default=0.0)
        if not math.isnan(of_ratio):
            values["train/update_ratio"] = of_ratio
        if num_skipped:
            values["train/num_skipped_batches"] = float(num_skipped)
        found.append(values)
    return found
