"""Each metric against loops over its definition and against a library."""

import random
import subprocess
import sys

import numpy as np
import pytest
import scipy.stats
import torch

from trainables.metrics.collapse import effective_rank, resultant_length, top_variance_fraction
from trainables.metrics.cosines import mean_cosines
from trainables.metrics.gradients import gradient_cosine, gradient_norm, task_gradients
from trainables.metrics.retrieval import chance_recall_at_k, recall_at_k
from trainables.metrics.text import bleu, rouge_l

DTYPES = [torch.float32, torch.float64]
WORDS = [
    "a",
    "severe",
    "mild",
    "70%",
    "90",
    "%",
    "stenosis",
    "of",
    "the",
    "proximal",
    "mid",
    "coronary",
    "artery",
    ".",
    ",",
]


def scores_and_relevance(dtype, seed=0):
    generator = torch.Generator().manual_seed(seed)
    similarity = torch.randn(40, 25, generator=generator, dtype=dtype)
    relevant = torch.rand(40, 25, generator=generator) < 0.08
    assert 0 < int(relevant.any(dim=1).sum()) < 40
    return similarity, relevant


def texts(seed):
    source = random.Random(seed)
    references = [" ".join(source.choices(WORDS, k=source.randint(5, 25))) for _ in range(30)]
    hypotheses = [" ".join(w for w in r.split() if source.random() < 0.8) for r in references]
    return references, ["", *hypotheses[1:]]


@pytest.mark.parametrize("dtype", DTYPES)
def test_recall_against_loops(dtype):
    similarity, relevant = scores_and_relevance(dtype)
    similarity = (similarity * 2).round() / 2
    for k, value in recall_at_k(similarity, relevant, ks=(1, 3, 10)).items():
        hits = []
        for row, is_relevant in zip(similarity.tolist(), relevant.tolist(), strict=True):
            if any(is_relevant):
                order = sorted(range(25), key=lambda j: (-row[j], is_relevant[j]))
                hits.append(any(is_relevant[j] for j in order[:k]))
        assert value == pytest.approx(sum(hits) / len(hits))


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("k", [1, 5, 25])
def test_recall_against_torchmetrics(dtype, k):
    from torchmetrics.retrieval import RetrievalHitRate

    similarity, relevant = scores_and_relevance(dtype)
    indexes = torch.arange(40)[:, None].expand(40, 25)
    oracle = RetrievalHitRate(empty_target_action="skip", top_k=k)(
        similarity.flatten(), relevant.flatten(), indexes=indexes.flatten()
    )
    assert recall_at_k(similarity, relevant, ks=(k,))[k] == pytest.approx(oracle.item())


def test_recall_does_not_depend_on_order():
    similarity, relevant = scores_and_relevance(torch.float64)
    generator = torch.Generator().manual_seed(1)
    queries, items = torch.randperm(40, generator=generator), torch.randperm(25, generator=generator)
    shuffled = recall_at_k(similarity[queries][:, items], relevant[queries][:, items], ks=(1, 5))
    assert shuffled == pytest.approx(recall_at_k(similarity, relevant, ks=(1, 5)))


def test_chance_against_the_hypergeometric_distribution_and_random_rankings():
    _, relevant = scores_and_relevance(torch.float64)
    counts = [n for n in relevant.sum(dim=1).tolist() if n]
    chance = chance_recall_at_k(relevant, ks=(1, 5, 10))
    for k, value in chance.items():
        assert value == pytest.approx(np.mean([scipy.stats.hypergeom.sf(0, 25, n, k) for n in counts]))
    generator = torch.Generator().manual_seed(2)
    trials = [recall_at_k(torch.rand(40, 25, generator=generator), relevant, ks=(5,))[5] for _ in range(500)]
    assert np.mean(trials) == pytest.approx(chance[5], abs=4 * np.std(trials) / np.sqrt(500))


@pytest.mark.parametrize("dtype", DTYPES)
def test_cosines_against_loops(batch, dtype):
    video, text, labels = batch(dtype=dtype)
    cosine = torch.nn.functional.cosine_similarity(video[:, None], text[None], dim=-1).tolist()
    pairs = [(i, j) for i in range(9) for j in range(9) if labels[i] != labels[j]]
    cosines = mean_cosines(3 * video, text, equivalent_BB=labels[:, None] == labels)
    assert cosines.matched == pytest.approx(np.mean([cosine[i][i] for i in range(9)]), rel=1e-6)
    assert cosines.unmatched == pytest.approx(np.mean([cosine[i][j] for i, j in pairs]), rel=1e-6)


@pytest.mark.parametrize("dtype", DTYPES)
def test_collapse_indicators_against_numpy_and_scipy(batch, dtype):
    z, _, _ = batch(50, 8, dtype=dtype)
    x = z.double().numpy()
    centred = x - x.mean(axis=0)
    for values, is_centred in [(np.linalg.svd(x)[1], False), (np.linalg.svd(centred)[1], True)]:
        assert effective_rank(z, centred=is_centred) == pytest.approx(np.exp(scipy.stats.entropy(values)))
    eigenvalues = np.linalg.eigvalsh(np.cov(x.T))
    assert top_variance_fraction(z) == pytest.approx(eigenvalues[-1] / eigenvalues.sum())
    mean_cosine = (x @ x.T)[~np.eye(50, dtype=bool)].mean()
    length = resultant_length(z)
    assert (50**2 * length**2 - 50) / (50 * 49) == pytest.approx(mean_cosine, abs=1e-6)


@pytest.mark.parametrize("seed", [0, 1])
def test_bleu_against_the_sacrebleu_program(tmp_path, seed):
    references, hypotheses = texts(seed)
    (tmp_path / "ref").write_text("".join(f"{line}\n" for line in references))
    (tmp_path / "hyp").write_text("".join(f"{line}\n" for line in hypotheses))
    command = [sys.executable, "-m", "sacrebleu", "ref", "-i", "hyp", "-b", "-w", "6"]
    printed = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True).stdout
    assert 0 < bleu(references, hypotheses) < 100
    assert bleu(references, hypotheses) == pytest.approx(float(printed), abs=1e-6)


def longest_common_subsequence(a, b):
    lengths = [0] * (len(b) + 1)
    for x in a:
        before = 0
        for j, y in enumerate(b, start=1):
            before, lengths[j] = lengths[j], before + 1 if x == y else max(lengths[j], lengths[j - 1])
    return lengths[-1]


@pytest.mark.parametrize("seed", [0, 1])
def test_rouge_l_against_loops(seed):
    references, hypotheses = texts(seed)
    scores = []
    for pair in zip(references, hypotheses, strict=True):
        a, b = ([t for t in text.replace("%", "").split() if t.isalnum()] for text in pair)
        common = longest_common_subsequence(a, b)
        scores.append(2 * common / (len(a) + len(b)) if common else 0.0)
    assert rouge_l(references, hypotheses) == pytest.approx(np.mean(scores))


def test_task_gradients_against_separate_backward_passes():
    model = torch.nn.Sequential(torch.nn.Linear(4, 5), torch.nn.Tanh(), torch.nn.Linear(5, 2))
    generator = torch.Generator().manual_seed(0)
    x = torch.randn(6, 4, generator=generator)
    parameters = list(model.parameters())
    outputs = model(x)
    gradients = task_gradients({"a": outputs[:, 0].square().mean(), "b": outputs[:, 1].exp().mean()}, parameters)
    separate = {}
    for name, loss in {"a": lambda o: o[:, 0].square().mean(), "b": lambda o: o[:, 1].exp().mean()}.items():
        model.zero_grad()
        loss(model(x)).backward()
        separate[name] = torch.cat([p.grad.flatten() for p in parameters])
        torch.testing.assert_close(gradients[name], separate[name])
        assert gradient_norm(parameters) == pytest.approx(separate[name].norm().item(), rel=1e-6)
    a, b = (g.double().numpy() for g in separate.values())
    expected = a @ b / np.linalg.norm(a) / np.linalg.norm(b)
    assert gradient_cosine(gradients["a"], gradients["b"]) == pytest.approx(expected, rel=1e-5)
