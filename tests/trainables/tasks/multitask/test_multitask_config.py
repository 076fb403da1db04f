"""What the multitask task can be told."""

import pytest
from pydantic import ValidationError

from trainables.tasks.multitask.config import METRICS, Config

OMNIGLOT = {"source": "omniglot", "root": "somewhere"}


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        (
            {"contrastive": "siglip", "temperature": {"start": 0.2}},
            "temperature is not read when contrastive is siglip",
        ),
        ({"siglip": {"scale": 5}}, "siglip is not read when contrastive is clip"),
        ({"contrastive": "triplet"}, "'clip', 'siglip', 'supcon' or 'gated_softmax'"),
        ({"sizes": {"width": 64, "heads": 3}}, "multiple of sizes.heads, 3"),
        ({"epochs": 3, "margin": {"kind": "linear", "end": 0.3, "warmup_epochs": 3}}, "must be below epochs, 3"),
        ({"loss_weights": {"contrastive": 0, "captioning": 0, "masked_modeling": 0}}, "all 0"),
        ({"loss_weights": {"contrastive": -1}}, "greater than or equal to 0"),
        ({"hard_negative_ratio": 0}, "greater than 0"),
        ({"data": {"source": "omniglot"}}, "Field required"),
        ({"data": {"source": "imagenet"}}, "'angiogram', 'omniglot', 'files'"),
        ({"data": {"source": "angiogram", "root": "x"}}, "Extra inputs"),
        ({"learning_rate": 1e-3}, "Extra inputs"),
        ({"contrastive": "gated_softmax", "margin": {"start": 0.1}}, "margin is not read when contrastive is gated"),
        ({"loss_weights": {"class_contrastive": 1}}, "class_contrastive needs a source with classes: data.source ang"),
        ({"items_per_class": 2}, "items_per_class needs a source with classes"),
        ({"items_per_class": 3, "data": OMNIGLOT}, "batch_size is 32: it must be several times items_per_class, 3"),
        ({"items_per_class": 32, "data": OMNIGLOT}, "several times items_per_class, 32"),
        ({"batch_size": 1}, "greater than or equal to 2"),
    ],
)
def test_refuses(fields, message):
    with pytest.raises(ValidationError, match=message):
        Config.model_validate(fields)


def test_note_002_s_broken_and_repaired_settings_can_be_expressed():
    broken = Config.model_validate(
        {
            "loss_weights": {"contrastive": 0.8, "captioning": 1.2, "masked_modeling": 0.5, "patch_contrastive": 0.4},
            "temperature": {"start": 10.0},
            "optimizer": {"max_grad_norm": 0.5},
            "batch_size": 20,
        }
    )
    assert broken.loss_weights.captioning > broken.loss_weights.contrastive
    repaired = Config()
    assert (repaired.loss_weights.contrastive, repaired.loss_weights.captioning) == (2.0, 0.3)
    assert (repaired.temperature.start, repaired.optimizer.max_grad_norm) == (0.1, 1.0)
    assert repaired.loss_weights.patch_contrastive == 0


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"contrastive": "siglip", "siglip": {"bias": -5}},
        {"contrastive": "supcon"},
        {"contrastive": "gated_softmax"},
    ],
)
def test_a_dump_can_be_validated_again(fields):
    config = Config.model_validate(fields)
    assert Config.model_validate(config.model_dump(mode="json")) == config


def test_every_metric_has_a_one_line_meaning():
    assert all(meaning and "\n" not in meaning for meaning in METRICS.values())
