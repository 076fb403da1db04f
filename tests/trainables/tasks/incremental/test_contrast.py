"""The terms of a batch: who is positive, which margin is in effect, what is measured."""

import math

import pytest
import torch
from torch.nn import functional as F

from trainables.tasks.incremental.config import Config, Positives
from trainables.tasks.incremental.contrast import Views, ant_in_effect, scalars_at

LABELS = torch.tensor([0, 0, 1, 2])


def views(positives=Positives.CLASSES, *, spread=1.0, labels=LABELS):
    generator = torch.Generator().manual_seed(0)
    first = torch.randn(len(labels), 5, generator=generator)
    second = first + spread * torch.randn(len(labels), 5, generator=generator)
    return Views.of(F.normalize(torch.cat([first, second]), dim=1), labels, positives=positives)


def config(**fields):
    return Config.model_validate({"loss_weights": {"ant": 1}} | fields)


def test_with_views_the_other_view_is_the_only_positive():
    mine = views(Positives.VIEWS)
    assert mine.positive_VV.nonzero().tolist() == [[i, (i + 4) % 8] for i in range(8)]
    assert (mine.negative_VV.sum(dim=1) == 6).all()


def ant(config, views, *, epoch):
    return ant_in_effect(config, views, scalars_at(config, epoch=epoch))


def test_with_classes_items_of_the_class_are_positives_and_never_negatives():
    mine = views()
    assert mine.positive_VV.sum(dim=1).tolist() == [3, 3, 1, 1] * 2
    assert mine.negative_VV.sum(dim=1).tolist() == [4, 4, 6, 6] * 2
    assert not (mine.positive_VV & mine.negative_VV).any()


def test_infonce_of_views_is_nt_xent():
    mine = views(Positives.VIEWS)
    logits = (mine.similarity_VV / 0.2).fill_diagonal_(-math.inf)
    expected = F.cross_entropy(logits, torch.arange(8).roll(4))
    torch.testing.assert_close(mine.nce(temperature=0.2), expected)


def test_infonce_lies_between_its_bounds():
    mine = views(Positives.VIEWS, spread=0.3)
    bounds = mine.nce_bounds(temperature=0.2)
    assert bounds.chance == pytest.approx(math.log(7))
    assert bounds.floor < float(mine.nce(temperature=0.2)) < bounds.chance


def test_a_batch_of_one_class_has_no_bounds_and_no_cosines():
    mine = views(labels=torch.zeros(4, dtype=torch.int64))
    assert mine.nce_bounds(temperature=0.2) is None and mine.cosines() is None
    found = ant(config(), mine, epoch=0)
    assert mine.nce(temperature=0.2).item() == found.loss().item() == 0
    assert found.measured(torch.tensor(0.0))["violation_rate"] == 0


def test_the_margin_is_capped_at_a_share_of_the_gap():
    fields = {"kind": "gap_adaptive", "start": 0.5, "end": 0.5}
    mine = views(spread=0.8)
    gap = mine.gap().item()
    assert 0 < gap < 0.6
    assert ant(config(margin=fields), mine, epoch=0).margin == pytest.approx(0.8 * gap)
    small = ant(config(margin=fields | {"start": 0.01}), mine, epoch=0)
    assert small.margin == pytest.approx(0.01)


def test_a_negative_gap_gives_a_margin_of_0_and_not_a_negative_one():
    z = torch.tensor([[1.0, 0.0], [0.0, 1.0], [-1.0, 0.1], [0.1, -1.0]])
    mine = Views.of(F.normalize(z, dim=1), torch.tensor([0, 1]), positives=Positives.CLASSES)
    assert mine.gap().item() < 0
    assert ant(config(margin={"kind": "gap_adaptive"}), mine, epoch=4).margin == 0


def test_what_is_measured_of_ant():
    settings = config(margin={"start": 0.3}, hard_negative_ratio=0.5, positives="views")
    found = ant(settings, views(Positives.VIEWS), epoch=0)
    measured = found.measured(found.loss())
    assert measured["ant_floor"] == pytest.approx(math.log(2))
    assert measured["ant_excess"] == pytest.approx(found.loss().item() - math.log(2))
    assert 0 < measured["violation_rate"] <= 1
    assert (measured["margin"], measured["hard_negative_ratio"]) == (0.3, 0.5)
