"""Tweets, five stratified folds: macro-F1 of each task on the fold that was not trained on, beside TF-IDF's.

RECIPE was chosen on fold 0 of split seed 0, which is one of the five reported; no epoch is selected, the last one
counts. The baseline is word and word-pair TF-IDF with balanced logistic regression on the same folds.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from scipy import stats
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import f1_score

from benchmarks.real.result import Result
from trainables.contract import TrialContext
from trainables.data.errors import Split
from trainables.data.texts.sources import NUM_FOLDS, TweetsSource
from trainables.data.texts.tweets import TWEET_TASKS, read_tweets
from trainables.tasks.toxicity.config import Config
from trainables.tasks.toxicity.task import train

RECIPE = {
    "epochs": 4,
    "batch_size": 128,
    "optimizer": {"lr": 1.5e-3, "weight_decay": 0.01, "schedule": {"kind": "one_cycle", "peak_at": 0.3}},
    "focal": {"gamma": 0.0, "balance": 0.5},
    "weighting": {"kind": "equal"},
    "sizes": {"layers": 0, "buckets": 32768, "dropout": 0.5, "word_dropout": 0.3},
}


def measure(data: Path) -> list[Result]:
    """Five folds, about a minute each on a free core."""
    root = str(data / "hate-speech")
    folds = [TweetsSource(source="tweets", root=root, fold=fold, hold_out_test=False) for fold in range(NUM_FOLDS)]
    curves = [_curve(source) for source in folds]
    baselines = [_baseline(source) for source in folds]
    last = [curve[-1] for curve in curves]
    kind = "kind (hate, offensive, neither)"
    results = [
        _result(
            f"macro-F1, {kind}",
            [metrics["val/macro_f1_kind"] for metrics in last],
            target="at least .74, aim .78",
            baseline=_read_beside(baselines, "kind", last),
        ),
        *(
            _result(
                f"{figure} of the hate class",
                [metrics[f"val/rare_{figure.lower()}_kind"] for metrics in last],
                target="at least .45" if figure == "F1" else "-",
                baseline=f"TF-IDF {np.mean([b['hate'] for b in baselines]):.3f}"
                if figure == "F1"
                else "prevalence .058",
            )
            for figure in ("F1", "Recall", "Precision")
        ),
    ]
    for task in TWEET_TASKS[1:]:
        values = [metrics[f"val/macro_f1_{task.name}"] for metrics in last]
        beside = _read_beside(baselines, task.name, last)
        results.append(_result(f"macro-F1, {task.name}", values, target="above TF-IDF", baseline=beside))
    return results


def _curve(source: TweetsSource) -> list[Mapping[str, float]]:
    config = Config.model_validate({**RECIPE, "data": source.model_dump()})
    return [measurement.metrics for measurement in train(config, TrialContext(seed=0))]


def _baseline(source: TweetsSource) -> dict[str, float]:
    """Macro-F1 of each task, and F1 of the hate class."""
    known, new = read_tweets(source, Split.TRAIN), read_tweets(source, Split.VAL)
    words = TfidfVectorizer(ngram_range=(1, 2), min_df=3, sublinear_tf=True)
    known_NV, new_NV = words.fit_transform(known.texts), words.transform(new.texts)
    scores: dict[str, float] = {}
    for number, task in enumerate(TWEET_TASKS):
        model = LogisticRegression(class_weight="balanced", max_iter=1000).fit(known_NV, known.labels_NT[:, number])
        classes = list(range(len(task.classes)))
        f1s = f1_score(new.labels_NT[:, number], model.predict(new_NV), labels=classes, average=None)
        scores[task.name] = float(np.mean(f1s))
        if task.name == "kind":
            scores["hate"] = float(f1s[0])
    return scores


def _read_beside(baselines: Sequence[Mapping[str, float]], task: str, last: Sequence[Mapping[str, float]]) -> str:
    majority = np.mean([metrics[f"val/majority_macro_f1_{task}"] for metrics in last])
    return f"TF-IDF {np.mean([scores[task] for scores in baselines]):.3f}, majority {majority:.3f}"


def _result(what: str, values: Sequence[float], *, target: str, baseline: str) -> Result:
    half = float(stats.t.ppf(0.975, len(values) - 1) * stats.sem(values))
    value = float(np.mean(values))
    return Result(f"{what}, tweets, 5 folds", value, value - half, value + half, len(values), target, baseline)
