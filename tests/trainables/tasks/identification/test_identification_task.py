"""The identification task as a whole, small: it learns, it resumes, and each setting shows in what it reports."""

import math

import numpy as np
import pytest

from trainables.checkpoint import read_checkpoint, write_checkpoint
from trainables.contract import TrialContext
from trainables.data.errors import DataError
from trainables.tasks.identification.choices import LossKind
from trainables.tasks.identification.config import METRICS, Config
from trainables.tasks.identification.task import train

DATA = {"source": "simulated", "num_train": 8, "num_val": 6, "num_test": 2, "duration_s": 6.0}
TINY = {
    "epochs": 2,
    "batches_per_epoch": 3,
    "people_per_batch": 4,
    "records_per_person": 3,
    "sizes": {"width": 4, "embedding": 8},
    "augment": {"windows_per_item": 2},
    "data": DATA,
}


def run(fields=None, **context):
    return list(train(Config.model_validate({**TINY, **(fields or {})}), TrialContext(**context)))


@pytest.mark.parametrize("loss", list(LossKind))
def test_every_loss_trains_and_reports(loss):
    measurements = run({"loss": loss})
    reported = set().union(*(m.metrics for m in measurements))
    assert reported <= set(METRICS)
    name = "triplet" if "triplet" in loss else loss.value
    last = measurements[-1].metrics
    assert {f"val/{name}_loss", f"val/{name}_position", f"train/{name}_loss", "val/rank_at_1"} <= last.keys()
    assert all(math.isfinite(value) for value in last.values())


@pytest.mark.parametrize("mining", ["random", "semi_hard", "hard", "full_hard", "farthest"])
def test_every_way_of_mining_is_done_as_asked(mining):
    last = run({"loss": "contrastive", "negative_mining": mining})[-1].metrics
    fraction = last["train/mining_requested_fraction"]
    assert fraction == 1.0 or (mining == "semi_hard" and fraction + last["train/mining_fallback_empty_window"] == 1.0)
    place = last["train/negative_percentile"]
    low, high = {"farthest": (1, 1), "hard": (0, 0), "full_hard": (0, 0.2)}.get(mining, (0, 1))
    assert low <= place <= high


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"memory_size": 12, "memory_warmup_steps": 2},
        {"negative_mining": "full_hard", "mining_refresh_epochs": 2, "epochs": 3},
        {"negative_mining": "hard", "mining_embeddings": "epoch", "mining_refresh_epochs": 2, "epochs": 3},
    ],
    ids=["plain", "memory", "full_hard", "old_embeddings"],
)
def test_resume_equals_uninterrupted_bit_for_bit(fields, tmp_path):
    states = []
    whole = run(fields, seed=5, save=lambda state: states.append(state()))
    write_checkpoint(tmp_path / "checkpoint", states[1])
    assert run(fields, seed=5, resume=read_checkpoint(tmp_path / "checkpoint")) == whole[2:]


def test_it_learns():
    source = {**DATA, "num_train": 16, "num_val": 10, "day_variation": 0.5}
    fields = {"epochs": 4, "batches_per_epoch": 15, "people_per_batch": 8, "data": source}
    measurements = run({**fields, "sizes": {"width": 8, "embedding": 16}})
    first, last = measurements[0].metrics, measurements[-1].metrics
    assert last["val/mean_average_precision"] > first["val/mean_average_precision"] + 0.02
    assert last["val/auc"] > first["val/auc"]
    assert last["train/supcon_loss"] < measurements[1].metrics["train/supcon_loss"]


def test_raw_beats_are_measured_once():
    measurements = run()
    assert "val/raw_rank_at_1" in measurements[0].metrics
    assert all("val/raw_rank_at_1" not in m.metrics for m in measurements[1:])


def test_fixed_windows_and_mean_embeddings():
    fields = {"windows": {"kind": "fixed", "length_ms": 800}, "evaluation": {"record": "mean"}}
    measurements = run({**fields, "augment": {"windows_per_item": 1, "noise": 0.1}})
    assert "val/raw_rank_at_1" not in measurements[0].metrics
    assert measurements[-1].metrics["val/rank_at_1"] >= 0


def test_repeated_records_are_on_record():
    many = {"records_per_person": 6, "sampling": "with_replacement"}
    last = run(many)[-1].metrics
    assert last["train/distinct_items_fraction"] < 0.9
    assert run()[-1].metrics["train/distinct_items_fraction"] == 1.0


@pytest.mark.parametrize(
    ("fields", "what"),
    [
        ({"records_per_person": 5}, "records_per_person 5 do not fit.*5 items of each class, but the largest"),
        ({"people_per_batch": 9}, "people_per_batch 9 .* do not fit.*9 classes in a batch, but 8"),
        ({"data": {**DATA, "records_per_day": 1, "days": 1}}, "no valid query, none of 6 people has two records"),
    ],
)
def test_batches_and_queries_that_cannot_be_made_are_refused(fields, what):
    with pytest.raises(DataError, match=what):
        run(fields)


def test_diverging_is_not_a_number_and_does_not_raise():
    measurements = run({"optimizer": {"lr": 1.0, "max_grad_norm": 1e30}, "augment": {"noise": 10.0}})
    assert all(not np.isinf(value) for m in measurements for value in m.metrics.values())


def test_people_with_one_record_are_counted(tmp_path):
    from trainables.data.errors import Split
    from trainables.data.recordings.simulated import RATE_HZ, list_simulated
    from trainables.data.recordings.sources import SimulatedSource

    records = [entry.read() for entry in list_simulated(SimulatedSource(num_train=8, duration_s=6), Split.TRAIN)]
    kept = records[:1] + records[4:]
    lines = [f"{record.person},r{place},{record.day}" for place, record in enumerate(kept)]
    (tmp_path / "index.csv").write_text("\n".join(["person,record,date", *lines]))
    np.savez(tmp_path / "signals.npz", **{f"r{place}": record.signal_CT for place, record in enumerate(kept)})
    data = {"source": "files", "root": str(tmp_path), "rate_hz": RATE_HZ, "num_val_people": 3}
    found = [run({"data": {**data, "fold": fold}})[-1].metrics for fold in (0, 1)]
    alone = [m["train/num_excluded_people"] + m["val/num_excluded_queries"] for m in found]
    assert alone == [1.0, 1.0]
