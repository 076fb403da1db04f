"""Rules about margins: units, ceilings, and ANT's direction."""

import pytest

from orchestrator.sweeps.lint.domain.margins import ant_kept, reach
from tests.support.questions import own, said, shipped
from trainables.roles import Margin, MarginKind, Measure

ARCFACE = {"kind": "arcface"}


@pytest.mark.parametrize(
    ("measure", "ends", "words"),
    [
        ("degrees", (0.2, 0.6), "(low: 11.5, high: 34.4)"),
        ("radians", (10.0, 40.0), "(low: 0.175, high: 0.698)"),
        ("radians", (0.2, 30.0), "(high: 0.6)"),
    ],
)
def test_degrees_and_radians(measure, ends, words):
    (hit,) = said(own({"gap": ends}, config={**ARCFACE, "measure": measure}), "ORC211")

    assert words in hit


@pytest.mark.parametrize(("measure", "ends"), [("degrees", (15, 35)), ("radians", (0.2, 0.6)), ("euclidean", (0.2, 2))])
def test_angles_in_their_unit(measure, ends):
    assert said(own({"gap": ends}, config={**ARCFACE, "measure": measure}), "ORC211") == []


@pytest.mark.parametrize(
    ("measure", "ceiling"), [("euclidean", 2.0), ("cosine", 2.0), ("squared_euclidean", 4.0), ("degrees", 180.0)]
)
def test_what_can_never_be_met(measure, ceiling):
    config = {"measure": measure}
    (above,) = said(own({"gap": (ceiling * 1.01, ceiling * 2)}, config=config), "ORC212")

    assert f"two unit vectors are at most {ceiling:g} apart" in above
    assert "can never be met" in above
    assert said(own({"gap": (ceiling * 0.99, ceiling * 2)}, config=config), "ORC212") == []


def test_only_a_part_above_the_ceiling_is_a_warning():
    partly, wholly = own({"gap": (0.1, 3.0)}), own({"gap": (2.5, 3.0)})

    assert said(partly, "ORC212") == []
    assert len(said(partly, "ORC213")) == 1
    assert said(wholly, "ORC213") == []


@pytest.mark.parametrize(
    ("kind", "consequence"),
    [
        ("triplet", "triplets stay active"),
        ("contrastive_negative", "negatives are pushed"),
        ("contrastive_positive", "positives are never drawn together"),
        ("cosface", "a perfect match still counts"),
    ],
)
def test_what_follows_depends_on_the_loss(kind, consequence):
    assert consequence in said(own({"gap": (2.1, 3)}, config={"kind": kind, "measure": "cosine"}), "ORC212")[0]


def test_a_margin_of_positives_is_not_measured_by_classes():
    between = {"gap": (0.1, 1.8)}

    assert said(own(between, config={"kind": "contrastive_positive"}), "ORC213") == []
    assert len(said(own(between, config={"kind": "contrastive_negative"}), "ORC213")) == 1


def test_a_key_in_two_units_is_judged_in_each():
    question = own({"gap": (2.5, 3.5), "measure": ["euclidean", "squared_euclidean"]})

    (hit,) = said(question, "ORC212")
    assert "(euclidean)" in hit
    assert "squared" in said(question, "ORC213")[0]


def test_the_reach_is_that_of_the_classes_of_a_batch():
    assert reach(Margin(MarginKind.TRIPLET, Measure.COSINE, 16)) == pytest.approx(16 / 15)
    assert reach(Margin(MarginKind.TRIPLET, Measure.EUCLIDEAN, 16)) == pytest.approx((32 / 15) ** 0.5)
    assert reach(Margin(MarginKind.TRIPLET, Measure.SQUARED_EUCLIDEAN, 16)) == pytest.approx(32 / 15)
    assert reach(Margin(MarginKind.TRIPLET, Measure.EUCLIDEAN)) == 2
    assert reach(Margin(MarginKind.ARCFACE, Measure.DEGREES, 16)) == 180


def test_a_margin_out_of_reach_of_a_batch():
    wide = (
        "space.margin.start={type: float, low: 0.1, high: 1.5, when: {loss: [triplet_batch_all, triplet_batch_hard]}}"
    )
    (hit,) = said(shipped("identification", wide), "ORC213")

    assert "space.margin.start.high" in hit
    assert "the 16 classes of a batch are at most 1.07 apart all at once" in hit
    assert said(shipped("identification"), "ORC213") == []


def test_an_ant_margin_that_only_grows():
    grows = (
        "space.margin.start={type: float, low: 0.05, high: 0.1}",
        "space.margin.end={type: float, low: 0.3, high: 0.5, when: {margin.kind: [linear, gap_adaptive]}}",
    )
    (hit,) = said(shipped("incremental", *grows), "ORC214")

    assert "more and more negatives" in hit
    assert said(shipped("incremental"), "ORC214") == []
    assert len(said(shipped("incremental_note003"), "ORC214")) == 1


def test_a_curriculum_of_note_003_only_grows():
    phases = "[{from_epoch: 0, margin: 0.1}, {from_epoch: 3, margin: 0.3}, {from_epoch: 6, margin: 0.5}]"
    margin = f"config.margin={{kind: curriculum, phases: {phases}}}"
    question = shipped("incremental_note003", "space={temperature: {type: float, low: 0.1, high: 0.3}}", margin)

    assert "from 0.1 to 0.5" in said(question, "ORC214")[0]


def test_an_ant_margin_that_keeps_none_or_all():
    none = "space.margin.start={type: float, low: 0.0, high: 0.5}"
    every = "space.margin.start={type: float, low: 0.1, high: 1.2}"

    assert "keeps no negative" in said(shipped("incremental", none), "ORC215")[0]
    assert "more than nine in ten" in said(shipped("incremental", every), "ORC215")[0]
    assert said(shipped("incremental"), "ORC215") == []


def test_a_larger_margin_keeps_more():
    shares = [ant_kept(margin / 100) for margin in range(0, 101, 5)]

    assert shares == sorted(shares)
    assert (ant_kept(0.0), ant_kept(0.5), ant_kept(1.0)) == (0.0, 0.426, 1.0)
