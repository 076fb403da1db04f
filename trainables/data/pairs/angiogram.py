"""Generated angiograms: which segments of the vessel tree are narrowed, the video of it, and the report on it.

All of it follows from the source's seed. The splits have no combination of findings in common, and no random stream.
"""

from collections.abc import Mapping, Sequence

import numpy as np

from trainables.data.errors import Split
from trainables.data.pairs.pairs import RawPairs
from trainables.data.pairs.sources import AngiogramSource
from trainables.data.pairs.vessel_tree import SEGMENTS, Look, render

Findings = Mapping[str, int]
"""Segment to percentage of its diameter that is lost; segments that are not named are healthy."""

PERCENTAGES = (30, 40, 50, 60, 70, 80, 90)
_MAX_FINDINGS = 3
_FINDING_PHRASES = (
    "{percent}% stenosis of the {segment}",
    "the {segment} shows a {percent}% stenosis",
    "{segment}: {percent}% stenosis",
    "a {grade} {percent}% narrowing of the {segment}",
    "in the {segment} there is a {percent}% lesion",
)
_OPENINGS = ("", "", "coronary angiography. ", "good image quality. ")
_CLOSINGS = ("", "", " no other stenosis.", " medical therapy is advised.")
_STREAMS = {Split.TRAIN: 0, Split.VAL: 1, Split.TEST: 2}


def read_angiograms(source: AngiogramSource, split: Split) -> RawPairs:
    """Generate one split."""
    findings = draw_findings(source)[split]
    rng = np.random.default_rng([source.seed, 1, _STREAMS[split]])
    texts = [_report(item, rng) for item in findings]
    narrowing = np.array([[item.get(name, 0) / 100 for name in SEGMENTS] for item in findings], dtype=np.float32)
    look = Look(num_frames=source.num_frames, size=source.size, noise=source.noise)
    return RawPairs(videos=render(narrowing, look=look, rng=rng), texts=texts)


def draw_findings(source: AngiogramSource) -> dict[Split, list[Findings]]:
    """The findings of every item. Each combination is in one split only, and in val and test only once."""
    rng = np.random.default_rng([source.seed, 0])
    held_out = _distinct(source.num_val + source.num_test, rng)
    taken = {_combination(item) for item in held_out}
    train: list[Findings] = []
    while len(train) < source.num_train:
        item = _draw(rng)
        if _combination(item) not in taken:
            train.append(item)
    return {Split.TRAIN: train, Split.VAL: held_out[: source.num_val], Split.TEST: held_out[source.num_val :]}


def _distinct(num: int, rng: np.random.Generator) -> list[Findings]:
    found: dict[frozenset[tuple[str, int]], Findings] = {}
    while len(found) < num:
        item = _draw(rng)
        found.setdefault(_combination(item), item)
    return list(found.values())


def _draw(rng: np.random.Generator) -> Findings:
    num = int(rng.integers(1, _MAX_FINDINGS + 1))
    places = rng.choice(len(SEGMENTS), size=num, replace=False)
    return {SEGMENTS[place]: int(rng.choice(PERCENTAGES)) for place in sorted(places)}


def _combination(findings: Findings) -> frozenset[tuple[str, int]]:
    return frozenset(findings.items())


def _report(findings: Findings, rng: np.random.Generator) -> str:
    """One sentence for each finding, from the ostium outwards, in changing words."""
    sentences = [_sentence(segment, percent, rng) for segment, percent in findings.items()]
    return _pick(_OPENINGS, rng) + " ".join(sentences) + _pick(_CLOSINGS, rng)


def _sentence(segment: str, percent: int, rng: np.random.Generator) -> str:
    grade = "mild" if percent < 50 else "moderate" if percent < 70 else "severe"
    return _pick(_FINDING_PHRASES, rng).format(segment=segment, percent=percent, grade=grade) + "."


def _pick(choices: Sequence[str], rng: np.random.Generator) -> str:
    return choices[int(rng.integers(len(choices)))]
