"""Rules about who meets whom."""

import pytest

from tests.support.questions import own, said, shipped


@pytest.mark.parametrize(("low", "found"), [(0.01, 1), (0.04, 0), (0.1, 0)])
def test_a_share_that_leaves_the_hardest_alone(low, found):
    # Of 31 negatives 0.01 keeps one, 0.04 two: 6 %.
    hits = said(shipped("multitask", f"space.hard_negative_ratio.low={low}"), "ORC231")

    assert len(hits) == found
    assert all("the hardest one of its 31 negatives alone" in hit for hit in hits)


def test_all_negatives_are_what_a_ratio_of_one_keeps():
    assert said(shipped("multitask", "space.hard_negative_ratio={type: fixed, value: 1.0}"), "ORC231") == []


def test_hard_mining_from_the_first_step():
    (hit,) = said(shipped("identification_note001"), "ORC231")

    assert "space.negative_mining.choices[2]" in hit
    gentle = "space.negative_mining.choices=[random, semi_hard, farthest]"
    assert said(shipped("identification_note001", gentle), "ORC231") == []


def test_few_of_many():
    assert len(said(own({"rate": (1e-4, 1e-2)}, config={"hardest": 2, "batch": 64}), "ORC231")) == 1
    assert said(own({"rate": (1e-4, 1e-2)}, config={"hardest": 4, "batch": 64}), "ORC231") == []


def test_more_records_than_a_person_has():
    many = "space.augment.windows_per_item={type: int, low: 1, high: 8}"
    (hit,) = said(shipped("identification", many, "config.records_per_person=6"), "ORC232")

    assert "6 items of each class in a batch: the largest class has 4 (4)" in hit
    assert said(shipped("identification"), "ORC232") == []


def test_more_people_than_there_are():
    (hit,) = said(shipped("identification_ecg_id", "space.people_per_batch.choices=[16, 70]"), "ORC232")

    assert "space.people_per_batch.choices[1]: 70 classes in a batch: training has 60" in hit


def test_copies():
    assert "copies are positives at distance 0" in said(own({"k": [4, 8]}, config={"copies": True}), "ORC232")[0]
    assert said(own({"k": [4, 8]}), "ORC232") == []
    assert len(said(own({"k": [4, 8]}), "ORC233")) == 1


def test_characters_have_twenty_drawings():
    question = shipped("multitask_omniglot", "space.items_per_class.choices=[8, 32]")

    assert "32 items of each class in a batch: the largest class has 20" in said(question, "ORC232")[0]
    assert said(shipped("multitask_omniglot"), "ORC232") == []


def test_a_source_that_only_the_files_know_says_nothing():
    files = "config.data={source: files, root: here, rate_hz: 500}"

    assert said(shipped("identification", files, "config.records_per_person=50"), "ORC232") == []


def test_half_filled_batches_are_a_note():
    (hit,) = said(shipped("identification_ecg_id"), "ORC233")

    assert "half of the classes have at most 2" in hit
