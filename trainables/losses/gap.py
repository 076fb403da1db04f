"""Gap maximisation: ask for a distance between the mean positive and the mean negative cosine."""

from torch import Tensor
from torch.nn import functional as F

from trainables.losses.active import mean_over
from trainables.losses.similarity import Scalar


def mean_gap(similarity_AN: Tensor, *, positive_AN: Tensor, negative_AN: Tensor) -> Tensor:
    """Mean cosine of the positive pairs minus that of the negative ones, each 0 where there are none; a scalar."""
    return mean_over(similarity_AN, positive_AN) - mean_over(similarity_AN, negative_AN)


def gap_loss(similarity_AN: Tensor, *, positive_AN: Tensor, negative_AN: Tensor, target: Scalar) -> Tensor:
    """relu(target - mean gap): 0, and without a gradient, once the means are `target` apart.

    Means do not see the tail: the hardest negatives may be anywhere when this is 0.

    Shapes: A anchors, N candidates; masks are bool. Returns a scalar in [0, target + 2].
    Args: target: in (0, 2], in cosine.
    Source: note 003, solution 2.
    """
    return F.relu(target - mean_gap(similarity_AN, positive_AN=positive_AN, negative_AN=negative_AN))
