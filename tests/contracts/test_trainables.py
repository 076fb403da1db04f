"""What every registered trainable must do, whatever it trains.

A new trainable enters by its name in `TRAINABLES` and one small config in `tests/support/quick_configs.py`.
"""

import inspect
import itertools
import math

import pytest
from pydantic import BaseModel

from tests.support.quick_configs import QUICK
from trainables.checkpoint import read_checkpoint, write_checkpoint
from trainables.contract import TrialContext
from trainables.registry import TRAINABLES, load_info, load_train


class Trial:
    """One whole trial with all its saved states."""

    def __init__(self, name):
        self.name = name
        self.info = load_info(name)
        self.states = []
        self.measurements = self.run(save=lambda state: self.states.append(state()))

    def run(self, **context):
        config = self.info.config_type.model_validate(QUICK[self.name])
        return list(load_train(self.name)(config, TrialContext(seed=3, **context)))


@pytest.fixture(scope="module", params=sorted(TRAINABLES))
def trial(request):
    return Trial(request.param)


def test_the_config_is_a_frozen_pydantic_model_with_defaults_that_forbids_unknown_keys(trial):
    assert issubclass(trial.info.config_type, BaseModel)
    assert trial.info.config_type.model_config["frozen"]
    assert trial.info.config_type.model_config["extra"] == "forbid"
    config = trial.info.config_type()
    assert trial.info.config_type.model_validate(config.model_dump(mode="json")) == config


def test_what_is_set_in_part_keeps_the_other_defaults(trial):
    """A default that differs from its class's own would be lost when a sweep sets one of its keys."""
    assert not list(lost_defaults(trial.info.config_type(), ""))


def lost_defaults(config, prefix):
    for name, value in config:
        if isinstance(value, BaseModel):
            # A model with a tag or a kind says loudly what its other keys are without it.
            if "kind" not in type(value).model_fields and value != type(value)():
                yield f"{prefix}{name}"
            yield from lost_defaults(value, f"{prefix}{name}.")


def test_train_is_a_generator_of_the_config(trial):
    train = load_train(trial.name)
    assert inspect.isgeneratorfunction(train)
    assert next(iter(inspect.signature(train).parameters.values())).annotation is trial.info.config_type


def test_epoch_0_comes_first_and_steps_increase(trial):
    steps = [m.step for m in trial.measurements]
    assert steps[0] == 0
    assert all(a < b for a, b in itertools.pairwise(steps))


def test_every_metric_is_announced_and_a_number(trial):
    assert trial.info.metrics
    for measurement in trial.measurements:
        assert measurement.metrics.keys() <= trial.info.metrics.keys()
        assert all(type(value) is float and math.isfinite(value) for value in measurement.metrics.values())


def test_a_state_is_offered_before_each_measurement(trial):
    assert len(trial.states) == len(trial.measurements)


@pytest.mark.parametrize("at", [0, -2])
def test_resume_equals_uninterrupted(trial, at, tmp_path):
    write_checkpoint(tmp_path / "checkpoint", trial.states[at])
    left = trial.measurements[at:][1:]
    assert trial.run(resume=read_checkpoint(tmp_path / "checkpoint")) == left


def test_a_finished_trial_resumes_to_nothing(trial):
    assert trial.run(resume=trial.states[-1]) == []


def test_the_same_seed_gives_the_same_measurements(trial):
    assert trial.run() == trial.measurements


def test_closing_early_is_clean(trial):
    train = load_train(trial.name)
    running = train(trial.info.config_type.model_validate(QUICK[trial.name]), TrialContext())
    next(running)
    running.close()
