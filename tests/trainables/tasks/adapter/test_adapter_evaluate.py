"""What is measured on val, of predictions whose quality is known."""

import pytest
import torch

from trainables.data.embeddings.embeddings import EmbeddingData, Embeddings
from trainables.data.embeddings.load import load_embeddings
from trainables.data.embeddings.sources import GeneratedEmbeddings
from trainables.models.adapters import AdapterShape, PlainAdapter
from trainables.tasks.adapter import evaluate
from trainables.tasks.adapter.config import Loss

SOURCE = GeneratedEmbeddings(dims=32, num_train=80, num_val=40, num_test=8)
DATA = load_embeddings(SOURCE)
TRUTH = DATA.val.targets["clip"].flatten(1)
BLIND = DATA.blind_targets["clip"].flatten().expand_as(TRUTH)


def test_the_class_blind_prediction_has_no_r_squared_and_the_notes_plateau():
    values = evaluate.regression("clip", BLIND, DATA)
    assert values["val/r2_clip"] == pytest.approx(0.0, abs=1e-6)
    assert values["val/mse_clip"] == values["val/class_blind_mse_clip"]
    assert 0.096 < values["val/mse_clip"] < 0.141
    floor = evaluate.geometry("clip", BLIND, DATA)["val/class_blind_floor_clip"]
    assert values["val/mse_clip"] == pytest.approx(floor, rel=1e-4)


def test_the_truth_explains_everything():
    values = evaluate.regression("clip", TRUTH, DATA) | evaluate.retrieval("clip", TRUTH, DATA)
    assert values["val/r2_clip"] == values["val/retrieval_accuracy_clip"] == 1.0
    assert values["val/cosine_retrieval_accuracy_clip"] == 1.0
    assert values["val/mse_worst_class_clip"] == 0.0
    assert values["val/class_mean_mse_clip"] == pytest.approx(0.0, abs=1e-9)


def test_errors_of_single_classes_are_found():
    wrong = TRUTH.clone()
    wrong[DATA.val.labels_N == 2] += 1.0
    values = evaluate.regression("clip", wrong, DATA)
    assert values["val/mse_clip_class_2"] == values["val/mse_worst_class_clip"] == pytest.approx(1.0, rel=1e-5)
    assert values["val/mse_clip_class_1"] == values["val/mse_best_class_clip"] == 0.0


def test_errors_are_reported_for_the_first_classes_only():
    data = load_embeddings(GeneratedEmbeddings(num_classes=20, dims=32, num_train=80, num_val=40, num_test=40))
    values = evaluate.regression("t5", data.val.targets["t5"].flatten(1), data)
    assert sum("_class_1" in name for name in values) == 7


def test_one_class_leaves_nothing_to_explain():
    data = load_embeddings(GeneratedEmbeddings(num_classes=1, dims=32, num_train=8, num_val=8, num_test=8))
    values = evaluate.regression("clip", data.val.targets["clip"].flatten(1), data)
    assert "val/r2_clip" not in values
    assert evaluate.over_spaces(values, ["clip"]) == {}


def test_variation_within_classes_is_what_the_class_does_not_tell():
    data = load_embeddings(SOURCE.model_copy(update={"within_class": 5.0}))
    class_means = data.class_targets["clip"][data.val.labels_N].flatten(1)
    values = evaluate.regression("clip", class_means, data)
    assert values["val/mse_clip"] == pytest.approx(values["val/class_mean_mse_clip"])
    assert values["val/class_mean_mse_clip"] == pytest.approx(25 / 768, rel=0.25)
    assert 0 < values["val/r2_clip"] < 0.9


def test_the_reach_of_a_fresh_norm():
    adapter = PlainAdapter(AdapterShape(inputs=32, hidden=8, outputs=768))
    values = evaluate.reach("clip", adapter, DATA)
    norm = evaluate.geometry("clip", TRUTH, DATA)["val/target_norm_clip"]
    assert values["val/norm_gain_clip"] == 1.0
    assert values["val/norm_floor_clip"] == pytest.approx((norm - 768**0.5) ** 2 / 768, rel=0.05)
    assert evaluate.reach("clip", PlainAdapter(AdapterShape(32, 8, 768, final_norm=False)), DATA) == {}


def test_the_contrastive_loss_stands_between_its_bounds():
    loss = Loss(contrastive_weight=1.0, similarity="distance")
    best, blind = (
        evaluate.contrastive("clip", predicted, DATA, loss=loss, batch_size=8) for predicted in (TRUTH, BLIND)
    )
    assert blind["val/clip_contrastive_chance"] == best["val/clip_contrastive_chance"]
    assert 0 <= best["val/clip_contrastive_position"] < 0.2
    assert 0.9 < blind["val/clip_contrastive_position"] < 1.1
    assert evaluate.contrastive("clip", TRUTH, DATA, loss=Loss(), batch_size=8) == {}


def test_batches_of_one_class_have_nothing_to_contrast():
    loss = Loss(contrastive_weight=1.0)
    assert evaluate.contrastive("clip", TRUTH, DATA, loss=loss, batch_size=1) == {}


def test_classes_without_items_in_val_are_counted():
    keep = DATA.val.labels_N != 3
    few = Embeddings(
        inputs_NSI=DATA.val.inputs_NSI[keep],
        targets={space: target[keep] for space, target in DATA.val.targets.items()},
        labels_N=DATA.val.labels_N[keep],
    )
    data = EmbeddingData(train=DATA.train, val=few, class_names=DATA.class_names)
    assert evaluate.classes(data) == {
        "val/num_classes": 4.0,
        "val/num_excluded_classes": 1.0,
        "val/chance_retrieval_accuracy": 0.25,
    }
    assert "val/mse_clip_class_3" not in evaluate.regression("clip", few.targets["clip"].flatten(1), data)


def test_raw_inputs_tell_the_class_as_far_as_they_are_separated():
    hard = load_embeddings(SOURCE.model_copy(update={"separation": 0.0}))
    assert evaluate.raw_retrieval(DATA) > 0.95
    assert evaluate.raw_retrieval(hard) < 0.55
    assert torch.equal(hard.val.labels_N, DATA.val.labels_N)
