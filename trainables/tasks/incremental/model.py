"""The network of a config, and the facts of the data that its shape depends on.

`task` builds it to train, `trainables.exported` builds it again from an export, where there is no data.
"""

from trainables.config import StrictModel
from trainables.contract import Purpose
from trainables.data.images.images import ImageData
from trainables.data.images.load import load_images
from trainables.models.image import ImageModel, ImageShape, ImageTrunk
from trainables.tasks.incremental.config import Classifier, Config


class Facts(StrictModel):
    """What the model takes from the data.

    Attributes:
        classes: their names, in the order of the data; the linear classifier's rows are in that of the stream.
        mean, deviation: of the training pixels.
    """

    channels: int
    height: int
    width: int
    classes: tuple[str, ...]
    mean: float
    deviation: float


def facts_of(data: ImageData) -> Facts:
    """The facts of train."""
    pixels = data.train.pixels_NCHW
    _, channels, height, width = pixels.shape
    return Facts(
        channels=channels,
        height=height,
        width=width,
        classes=data.classes,
        mean=float(pixels.mean()),
        deviation=max(float(pixels.std()), 1e-6),
    )


def read_facts(config: Config, purpose: Purpose) -> Facts:
    """The facts of the data that a config names.

    Raises: DataError: it cannot be read.
    """
    return facts_of(load_images(config.data, purpose))


def build_model(config: Config, facts: Facts) -> ImageModel:
    """The network, with random weights."""
    return ImageModel(
        ImageTrunk(ImageShape(facts.channels, facts.height, facts.width), width=config.sizes.width),
        embedding=config.sizes.embedding,
        num_classes=len(facts.classes) if config.classifier is Classifier.LINEAR else 0,
        mean=facts.mean,
        deviation=facts.deviation,
    )
