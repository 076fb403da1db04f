"""The pairwise contrastive loss: pull positives within one margin, push negatives beyond another."""

from torch import Tensor
from torch.nn import functional as F

from trainables.losses.active import MaskedLoss, fraction_of, mean_over
from trainables.losses.bounds import Bounds
from trainables.losses.similarity import Scalar


def contrastive_loss(
    distance_AN: Tensor,
    *,
    positive_AN: Tensor,
    negative_AN: Tensor,
    negative_margin: Scalar,
    positive_margin: Scalar = 0.0,
    squared: bool = False,
) -> MaskedLoss:
    """Mean over active positives of d - positive margin, plus mean over active negatives of negative margin - d.

    A pair is active when its term is above 0. Without positives, or without negatives, that half is 0. The active
    fraction is that of the negatives: at 0 they teach nothing any more, whatever the loss says.

    Shapes: A anchors, N candidates; the masks are bool and pick the pairs. Returns scalars.

    Args:
        distance_AN: any distance, see `distances`.
        positive_AN: pairs of one class, without the anchor itself.
        negative_AN: pairs of two classes.
        negative_margin: > positive margin, in units of the distance.
        positive_margin: >= 0.
        squared: square both terms, as in the source; the default is linear.

    Source: Hadsell et al. 2006, "Dimensionality reduction by learning an invariant mapping", eq. 4, without its 1/2.
    """
    too_far_AN = F.relu(distance_AN - positive_margin)
    too_near_AN = F.relu(negative_margin - distance_AN)
    far_AN, near_AN = positive_AN & (too_far_AN > 0), negative_AN & (too_near_AN > 0)
    if squared:
        too_far_AN, too_near_AN = too_far_AN.square(), too_near_AN.square()
    loss = mean_over(too_far_AN, far_AN) + mean_over(too_near_AN, near_AN)
    return MaskedLoss(loss, fraction_of(near_AN, negative_AN))


def contrastive_bounds(
    *, negative_margin: float, reach: float, positive_margin: float = 0.0, squared: bool = False
) -> Bounds:
    """Chance: all pairs at one distance, the best one. Floor: classes are points, as far apart as they can be.

    Args: reach: `simplex_distance` of the classes in a batch; from the negative margin on the floor is 0.
    """
    gap, missing = max(negative_margin - positive_margin, 0.0), max(negative_margin - reach, 0.0)
    return Bounds(chance=gap**2 / 2, floor=missing**2) if squared else Bounds(chance=gap, floor=missing)
