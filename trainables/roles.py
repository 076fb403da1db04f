"""What the keys of a Config mean, so that a sweep file can be judged before anything is trained.

A Config says it with a method `roles()`: dotted key to role, given the values of its other keys; a person's own
Config may have one, too. `orch lint` reads them. A role holds what the key's own value does not say, in numbers, so
that no rule has to know a task. Standard library only.
"""

from dataclasses import dataclass
from enum import StrEnum


class Contrast(StrEnum):
    """Which contrastive loss a temperature belongs to."""

    CLIP = "clip"
    """Rows against columns, one positive each."""
    NT_XENT = "nt_xent"
    """Views of one batch, the other view being the positive."""
    SUPCON = "supcon"
    """Several positives of a class."""
    NORMALISED_SOFTMAX = "normalised_softmax"
    """Embeddings against learned class vectors, both of unit length."""
    SIGLIP = "siglip"
    """Each pair a yes-or-no question."""
    OTHER = "other"


class Convention(StrEnum):
    """What is done to a cosine: CLIP divides it by a temperature near 0.1, SigLIP multiplies it by a scale near 10."""

    DIVIDES = "divides"
    MULTIPLIES = "multiplies"


@dataclass(frozen=True, slots=True)
class Temperature:
    """Sharpness of a contrastive loss over cosines.

    Attributes:
        loss: the family, which decides what was found to be good.
        convention: what is done to the cosine.
        batch_size: rows that an anchor is contrasted within; None if not known, or where the loss is no softmax.
        items_per_class: rows that mean the same as an anchor, itself counted; means may be fractional.
        one_modality: the anchor itself is one of the rows, and no positive.
        margin: taken from the positive's cosine.
        kept_fraction: share of the negatives that stays, hardest first.
    """

    loss: Contrast
    convention: Convention = Convention.DIVIDES
    batch_size: int | None = None
    items_per_class: float = 1.0
    one_modality: bool = False
    margin: float = 0.0
    kept_fraction: float = 1.0


class MarginKind(StrEnum):
    """What has a margin."""

    TRIPLET = "triplet"
    """Negatives must be farther than positives by it."""
    CONTRASTIVE_POSITIVE = "contrastive_positive"
    """Positives must be nearer than it."""
    CONTRASTIVE_NEGATIVE = "contrastive_negative"
    """Negatives must be farther than it."""
    LOGIT = "logit"
    """Taken from the positive's cosine before a softmax or sigmoid, between items."""
    COSFACE = "cosface"
    """Taken from the positive's cosine, against class vectors."""
    ARCFACE = "arcface"
    """Added to the positive's angle, against class vectors."""


class Measure(StrEnum):
    """What a margin is measured in, for embeddings of unit length."""

    COSINE = "cosine"
    """A cosine, or one minus it."""
    EUCLIDEAN = "euclidean"
    SQUARED_EUCLIDEAN = "squared_euclidean"
    DEGREES = "degrees"
    RADIANS = "radians"


@dataclass(frozen=True, slots=True)
class Margin:
    """What a pair must win by.

    Attributes:
        classes_per_batch: which keep their distance from each other; None if not known.
    """

    kind: MarginKind
    measure: Measure
    classes_per_batch: float | None = None


@dataclass(frozen=True, slots=True)
class AntMargin:
    """How far below the hardest negative ANT still looks: a larger margin keeps MORE negatives.

    The key may be that of a whole schedule.

    Attributes:
        over_time: the margins that training passes through, in order.
    """

    over_time: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Scale:
    """What CosFace or ArcFace multiply cosines by."""

    kind: MarginKind


class Side(StrEnum):
    """Which pairs a sharpness of the Multi-Similarity loss is for."""

    POSITIVES = "positives"
    """Alpha."""
    NEGATIVES = "negatives"
    """Beta."""


@dataclass(frozen=True, slots=True)
class Sharpness:
    """Alpha or beta of the Multi-Similarity loss."""

    side: Side


@dataclass(frozen=True, slots=True)
class LossWeight:
    """A factor on one part of the total loss.

    Attributes:
        part: its name, for messages.
        is_main: this part is what the embeddings are for; the others help it.
        group: weights of different groups have no parameters in common.
    """

    part: str
    is_main: bool = False
    group: str = ""


@dataclass(frozen=True, slots=True)
class UncertaintyDecay:
    """Weight decay, or any pull to 0, on learned task weights (ln sigma^2)."""


@dataclass(frozen=True, slots=True)
class Proxies:
    """Class vectors that are learned. The key is any of those that ask for them.

    Attributes:
        lr_key: where their own learning rate is; None if they share the encoder's.
    """

    lr_key: str | None


@dataclass(frozen=True, slots=True)
class HardNegatives:
    """Which of an anchor's negatives are trained on.

    Attributes:
        kept: at the first step, hardest first.
        available: at the first step.
    """

    kept: float
    available: float


@dataclass(frozen=True, slots=True)
class ClassSizes:
    """What is known of the classes of training data without reading it.

    Attributes:
        num: classes.
        typical: items of the median class.
        most: items of the largest class.
    """

    num: int
    typical: int
    most: int


@dataclass(frozen=True, slots=True)
class ClassesPerBatch:
    """P of a P x K batch. Attributes: num: P. data: None if not known."""

    num: int
    data: ClassSizes | None = None


@dataclass(frozen=True, slots=True)
class ItemsPerClass:
    """K of a P x K batch.

    Attributes:
        num: K.
        data: None if not known.
        repeats: an item stands in a batch more than once where its class has fewer than K.
    """

    num: int
    data: ClassSizes | None = None
    repeats: bool = False


@dataclass(frozen=True, slots=True)
class BatchSize:
    """Items of a batch."""


@dataclass(frozen=True, slots=True)
class EvaluatedItems:
    """The key sizes the validation set. Attributes: num: items that the objective is a mean or a share of."""

    num: int


@dataclass(frozen=True, slots=True)
class LearningRate:
    """Before its schedule. Attributes: group: whose; empty for all parameters that have none of their own."""

    group: str = ""


@dataclass(frozen=True, slots=True)
class OneCycle:
    """A learning rate that rises first. The key is that of its peak, or of its kind. Attributes: epochs, both."""

    peak: float
    end: float


@dataclass(frozen=True, slots=True)
class ScheduleEnd:
    """Something that should happen before training ends.

    Attributes:
        what: in words, such as `the margin reaches its end`.
        at: when it happens, in `unit`.
        within: how long training is, in `unit`.
        unit: `epochs` or `steps`.
    """

    what: str
    at: float
    within: float
    unit: str = "epochs"


class Format(StrEnum):
    """A floating point format."""

    FLOAT32 = "float32"
    BFLOAT16 = "bfloat16"
    FLOAT16 = "float16"


@dataclass(frozen=True, slots=True)
class Precision:
    """The format in which cosines are computed."""

    format: Format


Role = (
    Temperature
    | Margin
    | AntMargin
    | Scale
    | Sharpness
    | LossWeight
    | UncertaintyDecay
    | Proxies
    | HardNegatives
    | ClassesPerBatch
    | ItemsPerClass
    | BatchSize
    | EvaluatedItems
    | LearningRate
    | OneCycle
    | ScheduleEnd
    | Precision
)
"""What a key can mean. A key has one role; what has none is left out."""
