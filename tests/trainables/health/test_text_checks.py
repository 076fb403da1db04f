"""Numbers in generated texts."""

from tests.support.histories import history
from trainables.health.text import numbers_missing


def test_a_good_bleu_without_the_numbers():
    assert numbers_missing(history(val_bleu=[0.0, 61.5], val_stenosis_recall=[0.0, 0.0]))
    assert numbers_missing(history(val_rouge_l=[0.0, 0.944], val_stenosis_recall=[0.0, 0.1]))
    assert numbers_missing(history(val_bleu=[0.0, 61.5], val_stenosis_recall=[0.0, 0.9])) is None
    assert numbers_missing(history(val_bleu=[0.0, 20.0], val_stenosis_recall=[0.0, 0.0])) is None
