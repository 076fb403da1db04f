"""What the toxicity task can be told."""

import pytest
from pydantic import ValidationError

from trainables.data.texts.generated import GENERATED_TASKS
from trainables.data.texts.tweets import TWEET_TASKS
from trainables.tasks.toxicity.config import METRICS, Config, task_classes

FILES = {"source": "files", "path": "x.csv", "labels": [{"column": "mood", "classes": ["a", "b", "c"]}]}


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"weighting": {"kind": "fixed", "absent": "masked"}}, "absent is not read when kind is fixed"),
        ({"weighting": {"kind": "equal", "weights": {"toxic": 2}}}, "weights is not read when kind is equal"),
        ({"weighting": {"weights": {"toxic": 2}}}, "weights is not read when kind is kendall"),
        ({"weighting": {"kind": "equal"}, "uncertainty": {"lr": 0.1}}, "uncertainty is not read when weighting.kind"),
        ({"weighting": {"absent": "gone"}}, "'frozen', 'masked' or 'phantom'"),
        ({"batching": {"run_length": 5}}, "run_length is not read when labels is all"),
        ({"uncertainty": {"weight_decay": 0.1}}, "less than or equal to 0"),
        ({"focal": {"gamma": -1}}, "greater than or equal to 0"),
        ({"focal": {"alpha": {"mood": [1, 1]}}}, "focal.alpha names mood; the tasks of the data are toxic"),
        ({"focal": {"alpha": {"toxic": [1, 1, 1]}}}, "focal.alpha.toxic has 3 factors; there are 2 classes"),
        ({"data": FILES, "focal": {"alpha": {"mood": [1, 1]}}}, "there are 3 classes"),
        ({"data": FILES, "weighting": {"kind": "fixed", "weights": {"mood": 0}}}, "all 0"),
        ({"sizes": {"width": 64, "heads": 3}}, "multiple of sizes.heads, 3"),
        ({"epochs": 2, "optimizer": {"schedule": {"warmup_epochs": 2}}}, "must be below epochs, 2"),
    ],
)
def test_refuses(fields, message):
    with pytest.raises(ValidationError, match=message):
        Config.model_validate(fields)


def test_the_config_knows_the_tasks_of_the_data():
    assert task_classes(Config().data) == {task.name: len(task.classes) for task in GENERATED_TASKS}
    tweets = Config.model_validate({"data": {"source": "tweets", "root": "x"}}).data
    assert task_classes(tweets) == {task.name: len(task.classes) for task in TWEET_TASKS}
    assert task_classes(Config.model_validate({"data": FILES}).data) == {"mood": 3}


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"weighting": {"kind": "fixed", "weights": {"toxic": 2.0}}},
        {"focal": {"alpha": {"toxic": [0.25, 0.75]}}, "batching": {"labels": "one_task", "run_length": 60}},
    ],
)
def test_a_dump_can_be_validated_again(fields):
    config = Config.model_validate(fields)
    assert Config.model_validate(config.model_dump(mode="json")) == config


def test_one_cycle_peaks_half_way_as_in_the_note():
    config = Config()
    for optimizer in (config.optimizer, config.uncertainty):
        factors = [optimizer.schedule.at(epoch / 100, epochs=1) for epoch in range(100)]
        assert factors.index(max(factors)) == 50


def test_every_metric_has_a_one_line_meaning():
    assert all(meaning and "\n" not in meaning for meaning in METRICS.values())
