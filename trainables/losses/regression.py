"""Losses from a prediction to a target vector: squared error, the same balanced by class, and contrast of targets.

Rows are items; a target of several positions is flattened by the caller. Labels are integers: names stay with the data.
"""

import math

import torch
from torch import Tensor
from torch.nn import functional as F

from trainables.losses.bounds import Bounds
from trainables.losses.similarity import Scalar, cosine_matrix


def squared_errors(predicted_BD: Tensor, target_BD: Tensor) -> Tensor:
    """Mean over the dimensions of each item's squared error; (B,), in float32 or wider."""
    dtype = torch.promote_types(predicted_BD.dtype, torch.float32)
    return (predicted_BD.to(dtype) - target_BD.to(dtype)).square().mean(dim=-1)


def mse_loss(predicted_BD: Tensor, target_BD: Tensor) -> Tensor:
    """Mean squared error over items and dimensions. A constant prediction gets at least `class_blind_floor`."""
    return squared_errors(predicted_BD, target_BD).mean()


def class_weights(labels_B: Tensor) -> Tensor:
    """One over the number of items of the same class in the batch, scaled to a sum of B: classes weigh the same.

    Shapes: labels are integers (B,); returns float64 (B,).
    """
    same_BB = labels_B.unsqueeze(-1) == labels_B.unsqueeze(-2)
    inverse_B = 1 / same_BB.sum(dim=-1).double()
    return inverse_B * (inverse_B.shape[-1] / inverse_B.sum(dim=-1, keepdim=True))


def weighted_mse_loss(predicted_BD: Tensor, target_BD: Tensor, labels_B: Tensor) -> Tensor:
    """The mean over the batch's classes of each class's mean squared error; equals `mse_loss` in a balanced batch.

    Args: labels_B: integers, one class each.
    Source: note 000, solution 1.
    """
    errors_B = squared_errors(predicted_BD, target_BD)
    return (errors_B * class_weights(labels_B).to(errors_B.dtype)).mean()


def cosine_contrast_loss(predicted_BD: Tensor, target_BD: Tensor, labels_B: Tensor, *, temperature: Scalar) -> Tensor:
    """Find each item's own target among the targets of the other classes of the batch, by cosine.

    InfoNCE from predictions to targets. Items of the same class are no negatives, and each other class counts once,
    however many items it has: with one target per class, the choice is among the batch's distinct targets. Lengths
    do not matter, so that this loss alone leaves the scale of the prediction open. Without another class it is 0.

    Args: temperature: > 0, divides the cosine.
    Source: van den Oord et al. 2018, arXiv:1807.03748, eq. 4, with the negatives averaged by class.
    """
    similarity_BB = cosine_matrix(F.normalize(_wide(predicted_BD), dim=-1), F.normalize(_wide(target_BD), dim=-1))
    return _contrast(similarity_BB / temperature, labels_B)


def distance_contrast_loss(predicted_BD: Tensor, target_BD: Tensor, labels_B: Tensor, *, temperature: Scalar) -> Tensor:
    """As `cosine_contrast_loss` with minus the mean squared error as similarity, so that lengths matter.

    Args: temperature: > 0, divides the error; two targets at distance d are d^2 / D apart.
    """
    predicted_BD, target_BD = _wide(predicted_BD), _wide(target_BD)
    # ||p||^2 is the same in a whole row and falls out of the softmax.
    products_BB = cosine_matrix(predicted_BD, target_BD)
    similarity_BB = (2 * products_BB - target_BD.square().sum(dim=-1).unsqueeze(-2)) / target_BD.shape[-1]
    return _contrast(similarity_BB / temperature, labels_B)


def _contrast(logits_BB: Tensor, labels_B: Tensor) -> Tensor:
    """Cross-entropy of the own target against the average of each other class's targets."""
    same_BB = labels_B.unsqueeze(-1) == labels_B.unsqueeze(-2)
    own_BB = torch.eye(logits_BB.shape[-1], dtype=torch.bool, device=logits_BB.device)
    once_BB = logits_BB - same_BB.sum(dim=-1).to(logits_BB.dtype).log().unsqueeze(-2)
    terms_BB = torch.where(own_BB, logits_BB, once_BB).masked_fill(same_BB & ~own_BB, -torch.inf)
    return (terms_BB.logsumexp(dim=-1) - logits_BB.diagonal(dim1=-2, dim2=-1)).mean()


def class_blind_floor(distance: float, *, num_classes: int, dims: int) -> float:
    """The mean squared error of the best constant prediction of equidistant targets: d^2 (C - 1) / (2 C) / D.

    Args:
        distance: of any two targets; for others the root mean square of the distances of different classes.
        num_classes: equally frequent.
        dims: numbers in a target.
    """
    return distance**2 * (num_classes - 1) / (2 * num_classes) / dims


def cosine_contrast_bounds(targets_CD: Tensor, *, temperature: float) -> Bounds:
    """Bounds of `cosine_contrast_loss` for a batch that holds these C targets once each: ln C, and a floor.

    No direction of a prediction is nearer to its own target than to the mean of the others by more than the length
    of their difference; the floor puts every other target there. It is exact for a regular simplex.
    """
    unit_CD = F.normalize(targets_CD.double(), dim=-1)
    num = len(unit_CD)
    others_CD = (unit_CD.sum(dim=0) - unit_CD) / (num - 1)
    gaps_C = (unit_CD - others_CD).norm(dim=-1)
    floors_C = torch.log1p((num - 1) * torch.exp(-gaps_C / temperature))
    return Bounds(chance=math.log(num), floor=float(floors_C.mean()))


def distance_contrast_bounds(num_targets: int) -> Bounds:
    """Bounds of `distance_contrast_loss`: ln C, and 0, for a prediction may go as far as it likes."""
    return Bounds(chance=math.log(num_targets), floor=0.0)


def _wide(x_BD: Tensor) -> Tensor:
    return x_BD.to(torch.promote_types(x_BD.dtype, torch.float32))
