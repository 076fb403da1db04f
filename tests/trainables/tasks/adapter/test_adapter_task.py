"""The adapter task as a whole, small: it learns, it resumes, it does what its config says."""

import math

import numpy as np
import pytest
import torch

from trainables.checkpoint import read_checkpoint, write_checkpoint
from trainables.contract import TrialContext
from trainables.data.errors import DataError
from trainables.tasks.adapter.config import METRICS, Config
from trainables.tasks.adapter.task import train

DATA = {
    "source": "generated",
    "num_train": 64,
    "num_val": 32,
    "num_test": 16,
    "dims": 32,
    "clip": {"dims": 32, "distance_low": 3.0, "distance_high": 4.0, "mean_norm": 6.0},
    "t5": {"positions": 3, "dims": 16, "distance_low": 3.0, "distance_high": 4.0, "mean_norm": 6.0},
}
TINY = {
    "epochs": 2,
    "batch_size": 8,
    "clip": {"adapter": {"hidden": 32}},
    "t5": {"adapter": {"hidden": 16}},
    "data": DATA,
}


def run(fields=None, **context):
    return list(train(Config.model_validate(TINY | (fields or {})), TrialContext(**context)))


def last(fields=None):
    return run(fields)[-1].metrics


@pytest.fixture(scope="module")
def whole():
    states = []
    return run(seed=5, save=lambda state: states.append(state())), states


def test_every_metric_is_announced_and_reported_at_every_step(whole):
    measurements, _ = whole
    assert set().union(*(m.metrics for m in measurements)) <= set(METRICS)
    steady = [{n for n in m.metrics if n.startswith("val/") and "raw" not in n} for m in measurements]
    assert steady[0] == steady[1] == steady[2]
    assert "val/raw_retrieval_accuracy" in measurements[0].metrics


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
        {"spaces": "clip", "t5": None},
        {"spaces": "t5", "clip": None},
        {"batches": "homogeneous"},
        {"clip": {"adapter": {"kind": "multi_head", "hidden": 8, "heads": 3}}},
        {"clip": {"adapter": {"kind": "residual", "hidden": 16, "dropout": 0.05, "norm": "group", "groups": 4}}},
        {"clip": {"adapter": {"hidden": 8, "final_norm": False}}},
        {"clip": {"loss": {"regression": "weighted_mse"}}},
        {"clip": {"loss": {"contrastive_weight": 0.1, "similarity": "distance"}}},
        {"clip": {"loss": {"contrastive_weight": 1.0, "regression_weight": 0.0}}},
        {"batch_size": 1000},
        {"data": DATA | {"num_classes": 1}},
        {"data": DATA | {"within_class": 1.0, "imbalance": 5.0, "num_classes": 6}},
    ],
)
def test_every_variant_trains(fields):
    chosen = {name: value for name, value in (TINY | {"epochs": 1} | fields).items() if value is not None}
    metrics = list(train(Config.model_validate(chosen), TrialContext()))[-1].metrics
    assert set(metrics) <= set(METRICS)
    assert all(math.isfinite(value) for value in metrics.values())


def test_it_learns_the_right_class_targets_beyond_the_class_blind_error():
    measurements = run({"epochs": 12, "clip": {"adapter": {"hidden": 32}, "optimizer": {"lr": 3e-3}}})
    untrained, trained = measurements[0].metrics, measurements[-1].metrics
    assert untrained["val/r2_clip"] < 0
    assert trained["val/r2_clip"] > 0.5
    assert trained["val/retrieval_accuracy_clip"] > 0.95 > 2 * trained["val/chance_retrieval_accuracy"]
    assert trained["val/mse_clip"] < trained["val/class_blind_mse_clip"]
    assert trained["train/r2_clip"] > 0.5


def test_inputs_that_do_not_tell_the_class_end_at_the_class_blind_error():
    blind = run({"epochs": 6, "data": DATA | {"separation": 0.0}, "clip": {"optimizer": {"lr": 3e-3}}})
    # Far below the first loss, and yet without any knowledge of the class.
    assert blind[-1].metrics["val/mse_clip"] < 0.35 * blind[0].metrics["val/mse_clip"]
    assert blind[-1].metrics["val/r2_clip"] < 0.05
    assert blind[-1].metrics["val/retrieval_accuracy_clip"] < 0.6


def test_targets_longer_than_the_final_norm_gives_are_reached_by_its_gain_and_bias():
    long = DATA | {"clip": {"dims": 32, "distance_low": 3.0, "distance_high": 4.0, "mean_norm": 12.0}}
    measurements = run({"epochs": 30, "data": long, "clip": {"optimizer": {"lr": 1e-2}}})
    first, last_one = measurements[0].metrics, measurements[-1].metrics
    # A fresh norm gives outputs of length sqrt(32) = 5.7, and no weights before it can change that.
    assert first["val/output_norm_clip"] == pytest.approx(32**0.5, rel=0.01)
    assert first["val/norm_floor_clip"] == pytest.approx((first["val/target_norm_clip"] - 32**0.5) ** 2 / 32, rel=0.05)
    assert last_one["val/norm_floor_clip"] < 0.05 * first["val/norm_floor_clip"]
    assert last_one["val/mse_clip"] < 0.2 * first["val/norm_floor_clip"]


def test_batches_are_of_all_classes_or_of_one():
    mixed, single = (last({"batches": kind}) for kind in ("heterogeneous", "homogeneous"))
    assert mixed["train/classes_per_batch"] > 2
    assert mixed["train/batch_class_blind_mse_clip"] > 0
    assert single["train/classes_per_batch"] == 1.0
    # A batch of one class has a constant target.
    assert single["train/batch_class_blind_mse_clip"] == pytest.approx(0.0, abs=1e-9)


def test_each_space_has_its_own_rate_and_schedule():
    fields = {
        "clip": {"optimizer": {"lr": 1e-2, "schedule": {"kind": "linear", "end": 0.1}}},
        "t5": {"optimizer": {"lr": 1e-4}},
    }
    measurements = run(fields)
    rates = [(m.metrics["train/lr_clip"], m.metrics["train/lr_t5"]) for m in measurements[1:]]
    assert rates[0][0] > rates[1][0]
    assert rates[0][1] == rates[1][1] == pytest.approx(1e-4)


def test_one_space_does_not_depend_on_the_weight_decay_of_the_other():
    heavy, none = (
        last({"max_grad_norm": 1e6, "t5": {"adapter": {"hidden": 16}, "optimizer": {"weight_decay": decay}}})
        for decay in (1.0, 0.0)
    )
    assert heavy["val/mse_clip"] == none["val/mse_clip"]
    assert heavy["val/mse_t5"] != none["val/mse_t5"]


def test_the_weighted_loss_differs_where_classes_are_unbalanced():
    unbalanced = DATA | {"imbalance": 10.0}
    fields = {"spaces": "clip", "data": unbalanced}
    base = {name: value for name, value in TINY.items() if name != "t5"}
    losses = [
        list(train(Config.model_validate(base | fields | {"clip": {"loss": {"regression": kind}}}), TrialContext()))
        for kind in ("mse", "weighted_mse")
    ]
    plain, weighted = (m[1].metrics for m in losses)
    assert plain["train/clip_regression_loss"] == pytest.approx(plain["train/mse_clip"])
    assert weighted["train/clip_regression_loss"] != pytest.approx(weighted["train/mse_clip"], rel=1e-3)


def test_a_diverging_trial_shows_it():
    metrics = last({"clip": {"adapter": {"final_norm": False}, "optimizer": {"lr": 1.0}}, "max_grad_norm": 1e30})
    assert metrics["val/r2_clip"] < -1 or math.isnan(metrics["val/r2_clip"])


def test_outputs_that_are_not_finite_give_nan_and_no_crash(whole):
    broken = {**whole[1][0], "model": {**whole[1][0]["model"]}}
    broken["model"]["adapters.clip.final_norm.bias"] = torch.full((32,), math.inf)
    metrics = run(resume=broken)[-1].metrics
    assert math.isnan(metrics["val/r2_clip"])


@pytest.fixture
def own_file(tmp_path):
    rng = np.random.default_rng(0)
    path = tmp_path / "own.npz"
    classes = np.array([f"class {i % 3}" for i in range(30)])
    targets = rng.normal(size=(3, 8)).astype(np.float32)[np.arange(30) % 3]
    split = np.array(["train"] * 20 + ["val"] * 10)
    np.savez(
        path, inputs=rng.normal(size=(30, 6)).astype(np.float32), targets_clip=targets, classes=classes, split=split
    )
    return {"source": "files", "path": str(path)}


def without_t5(fields):
    return {name: value for name, value in TINY.items() if name != "t5"} | {"spaces": "clip"} | fields


def test_own_embeddings_of_one_class_have_nothing_to_contrast(own_file):
    arrays = dict(np.load(own_file["path"]))
    np.savez(own_file["path"], **arrays | {"classes": np.zeros(30, np.int64)})
    fields = without_t5({"data": own_file, "clip": {"loss": {"contrastive_weight": 1.0}}})
    with pytest.raises(DataError, match="one class only, '0': there is nothing to contrast"):
        next(iter(train(Config.model_validate(fields), TrialContext())))


def test_own_embeddings_train(own_file):
    fields = without_t5({"data": own_file, "epochs": 1})
    assert "val/r2_clip" in list(train(Config.model_validate(fields), TrialContext()))[-1].metrics


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"spaces": "both"}, "no targets_t5"),
        ({"clip": {"adapter": {"kind": "residual"}}}, "clip.adapter does not fit the data: kind is residual.* 6 and 8"),
        (
            {"clip": {"adapter": {"norm": "group", "groups": 16}}},
            "groups is 16: it must divide the target's channels, 8",
        ),
    ],
)
def test_a_config_that_does_not_fit_own_embeddings_is_refused(own_file, fields, message):
    config = Config.model_validate(without_t5({"data": own_file}) | fields)
    with pytest.raises(DataError, match=message):
        next(iter(train(config, TrialContext())))
