"""The networks of a config, and the facts of the data that their shapes depend on.

`task` builds them to train, `trainables.exported` builds them again from an export, where there is no data.
"""

from trainables.config import StrictModel
from trainables.contract import Purpose
from trainables.data.errors import DataError
from trainables.data.pairs.load import load_pairs
from trainables.data.pairs.pairs import PairedData
from trainables.models.paired import NetworkSizes, PairedModel
from trainables.models.video import PATCH, VideoShape
from trainables.tasks.multitask.config import Config, StemKind
from trainables.tasks.multitask.contrast import build_contrast


class Facts(StrictModel):
    """What the model takes from the data.

    Attributes:
        words: of the tokenizer, `Tokenizer(words)`.
        longest: tokens of the longest text that can be read.
        mean, deviation: of the training videos' grey values.
    """

    frames: int
    height: int
    width: int
    words: tuple[str, ...]
    longest: int
    mean: float
    deviation: float


def facts_of(data: PairedData) -> Facts:
    """Raises: DataError: the videos do not fit the model."""
    videos = data.train.videos_NTHW
    _, frames, height, width = videos.shape
    if height % PATCH or width % PATCH:
        raise DataError(f"videos are {height} x {width} pixels; expected multiples of {PATCH}")
    return Facts(
        frames=frames,
        height=height,
        width=width,
        words=data.tokenizer.words,
        longest=data.longest,
        mean=float(videos.mean()),
        deviation=max(float(videos.std()), 1e-6),
    )


def read_facts(config: Config, purpose: Purpose) -> Facts:
    """The facts of the data that a config names.

    Raises: DataError: it cannot be read.
    """
    return facts_of(load_pairs(config.data, purpose))


def build_model(config: Config, facts: Facts) -> PairedModel:
    """The networks, with random weights."""
    sizes = config.sizes
    networks = NetworkSizes(
        video=VideoShape(facts.frames, facts.height, facts.width),
        num_words=len(facts.words),
        max_length=facts.longest,
        channels=sizes.width,
        embedding=sizes.embedding,
        heads=sizes.heads,
        video_layers=sizes.video_layers,
        text_layers=sizes.text_layers,
        decoder_layers=sizes.decoder_layers,
        deep_stem=sizes.stem is StemKind.DEEP,
    )
    return PairedModel(networks, contrast=build_contrast(config), mean=facts.mean, deviation=facts.deviation)
