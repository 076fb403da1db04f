"""All metrics of labelled embeddings at once: the right masks, the right names, finite values only."""

import pytest
import torch

from trainables.health.vocabulary import Direction, describe
from trainables.metrics.embeddings import measure_embeddings

NEUTRAL = {"val/num_queries", "val/num_excluded_queries", "val/gallery_size", "val/embedding_size"}


def blobs(noise, *, num_classes=6, per_class=4, size=8):
    generator = torch.Generator().manual_seed(0)
    labels = torch.arange(num_classes).repeat_interleave(per_class)
    centres = torch.randn(num_classes, size, generator=generator)
    return centres[labels] + noise * torch.randn(len(labels), size, generator=generator), labels


def test_perfect_classes():
    z, labels = blobs(0.01)
    values = measure_embeddings(z, labels, torch.arange(24), seed=0)

    assert values["val/rank_at_1"] == values["val/auc"] == 1.0
    assert values["val/mean_average_precision"] == pytest.approx(1.0)
    assert (values["val/num_queries"], values["val/gallery_size"]) == (24, 23)
    assert values["val/chance_rank_at_1"] == pytest.approx(3 / 23)
    assert values["val/intra_distance"] == pytest.approx(1 - values["val/matched_cosine"])
    assert values["val/calinski_harabasz"] > 100 * values["val/calinski_harabasz_chance"]


def test_items_of_one_record_never_meet():
    """Copies of an item find each other at once, unless they are known to be of one record."""
    z, labels = blobs(5.0, per_class=2)
    z, labels = z.repeat(2, 1), labels.repeat(2)
    leaked = measure_embeddings(z, labels, torch.arange(24), seed=0)
    honest = measure_embeddings(z, labels, torch.arange(12).repeat(2), seed=0)

    assert leaked["val/rank_at_1"] == 1.0
    assert honest["val/rank_at_1"] < 0.7
    assert honest["val/gallery_size"] == 22


def test_rows_are_normalised():
    z, labels = blobs(0.5)
    scaled = z * torch.linspace(0.1, 10, 24)[:, None]
    plain = measure_embeddings(z, labels, torch.arange(24), seed=0)

    assert measure_embeddings(scaled, labels, torch.arange(24), seed=0) == pytest.approx(plain)


def test_total_collapse_gives_finite_numbers_and_no_credit():
    _, labels = blobs(0.0)
    values = measure_embeddings(torch.ones(24, 8), labels, torch.arange(24), seed=0)

    assert values["val/rank_at_1"] == 0.0
    assert values["val/resultant_length"] == pytest.approx(1.0)
    assert "val/davies_bouldin" not in values


def test_each_name_is_known_to_the_doctor():
    z, labels = blobs(0.5)
    names = measure_embeddings(z, labels, torch.arange(24), seed=0)
    references = {ref.metric for name in names for ref in describe(name).references}
    unknown = {n for n in names if describe(n).direction is Direction.NEUTRAL} - NEUTRAL - references

    assert unknown == set()


def test_without_a_valid_query_there_is_nothing_to_measure():
    z, labels = blobs(0.5)
    with pytest.raises(ValueError, match="quer"):
        measure_embeddings(z, labels, labels, seed=0)
