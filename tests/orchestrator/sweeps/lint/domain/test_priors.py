"""Published optima, each in its own unit."""

import math

import pytest

from orchestrator.sweeps.lint.domain.priors import prior_of
from tests.support.questions import own, said, shipped
from trainables.roles import Contrast, Convention, Margin, MarginKind, Measure, Scale, Sharpness, Side, Temperature


@pytest.mark.parametrize(
    ("role", "low", "high"),
    [
        (Temperature(Contrast.NT_XENT), 0.0002, 0.0415),
        (Temperature(Contrast.NORMALISED_SOFTMAX), 0.063, 0.109),
        (Margin(MarginKind.TRIPLET, Measure.EUCLIDEAN), 0.045, 0.137),
        (Margin(MarginKind.CONTRASTIVE_POSITIVE, Measure.EUCLIDEAN), -0.20, 0.29),
        (Margin(MarginKind.CONTRASTIVE_NEGATIVE, Measure.EUCLIDEAN), 0.38, 0.77),
        (Margin(MarginKind.COSFACE, Measure.COSINE), 0.34, 0.62),
        (Margin(MarginKind.ARCFACE, Measure.DEGREES), 18.6, 23.2),
        (Margin(MarginKind.ARCFACE, Measure.RADIANS), 0.3246, 0.4049),
        (Scale(MarginKind.COSFACE), 88, 161),
        (Scale(MarginKind.ARCFACE), 50, 220),
        (Sharpness(Side.POSITIVES), 0.01, 18),
        (Sharpness(Side.NEGATIVES), 47, 157),
        # A distance d is d^2 / 2 in one minus cosine, and changes it d times as fast: at right angles sqrt(2) times.
        (Margin(MarginKind.CONTRASTIVE_NEGATIVE, Measure.COSINE), 0.38**2 / 2, 0.77**2 / 2),
        (Margin(MarginKind.CONTRASTIVE_NEGATIVE, Measure.SQUARED_EUCLIDEAN), 0.38**2, 0.77**2),
        (Margin(MarginKind.TRIPLET, Measure.COSINE), 0.045 * math.sqrt(2), 0.137 * math.sqrt(2)),
        (Margin(MarginKind.TRIPLET, Measure.SQUARED_EUCLIDEAN), 0.045 * math.sqrt(8), 0.137 * math.sqrt(8)),
    ],
    ids=str,
)
def test_the_tuned_ranges(role, low, high):
    prior = prior_of(role)

    assert (prior.low, prior.high) == (pytest.approx(low, rel=1e-3), pytest.approx(high, rel=1e-3))


@pytest.mark.parametrize(
    "role",
    [
        Temperature(Contrast.CLIP),
        Temperature(Contrast.SUPCON),
        Temperature(Contrast.NT_XENT, Convention.MULTIPLIES),
        Margin(MarginKind.LOGIT, Measure.COSINE),
        Margin(MarginKind.COSFACE, Measure.EUCLIDEAN),
    ],
    ids=str,
)
def test_nothing_was_published_for_other_losses_or_units(role):
    assert prior_of(role) is None


@pytest.mark.parametrize(
    ("space", "config", "rule"),
    [
        ({"tau": (0.05, 0.3)}, {"family": "nt_xent"}, "ORC251"),
        ({"tau": (0.5, 0.9)}, {"family": "nt_xent"}, "ORC252"),
        ({"tau": (0.2, 0.5)}, {"family": "normalised_softmax"}, "ORC251"),
        ({"gap": (0.3, 0.6)}, {"kind": "triplet"}, "ORC251"),
        ({"gap": (0.8, 1.2)}, {"kind": "contrastive_negative"}, "ORC251"),
        ({"gap": (0.5, 0.9)}, {"kind": "contrastive_positive"}, "ORC251"),
        ({"gap": (0.05, 0.2)}, {"kind": "cosface", "measure": "cosine"}, "ORC251"),
        ({"gap": (0.1, 0.5)}, {"kind": "arcface", "measure": "degrees"}, "ORC252"),
        ({"s": (10, 40)}, {"kind": "cosface", "measure": "cosine"}, "ORC251"),
        ({"s": (1, 4)}, {"kind": "arcface", "measure": "degrees"}, "ORC252"),
        ({"alpha": (20, 60)}, {}, "ORC251"),
        ({"beta": (0.5, 3)}, {}, "ORC252"),
    ],
)
def test_a_range_beside_the_tuned_one_is_a_note_and_far_away_a_warning(space, config, rule):
    question, other = own(space, config=config), {"ORC251": "ORC252", "ORC252": "ORC251"}[rule]

    (hit,) = said(question, rule)
    assert f"space.{next(iter(space))}: " in hit
    assert "tuned on three data sets" in hit
    assert said(question, other) == []


@pytest.mark.parametrize("space", [{"tau": (0.01, 0.3)}, {"gap": (0.05, 0.5)}, {"beta": (10, 60)}, {"alpha": (1, 2)}])
def test_a_range_that_touches_it_is_fine(space):
    assert said(own(space), "ORC251") == said(own(space), "ORC252") == []


def test_only_what_is_searched_is_compared():
    question = own({"rate": (1e-4, 1e-2)}, config={"beta": 1.0, "tau": 0.9})

    assert said(question, "ORC251") == said(question, "ORC252") == []


def test_the_unit_is_told():
    wide = "space.margin.start={type: float, low: 0.4, high: 0.9, when: {loss: triplet_batch_all}}"
    (hit,) = said(shipped("identification", wide), "ORC251")

    assert "between 0.0636 and 0.194 converted to 1 - cosine" in hit
