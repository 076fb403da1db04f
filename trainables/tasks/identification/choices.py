"""The names that the config chooses from. Read before anything heavy is imported."""

from enum import StrEnum


class LossKind(StrEnum):
    """What is learned from the pairs of a batch; the last three choose among them themselves."""

    SUPCON = "supcon"
    CONTRASTIVE = "contrastive"
    TRIPLET_BATCH_ALL = "triplet_batch_all"
    TRIPLET_BATCH_HARD = "triplet_batch_hard"
    TRIPLET_SEMI_HARD = "triplet_semi_hard"
    MULTI_SIMILARITY = "multi_similarity"


class Negatives(StrEnum):
    """Which negatives of an anchor the loss gets: all of the batch, or one, chosen as `NegativeMining` says."""

    ALL = "all"
    RANDOM = "random"
    SEMI_HARD = "semi_hard"
    HARD = "hard"
    FULL_HARD = "full_hard"
    FARTHEST = "farthest"


class MiningEmbeddings(StrEnum):
    """What mining takes distances from."""

    BATCH = "batch"
    """The embeddings of the batch that the loss is computed from."""
    EPOCH = "epoch"
    """Those of the train set at the last refresh, with their age on record."""
    NONE = "none"
    """Nothing: every choice is random, whatever is asked for. Source note 001's fault, here to be recognised."""


class Distance(StrEnum):
    """How far two unit embeddings are apart."""

    COSINE = "cosine"
    EUCLIDEAN = "euclidean"


class Protocol(StrEnum):
    """Which of a person's other records a query may find; everybody else's are always in the gallery."""

    ALL = "all"
    SAME_DAY = "same_day"
    CROSS_DAY = "cross_day"


class Queries(StrEnum):
    """Whether a query without another record of its person is left out, or counted as missed.

    The latter is source note 001's error, which makes a good ranking look bad.
    """

    VALID = "valid"
    ALL = "all"


class Gallery(StrEnum):
    """Whose records are searched: those of val, or those of train too, as people to be confused with."""

    VAL = "val"
    ALL = "all"


class RecordEmbedding(StrEnum):
    """How a record is embedded for evaluation."""

    MEDIAN = "median"
    """The embedding of its median window."""
    MEAN = "mean"
    """The mean of the embeddings of its windows."""


CHOOSING_LOSSES = (LossKind.TRIPLET_BATCH_HARD, LossKind.TRIPLET_SEMI_HARD, LossKind.MULTI_SIMILARITY)
"""Losses that choose their pairs themselves: what mining is asked for has no effect on them."""
MARGIN_LOSSES = (
    LossKind.CONTRASTIVE,
    LossKind.TRIPLET_BATCH_ALL,
    LossKind.TRIPLET_BATCH_HARD,
    LossKind.TRIPLET_SEMI_HARD,
)
