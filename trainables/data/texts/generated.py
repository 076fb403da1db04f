"""Generated remarks about everyday things, with four labels each, one of them rare.

| task | classes | what decides |
|---|---|---|
| toxic | no, yes | the remark calls the reader a bad name; a good one, or one for somebody else, is not toxic. Rare |
| sentiment | negative, neutral, positive | the adjective, turned round by "not" |
| emotion | anger, fear, joy, sadness | how the writer says to feel; independent of the sentiment |
| sarcastic | no, yes | the ending; one remark in five |

All of it follows from the source's seed. Labels are blanked and drawn anew in train only: val and test tell the truth.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from trainables.data.errors import Split
from trainables.data.texts.sources import GeneratedSource
from trainables.data.texts.texts import MISSING, LabelTask, RawTexts

GENERATED_TASKS = (
    LabelTask("toxic", ("no", "yes")),
    LabelTask("sentiment", ("negative", "neutral", "positive")),
    LabelTask("emotion", ("anger", "fear", "joy", "sadness")),
    LabelTask("sarcastic", ("no", "yes")),
)
_STREAMS = {Split.TRAIN: 0, Split.VAL: 1, Split.TEST: 2}
_SARCASTIC_FRACTION = 0.2
_HARMLESS_NAME_FRACTION = 0.2
_LONG = 4
_THINGS = (
    "film",
    "bus",
    "coffee",
    "match",
    "phone",
    "weather",
    "soup",
    "concert",
    "meeting",
    "book",
    "lesson",
    "train",
)
_NAMES = ("fool", "clown", "idiot", "donkey", "pig", "loser", "muppet", "turnip")
_GOOD_NAMES = ("hero", "star", "friend", "treasure", "genius", "poet", "legend", "saint")
_CALLS = ("you are a {}", "what a {} you are", "shut up {}", "only a {} like you would ask", "you absolute {}")
_HARMLESS = ("my brother played the {}", "we saw a {} on the way", "they called him a {} once", "the story of the {}")
_ADJECTIVES = (
    ("awful", "boring", "terrible", "cold", "broken", "ugly", "late"),
    ("ordinary", "usual", "average", "long", "loud", "new", "local"),
    ("lovely", "great", "brilliant", "warm", "perfect", "funny", "sweet"),
)
_FEELINGS = (
    ("i am furious", "this makes me angry", "i could shout", "so annoyed"),
    ("i am scared", "this worries me", "i could hardly look", "so nervous"),
    ("i am happy", "this cheers me up", "i could dance", "so glad"),
    ("i am sad", "this makes me cry", "i could weep", "so lonely"),
)
_ENDINGS = (
    ("", ".", "!", " today.", " again.", " as far as i can tell."),
    (", yeah right.", ", sure.", " /s", ", how surprising.", " ... of course."),
)
_LETTERS = "abcdefghijklmnopqrstuvwxyz"
_OPENINGS = ("", "", "well, ", "ok ", "honestly, ", "so ")
_DEGREES = ("", "", "really ", "quite ", "rather ")


def read_generated(source: GeneratedSource, split: Split) -> RawTexts:
    """Generate one split."""
    rng = np.random.default_rng([source.seed, _STREAMS[split]])
    num = {Split.TRAIN: source.num_train, Split.VAL: source.num_val, Split.TEST: source.num_test}[split]
    labels_NT = _draw_labels(num, source.rare_fraction, rng)
    texts = [_misspell(_write(labels, rng), source.misspelt_fraction, rng) for labels in labels_NT.tolist()]
    return RawTexts(texts, _spoil(labels_NT, source, rng) if split is Split.TRAIN else labels_NT)


def _draw_labels(num: int, rare_fraction: float, rng: np.random.Generator) -> NDArray[np.int64]:
    """Labels of `num` remarks. Two at least are toxic, however rare that is."""
    toxic_N = np.zeros(num, dtype=np.int64)
    toxic_N[: max(2, round(rare_fraction * num))] = 1
    rng.shuffle(toxic_N)
    sentiment_N, emotion_N = (rng.integers(len(task.classes), size=num) for task in GENERATED_TASKS[1:3])
    sarcastic_N = (rng.random(num) < _SARCASTIC_FRACTION).astype(np.int64)
    return np.stack([toxic_N, sentiment_N, emotion_N, sarcastic_N], axis=1)


def _write(labels: Sequence[int], rng: np.random.Generator) -> str:
    toxic, sentiment, emotion, sarcastic = labels
    clauses = [_opinion(sentiment, rng), _pick(_FEELINGS[emotion], rng)]
    if toxic:
        clauses.append(_pick(_CALLS, rng).format(_pick(_NAMES, rng)))
    elif rng.random() < _HARMLESS_NAME_FRACTION:
        calls, names = ((_HARMLESS, _NAMES), (_CALLS, _GOOD_NAMES))[int(rng.integers(2))]
        clauses.append(_pick(calls, rng).format(_pick(names, rng)))
    rng.shuffle(clauses)
    return _pick(_OPENINGS, rng) + ", ".join(clauses) + _pick(_ENDINGS[sarcastic], rng)


def _misspell(text: str, fraction: float, rng: np.random.Generator) -> str:
    """Replace a letter in some of the longer words."""
    words = text.split(" ")
    for place in np.flatnonzero(rng.random(len(words)) < fraction):
        word = words[place]
        if len(word) >= _LONG:
            at = int(rng.integers(len(word)))
            words[place] = word[:at] + _LETTERS[int(rng.integers(len(_LETTERS)))] + word[at + 1 :]
    return " ".join(words)


def _opinion(sentiment: int, rng: np.random.Generator) -> str:
    """An adjective of this sentiment or, where there is one, of the opposite after "not"."""
    negated = sentiment != 1 and rng.random() < 0.25
    adjective = _pick(_ADJECTIVES[2 - sentiment if negated else sentiment], rng)
    return f"the {_pick(_THINGS, rng)} was {'not ' if negated else ''}{_pick(_DEGREES, rng)}{adjective}"


def _spoil(labels_NT: NDArray[np.int64], source: GeneratedSource, rng: np.random.Generator) -> NDArray[np.int64]:
    """Draw some labels anew, from those of the other remarks so that shares stay, and blank some."""
    drawn_NT = np.stack([rng.permutation(column) for column in labels_NT.T], axis=1)
    noisy_NT = np.where(rng.random(labels_NT.shape) < source.label_noise, drawn_NT, labels_NT)
    return np.where(rng.random(labels_NT.shape) < source.missing_fraction, MISSING, noisy_NT)


def _pick(choices: Sequence[str], rng: np.random.Generator) -> str:
    return choices[int(rng.integers(len(choices)))]
