"""The encoder of a config, and the facts of the data that its shape depends on.

`task` builds it to train, `trainables.exported` builds it again from an export, where there is no data.
"""

from trainables.config import StrictModel
from trainables.contract import Purpose
from trainables.data.recordings.load import load_recordings
from trainables.data.recordings.recordings import RecordingData
from trainables.data.recordings.sources import WindowKind
from trainables.models.signal import SignalEncoder
from trainables.tasks.identification.config import Config


class Facts(StrictModel):
    """What the model takes from the data: the shape of a window, at the sampling rate of `config.windows`."""

    channels: int
    samples: int


def facts_of(data: RecordingData) -> Facts:
    """The facts of train."""
    _, channels, samples = data.train.windows_NCL.shape
    return Facts(channels=channels, samples=samples)


def read_facts(config: Config, purpose: Purpose) -> Facts:
    """The facts of the data that a config names.

    Raises: DataError: it cannot be read.
    """
    return facts_of(load_recordings(config.data, config.windows, purpose))


def build_model(config: Config, facts: Facts) -> SignalEncoder:
    """The encoder, with random weights."""
    return SignalEncoder(
        num_channels=facts.channels,
        num_samples=facts.samples,
        width=config.sizes.width,
        embedding=config.sizes.embedding,
        aligned=config.windows.kind is WindowKind.BEATS,
    )
