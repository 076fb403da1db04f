"""Mining and sampling against what was asked for."""

from tests.support.histories import history
from trainables.health import Severity
from trainables.health.mining import (
    duplicate_positives,
    farthest_negatives,
    mining_fallback,
    stale_embeddings,
    too_few_positives,
)


def test_a_fallback_is_told_with_its_reason():
    found = mining_fallback(
        history(train_mining_requested_fraction=[None, 0.0], train_mining_fallback_no_embeddings=[None, 1.0])
    )
    assert found.severity is Severity.ILL
    assert found.evidence["train/mining_fallback_no_embeddings"] == 1.0
    assert mining_fallback(history(train_mining_requested_fraction=[None, 0.5])).severity is Severity.WARNING
    assert mining_fallback(history(train_mining_requested_fraction=[None, 0.95])) is None


def test_empty_semi_hard_windows_are_no_fault():
    fallen = {"train_mining_requested_fraction": [None, 0.3], "train_mining_fallback_empty_window": [None, 0.7]}
    assert mining_fallback(history(**fallen)) is None


def test_the_farthest_negatives():
    assert farthest_negatives(history(train_negative_percentile=[None, 1.0]))
    assert farthest_negatives(history(train_negative_percentile=[None, 0.5])) is None


def test_embeddings_are_stale_by_the_way_the_model_went():
    old = {"train_embedding_age_steps": [None, 100.0, 100.0]}
    assert stale_embeddings(history(train_update_ratio=[None, 0.01, 0.01], **old))
    assert stale_embeddings(history(train_update_ratio=[None, 0.01, 0.001], **old)) is None
    assert stale_embeddings(history(train_update_ratio=[None, None, 0.01], **old)) is None
    assert stale_embeddings(history(**old)) is None


def test_anchors_without_a_positive():
    alone = too_few_positives(history(train_anchors_without_positive_fraction=[None, 0.7]))
    assert alone.severity is Severity.ILL
    assert too_few_positives(history(train_positives_per_anchor=[None, 0.8])).severity is Severity.WARNING
    assert too_few_positives(history(train_positives_per_anchor=[None, 3.0])) is None


def test_repeated_items():
    assert duplicate_positives(history(train_distinct_items_fraction=[None, 7 / 16]))
    assert duplicate_positives(history(train_distinct_items_fraction=[None, 1.0])) is None
