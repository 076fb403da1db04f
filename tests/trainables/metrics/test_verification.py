import math

import pytest
import torch

from trainables.metrics import verification
from trainables.metrics.verification import verification_scores

LABELS = torch.arange(12) // 3
SAME = LABELS[:, None] == LABELS
ALL = torch.ones(12, 12, dtype=torch.bool)


def test_perfect_and_reversed_scores():
    perfect = verification_scores(SAME.float(), same_NN=SAME, allowed_NN=ALL)
    assert (perfect.auc, perfect.eer) == (1.0, 0.0)
    assert (perfect.num_genuine, perfect.num_impostor) == (12, 54)
    opposite = verification_scores(-SAME.float(), same_NN=SAME, allowed_NN=ALL)
    assert (opposite.auc, opposite.eer) == (0.0, 1.0)


def test_constant_scores_are_chance():
    scores = verification_scores(torch.ones(12, 12), same_NN=SAME, allowed_NN=ALL)
    assert (scores.auc, scores.eer) == (0.5, 0.5)


def test_nan_scores_are_nan():
    similarity = SAME.float()
    similarity[0, 5] = torch.nan
    scores = verification_scores(similarity, same_NN=SAME, allowed_NN=ALL)
    assert math.isnan(scores.auc)
    assert math.isnan(scores.eer)


def test_pairs_that_are_not_allowed_do_not_count():
    similarity, allowed = SAME.float(), ALL.clone()
    similarity[0, 1] = similarity[1, 0] = torch.nan
    allowed[0, 1] = allowed[1, 0] = False
    scores = verification_scores(similarity, same_NN=SAME, allowed_NN=allowed)
    assert (scores.auc, scores.num_genuine) == (1.0, 11)


def test_of_too_many_pairs_those_of_evenly_spaced_items_are_scored_once_each(monkeypatch):
    """12 items, rows for 0, 4 and 8: their pairs with each other once, and with the other nine."""
    similarity = torch.rand(12, 12, generator=torch.Generator().manual_seed(0))
    similarity = similarity + similarity.T
    monkeypatch.setattr(verification, "MAX_PAIRS", 40)
    sampled = verification_scores(similarity, same_NN=SAME, allowed_NN=ALL)
    pairs = [(i, j) for i in (0, 4, 8) for j in range(12) if j > i or (j not in (0, 4, 8) and j != i)]
    genuine = [similarity[i, j].item() for i, j in pairs if SAME[i, j]]
    impostor = [similarity[i, j].item() for i, j in pairs if not SAME[i, j]]
    assert (sampled.num_genuine, sampled.num_impostor) == (len(genuine), len(impostor)) == (6, 24)
    wins = [float(g > i) + 0.5 * (g == i) for g in genuine for i in impostor]
    assert sampled.auc == pytest.approx(sum(wins) / len(wins))


@pytest.mark.parametrize("same", [ALL, torch.eye(12, dtype=torch.bool)])
def test_pairs_of_one_kind_only_are_refused(same):
    with pytest.raises(ValueError, match="at least 1 of each"):
        verification_scores(torch.ones(12, 12), same_NN=same, allowed_NN=ALL)
