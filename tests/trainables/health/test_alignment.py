"""Matched against unmatched cosines."""

from tests.support.histories import history
from trainables.health.alignment import negative_alignment, unmatched_cosine_high


def cosines(matched, unmatched):
    return history(val_matched_cosine=[0.0, *[matched] * 3], val_unmatched_cosine=[0.0, *[unmatched] * 3])


def test_negative_alignment():
    assert negative_alignment(cosines(-0.2, -0.1))
    assert negative_alignment(cosines(0.2, 0.3))
    assert negative_alignment(cosines(0.2, 0.1)) is None
    assert negative_alignment(cosines(-0.01, -0.01)) is None
    assert negative_alignment(history(val_matched_cosine=[-0.2, -0.2, -0.2])) is None


def test_high_cosines_of_both_kinds():
    assert unmatched_cosine_high(cosines(0.95, 0.94))
    assert unmatched_cosine_high(cosines(0.95, 0.6)) is None
    assert unmatched_cosine_high(cosines(0.4, 0.39)) is None
