"""Rules about the sum that a loss is: weights, learned weights, proxies."""

import pytest

from tests.support.questions import own, said, shipped


def test_captioning_above_contrast():
    first, second = said(shipped("multitask_note002"), "ORC221")

    assert (
        "space.loss_weights.captioning.high: captioning can weigh 2 where loss_weights.contrastive weighs 0.5" in first
    )
    assert 'constraints: ["loss_weights.contrastive > loss_weights.captioning"]' in first
    assert "masked_modeling can weigh 0.8" in second


def test_a_constraint_is_enough():
    overlapping = {"main_weight": (0.1, 1.0), "side_weight": (0.1, 1.0)}

    assert len(said(own(overlapping), "ORC221")) == 1
    assert said(own(overlapping, constraints=["main_weight > side_weight"]), "ORC221") == []


def test_a_constraint_that_does_not_forbid_it_is_not_enough():
    overlapping = {"main_weight": (0.1, 1.0), "side_weight": (0.1, 1.0)}

    assert len(said(own(overlapping, constraints=["main_weight > 0.5 * side_weight"]), "ORC221")) == 1


def test_a_weight_that_is_searched_under_a_condition_is_compared_where_it_is():
    conditional = {"type": "float", "low": 0.1, "high": 1.0, "when": {"centres": True}}
    space = {"main_weight": (0.1, 1.0), "centres": [True, False], "side_weight": conditional}

    assert said(own(space, constraints=["main_weight > side_weight"]), "ORC221") == []
    assert len(said(own(space), "ORC221")) == 1


def test_several_main_parts_weigh_together():
    # Captioning goes up to 0.2 and contrastive down to 0.1, beside at least 1.0 for the classes.
    assert said(shipped("multitask_omniglot"), "ORC221") == []


def test_spaces_that_share_nothing_are_not_added():
    heavy = "space.clip.loss.contrastive_weight={type: float, low: 0.1, high: 1.5, log: true}"

    (hit,) = said(shipped("adapter", heavy), "ORC221")

    assert "where clip.loss.regression_weight weighs 1:" in hit


def test_a_main_part_that_is_off_on_purpose_is_not_compared():
    assert said(own({"side_weight": (0.1, 1.0)}, config={"main_weight": 0.0}), "ORC221") == []


def test_all_weights_searched_is_one_too_many():
    (hit,) = said(own({"main_weight": (1, 2), "side_weight": (0.1, 0.5), "rate": (1e-4, 1e-2)}), "ORC222")

    assert "all weights of the loss (main_weight, side_weight) are searched" in hit
    assert "rate sets the size of a step already" in hit
    assert said(own({"side_weight": (0.1, 0.5), "rate": (1e-4, 1e-2)}), "ORC222") == []


def test_the_only_weight_searched_does_nothing():
    (hit,) = said(own({"main_weight": (1, 2)}, config={"side_weight": 0.0}), "ORC222")

    assert "main_weight is searched" in hit
    assert "{type: fixed, value: 1.0}" in hit


@pytest.mark.parametrize(("space", "config", "found"), [
    ({"pull": (0.0, 0.1)}, {}, 1),
    ({"rate": (1e-4, 1e-2)}, {"pull": 0.01}, 1),
    ({"rate": (1e-4, 1e-2)}, {}, 0),
])  # fmt: skip
def test_decay_of_uncertainties(space, config, found):
    assert len(said(own(space, config=config), "ORC223")) == found


def test_decay_of_the_shipped_tasks_uncertainties():
    assert len(said(shipped("toxicity_note004", "config.weighting.decay=0.1"), "ORC223")) == 1
    assert said(shipped("toxicity_note004"), "ORC223") == []


def test_proxies():
    space = {"rate": (1e-4, 1e-2)}

    assert len(said(own(space, config={"centres": True}), "ORC224")) == 1
    assert said(own(space, config={"centres": True, "centres_rate": 0.1}), "ORC224") == []
    assert said(own(space), "ORC224") == []
