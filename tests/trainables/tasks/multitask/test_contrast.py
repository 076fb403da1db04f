"""The contrastive loss that the config asks for is the one that is computed, with the settings of the moment."""

import math

import pytest
import torch
from torch.nn import functional as F

from trainables.loop import Moment
from trainables.losses.clip import clip_loss
from trainables.losses.siglip import siglip_loss
from trainables.losses.supcon import supcon_loss
from trainables.tasks.multitask.config import Config
from trainables.tasks.multitask.contrast import build_contrast, contrasting

SAME = torch.eye(6, dtype=torch.bool)


def at(epoch, fields):
    config = Config.model_validate(fields)
    return contrasting(config, build_contrast(config), Moment(epoch=epoch, epochs=10, generator=torch.Generator()))


@pytest.fixture
def pairs():
    torch.manual_seed(0)
    return F.normalize(torch.randn(6, 4), dim=1), F.normalize(torch.randn(6, 4), dim=1)


SCHEDULED = {
    "temperature": {"kind": "linear", "start": 0.1, "end": 0.3},
    "margin": {"kind": "linear", "end": 0.4},
    "hard_negative_ratio": 0.5,
}


def test_settings_follow_their_schedules():
    effective = at(5, SCHEDULED).effective()
    assert effective == pytest.approx({"temperature": 0.2, "margin": 0.2, "hard_negative_ratio": 0.5})


@pytest.mark.parametrize(("kind", "loss"), [("clip", clip_loss), ("supcon", supcon_loss)])
def test_clip_and_supcon(pairs, kind, loss):
    found = at(5, {"contrastive": kind, **SCHEDULED}).loss(*pairs, same_BB=SAME)
    same = {"equivalent_BB": SAME} if kind == "clip" else {"positive_BB": SAME}
    torch.testing.assert_close(found, loss(*pairs, temperature=0.2, margin=0.2, hard_negative_ratio=0.5, **same))


def test_siglip_has_its_own_scale_and_bias(pairs):
    contrast = at(0, {"contrastive": "siglip", "siglip": {"scale": 8.0, "bias": -3.0}})
    torch.testing.assert_close(contrast.loss(*pairs, same_BB=SAME), siglip_loss(*pairs, scale=8.0, bias=-3.0))
    assert contrast.effective()["temperature"] == pytest.approx(1 / 8)


def test_a_learned_temperature_gets_a_gradient(pairs):
    config = Config.model_validate({"temperature": {"kind": "learned", "start": 0.2}})
    learned = build_contrast(config)
    contrast = contrasting(config, learned, Moment(epoch=0, epochs=10, generator=torch.Generator()))
    contrast.loss(*pairs, same_BB=SAME).backward()
    assert learned.log_temperature is not None and learned.log_temperature.grad is not None


def test_note_002_s_plateau_is_the_whole_range_of_its_loss():
    bounds = at(0, {"temperature": {"start": 10.0}}).bounds(20, positives=1.0)
    assert bounds.chance == pytest.approx(math.log(20))
    assert bounds.floor == pytest.approx(2.896, abs=5e-4)


@pytest.mark.parametrize("kind", ["clip", "supcon", "siglip"])
def test_the_floor_lies_below_chance(kind):
    bounds = at(0, {"contrastive": kind}).bounds(16, positives=1.0)
    assert 0 <= bounds.floor < bounds.chance
