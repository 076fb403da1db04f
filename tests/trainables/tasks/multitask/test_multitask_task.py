"""The multitask task as a whole, small: it learns, it resumes, it does what its config says."""

import math

import numpy as np
import pytest
import torch

from trainables.checkpoint import read_checkpoint, write_checkpoint
from trainables.contract import TrialContext
from trainables.data.errors import DataError
from trainables.data.pairs.pairs import PairedData, RawPairs, tokenize
from trainables.data.pairs.tokenizer import Tokenizer
from trainables.loop import run_trial
from trainables.tasks.multitask.config import METRICS, Config
from trainables.tasks.multitask.task import MultitaskTask, train

TINY = {
    "epochs": 2,
    "batch_size": 8,
    "data": {"source": "angiogram", "num_train": 24, "num_val": 16, "num_test": 8, "num_frames": 2},
    "sizes": {"width": 16, "embedding": 16, "heads": 2},
    "evaluation": {"num_captions": 4, "caption_tokens": 5},
}


def run(fields=None, **context):
    return list(train(Config.model_validate(TINY | (fields or {})), TrialContext(**context)))


@pytest.fixture(scope="module")
def whole():
    states = []
    measurements = run(seed=5, save=lambda state: states.append(state()))
    return measurements, states


def test_reports_all_that_applies_to_angiograms(whole):
    reported = set().union(*(m.metrics for m in whole[0]))
    absent = set(METRICS) - reported
    assert reported <= set(METRICS)
    optional = ("patch_contrastive", "stenosis", "class_", "raw_pixel", "anchor", "excluded_items", "skipped")
    assert all(any(part in name for part in optional) for name in absent)


def test_the_same_val_metrics_at_every_step(whole):
    def steady(measurement):
        # Precision and the mean error are undefined while no text names a finding.
        return {name for name in measurement.metrics if name.startswith("val/") and "stenosis" not in name}

    assert len({frozenset(steady(m)) for m in whole[0]}) == 1


@pytest.mark.parametrize("step", [0, 1])
def test_resume_equals_uninterrupted_bit_for_bit(whole, step, tmp_path):
    measurements, states = whole
    write_checkpoint(tmp_path / "checkpoint", states[step])
    after = []
    again = run(seed=5, resume=read_checkpoint(tmp_path / "checkpoint"), save=lambda state: after.append(state()))
    assert again == measurements[step + 1 :]
    assert all(torch.equal(value, after[-1]["model"][name]) for name, value in states[-1]["model"].items())


@pytest.mark.parametrize(
    "fields",
    [
        {"contrastive": "siglip"},
        {"contrastive": "supcon"},
        {"contrastive": "gated_softmax"},
        {"sizes": {"width": 16, "heads": 2, "stem": "deep"}},
        {"temperature": {"kind": "learned"}},
        {"margin": {"kind": "cosine", "end": 0.3}, "hard_negative_ratio": 0.3},
        {"loss_weights": {"patch_contrastive": 0.5}},
        {"loss_weights": {"captioning": 0, "masked_modeling": 0}},
        {"loss_weights": {"contrastive": 0}},
        {"sizes": {"width": 16, "heads": 2, "video_layers": 0, "text_layers": 0}},
        {"evaluation": {"num_captions": 0}},
        {"batch_size": 1000},
    ],
)
def test_every_variant_trains(fields):
    measurements = run({"epochs": 1} | fields)
    last = measurements[-1].metrics
    assert set(last) <= set(METRICS)
    assert all(math.isfinite(value) for value in last.values())
    assert 0 <= last["val/contrastive_floor"] < last["val/contrastive_chance"]


def test_a_task_without_weight_is_not_trained_but_measured():
    last = run({"epochs": 1, "loss_weights": {"captioning": 0}})[-1].metrics
    assert "train/captioning_loss" not in last and "val/captioning_loss" in last


@pytest.mark.parametrize(
    ("weights", "percent"), [((0.8, 1.2, 0.5), (32, 48, 20)), ((2.0, 0.3, 0.1), (83.33, 12.5, 4.17))]
)
def test_the_true_shares_of_note_002_s_weights(weights, percent):
    """The note prints 31 and 46 % for the first, 67 and 10 % for the second."""
    tasks = ("contrastive", "captioning", "masked_modeling")
    last = run({"epochs": 1, "loss_weights": dict(zip(tasks, weights, strict=True))})[-1].metrics
    assert [100 * last[f"train/weight_share_{task}"] for task in tasks] == pytest.approx(percent, abs=0.01)
    for kind in ("loss", "grad"):
        assert sum(last[f"train/{kind}_share_{task}"] for task in tasks) == pytest.approx(1)


def test_siglip_learns_its_scale_and_bias():
    states = []
    run({"contrastive": "siglip"}, save=lambda state: states.append(state()))
    for name in ("contrast.log_scale", "contrast.bias"):
        assert states[0]["model"][name] != states[-1]["model"][name]


def test_a_diverging_trial_shows_it():
    last = run({"epochs": 1, "optimizer": {"lr": 1.0}, "temperature": {"start": 1e-45}})[-1].metrics
    assert not math.isfinite(last["train/loss"])
    assert math.isnan(last["val/recall_at_1"])


def test_outputs_that_are_not_finite_give_nan_and_no_crash(whole):
    broken = {**whole[1][0], "model": {**whole[1][0]["model"]}}
    broken["model"]["video_head.project.bias"] = torch.full((16,), math.inf)
    last = run({"epochs": 1, "loss_weights": {"contrastive": 0}}, resume=broken)[-1].metrics
    assert math.isfinite(last["train/loss"])
    assert math.isnan(last["val/recall_at_1"])


def test_it_learns_to_match_videos_and_reports():
    fields = {
        "epochs": 8,
        "batch_size": 16,
        "optimizer": {"lr": 2e-3},
        "data": {"source": "angiogram", "num_train": 256, "num_val": 64, "num_test": 8, "num_frames": 4},
        "sizes": {"width": 32, "embedding": 32},
        "evaluation": {"num_captions": 0},
    }
    measurements = run(fields)
    untrained, best = measurements[0].metrics, max(m.metrics["val/recall_at_1"] for m in measurements[1:])
    assert best >= 5 * untrained["val/chance_recall_at_1"]
    assert best >= 3 * untrained["val/recall_at_1"]
    last = measurements[-1].metrics
    for falling in (
        "val/contrastive_loss",
        "val/captioning_loss",
        "val/masked_modeling_loss",
        "val/contrastive_position",
    ):
        assert last[falling] < untrained[falling]
    assert last["val/matched_cosine"] > last["val/unmatched_cosine"] + 0.2


def test_a_hot_temperature_leaves_the_loss_between_its_floor_and_chance():
    last = run({"temperature": {"start": 10.0}})[-1].metrics
    assert last["val/contrastive_chance"] - last["val/contrastive_floor"] < 0.15
    assert last["val/contrastive_floor"] <= last["val/contrastive_loss"] <= last["val/contrastive_chance"] + 0.02


def classed(*, train, val, epochs=1):
    """A task on pictures of the given classes, on made-up data in the place of Omniglot."""
    rng = np.random.default_rng(0)

    def pairs(labels):
        pictures = np.stack([np.roll(np.eye(16, dtype=np.float32), label, axis=1) for label in labels])[:, None]
        noisy = np.clip(pictures + 0.1 * rng.random(pictures.shape, dtype=np.float32), 0, 1)
        return RawPairs(videos=noisy, texts=[f"drawing {i % 5}" for i in range(len(labels))], labels=labels)

    words = Tokenizer.fit(["drawing 0 1 2 3 4"])
    parts = [tokenize(pairs(labels), words) for labels in (train, val)]
    data = PairedData(train=parts[0], val=parts[1], tokenizer=words, longest=parts[0].tokens_NL.shape[1])
    fields = {
        "epochs": epochs,
        "batch_size": 8,
        "items_per_class": 2,
        "optimizer": {"lr": 5e-3},
        "loss_weights": {"contrastive": 0, "captioning": 0.1, "masked_modeling": 0, "class_contrastive": 2.0},
        "sizes": {"width": 16, "embedding": 8, "heads": 2, "stem": "deep"},
        "evaluation": {"num_captions": 0},
        "data": {"source": "omniglot", "root": "not read"},
    }
    config = Config.model_validate(fields)
    task = MultitaskTask(config, data, device="cpu")
    return list(run_trial(task, optimizer=config.optimizer, epochs=epochs, context=TrialContext(seed=0)))


def test_classes_attract():
    measurements = classed(train=[i // 4 for i in range(32)], val=[i // 3 for i in range(12)], epochs=8)
    untrained, last = measurements[0].metrics, measurements[-1].metrics
    assert set(last) <= set(METRICS)
    assert last["train/positives_per_anchor"] == 1.0
    assert last["train/anchors_without_positive_fraction"] == last["train/num_excluded_items"] == 0.0
    assert last["train/class_contrastive_loss"] < measurements[1].metrics["train/class_contrastive_loss"]
    assert last["val/class_contrastive_loss"] < untrained["val/class_contrastive_loss"]
    assert untrained["val/class_contrastive_floor"] < untrained["val/class_contrastive_chance"]
    assert last["val/num_class_queries"] == 12


def test_lone_items_are_counted():
    last = classed(train=[0, 0, 1, 1, 2, 2, 3, 3, 4], val=[0, 0, 1, 1, 2])[-1].metrics
    assert last["train/num_excluded_items"] == 1
    assert (last["val/num_class_queries"], last["val/num_excluded_class_queries"]) == (4, 1)


@pytest.mark.parametrize(
    ("train", "val", "message"),
    [
        ([0, 0, 1, 1], [0, 1, 2], "val of data.source omniglot: no two items are of one class"),
        ([0, 0, 1, 2], [0, 0, 1, 1], "train of data.source omniglot: the largest of 3 classes has 2 items"),
        ([0, 0, 1, 1], [0, 0, 1, 2], "val of data.source omniglot: the largest of 3 classes has 2 items"),
    ],
)
def test_classes_that_cannot_be_compared_are_refused(train, val, message):
    with pytest.raises(DataError, match=message):
        classed(train=train, val=val)


def test_videos_of_an_impossible_size_are_refused(tmp_path):
    np.save(tmp_path / "videos.npy", np.random.default_rng(0).random((8, 2, 20, 16), dtype=np.float32))
    lines = [f"{'train' if i < 5 else 'val'}\ttext {i}" for i in range(8)]
    (tmp_path / "texts.txt").write_text("\n".join(lines))
    with pytest.raises(DataError, match="20 x 16 pixels; expected multiples of 8"):
        run({"data": {"source": "files", "root": str(tmp_path)}})
