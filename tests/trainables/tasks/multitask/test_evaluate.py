"""What is measured on val, on embeddings whose answer is known."""

import math

import pytest
import torch

from trainables.losses.bounds import clip_bounds
from trainables.tasks.multitask import evaluate
from trainables.tasks.multitask.config import ContrastiveKind
from trainables.tasks.multitask.contrast import Contrasting

HALVES = torch.arange(8).split(4)
CONTRAST = Contrasting(kind=ContrastiveKind.CLIP, temperature=0.1, bias=0.0, margin=0.0, ratio=1.0)


def outputs(video, text):
    return evaluate.Outputs(torch.arange(len(video)), video, text, (), 0.0, 0.0)


@pytest.fixture
def perfect():
    return outputs(torch.eye(8), torch.eye(8))


def test_perfect_and_useless_embeddings(perfect):
    same = torch.eye(8, dtype=torch.bool)
    found = evaluate.retrieval(perfect, same)
    assert found["val/recall_at_1"] == found["val/recall_at_10"] == 1
    assert found["val/chance_recall_at_1"] == pytest.approx(1 / 8)
    assert (found["val/num_queries"], found["val/num_excluded_queries"]) == (8, 0)
    collapsed = outputs(torch.eye(8)[:1].expand(8, 8), torch.eye(8)[:1].expand(8, 8))
    assert evaluate.retrieval(collapsed, same)["val/recall_at_1"] == 0
    shape = evaluate.geometry(collapsed, same)
    assert shape["val/resultant_length"] == pytest.approx(1)
    assert shape["val/effective_rank"] == pytest.approx(1)


def test_recall_is_the_mean_of_both_directions(perfect):
    text = torch.eye(8)
    text[0] = text[1]
    found = evaluate.retrieval(outputs(torch.eye(8), text), torch.eye(8, dtype=torch.bool))
    to_text, to_video = found["val/recall_at_1_video_to_text"], found["val/recall_at_1_text_to_video"]
    assert to_text != to_video
    assert found["val/recall_at_1"] == pytest.approx((to_text + to_video) / 2)


def test_equal_texts_count_as_right():
    same = torch.eye(4, dtype=torch.bool)
    same[0, 1] = same[1, 0] = True
    swapped = torch.eye(4)[[1, 0, 2, 3]]
    assert evaluate.retrieval(outputs(torch.eye(4), swapped), same)["val/recall_at_1"] == 1


def test_the_loss_is_taken_in_batches_of_the_training_s_size(perfect):
    found = evaluate.contrastive(perfect, torch.eye(8, dtype=torch.bool), contrast=CONTRAST, batches=HALVES)
    assert found["val/contrastive_chance"] == pytest.approx(math.log(4))
    assert found["val/contrastive_floor"] == pytest.approx(clip_bounds(4, 0.1).floor)
    assert found["val/contrastive_loss"] == pytest.approx(math.log(1 + 3 * math.exp(-10)), abs=1e-6)


def test_equal_embeddings_lie_at_chance():
    flat = torch.eye(8)[:1].expand(8, 8)
    same = torch.eye(8, dtype=torch.bool)
    found = evaluate.contrastive(outputs(flat, flat), same, contrast=CONTRAST, batches=HALVES)
    assert found["val/contrastive_position"] == pytest.approx(1, abs=1e-5)
