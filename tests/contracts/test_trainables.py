"""What every registered trainable must do, whatever it trains.

A new trainable enters by its name in `TRAINABLES` and one small config in `tests/support/quick_configs.py`.
"""

import inspect
import itertools
import math
import statistics
from collections.abc import Mapping

import pytest
import torch
from pydantic import BaseModel

from tests.support.quick_configs import QUICK
from trainables.checkpoint import read_checkpoint, write_checkpoint
from trainables.contract import Purpose, TrialContext
from trainables.data.embeddings import load as embeddings
from trainables.data.errors import Split
from trainables.data.images import load as images
from trainables.data.images.images import RawImages
from trainables.data.pairs import load as pairs
from trainables.data.recordings import load as recordings
from trainables.data.texts import load as texts
from trainables.metrics import resampling
from trainables.metrics.resampling import NUM_RESAMPLES, draw_counts
from trainables.registry import TRAINABLES, load_info, load_train

OBJECTIVE = {
    "adapter": "r2",
    "identification": "rank_at_1",
    "incremental": "stream_accuracy",
    "multitask": "recall_at_1",
    "toxicity": "macro_f1",
}


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


def test_registered_ones_know_every_purpose(trial):
    assert trial.info.purposes == tuple(Purpose)


@pytest.fixture(scope="module")
def tested(trial):
    """The last checkpoint, measured on test."""
    (measurement,) = trial.run(purpose=Purpose.TEST, resume=trial.states[-1])
    return measurement


def test_a_test_measures_what_the_search_measures(trial, tested):
    searched = trial.measurements[-1]
    on_val = {name for name in searched.metrics if name.startswith("val/")}
    assert tested.step == searched.step
    assert {name.replace("test/", "val/") for name in tested.metrics} == on_val
    assert not on_val & tested.metrics.keys()
    assert all(type(value) is float and math.isfinite(value) for value in tested.metrics.values())
    assert tested.metrics != {name.replace("val/", "test/"): searched.metrics[name] for name in on_val}


def test_a_test_gives_resamples_around_what_it_measured(trial, tested):
    assert f"test/{OBJECTIVE[trial.name]}" in tested.resamples
    for name, values in tested.resamples.items():
        assert len(values) == NUM_RESAMPLES and all(map(math.isfinite, values))
        spread = statistics.pstdev(values)
        assert statistics.fmean(values) == pytest.approx(tested.metrics[name], abs=spread / 2 + 1e-9), name


def test_a_test_learns_nothing(trial, tested):
    after = []
    again = trial.run(purpose=Purpose.TEST, resume=trial.states[-1], save=lambda state: after.append(state()))
    assert again == [tested]
    assert len(after) == 1 and same(learned(after[0]), learned(trial.states[-1]))


def learned(state):
    """A state without the optimizer's settings, which come from the config anew."""
    return {**state, "optimizer": state["optimizer"]["state"]}


def same(a, b):
    """Equal bit for bit."""
    if isinstance(a, torch.Tensor):
        return a.dtype == b.dtype and torch.equal(a, b)
    if isinstance(a, Mapping):
        return a.keys() == b.keys() and all(same(a[key], b[key]) for key in a)
    if isinstance(a, list | tuple):
        return len(a) == len(b) and all(map(same, a, b))
    return a == b


def test_a_test_without_a_state_is_refused(trial):
    with pytest.raises(ValueError, match="measures the state that it resumes from"):
        trial.run(purpose=Purpose.TEST)


def test_the_same_units_are_drawn_for_every_trial(trial, tested, monkeypatch):
    drawn = []

    def recorded(*args, **kwargs):
        drawn[-1].append(list(draw_counts(*args, **kwargs)))
        return iter(drawn[-1][-1])

    monkeypatch.setattr(resampling, "draw_counts", recorded)
    for state, seed in ((trial.states[-1], 3), (trial.states[-2], 4)):
        drawn.append([])
        config = trial.info.config_type.model_validate(QUICK[trial.name])
        list(load_train(trial.name)(config, TrialContext(seed=seed, purpose=Purpose.TEST, resume=state)))
    assert len(drawn[0]) == len(tested.resamples)
    assert same(*drawn)


def test_only_a_test_reads_the_test_split(trial, poisoned):
    assert trial.run() == trial.measurements
    assert trial.run(purpose=Purpose.RETRAIN)
    with pytest.raises(Poison):
        trial.run(purpose=Purpose.TEST, resume=trial.states[-1])


class Poison(Exception):
    """The test split was looked at."""


class PoisonedImages(RawImages):
    """Pictures that must not be taken."""

    def __getattribute__(self, name):
        raise Poison


READERS = {
    "adapter": (embeddings, "read_generated"),
    "identification": (recordings, "list_simulated"),
    "incremental": (images, "read_digits"),
    "multitask": (pairs, "read_angiograms"),
    "toxicity": (texts, "read_generated"),
}


@pytest.fixture
def poisoned(trial, monkeypatch):
    """Whoever looks at the test split is caught; nothing is in memory from before."""
    module, reader = READERS[trial.name]
    read = getattr(module, reader)

    def of_split(source, split):
        if split is Split.TEST:
            raise Poison
        return read(source, split)

    def of_all(source):
        return {**read(source), Split.TEST: object.__new__(PoisonedImages)}

    monkeypatch.setattr(module, reader, of_all if trial.name == "incremental" else of_split)
    loaders = [loader for loader in vars(module).values() if hasattr(loader, "cache_clear")]
    for loader in loaders:
        loader.cache_clear()
    yield
    for loader in loaders:
        loader.cache_clear()


def test_who_retrains_learns_from_val_and_measures_nothing_on_it(trial):
    measurements = trial.run(purpose=Purpose.RETRAIN)
    assert [m.step for m in measurements] == [m.step for m in trial.measurements]
    assert measurements[0].metrics == {}
    for retrained, searched in zip(measurements[1:], trial.measurements[1:], strict=True):
        assert all(name.startswith("train/") and math.isfinite(value) for name, value in retrained.metrics.items())
        assert retrained.metrics["train/loss"] != searched.metrics["train/loss"]
        assert not retrained.resamples
