"""The incremental task as a whole, small: it learns, forgets, remembers, resumes, and does what its config says."""

import math

import pytest
import torch

from trainables.checkpoint import read_checkpoint, write_checkpoint
from trainables.contract import TrialContext
from trainables.data.errors import DataError
from trainables.data.images.images import ImageData, Images
from trainables.data.images.load import load_images
from trainables.data.images.sources import DigitsSource
from trainables.loop import Moment
from trainables.tasks.incremental.config import METRICS, Config
from trainables.tasks.incremental.task import IncrementalTask, train, train_lanes

TINY = {
    "epochs_per_step": 2,
    "batch_size": 32,
    "stream": {"num_steps": 3},
    "memory": {"per_class": 3},
    "sizes": {"width": 4, "embedding": 8},
    "loss_weights": {"ant": 1, "gap": 0.5},
}


def run(fields=None, **context):
    return list(train(Config.model_validate(TINY | (fields or {})), TrialContext(**context)))


@pytest.fixture(scope="module")
def whole():
    states = []
    measurements = run(seed=5, save=lambda state: states.append(state()))
    return measurements, states


def test_reports_all_that_applies(whole):
    reported = set().union(*(m.metrics for m in whole[0]))
    absent = {name for name in set(METRICS) - reported if "classification" not in name}
    assert reported <= set(METRICS)
    assert absent <= {f"val/accuracy_task_{j}" for j in range(4, 51)} | {"train/num_skipped_batches"}


def test_the_horizon_grows_step_by_step(whole):
    seen = [m.metrics["val/num_classes_seen"] for m in whole[0]]
    assert seen == [4, 4, 4, 7, 7, 10, 10]
    assert [m.metrics.get("train/step") for m in whole[0]] == [None, 1, 1, 2, 2, 3, 3]
    assert "val/forgetting" not in whole[0][2].metrics and "val/forgetting" in whole[0][3].metrics


def test_the_memory_grows_by_its_size_for_each_class(whole):
    assert [m.metrics["train/num_exemplars"] for m in whole[0][1:]] == [0, 0, 12, 12, 21, 21]


def test_the_average_is_over_the_last_measurement_of_each_step(whole):
    last = [whole[0][i].metrics["val/last_accuracy"] for i in (2, 4, 6)]
    assert whole[0][-1].metrics["val/average_accuracy"] == pytest.approx(sum(last) / 3)
    assert whole[0][-1].metrics["val/stream_accuracy"] == whole[0][-1].metrics["val/last_accuracy"]


@pytest.mark.parametrize("step", [1, 2, 3])
def test_resume_equals_uninterrupted_bit_for_bit_within_a_step_and_between_two(whole, step, tmp_path):
    measurements, states = whole
    write_checkpoint(tmp_path / "checkpoint", states[step])
    after = []
    again = run(
        seed=5,
        resume=read_checkpoint(tmp_path / "checkpoint"),
        save=lambda state: after.append(state()),
    )
    assert again == measurements[step + 1 :]
    assert all(torch.equal(value, after[-1]["model"][name]) for name, value in states[-1]["model"].items())


@pytest.mark.parametrize(
    "fields",
    [
        {"classifier": "linear"},
        {"positives": "views"},
        {"memory": {"per_class": 0}},
        {"memory": {"per_class": 1000, "choice": "random"}},
        {"stream": {"num_steps": 1}},
        {"stream": {"num_steps": 2, "base_classes": 8}},
        {"loss_weights": {"nce": 0, "ant": 1}, "ant": {"connected": True, "reference": "global"}},
        {"margin": {"kind": "gap_adaptive"}, "hard_negative_ratio": 0.01},
        {"ant": {"aggregation": "topk", "top": 4, "coverage": "both_views"}},
        {"ant": {"aggregation": "kept_only", "count_diagonal": True}},
        {"batch_size": 5000},
        {"warp": 0},
    ],
)
def test_every_variant_trains(fields):
    measurements = run({"epochs_per_step": 1, "stream": {"num_steps": 2}} | fields)
    last = measurements[-1].metrics
    assert set(last) <= set(METRICS)
    assert all(math.isfinite(value) for value in last.values())
    assert last["val/num_classes_seen"] == 10


def test_a_term_without_weight_leaves_no_trace():
    last = run({"epochs_per_step": 1, "loss_weights": {"nce": 1}})[-1].metrics
    assert not {"train/ant_loss", "train/violation_rate", "train/margin", "train/gap_loss"} & set(last)
    assert "train/nce_loss" in last and "train/hardest_negative_cosine" in last


def test_herding_keeps_items_of_past_classes_only():
    task = IncrementalTask(Config.model_validate(TINY), load_images(DigitsSource()), device="cpu")
    torch.manual_seed(0)
    model = task.build_model().eval()
    with torch.no_grad():
        task.begin_epoch(model, Moment(epoch=2, epochs=6, generator=torch.Generator()))
    assert task.labels_N[task.exemplars].bincount().tolist() == [3, 3, 3, 3]
    items = torch.cat(list(task.batches(Moment(epoch=2, epochs=6, generator=torch.Generator().manual_seed(0)))))
    assert items.tolist() == list(dict.fromkeys(items.tolist())) and int(items.max()) < len(task._items(1))
    assert set(task.labels_N[task._items(1)].tolist()) == set(range(7))


def test_without_exemplars_the_means_of_past_classes_stay_as_they_were():
    states = []
    run({"memory": {"per_class": 0}}, save=lambda state: states.append(state()["task"]))
    sizes = [0 if state["old_means"] is None else len(state["old_means"]) for state in states]
    assert sizes == [0, 0, 0, 4, 4, 7, 7]
    assert torch.equal(states[3]["old_means"], states[5]["old_means"][:4])


def test_outputs_that_are_not_finite_give_nan_and_no_crash(whole):
    broken = {**whole[1][1], "model": {**whole[1][1]["model"]}}
    broken["model"]["project.bias"] = torch.full((8,), math.nan)
    last = run(seed=5, resume=broken)[0].metrics
    assert math.isnan(last["val/stream_accuracy"])


def test_a_class_without_val_items_is_refused_before_training():
    some = Images(torch.rand(8, 1, 8, 8), torch.arange(8) % 4)
    data = ImageData(train=some, val=some, classes=("a", "b", "c", "d"))
    with pytest.raises(DataError, match="4 classes cannot be cut"):
        IncrementalTask(Config.model_validate({"stream": {"num_steps": 4}}), data, device="cpu")


def test_it_learns_and_exemplars_prevent_forgetting():
    fields = {"epochs_per_step": 4, "batch_size": 64, "stream": {"num_steps": 4}, "sizes": {"width": 8}}
    with_memory, without = (
        run(fields | {"memory": {"per_class": num}, "loss_weights": {"nce": 1}})[-1].metrics for num in (10, 0)
    )
    assert with_memory["val/last_accuracy"] > 0.65
    assert with_memory["val/last_accuracy"] > without["val/last_accuracy"] + 0.1
    assert with_memory["val/forgetting"] < without["val/forgetting"]


@pytest.mark.parametrize(
    "fields",
    [
        {"memory": {"per_class": 2, "choice": "random"}},
        {"memory": {"per_class": 0}, "classifier": "linear", "loss_weights": {"ant": 0.5}},
        {"margin": {"kind": "gap_adaptive"}, "loss_weights": {"ant": 0.5}, "positives": "views"},
    ],
)
def test_lanes_equal_trials_alone(fields):
    lanes = [{**fields, "optimizer": {"lr": lr}, "temperature": t} for lr, t in ((1e-3, 0.1), (3e-3, 0.3))]
    found = list(train_lanes([Config.model_validate(TINY | lane) for lane in lanes], [TrialContext() for _ in lanes]))
    for place, lane in enumerate(lanes):
        for step, expected in zip(found, run(lane), strict=True):
            assert step[place].metrics == pytest.approx(expected.metrics, rel=1e-3, abs=1e-4)


def test_lanes_go_on_with_exemplars_of_their_own():
    """Herding chooses by each lane's embeddings: a resume in a later step has other items in each lane."""
    lanes = [{"optimizer": {"lr": lr}} for lr in (1e-3, 3e-2)]
    states = [[], []]
    contexts = [TrialContext(save=lambda state, own=own: own.append(state())) for own in states]
    found = list(train_lanes([Config.model_validate(TINY | lane) for lane in lanes], contexts))
    chosen = [own[-1]["task"]["exemplars"] for own in states]
    assert chosen[0].shape == chosen[1].shape and not torch.equal(*chosen)
    later = [TrialContext(resume=own[3]) for own in states]
    rest = list(train_lanes([Config.model_validate(TINY | lane) for lane in lanes], later))
    assert [step[1].metrics for step in rest] == [step[1].metrics for step in found[4:]]
