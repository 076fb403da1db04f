"""Note 001: hard negatives that are the farthest ones, mining that never happened, and numbers that looked better.

On ECG-ID where it is there (ORCH_REAL_DATA or ../shared/data), else on generated recordings: the first row says which.
"""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from benchmarks.reproductions.claim import Claim
from trainables.contract import TrialContext
from trainables.tasks.identification.config import Config
from trainables.tasks.identification.task import train

SEEDS = (0, 1, 2)
ROOT = Path(__file__).resolve().parents[2]
NOTE = {
    "epochs": 10,
    "batches_per_epoch": 30,
    "loss": "contrastive",
    "margin": {"start": 0.5},
    "sizes": {"width": 16},
    "augment": {"windows_per_item": 1},
}
"""One pair of each kind for an anchor, single beats, as in the note's code."""
SUPCON = {"epochs": 10, "batches_per_epoch": 30, "sizes": {"width": 16}, "augment": {"windows_per_item": 1}}
HARDEN = [
    {"from_epoch": 0, "negative": "random"},
    {"from_epoch": 3, "negative": "semi_hard"},
    {"from_epoch": 6, "negative": "hard"},
]
_CLUSTERS = ("calinski_harabasz", "calinski_harabasz_chance", "davies_bouldin", "davies_bouldin_chance")
Curves = Sequence[Sequence[Mapping[str, float]]]
"""Metrics by seed and epoch."""


def reproduce() -> list[Claim]:
    """Five ways of mining on the same splits, and the note's query protocol."""
    farthest = _train({**NOTE, "negative_mining": "farthest"})
    hard = _train({**NOTE, "negative_mining": "hard"})
    blind = _train({**NOTE, "negative_mining": "hard", "mining_embeddings": "none"})
    curriculum = _train({**NOTE, "curriculum": HARDEN, "mining_window": "chosen"})
    supcon = _train(SUPCON)
    all_queries = _train({**SUPCON, "evaluation": {"protocol": "cross_day", "queries": "all"}})
    rank = "val/rank_at_1"
    clusters = {name: _spread(supcon, f"val/{name}", -1) for name in _CLUSTERS}
    return [
        Claim(
            f"Rank@1 of the raw median beats and of the random encoder, {_data()['source']}, 30 unseen people",
            "none; an earlier reproduction had .916 and .885",
            f"{_spread(farthest, 'val/raw_rank_at_1', 0)} and {_spread(farthest, rank, 0)}",
            "a little higher: other beat detector, other splits" if _is_real() else "generated: not comparable",
        ),
        Claim(
            '"hard" that takes the farthest negative: Rank@1, untrained to trained',
            "random weights work better; earlier reproduction .885 to .720",
            f"{_spread(farthest, rank, 0)} to {_spread(farthest, rank, -1)}",
            _verdict(_mean(farthest, rank, -1) < _mean(farthest, rank, 0) - 0.03, "reproduced: trained is worse"),
        ),
        Claim(
            "meanwhile the loss's own intra and inter distance, first to last epoch",
            "better; earlier reproduction intra .068 to .012, inter .842 to .974",
            f"intra {_both(farthest, 'train/intra_distance')}, inter {_both(farthest, 'train/inter_distance')}",
            _verdict(
                _mean(farthest, "train/intra_distance", -1) < _mean(farthest, "train/intra_distance", 1),
                "reproduced: intra misleads",
            ),
        ),
        Claim(
            "what shows it: place of the negative (0 nearest, 1 farthest), and distance to the nearest stranger",
            "not measured",
            f"place {_spread(farthest, 'train/negative_percentile', -1)}; nearest stranger "
            f"{_spread(farthest, 'val/nearest_negative_distance', 0)} to "
            f"{_spread(farthest, 'val/nearest_negative_distance', -1)}",
            "measured",
        ),
        Claim(
            "true hard negatives, nearest in the batch: Rank@1",
            "proposed; earlier reproduction .918 to .922",
            _spread(hard, rank, -1),
            _verdict(_mean(hard, rank, -1) > _mean(hard, rank, 0), "cured"),
        ),
        Claim(
            "random, then semi-hard, then hard, by epoch: Rank@1",
            "proposed",
            _spread(curriculum, rank, -1),
            _verdict(_mean(curriculum, rank, -1) > _mean(curriculum, rank, 0), "better than untrained"),
        ),
        Claim(
            "SupCon, all positives: Rank@1",
            "proposed; earlier reproduction .90 to .92",
            _spread(supcon, rank, -1),
            _verdict(_mean(supcon, rank, -1) > _mean(supcon, rank, 0), "cured"),
        ),
        Claim(
            "hard without embeddings: share of anchors mined as asked, place of the negative, Rank@1",
            "silently random",
            f"{_spread(blind, 'train/mining_requested_fraction', -1)}, "
            f"{_spread(blind, 'train/negative_percentile', -1)}, {_spread(blind, rank, -1)}",
            _verdict(_mean(blind, "train/mining_requested_fraction", -1) == 0, "reproduced, and on record"),
        ),
        Claim(
            "queries without a record to find counted as missed: Rank@1 across days, as counted and over valid queries",
            "AUC .89 with Top-1 of 1 %",
            f"{_spread(all_queries, rank, -1)} and {_spread(supcon, f'{rank}_cross_day', -1)}, "
            f"AUC {_spread(all_queries, 'val/auc', -1)}",
            _verdict(
                _mean(all_queries, rank, -1) < _mean(supcon, f"{rank}_cross_day", -1) - 0.03,
                "the counting alone costs that much",
            ),
        ),
        Claim(
            "CH and DB after SupCon, beside shuffled labels",
            "CH 5.59, DB 7.33, without a baseline",
            "CH {calinski_harabasz} ({calinski_harabasz_chance}), DB {davies_bouldin} ({davies_bouldin_chance})".format(
                **clusters
            ),
            "unreadable without the baseline",
        ),
    ]


def _data() -> dict[str, object]:
    folder = Path(os.environ.get("ORCH_REAL_DATA", ROOT.parent / "shared" / "data")) / "ecg-id"
    if folder.is_dir():
        return {"source": "ecg_id", "root": str(folder), "channels": "filtered"}
    return {"source": "simulated"}


def _is_real() -> bool:
    return _data()["source"] == "ecg_id"


def _train(settings: Mapping[str, object]) -> Curves:
    """Each seed splits the people, or generates them, anew."""
    curves = []
    for seed in SEEDS:
        data = _data()
        data["seed" if data["source"] == "simulated" else "split_seed"] = seed
        config = Config.model_validate({**settings, "data": data})
        curves.append([measurement.metrics for measurement in train(config, TrialContext(seed=seed))])
    return curves


def _values(curves: Curves, name: str, at: int) -> list[float]:
    return [curve[at][name] for curve in curves]


def _mean(curves: Curves, name: str, at: int) -> float:
    return float(np.mean(_values(curves, name, at)))


def _spread(curves: Curves, name: str, at: int) -> str:
    values = _values(curves, name, at)
    return f"{np.mean(values):.3f} +- {np.std(values, ddof=1):.3f}"


def _both(curves: Curves, name: str) -> str:
    return f"{_mean(curves, name, 1):.3f} to {_mean(curves, name, -1):.3f}"


def _verdict(holds: bool, words: str) -> str:
    return words if holds else "not reproduced"
