import pytest

from trainables.metrics.text import bleu, bleu_signature, rouge_l

REPORT = "there is a severe stenosis of the proximal left anterior descending artery"


def test_a_perfect_copy():
    assert bleu([REPORT], [REPORT]) == pytest.approx(100.0)
    assert rouge_l([REPORT], [REPORT]) == 1.0


def test_nothing_generated():
    assert bleu([REPORT, REPORT], ["", ""]) == 0.0
    assert rouge_l([REPORT, REPORT], ["", ""]) == 0.0
    assert rouge_l([REPORT, REPORT], ["", REPORT]) == 0.5


def test_a_corpus_without_4_grams_scores_zero():
    assert bleu(["a b"], ["a b"]) == 0.0


def test_the_signature_names_the_tokenizer():
    assert bleu_signature().startswith("nrefs:1|case:mixed|eff:no|tok:13a|smooth:exp|version:")


def test_rouge_does_not_see_what_its_tokenizer_drops():
    assert rouge_l(["70 %"], ["70"]) == 1.0
    assert rouge_l(["M\u00e4nner"], ["M nner"]) == 1.0


def test_neither_tells_a_wrong_number_from_a_right_report():
    wrong = f"{REPORT} of 30%"
    right = f"{REPORT} of 70%"
    assert bleu([right], [wrong]) > 80
    assert rouge_l([right], [wrong]) > 0.9


@pytest.mark.parametrize("metric", [bleu, rouge_l])
def test_refused_input(metric):
    with pytest.raises(ValueError, match="0 references and 0 hypotheses"):
        metric([], [])
    with pytest.raises(ValueError, match="2 references and 1 hypotheses"):
        metric(["a", "b"], ["a"])
