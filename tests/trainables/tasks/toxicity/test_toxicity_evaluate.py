"""What is measured on val, on logits whose answer is known."""

import math

import pytest
import torch

from trainables.data.texts.texts import LabelTask, Texts
from trainables.models.labelled_text import LabelledTextModel, TextSizes
from trainables.tasks.toxicity import evaluate
from trainables.tasks.toxicity.evaluate import TaskSetting, are_finite, measure_val, run_model, summary


def setting(name="kind", counts=(5, 90, 5), gamma=0.0):
    task = LabelTask(name, tuple(map(str, range(len(counts)))))
    return TaskSetting(task, counts, torch.ones(len(counts)), gamma)


LABELS = torch.tensor([[0], [1], [1], [2], [-1]])


def logits(labels, classes=3):
    return {"kind": 50.0 * torch.nn.functional.one_hot(labels.clamp(min=0), classes)}


def test_perfect_predictions():
    found = measure_val(logits(LABELS[:, 0]), LABELS, [setting()])
    assert found["val/macro_f1"] == found["val/macro_f1_kind"] == found["val/accuracy"] == 1.0
    assert found["val/rare_recall_kind"] == found["val/rare_precision_kind"] == found["val/rare_f1_kind"] == 1.0
    assert found["val/num_labels_kind"] == 4
    assert found["val/rare_prevalence_kind"] == 0.25
    assert found["val/calibration_error_kind"] == pytest.approx(0, abs=1e-6)
    assert found["val/kind_position"] == pytest.approx(0, abs=1e-6)


def test_whoever_says_the_majority():
    found = measure_val(logits(torch.ones(5, dtype=torch.int64)), LABELS, [setting()])
    assert found["val/macro_f1"] == found["val/majority_macro_f1_kind"] == pytest.approx(2 / 9)
    assert found["val/rare_recall_kind"] == found["val/rare_precision_kind"] == 0.0


def test_the_best_constant_prediction_lies_at_chance():
    shares = torch.tensor([1, 2, 1]).log()
    found = measure_val({"kind": shares.expand(5, 3)}, LABELS, [setting()])
    assert found["val/kind_position"] == pytest.approx(1.0, abs=1e-5)
    assert found["val/kind_chance"] == pytest.approx(1.5 * math.log(2), abs=1e-5)


def test_the_rare_class_has_the_fewest_training_labels_but_some():
    assert setting(counts=(40, 7, 9)).rare == 1
    assert setting(counts=(0, 7, 7)).rare == 1
    assert setting(counts=(40, 7, 9)).majority == 0


def test_one_class_alone_has_no_range():
    found = measure_val(logits(torch.ones(2, dtype=torch.int64)), torch.ones(2, 1, dtype=torch.int64), [setting()])
    assert "val/kind_chance" not in found
    assert found["val/kind_loss"] == pytest.approx(0, abs=1e-6)


def test_a_summary_leaves_tasks_without_labels_out():
    labels = torch.stack([LABELS[:, 0], torch.full((5,), -1)], dim=1)
    both = {**logits(LABELS[:, 0]), "mood": torch.zeros(5, 2)}
    settings = [setting(), setting("mood", counts=(3, 3))]
    assert summary("train", both, labels, settings) == {"train/macro_f1": 1.0, "train/accuracy": 1.0}
    assert summary("train", both, torch.full((5, 2), -1), settings) == {}


def test_nan_is_noticed():
    assert are_finite({"a": torch.zeros(2)})
    assert not are_finite({"a": torch.zeros(2), "b": torch.tensor([math.nan])})


def test_texts_are_run_by_length_and_come_back_in_order(monkeypatch):
    """With every weight drawn at random, padding that was wrongly cut or kept would show."""
    generator = torch.Generator().manual_seed(0)
    torch.manual_seed(0)
    model = LabelledTextModel(
        TextSizes(width=8, heads=2, layers=2, buckets=64, dropout=0.0, word_dropout=0.0), {"kind": 3, "other": 2}
    ).eval()
    for parameter in model.parameters():
        parameter.data.normal_(generator=generator)
    lengths = torch.tensor([3, 9, 1, 4, 12, 5, 5, 2])
    words = torch.randint(1, 20, (8, 12), generator=generator) * (torch.arange(12) < lengths[:, None])
    pieces = torch.randint(1, 60, (20, 4), generator=generator)
    pieces[0] = 0
    texts = Texts(words, pieces, torch.zeros(8, 2, dtype=torch.int64), 0)
    rows = torch.tensor([4, 0, 7, 1, 2, 6])
    monkeypatch.setattr(evaluate, "_CHUNK", 2)
    with torch.no_grad():
        found, whole = run_model(model, texts, rows, device="cpu"), model(words[rows], pieces)
    torch.testing.assert_close(found, whole)
