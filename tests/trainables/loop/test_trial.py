"""The training loop on the smallest task that can be: its order, its state, its randomness."""

import math

import pytest
import torch
from torch import nn

from trainables.checkpoint import read_checkpoint, write_checkpoint
from trainables.config import Optimizer
from trainables.contract import Purpose, TrialContext
from trainables.loop import BatchLoss, Part, Task, run_trial
from trainables.metrics.resampling import NUM_RESAMPLES, Resamplable, weighted_mean


class LineTask(Task):
    """Two heads on one layer learn two targets from noisy batches; dropout uses the global generator."""

    def __init__(self, *, poison_at=None, groups=("trunk", "heads")):
        self.poison_at, self.names = poison_at, groups

    def build_model(self):
        return nn.ModuleDict({"trunk": nn.Sequential(nn.Linear(4, 8), nn.Dropout(0.3)), "heads": nn.Linear(8, 2)})

    def parameter_groups(self, model):
        return {name: model[name] for name in self.names}

    def trunk(self, model):
        return model["trunk"]

    def num_batches(self, moment):
        return 3

    def batches(self, moment):
        yield from torch.randn(3, 16, 4, generator=moment.generator)

    def loss(self, model, batch, moment):
        noise = torch.randn(16, generator=moment.generator)
        found = model["heads"](model["trunk"](batch))
        targets = (batch.sum(dim=1) + 0.1 * noise, batch[:, 0])
        parts = {name: (found[:, i] - targets[i]).square().mean() for i, name in enumerate(("sum", "first"))}
        if self.poison_at is not None and moment.epoch >= self.poison_at:
            parts["first"] = parts["first"] * math.nan
        return BatchLoss(
            parts={"sum": Part(parts["sum"], 2.0), "first": Part(parts["first"], 1.0)},
            effective={"progress": moment.epoch / moment.epochs},
        )

    def evaluate(self, model, moment):
        assert not model.training and not torch.is_grad_enabled()
        error = (model["heads"](model["trunk"](torch.eye(4)))[:, 0] - 1).abs().mean()
        return {"val/error": float(error)} if error.isfinite() else {}


def run(task=None, *, epochs=4, optimizer=None, **context):
    return run_trial(
        task or LineTask(), optimizer=optimizer or Optimizer(lr=0.02), epochs=epochs, context=TrialContext(**context)
    )


def test_the_untrained_model_is_measured_first_and_training_helps():
    measurements = list(run(epochs=20))
    assert [m.step for m in measurements] == list(range(21))
    assert measurements[0].metrics.keys() == {"val/error"}
    assert measurements[-1].metrics["val/error"] < measurements[0].metrics["val/error"]


def test_reports_parts_shares_norms_and_settings():
    metrics = list(run(epochs=1))[-1].metrics
    assert metrics["train/loss"] == pytest.approx(2 * metrics["train/sum_loss"] + metrics["train/first_loss"], rel=1e-5)
    assert metrics["train/weight_share_sum"] == pytest.approx(2 / 3)
    for kind in ("weight", "loss", "grad"):
        assert metrics[f"train/{kind}_share_sum"] + metrics[f"train/{kind}_share_first"] == pytest.approx(1)
    assert -1 <= metrics["train/grad_cosine_sum_first"] <= 1
    assert metrics["train/grad_norm"] > max(metrics["train/grad_norm_trunk"], metrics["train/grad_norm_heads"])
    assert metrics["train/progress"] == pytest.approx(1 / 3)
    assert metrics["train/lr"] == 0.02


def test_same_seed_same_numbers_and_another_seed_others():
    assert list(run(seed=3)) == list(run(seed=3))
    assert list(run(seed=3)) != list(run(seed=4))


def test_trials_that_take_turns_do_not_disturb_each_other_nor_the_caller():
    alone = list(run(seed=1))
    torch.manual_seed(0)
    undisturbed = torch.rand(3)
    torch.manual_seed(0)
    turns = zip(run(seed=1), run(seed=2), strict=True)
    first = [next(turns)[0] for _ in range(3)]
    assert torch.equal(torch.rand(3), undisturbed)
    first += [a for a, _ in turns]
    assert first == alone


@pytest.mark.parametrize("step", [0, 1, 3])
def test_a_resume_from_disk_equals_no_interruption(step, tmp_path):
    schedule = {"kind": "cosine", "end": 0.1, "warmup_epochs": 1}
    optimizer = Optimizer.model_validate({"lr": 0.02, "schedule": schedule})
    states = []
    whole = list(run(optimizer=optimizer, seed=7, save=lambda state: states.append(state())))
    write_checkpoint(tmp_path / "c", states[step])
    after = []
    resumed = run(
        optimizer=optimizer,
        seed=7,
        resume=read_checkpoint(tmp_path / "c"),
        save=lambda state: after.append(state()),
    )
    assert list(resumed) == whole[step + 1 :]
    final, again = states[-1]["model"], after[-1]["model"]
    assert all(torch.equal(final[name], again[name]) for name in final)


def test_a_saved_state_does_not_change_while_training_goes_on():
    states = []
    trial = run(save=lambda state: states.append(state()))
    next(trial)
    before = {name: value.clone() for name, value in states[0]["model"].items()}
    next(trial)
    assert all(torch.equal(before[name], states[0]["model"][name]) for name in before)


def test_a_loss_that_is_not_finite_is_shown_and_nothing_crashes():
    measurements = list(run(LineTask(poison_at=2), epochs=4))
    assert [m.step for m in measurements] == [0, 1, 2, 3, 4]
    assert math.isfinite(measurements[2].metrics["val/error"])
    for measurement in measurements[3:]:
        assert math.isnan(measurement.metrics["train/loss"])
        assert math.isnan(measurement.metrics["train/first_loss"])
        assert math.isnan(measurement.metrics["val/error"])
        assert math.isfinite(measurement.metrics["train/sum_loss"])


def test_a_gradient_that_is_not_finite_is_shown_too():
    class BadGradient(LineTask):
        def loss(self, model, batch, moment):
            whole = super().loss(model, batch, moment)
            # The root of 0: a finite loss whose gradient is not.
            root = (model["trunk"](batch) * 0).sqrt().sum()
            return BatchLoss(parts={**whole.parts, "root": Part(root, 1.0)})

    last = list(run(BadGradient(), epochs=1))[-1].metrics
    assert not math.isfinite(last["train/grad_norm"])
    assert math.isnan(last["val/error"])


def test_gradients_are_clipped_but_reported_as_they_were():
    tight = Optimizer(lr=1e-4, max_grad_norm=1e-30)
    states = []
    # AdamW divides by the gradient's size plus 1e-8: next to that, gradients of 1e-30 move nothing.
    measurements = list(run(optimizer=tight, epochs=1, save=lambda state: states.append(state())))
    assert measurements[-1].metrics["train/grad_norm"] > 0.1
    before, after = states[0]["model"]["heads.bias"], states[1]["model"]["heads.bias"]
    assert torch.allclose(before, after, atol=1e-9)


def test_every_parameter_must_be_in_one_group():
    with pytest.raises(ValueError, match="each parameter of the model exactly once"):
        next(run(LineTask(groups=("trunk",))))


def test_weight_decay_leaves_biases_alone():
    states = []
    list(run(optimizer=Optimizer(lr=0.02), epochs=0, save=lambda state: states.append(state())))
    groups = states[0]["optimizer"]["param_groups"]
    assert [group["weight_decay"] for group in groups] == [Optimizer().weight_decay, 0.0]
    assert [len(group["params"]) for group in groups] == [2, 2]


def test_closing_early_is_clean():
    trial = run()
    next(trial)
    trial.close()
    assert list(trial) == []


class JudgedTask(LineTask):
    """Says which figures can be resampled, and counts how often it is asked."""

    asked = 0

    def evaluate(self, model, moment):
        return super().evaluate(model, moment) | {"train/error": 0.5} if not self.poison_at else {}

    def resamplable(self, model, moment):
        assert not model.training and not torch.is_grad_enabled()
        self.asked += 1
        return {"val/error": Resamplable(torch.arange(3), weighted_mean(torch.tensor([1.0, 2.0, 3.0])))}


def test_a_test_measures_once_and_renames_what_was_measured():
    states = []
    last = list(run(JudgedTask(), save=lambda state: states.append(state())))[-1]
    task, after = JudgedTask(), []
    (tested,) = run(task, resume=states[-1], purpose=Purpose.TEST, save=lambda state: after.append(state()))
    assert (tested.step, tested.metrics) == (4, {"test/error": last.metrics["val/error"]})
    assert tested.resamples.keys() == {"test/error"} and len(tested.resamples["test/error"]) == NUM_RESAMPLES
    assert task.asked == 1 and len(after) == 1
    assert all(torch.equal(value, states[-1]["model"][name]) for name, value in after[0]["model"].items())


def test_a_search_is_never_asked_for_resamples():
    task = JudgedTask()
    assert all(not measurement.resamples for measurement in run(task)) and task.asked == 0


def test_a_test_whose_outputs_are_not_finite_is_nan():
    states = []
    list(run(save=lambda state: states.append(state())))
    (tested,) = run(JudgedTask(poison_at=9), resume=states[-1], purpose=Purpose.TEST)
    assert tested.metrics.keys() == {"test/error"} and math.isnan(tested.metrics["test/error"])
    assert not tested.resamples


def test_a_test_needs_a_state():
    with pytest.raises(ValueError, match="measures the state that it resumes from"):
        next(run(purpose=Purpose.TEST))


def test_a_retraining_learns_as_a_search_does_and_measures_nothing():
    searched, retrained = [], []
    _, *measured = run(save=lambda state: searched.append(state()))
    untrained, *epochs = run(purpose=Purpose.RETRAIN, save=lambda state: retrained.append(state()))
    assert untrained.metrics == {} and [m.step for m in epochs] == [m.step for m in measured]
    for retraining, search in zip(epochs, measured, strict=True):
        assert retraining.metrics.keys() == search.metrics.keys() - {"val/error"}
    learned, again = searched[-1]["model"], retrained[-1]["model"]
    assert all(torch.equal(learned[name], again[name]) for name in learned)
