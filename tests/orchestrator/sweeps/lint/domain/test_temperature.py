"""Rules about temperatures, on note 002's ranges and on an own Config."""

import math

import pytest

from tests.support.questions import own, said, shipped
from trainables.losses.bounds import clip_bounds


def test_a_scale_in_the_place_of_a_temperature():
    start, end = said(shipped("multitask_note002"), "ORC201")

    assert "space.temperature.start: 5 to 20 looks like a scale" in start
    assert "(low: 0.05, high: 0.2)" in start
    assert "temperature.end" in end
    assert said(shipped("multitask_note002_fixed"), "ORC201") == []


@pytest.mark.parametrize(("low", "high", "found"), [(0.07, 0.15, 1), (0.2, 5, 0), (5, 20, 0)])
def test_a_temperature_in_the_place_of_a_scale(low, high, found):
    space = f"space={{siglip.scale: {{type: float, low: {low}, high: {high}}}}}"
    hits = said(shipped("multitask_note002_fixed", space, "config={contrastive: siglip}"), "ORC201")

    assert len(hits) == found
    assert all("looks like a temperature" in hit and "(low: 6.67, high: 14.3)" in hit for hit in hits)


def test_the_same_number_is_right_or_wrong_by_the_convention():
    space = {"tau": (5, 20)}

    assert said(own(space, config={"convention": "divides"}), "ORC201")
    assert not said(own(space, config={"convention": "multiplies"}), "ORC201")


@pytest.mark.parametrize(("high", "found"), [(0.9, 0), (1.0, 0), (1.5, 1)])
def test_above_one(high, found):
    hits = said(own({"tau": (0.05, high)}), "ORC202")

    assert len(hits) == found
    assert all("space.tau.high: T = 1.5" in hit and "(high: 0.5)" in hit for hit in hits)


def test_a_fixed_temperature_above_one_is_found_where_the_config_says_it():
    (hit,) = said(own({"rate": (1e-4, 1e-2)}, config={"tau": 4.0}), "ORC202")

    assert "config.tau: T = 4" in hit
    assert "(tau: 0.1)" in hit


def test_floor_and_ln_b_of_the_broken_range():
    hit = said(shipped("multitask_note002"), "ORC203")[0]

    assert f"{clip_bounds(20, 20.0).floor:.3f}" in hit
    assert f"{clip_bounds(20, 5.0).floor:.3f}" in hit
    assert f"ln B, {math.log(20):.3f}" in hit


@pytest.mark.parametrize(("batch", "found"), [(20, 0), (4096, 1)])
def test_one_temperature_is_fine_in_a_small_batch_and_too_soft_in_a_large_one(batch, found):
    space = "space={temperature.start: {type: float, low: 0.1, high: 1.0}}"
    question = shipped("multitask_note002", space, "config.temperature={}", f"config.batch_size={batch}")

    assert len(said(question, "ORC203")) == found


def test_many_positives_are_no_lack_of_range():
    # Two digits at a time: floor and chance are ln 63 and ln 127 at any temperature.
    assert said(shipped("incremental"), "ORC203") == []


def test_the_note_prints_both_ends_at_the_batch_in_effect():
    (hit,) = said(shipped("multitask"), "ORC204")

    assert "at T = 0.07 and B = 32" in hit
    assert "at T = 0.15 and B = 32" in hit
    assert f"ln B, {math.log(32):.3f}" in hit


@pytest.mark.parametrize(
    ("bits", "low", "found"),
    [("bfloat16", 0.01, 1), ("bfloat16", 0.05, 0), ("float32", 0.001, 0), ("float16", 0.01, 0), ("float16", 0.002, 1)],
)
def test_few_bits_and_a_small_temperature(bits, low, found):
    hits = said(own({"tau": (low, 0.1)}, config={"bits": bits}), "ORC205")

    assert len(hits) == found
    assert all(f"in {bits}" in hit and "space.tau.low" in hit for hit in hits)


def test_the_page_gives_the_measured_error():
    (hit,) = said(own({"tau": (0.01, 0.1)}, config={"bits": "bfloat16"}), "ORC205")

    assert "about 0.22" in hit


def test_few_bits_and_a_large_scale():
    large = own({"tau": (10, 100)}, config={"bits": "bfloat16", "convention": "multiplies"})

    assert len(said(large, "ORC205")) == 1
