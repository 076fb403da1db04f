"""Likeness of generated texts to their references: BLEU and ROUGE-L.

Neither notices a wrong number: read `stenosis` beside them. The tokenizer of rouge-score keeps only a-z and 0-9, so
to ROUGE "70 %" and "70" are equal, and letters with accents are spaces. BLEU's "13a" makes "%" a token of its own.
"""

from collections.abc import Sequence

from rouge_score.rouge_scorer import RougeScorer
from sacrebleu.metrics.bleu import BLEU

BLEU_TOKENIZER = "13a"
"""sacrebleu's default, the tokenizer of the WMT evaluation script."""


def bleu(references: Sequence[str], hypotheses: Sequence[str]) -> float:
    """Corpus BLEU from 0 to 100, with one reference for each hypothesis; `bleu_signature` says which BLEU.

    A corpus without a single 4-gram scores 0, even when it equals its references.
    Raises: ValueError: no texts, or not as many references as hypotheses.
    """
    _check(references, hypotheses)
    return float(_bleu().corpus_score(list(hypotheses), [list(references)]).score)


def bleu_signature() -> str:
    """The variant that `bleu` computes, in sacrebleu's notation, for the record of a result."""
    scorer = _bleu()
    scorer.corpus_score(["a"], [["a"]])
    return str(scorer.get_signature())


def rouge_l(references: Sequence[str], hypotheses: Sequence[str]) -> float:
    """Mean over pairs of the ROUGE-L F-measure, from 0 to 1, without stemming; an empty text scores 0.

    Raises: ValueError: no texts, or not as many references as hypotheses.
    """
    _check(references, hypotheses)
    scorer = RougeScorer(["rougeL"], use_stemmer=False)
    scores = [scorer.score(r, h)["rougeL"].fmeasure for r, h in zip(references, hypotheses, strict=True)]
    return float(sum(scores) / len(scores))


def _bleu() -> BLEU:
    return BLEU(tokenize=BLEU_TOKENIZER, smooth_method="exp", effective_order=False)


def _check(references: Sequence[str], hypotheses: Sequence[str]) -> None:
    if not references or len(references) != len(hypotheses):
        raise ValueError(f"{len(references)} references and {len(hypotheses)} hypotheses: as many of each, at least 1")
