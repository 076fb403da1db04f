"""Whether a prediction of class targets knows anything of the class: R^2, class-blind error, retrieval of the target.

A squared error says nothing alone: a model that ignores its input and predicts the mean target has a small one, too.
Rows are items; a target of several positions is flattened by the caller. All in float64.
"""

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F


@dataclass(frozen=True, slots=True)
class RegressionScores:
    """Errors of one split, squared, mean over dimensions.

    Attributes:
        mse: of the predictions.
        class_blind_mse: of the mean target of train, on the same items.
        r2: 1 - mse / class_blind_mse: 0 is class-blind, 1 perfect; None when there is nothing to explain.
        class_mse: by class number; a class without items in the split is left out.
    """

    mse: float
    class_blind_mse: float
    r2: float | None
    class_mse: dict[int, float]


def regression_scores(
    predicted_ND: Tensor, target_ND: Tensor, labels_N: Tensor, *, blind_D: Tensor
) -> RegressionScores:
    """Compare predictions with the class-blind one.

    Unlike scikit-learn's `r2_score`, which takes the mean of the very targets that it scores, the constant comes from
    train, as a model would have it.

    Args: blind_D: the mean target of train.
    """
    errors_N = squared_errors(predicted_ND, target_ND)
    mse = float(errors_N.mean())
    blind = float((blind_D.double() - target_ND.double()).square().mean())
    by_class = {c: float(errors_N[labels_N == c].mean()) for c in sorted(set(labels_N.tolist()))}
    return RegressionScores(
        mse=mse, class_blind_mse=blind, r2=r_squared(mse, class_blind_mse=blind), class_mse=by_class
    )


def squared_errors(predicted_ND: Tensor, target_ND: Tensor) -> Tensor:
    """Of each item, mean over dimensions; a prediction may also be one row for all."""
    return (predicted_ND.double() - target_ND.double()).square().mean(dim=1)


def r_squared(mse: float, *, class_blind_mse: float) -> float | None:
    """1 - mse / class_blind_mse; None when the constant prediction is already perfect (to float32)."""
    return 1 - mse / class_blind_mse if class_blind_mse > 1e-9 else None


def retrieval_accuracy(predicted_ND: Tensor, class_targets_CD: Tensor, labels_N: Tensor) -> float:
    """Share of predictions whose nearest class target, by distance, is the one of their class.

    Ties are broken against the model: targets at the same distance as the right one count as nearer.
    """
    return float(retrieved(predicted_ND, class_targets_CD, labels_N).mean())


def retrieved(predicted_ND: Tensor, class_targets_CD: Tensor, labels_N: Tensor) -> Tensor:
    """Which predictions `retrieval_accuracy` counts as right: float64 (N,), 1 or 0."""
    return _ranked_first(-torch.cdist(predicted_ND.double(), class_targets_CD.double()), labels_N)


def cosine_retrieval_accuracy(predicted_ND: Tensor, class_targets_CD: Tensor, labels_N: Tensor) -> float:
    """The same by cosine, for models whose loss leaves the length open."""
    return float(cosine_retrieved(predicted_ND, class_targets_CD, labels_N).mean())


def cosine_retrieved(predicted_ND: Tensor, class_targets_CD: Tensor, labels_N: Tensor) -> Tensor:
    """Which predictions `cosine_retrieval_accuracy` counts as right: float64 (N,), 1 or 0."""
    predicted_ND, class_targets_CD = (F.normalize(x.double(), dim=1) for x in (predicted_ND, class_targets_CD))
    return _ranked_first(predicted_ND @ class_targets_CD.T, labels_N)


def _ranked_first(similarity_NC: Tensor, labels_N: Tensor) -> Tensor:
    own_N1 = similarity_NC.gather(1, labels_N[:, None])
    others_NC = similarity_NC.scatter(1, labels_N[:, None], -torch.inf)
    return (own_N1 > others_NC.amax(dim=1, keepdim=True)).squeeze(1).double()


@dataclass(frozen=True, slots=True)
class TargetGeometry:
    """How class targets lie.

    Attributes:
        distance: mean over pairs of classes; 0 for one class. Unit vectors cannot be more than 2 apart.
        distance_min, distance_max: the nearest and the farthest pair.
        norm: root mean square length.
        class_blind_floor: squared error, mean over dimensions, of the best constant when classes are equally frequent.
    """

    distance: float
    distance_min: float
    distance_max: float
    norm: float
    class_blind_floor: float


def target_geometry(class_targets_CD: Tensor) -> TargetGeometry:
    """Measure class targets, one row each."""
    targets_CD = class_targets_CD.double()
    distances_P = F.pdist(targets_CD) if len(targets_CD) > 1 else targets_CD.new_zeros(1)
    return TargetGeometry(
        distance=float(distances_P.mean()),
        distance_min=float(distances_P.min()),
        distance_max=float(distances_P.max()),
        norm=float(targets_CD.square().sum(dim=1).mean().sqrt()),
        class_blind_floor=float((targets_CD - targets_CD.mean(dim=0)).square().mean()),
    )


def norm_floor(targets_ND: Tensor, *, gain_D: Tensor, bias_D: Tensor) -> float:
    """The squared error, mean over dimensions, that a final norm leaves at least, whatever comes before it.

    Its output is `gain * z + bias` with a z of length sqrt(D), so that its distance from the bias lies between
    sqrt(D) min|gain| and sqrt(D) max|gain|. Exact when all gains are equal; a lower bound otherwise.
    """
    reach_N = (targets_ND.double() - bias_D.double()).norm(dim=1)
    lengths_D = gain_D.double().abs() * targets_ND.shape[1] ** 0.5
    short_N = (lengths_D.min() - reach_N).clamp(min=0) + (reach_N - lengths_D.max()).clamp(min=0)
    return float(short_N.square().mean()) / targets_ND.shape[1]
