"""The hooks of a task, learned weights, and batches without anything to learn from."""

import pytest
import torch
from torch import nn

from trainables.checkpoint import read_checkpoint, write_checkpoint
from trainables.config import Optimizer
from trainables.contract import TrialContext
from trainables.loop import BatchLoss, Part, Task, run_trial


class HookedTask(Task):
    """One weight and one learned uncertainty; every third batch is empty; a memory of what was seen."""

    def __init__(self):
        self.seen, self.calls = [], []

    def build_model(self):
        return nn.ParameterDict(
            {"weight": nn.Parameter(torch.zeros(())), "log_variance": nn.Parameter(torch.zeros(()))}
        )

    def parameter_groups(self, model):
        return {"all": model}

    def trunk(self, model):
        return model

    def num_batches(self, moment):
        return 3 + int(moment.epoch)

    def batches(self, moment):
        yield from torch.rand(self.num_batches(moment), generator=moment.generator).tolist()

    def loss(self, model, batch, moment):
        self.calls.append("loss")
        if self.calls.count("loss") % 3 == 0:
            return BatchLoss(parts={})
        error = (model["weight"] - 1).square() + batch
        precision = (-model["log_variance"]).exp() / 2
        return BatchLoss(parts={"fit": Part(error, precision)}, regularizer=model["log_variance"] / 2)

    def evaluate(self, model, moment):
        return {"val/weight": float(model["weight"]), "val/seen": float(len(self.seen))}

    def begin_epoch(self, model, moment):
        assert not model.training and not torch.is_grad_enabled()
        self.calls.append("begin")
        return {"drawn": float(torch.rand((), generator=moment.generator))}

    def after_step(self, model, batch):
        assert not torch.is_grad_enabled()
        self.seen.append(batch)
        return {"batch": batch}

    def state(self):
        return {"seen": list(self.seen)}

    def restore(self, state):
        self.seen = list(state["seen"])


def run(task, epochs=3, **context):
    return list(run_trial(task, optimizer=Optimizer(lr=0.05), epochs=epochs, context=TrialContext(**context)))


def test_hooks_are_called_in_order_and_reported():
    task = HookedTask()
    first = run(task, epochs=1)[1].metrics
    assert task.calls == ["begin", "loss", "loss", "loss"]
    assert first["train/num_skipped_batches"] == 1
    assert first["val/seen"] == 2
    assert first["train/batch"] == pytest.approx(sum(task.seen) / 2)
    assert 0 <= first["train/drawn"] <= 1


def test_a_learned_weight_and_its_regularizer_are_trained_together():
    _, first, *_ = run(HookedTask(), epochs=1)
    assert first.metrics["train/weight_share_fit"] == 1
    assert first.metrics["train/loss"] < first.metrics["train/fit_loss"], "half of it, and a log term near 0"
    states = []
    run(HookedTask(), epochs=20, save=lambda state: states.append(state()))
    assert float(states[-1]["model"]["weight"]) > 0.3
    assert float(states[-1]["model"]["log_variance"]) != 0


def test_a_resume_takes_back_the_tasks_own_state(tmp_path):
    states = []
    whole = run(HookedTask(), save=lambda state: states.append(state()))
    write_checkpoint(tmp_path / "c", states[1])
    task = HookedTask()
    task.calls = ["loss"] * 3
    assert run(task, resume=read_checkpoint(tmp_path / "c")) == whole[2:]


def test_a_regularizer_alone_is_trained():
    class Phantom(HookedTask):
        def loss(self, model, batch, moment):
            return BatchLoss(parts={}, regularizer=model["log_variance"])

    states = []
    run(Phantom(), epochs=1, save=lambda state: states.append(state()))
    assert float(states[-1]["model"]["log_variance"]) < 0
