"""The adapter on real inputs: scikit-learn's digits and Omniglot's characters, both of 8 x 8 pixels.

No pairs of real embeddings are shipped, so the inputs are raw pixels and the targets are made: one for each class, in
768 dimensions, 14 to 17 apart, around a common mean of length 29.6, as note 000 measured its text
embeddings. Everything goes through a file of one's own (`source: files`), batches hold all classes, and each split has
its own seed. Chance, the class-blind error and the nearest class mean of the pixels stand beside the figures.
"""

import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from statistics import fmean, stdev

import numpy as np
from numpy.typing import NDArray
from scipy.stats import t
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

from benchmarks.real.result import Result
from trainables.contract import TrialContext
from trainables.data.embeddings.geometry import points_at_distances, random_distances, random_rotation
from trainables.data.errors import Split
from trainables.data.pairs.omniglot import read_omniglot
from trainables.data.pairs.sources import OmniglotSource
from trainables.tasks.adapter.config import Config
from trainables.tasks.adapter.task import train

SEEDS = range(5)
DIMS, COMMON_NORM = 768, 29.6
Arrays = NDArray[np.float32]
SETTINGS: Mapping[str, Mapping[str, object]] = {
    "digits": {
        "epochs": 20,
        "batch_size": 32,
        "clip": {"adapter": {"hidden": 256}, "optimizer": {"lr": 3e-3, "schedule": {"kind": "cosine", "end": 0.0}}},
    },
    "omniglot": {
        "epochs": 50,
        "batch_size": 32,
        "clip": {
            "adapter": {"hidden": 1024, "dropout": 0.5},
            "optimizer": {"lr": 3e-3, "weight_decay": 1.0, "schedule": {"kind": "cosine", "end": 0.0}},
        },
    },
}
"""Chosen on the split of another seed, 100."""


def measure(data: Path) -> Iterator[Result]:
    """R^2 and retrieval of the last epoch on val, digits first."""
    digits = load_digits()
    yield from _results("digits", digits.data.astype(np.float32), digits.target, target="above 0; above .95")
    if (data / "omniglot").is_dir():
        pairs = read_omniglot(OmniglotSource(source="omniglot", root=str(data / "omniglot"), size=24), Split.TRAIN)
        pixels = pairs.videos.reshape(-1, 8, 3, 8, 3).mean(axis=(2, 4)).reshape(-1, 64)
        yield from _results("omniglot", pixels, np.asarray(pairs.labels), target="above 0")


def _results(name: str, inputs: Arrays, classes: NDArray[np.int64], *, target: str) -> Iterator[Result]:
    last = [_last_metrics(name, inputs, classes, seed=seed) for seed in SEEDS]
    num = len(set(classes.tolist()))
    setting = f"{name}, {num} classes"
    blind = fmean(m["val/class_blind_mse_clip"] for m in last)
    error = fmean(m["val/mse_clip"] for m in last)
    raw = fmean(m["val/raw_retrieval_accuracy"] for m in last)
    yield _result(f"R^2, {setting}", [m["val/r2_clip"] for m in last], target, f"0; error {error:.3f} of {blind:.3f}")
    chance = f"nearest pixel mean {raw:.3f}, chance {1 / num:.3f}"
    yield _result(f"retrieval, {setting}", [m["val/retrieval_accuracy_clip"] for m in last], target, chance)


def _last_metrics(name: str, inputs: Arrays, classes: NDArray[np.int64], *, seed: int) -> Mapping[str, float]:
    """One training on one split; of the first epoch only what is measured once."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"{name}.npz"
        _write(path, inputs, classes, seed=seed)
        fields = {"spaces": "clip", "data": {"source": "files", "path": str(path)}, **SETTINGS[name]}
        measurements = list(train(Config.model_validate(fields), TrialContext(seed=seed)))
    return {**measurements[0].metrics, **measurements[-1].metrics}


def _write(path: Path, inputs: Arrays, classes: NDArray[np.int64], *, seed: int) -> None:
    """The file of a split: three fifths of each class to train on, one to validate, one left alone."""
    rest, train_rows = train_test_split(np.arange(len(classes)), test_size=0.6, stratify=classes, random_state=seed)
    test_rows, val_rows = train_test_split(rest, test_size=0.5, stratify=classes[rest], random_state=seed)
    split = np.empty(len(classes), dtype="U5")
    for rows, mark in ((train_rows, Split.TRAIN), (val_rows, Split.VAL), (test_rows, Split.TEST)):
        split[rows] = mark.value
    targets = _class_targets(int(classes.max()) + 1, seed=seed)[classes]
    np.savez(path, inputs=inputs, targets_clip=targets, classes=classes, split=split)


def _class_targets(num: int, *, seed: int) -> Arrays:
    rng = np.random.default_rng(seed)
    points_CP = points_at_distances(random_distances(num, low=14.0, high=17.0, rng=rng))
    common_D = rng.normal(size=DIMS)
    common_D *= COMMON_NORM / np.linalg.norm(common_D)
    return (common_D + points_CP @ random_rotation(num - 1, DIMS, rng=rng)).astype(np.float32)


def _result(what: str, values: list[float], target: str, baseline: str) -> Result:
    """The mean with the interval of a t distribution."""
    mean, half = fmean(values), float(t.ppf(0.975, len(values) - 1)) * stdev(values) / len(values) ** 0.5
    return Result(
        what=what, value=mean, low=mean - half, high=mean + half, num=len(values), target=target, baseline=baseline
    )
