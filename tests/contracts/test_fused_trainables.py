"""Lanes of each trainable that can be fused against the same trials alone: equal curves, metric by metric."""

import dataclasses
import pydoc
from collections.abc import Mapping

import pytest
import torch

from orchestrator.spec.dotted import flatten, nest
from tests.support.fused_configs import FUSED
from tests.support.quick_configs import QUICK
from trainables.contract import TrialContext
from trainables.registry import TRAINABLES, load_info, load_train, load_train_lanes

FUSIBLE = sorted(FUSED)


LOADERS = {
    "adapter": "load_embeddings",
    "identification": "load_recordings",
    "incremental": "load_images",
    "multitask": "load_pairs",
    "toxicity": "load_texts",
}


@pytest.fixture
def double(name, monkeypatch):
    """All of a trial in float64, its data too."""
    place = f"trainables.tasks.{name}.task.{LOADERS[name]}"
    load = pydoc.locate(place)
    monkeypatch.setattr(place, lambda *arguments: doubled(load(*arguments)))
    torch.set_default_dtype(torch.float64)
    yield
    torch.set_default_dtype(torch.float32)


def doubled(value):
    if isinstance(value, torch.Tensor):
        return value.double() if value.is_floating_point() else value
    if isinstance(value, Mapping):
        return {key: doubled(item) for key, item in value.items()}
    if dataclasses.is_dataclass(value):
        fields = {field.name: doubled(getattr(value, field.name)) for field in dataclasses.fields(value) if field.init}
        return dataclasses.replace(value, **fields)
    return value


def configs(name):
    quick = flatten(QUICK[name])
    return [load_info(name).config_type.model_validate(nest(quick | flatten(lane))) for lane in FUSED[name]]


def alone(name):
    return [list(load_train(name)(config, TrialContext(seed=3))) for config in configs(name)]


def fused(name):
    found = [[] for _ in configs(name)]
    for step in load_train_lanes(name)(configs(name), [TrialContext(seed=3) for _ in found]):
        for lane, measurement in step.items():
            found[lane].append(measurement)
    return found


def assert_equal(found, expected, **tolerance):
    for lane, other in zip(found, expected, strict=True):
        assert [m.step for m in lane] == [m.step for m in other]
        for measured, wanted in zip(lane, other, strict=True):
            assert measured.metrics == pytest.approx(wanted.metrics, **tolerance)


@pytest.mark.parametrize("name", FUSIBLE)
def test_in_float64_lanes_equal_trials_alone(name, double):
    assert_equal(fused(name), alone(name), rel=1e-5, abs=1e-9)


@pytest.mark.parametrize("name", FUSIBLE)
def test_in_float32_lanes_equal_trials_alone_to_its_rounding(name):
    assert_equal(fused(name), alone(name), rel=1e-3, abs=1e-4)


@pytest.mark.parametrize("name", FUSIBLE)
def test_each_lane_has_a_curve_of_its_own(name):
    finals = [lane[-1].metrics["train/loss"] for lane in fused(name)]
    assert len(set(finals)) == len(finals)


@pytest.mark.parametrize("name", sorted(TRAINABLES))
def test_every_trainable_says_what_can_be_fused(name):
    """Those that are tried above, or a reason for each config."""
    info = load_info(name)
    assert info.fusing is not None
    if name not in FUSED:
        assert info.fusing.refuse(info.config_type())
