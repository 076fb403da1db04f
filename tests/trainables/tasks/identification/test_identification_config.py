"""The config: the defaults stand, what has no effect is refused, a dump can be read again."""

import pytest
from pydantic import ValidationError

from trainables.mining.strategies import NegativeMining
from trainables.tasks.identification.config import METRICS, Config


@pytest.mark.parametrize(
    ("fields", "what"),
    [
        ({"loss": "contrastive", "temperature": {"start": 0.2}}, "temperature is not read when loss is contrastive"),
        ({"margin": {"start": 0.2}}, "margin is not read when loss is supcon and no semi-hard"),
        ({"distance": "euclidean"}, "distance is not read when loss is supcon"),
        ({"multi_similarity": {"beta": 3}}, "multi_similarity is not read"),
        ({"loss": "triplet_batch_hard", "negative_mining": "hard"}, "it chooses its pairs itself"),
        ({"loss": "multi_similarity", "curriculum": [{"negative": "hard"}]}, "it chooses its pairs itself"),
        ({"positive_mining": "hard"}, "positive_mining is not read when negative_mining is all"),
        ({"negative_mining": "full_hard", "positive_mining": "hard"}, "positive_mining is not read"),
        ({"negative_mining": "hard", "curriculum": [{"negative": "hard"}]}, "when there is a curriculum"),
        ({"mining_embeddings": "epoch"}, "mining_embeddings is not read"),
        ({"negative_mining": "full_hard", "mining_embeddings": "epoch"}, "mining_embeddings is not read"),
        ({"negative_mining": "hard", "mining_window": "first"}, "mining_window is not read"),
        ({"negative_mining": "hard", "mining_refresh_epochs": 2}, "mining_refresh_epochs is not read"),
        ({"memory_warmup_steps": 5}, "when there is no memory"),
        ({"negative_mining": "full_hard", "memory_size": 500}, "looks at the whole train set"),
        ({"memory_size": 10}, "must hold a batch, 64"),
        ({"curriculum": [{"from_epoch": 2, "negative": "hard"}]}, "from epoch 0"),
        ({"temperature": {"kind": "linear", "end": 0.5, "warmup_epochs": 10}}, "must be below epochs, 10"),
        ({"windows": {"kind": "fixed"}}, "their median means nothing"),
    ],
)
def test_what_has_no_effect_or_does_not_fit_is_refused(fields, what):
    with pytest.raises(ValidationError, match=what):
        Config.model_validate(fields)


@pytest.mark.parametrize(
    "fields",
    [
        {"negative_mining": "semi_hard", "margin": {"start": 0.2}, "mining_window": "first"},
        {"negative_mining": "hard", "mining_embeddings": "epoch", "mining_refresh_epochs": 2},
        {"negative_mining": "full_hard", "mining_refresh_epochs": 3},
        {"loss": "contrastive", "distance": "euclidean", "margin": {"kind": "linear", "end": 0.6, "warmup_epochs": 2}},
        {"memory_size": 64, "memory_warmup_steps": 3},
        {"windows": {"kind": "fixed"}, "augment": {"windows_per_item": 1}, "evaluation": {"record": "mean"}},
    ],
)
def test_what_is_read_is_accepted_and_survives_a_dump(fields):
    config = Config.model_validate(fields)
    assert Config.model_validate(config.model_dump(mode="json")) == config


def test_mining_by_epoch():
    stages = [{"negative": "random"}, {"from_epoch": 3, "negative": "full_hard"}]
    config = Config.model_validate({"curriculum": stages})
    assert config.stage_at(2.9).negative is NegativeMining.RANDOM
    assert config.stage_at(3.0).negative is NegativeMining.FULL_HARD
    assert Config().stage_at(1.0) is None
    assert Config(loss="triplet_semi_hard").stages == ()
    assert Config(negative_mining="farthest").stage_at(0).negative is NegativeMining.FARTHEST


def test_the_meaning_of_every_metric_is_said():
    assert all(METRICS.values())
    assert "val/rank_at_1_cross_day" in METRICS
