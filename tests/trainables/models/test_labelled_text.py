"""The encoder of words and the heads of tasks."""

import pytest
import torch

from trainables.data.texts.texts import RawTexts, tokenize
from trainables.models.labelled_text import LabelledTextModel, TextSizes

CLASSES = {"a": 2, "b": 3}


def sizes(**changed):
    settings = {"width": 8, "heads": 2, "layers": 1, "buckets": 300, "dropout": 0.0, "word_dropout": 0.0}
    return TextSizes(**(settings | changed))


def words(*texts):
    made = tokenize(RawTexts(texts, torch.zeros(len(texts), 1, dtype=torch.int64).numpy()))
    return made.words_NL, made.pieces_VP


@pytest.fixture
def model():
    torch.manual_seed(0)
    return LabelledTextModel(sizes(), CLASSES).eval()


def test_each_task_has_its_logits(model):
    logits = model(*words("good morning", "no", "what a day"))
    assert {task: tuple(values.shape) for task, values in logits.items()} == {"a": (3, 2), "b": (3, 3)}


@pytest.mark.parametrize("layers", [0, 2])
def test_padding_has_no_influence(layers):
    torch.manual_seed(0)
    model = LabelledTextModel(sizes(layers=layers), CLASSES).eval()
    words_NL, pieces_VP = words("what a day", "no")
    padded = torch.nn.functional.pad(words_NL, (0, 5))
    torch.testing.assert_close(model(padded, pieces_VP)["b"], model(words_NL, pieces_VP)["b"])
    torch.testing.assert_close(model(words_NL[1:, :1], pieces_VP)["a"], model(words_NL, pieces_VP)["a"][1:])


def test_only_layers_see_the_order_of_words():
    torch.manual_seed(0)
    one, other = words("a b c d e", "e d c b a")
    for layers, same in ((0, True), (1, False)):
        logits = LabelledTextModel(sizes(layers=layers), CLASSES).eval()(one, other)["a"]
        assert torch.allclose(logits[0], logits[1], atol=1e-6) is same


def test_unseen_spellings_stay_near():
    torch.manual_seed(0)
    model = LabelledTextModel(sizes(buckets=2**16, layers=0, width=64), CLASSES).eval()
    x, _ = model.encoder(*words("wonderful wonderfull kettle"))
    cosine = torch.nn.functional.cosine_similarity
    assert cosine(x[0, 0], x[0, 1], dim=0) > 0.7
    assert cosine(x[0, 0], x[0, 2], dim=0).abs() < 0.5


def test_word_dropout_never_empties_a_text():
    torch.manual_seed(0)
    model = LabelledTextModel(sizes(word_dropout=0.5), CLASSES).train()
    _, kept = model.encoder(*words(*["one two three"] * 50, "one"))
    assert kept.any(dim=1).all()
    assert 0.5 < kept.float().mean() < 0.7


def test_a_task_without_a_loss_gives_its_head_no_gradient(model):
    model(*words("a b", "c"))["a"].sum().backward()
    assert all(p.grad is None for p in model.heads["b"].parameters())
    assert all(p.grad is not None for p in model.heads["a"].parameters())


def test_every_piece_finds_a_row(model):
    logits = model(*words(*(f"word{i} {'x' * (i % 40 + 1)}" for i in range(300))))
    assert logits["a"].isfinite().all()
