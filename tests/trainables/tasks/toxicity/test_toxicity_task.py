"""The toxicity task as a whole, small: it learns, it resumes, and absent tasks do what the config says."""

import math

import pytest
import torch

from trainables.checkpoint import read_checkpoint, write_checkpoint
from trainables.contract import TrialContext
from trainables.data.errors import DataError
from trainables.data.texts.load import load_texts
from trainables.loop import Moment
from trainables.tasks.toxicity.config import METRICS, Config
from trainables.tasks.toxicity.task import ToxicityTask, train, train_lanes

TINY = {
    "epochs": 2,
    "batch_size": 16,
    "optimizer": {"lr": 5e-3},
    "sizes": {"width": 16, "heads": 2, "buckets": 512, "dropout": 0.0, "word_dropout": 0.0},
    "data": {"source": "generated", "num_train": 160, "num_val": 60, "num_test": 40, "misspelt_fraction": 0},
}
ONE_TASK = {"batching": {"labels": "one_task", "run_length": 3}}


def run(fields=None, **context):
    return list(train(Config.model_validate(TINY | (fields or {})), TrialContext(**context)))


def built(fields=None):
    config = Config.model_validate(TINY | (fields or {}))
    task = ToxicityTask(config, load_texts(config.data), device="cpu")
    torch.manual_seed(0)
    return task, task.build_model()


def moment(epoch=0.0):
    return Moment(epoch=epoch, epochs=2, generator=torch.Generator().manual_seed(1))


@pytest.fixture(scope="module")
def whole():
    states = []
    return run(ONE_TASK, seed=5, save=lambda state: states.append(state())), states


def test_reports_all_that_is_announced_for_its_data(whole):
    reported = set().union(*(m.metrics for m in whole[0]))
    assert reported <= set(METRICS)
    expected = {name for name in METRICS if not any(t in name for t in ("kind", "hate_vote", "clean_vote", "disputed"))}
    # With one task a batch no two gradients can be compared.
    assert {name for name in expected - reported if "grad_cosine" not in name} <= {"train/num_skipped_batches"}


def test_it_learns():
    measured = run({"epochs": 5, "optimizer": {"lr": 2e-2}, "data": TINY["data"] | {"num_train": 320}})
    assert measured[-1].metrics["val/macro_f1"] > measured[0].metrics["val/macro_f1"] + 0.2
    assert measured[-1].metrics["val/sarcastic_position"] < 0.7


def test_resume_in_the_middle_of_an_absence_equals_uninterrupted(whole, tmp_path):
    measurements, states = whole
    write_checkpoint(tmp_path / "checkpoint", states[1])
    assert run(ONE_TASK, seed=5, resume=read_checkpoint(tmp_path / "checkpoint")) == measurements[2:]


def test_tasks_take_turns_over_the_epochs():
    task, _ = built(ONE_TASK)
    turns = []
    for epoch in (0.0, 1.0):
        for batch in task.batches(moment(epoch)):
            turns += [(batch.labels_BT >= 0).any(dim=0).nonzero().flatten().tolist()]
    assert turns == [[number // 3 % 4] for number in range(20)]


@pytest.mark.parametrize(("absent", "gradient", "drift"), [("frozen", 0, 0), ("masked", 0, 1), ("phantom", 1, 1)])
def test_absent_tasks(absent, gradient, drift):
    last = run({**ONE_TASK, "weighting": {"absent": absent}})[-1].metrics
    assert last["train/batches_since_seen_toxic"] >= 9
    assert (last["train/absent_gradient_toxic"] > 0) == gradient
    assert (last["train/absent_drift_toxic"] != 0) == drift


def test_frozen_parameters_are_bit_identical_through_an_absence():
    config = Config.model_validate(TINY | {"batching": {"labels": "one_task", "run_length": 1000}})
    states = []
    list(train(config, TrialContext(save=lambda state: states.append(state()))))
    first, last = states[0]["model"], states[-1]["model"]
    moved = {name for name in first if not torch.equal(first[name], last[name])}
    assert "uncertainties.log_variance.toxic" in moved
    assert not any("sentiment" in name or "emotion" in name or "sarcastic" in name for name in moved)


def test_a_batch_without_any_label_is_skipped_and_counted(tmp_path):
    rows = [f"text {i},train,{i % 2 if i < 3 else ''}" for i in range(40)]
    path = tmp_path / "own.csv"
    path.write_text("\n".join(["text,split,mood", *rows, "hello,val,0", "bye,val,1"]))
    data = {"source": "files", "path": str(path), "labels": [{"column": "mood", "classes": ["0", "1"]}]}
    last = run({"batch_size": 4, "data": data})[-1].metrics
    assert last["train/num_skipped_batches"] >= 7
    assert math.isfinite(last["train/loss"])
    assert {"val/macro_f1_mood", "val/mood_loss", "train/task_precision_mood"} <= last.keys()


def test_an_epoch_without_any_step_ends_well(tmp_path):
    path = tmp_path / "own.csv"
    path.write_text("text,split,a\nx,train,0\ny,train,1\nz,val,0\nw,val,1")
    labels = [{"column": "a", "classes": ["0", "1"]}]
    data = {"source": "files", "path": str(path), "labels": labels}
    assert len(run({"batch_size": 2, "data": data})) == 3


def test_the_loss_is_the_mean_over_present_labels():
    task, model = built({"weighting": {"kind": "equal"}, "focal": {"gamma": 0.0, "balance": 0.0}})
    batch = next(iter(task.batches(moment())))
    loss = task.loss(model.eval(), batch, moment())
    words = task.data.train.words_NL[batch.rows_B]
    logits = model.texts(words, task.data.train.pieces_VP)
    for number, name in enumerate(task.names):
        target = batch.labels_BT[:, number]
        assert (target < 0).any()
        expected = torch.nn.functional.cross_entropy(logits[name], target, ignore_index=-1)
        torch.testing.assert_close(loss.parts[name].loss, expected)


@pytest.mark.parametrize("weighting", [{"kind": "equal"}, {"kind": "fixed", "weights": {"toxic": 3.0, "emotion": 0.0}}])
def test_weights_that_are_not_learned(weighting):
    last = run({"weighting": weighting})[-1].metrics
    assert not any("precision_" in name and name.startswith("train/") for name in last)
    assert ("train/emotion_loss" in last) == (weighting["kind"] == "equal")


def test_learned_weights_stay_within_the_clamp():
    last = run({"weighting": {"clamp": 0.1}, "uncertainty": {"lr": 0.5}})[-1].metrics
    assert all(
        math.exp(-0.1) <= last[f"train/task_precision_{t}"] <= math.exp(0.1) + 1e-6 for t in ("toxic", "emotion")
    )


def test_not_finite_outputs_are_reported_as_nan():
    last = run({"optimizer": {"lr": 1.0, "max_grad_norm": 1e30}, "uncertainty": {"lr": 1.0}})[-1].metrics
    assert "val/macro_f1" in last


def test_missing_files_are_named(tmp_path):
    with pytest.raises(DataError, match="no such file"):
        run({"data": {"source": "tweets", "root": str(tmp_path)}})


@pytest.mark.parametrize("absent", ["frozen", "masked"])
def test_lanes_keep_the_record_of_absent_tasks_each_for_itself(absent):
    lanes = [{"uncertainty": {"lr": lr}, "weighting": {"absent": absent}} | ONE_TASK for lr in (1e-3, 0.1)]
    assert_lanes_equal_trials_alone(lanes)


def test_lanes_with_weights_of_their_own():
    weights = [{"toxic": 3.0, "emotion": 0.0}, {"toxic": 0.5, "emotion": 0.0}]
    assert_lanes_equal_trials_alone([{"weighting": {"kind": "fixed", "weights": own}} for own in weights])


def assert_lanes_equal_trials_alone(lanes):
    configs = [Config.model_validate(TINY | lane) for lane in lanes]
    found = list(train_lanes(configs, [TrialContext() for _ in configs]))
    for place, lane in enumerate(lanes):
        for step, expected in zip(found, run(lane), strict=True):
            assert step[place].metrics == pytest.approx(expected.metrics, rel=1e-3, abs=1e-4)
