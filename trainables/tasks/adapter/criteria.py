"""The losses that a space's config asks for, and the bounds of the contrastive one. `task` and `evaluate` call it."""

from torch import Tensor

from trainables.losses.bounds import Bounds
from trainables.losses.regression import (
    cosine_contrast_bounds,
    cosine_contrast_loss,
    distance_contrast_bounds,
    distance_contrast_loss,
    mse_loss,
    weighted_mse_loss,
)
from trainables.losses.similarity import Scalar
from trainables.tasks.adapter.config import Loss, RegressionKind, Similarity


def regression_loss(loss: Loss, predicted_BD: Tensor, target_BD: Tensor, labels_B: Tensor) -> Tensor:
    """The squared error, averaged as configured."""
    match loss.regression:
        case RegressionKind.MSE:
            return mse_loss(predicted_BD, target_BD)
        case RegressionKind.WEIGHTED_MSE:
            return weighted_mse_loss(predicted_BD, target_BD, labels_B)


def contrastive_loss(
    loss: Loss, predicted_BD: Tensor, target_BD: Tensor, labels_B: Tensor, *, temperature: Scalar
) -> Tensor:
    """Each prediction against the targets of its batch, by the configured similarity."""
    match loss.similarity:
        case Similarity.COSINE:
            return cosine_contrast_loss(predicted_BD, target_BD, labels_B, temperature=temperature)
        case Similarity.DISTANCE:
            return distance_contrast_loss(predicted_BD, target_BD, labels_B, temperature=temperature)


def contrastive_bounds(loss: Loss, targets_CD: Tensor) -> Bounds:
    """Bounds for a batch that holds these class targets, two or more."""
    match loss.similarity:
        case Similarity.COSINE:
            return cosine_contrast_bounds(targets_CD, temperature=loss.temperature)
        case Similarity.DISTANCE:
            return distance_contrast_bounds(len(targets_CD))
