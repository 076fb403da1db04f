"""Focal loss: cross entropy in which what is already right counts less. Classification tasks call it.

Labels may be missing: a target below 0 is left out of the mean, and a batch without labels has loss 0.
Source: Lin et al. 2017, arXiv:1708.02002, eqs. 4 and 5.
"""

from collections.abc import Sequence

import numpy as np
import torch
from scipy.optimize import minimize
from torch import Tensor
from torch.nn import functional as F

from trainables.losses.bounds import Bounds


def focal_loss(logits_BC: Tensor, target_B: Tensor, *, gamma: Tensor | float, alpha_C: Tensor | None = None) -> Tensor:
    """Mean of -alpha_t (1 - p_t)^gamma ln p_t over the samples that have a label, p = softmax of the logits.

    Shapes: B samples, C classes. Returns a scalar in nats, in float32 or wider. With gamma 0 and no alpha it is the
    mean cross entropy. The mean is over samples, not over alphas as in torch's weighted cross entropy.

    Args:
        target_B: class numbers; below 0 for a missing label.
        gamma: >= 0; how fast a sample loses weight as it becomes right.
        alpha_C: factor by class; 1 for each where it is None.
    """
    log_p_B, alpha_B = _log_p_and_alpha(logits_BC, target_B, alpha_C)
    return _mean_of_present(alpha_B * _focal(log_p_B, gamma), target_B)


def binary_focal_loss(
    logits_B: Tensor, target_B: Tensor, *, gamma: Tensor | float, alpha: Tensor | float | None = None
) -> Tensor:
    """The same for two classes and one logit, that of class 1; equals `focal_loss` on the logits (0, z).

    Args:
        target_B: 0 or 1, below 0 for a missing label.
        gamma: >= 0.
        alpha: factor of class 1; class 0 has 1 - alpha. None leaves both at 1.
    """
    logits_B = _wide(logits_B)
    log_p_B = F.logsigmoid(torch.where(target_B > 0, logits_B, -logits_B))
    terms_B = _focal(log_p_B, gamma)
    if alpha is not None:
        terms_B = terms_B * torch.where(target_B > 0, alpha, 1 - alpha)
    return _mean_of_present(terms_B, target_B)


def focal_factor(p_t: Tensor, *, gamma: Tensor | float) -> Tensor:
    """What a sample's cross entropy is multiplied by at this probability of its class: (1 - p_t)^gamma."""
    return _power(1 - p_t, gamma)


def focal_gradient_norms(
    logits_BC: Tensor, target_B: Tensor, *, gamma: Tensor | float, alpha_C: Tensor | None = None
) -> Tensor:
    """2-norm of the gradient of each sample's own term with respect to its logits, (B,); 0 for a missing label.

    d/dlogit_c = -alpha_t [(1 - p)^gamma - gamma p (1 - p)^(gamma - 1) ln p] (1[c = t] - p_c), with p = p_t.
    """
    log_p_B, alpha_B = _log_p_and_alpha(logits_BC, target_B, alpha_C)
    left_B = -torch.expm1(log_p_B)
    # p ln p / (1 - p) tends to -1 where p tends to 1.
    slope_B = torch.where(left_B > 0, log_p_B.exp() * log_p_B / left_B.clamp(min=_smallest(left_B)), -1.0)
    factor_B = alpha_B * _power(left_B, gamma) * (1 - gamma * slope_B)
    one_hot_BC = F.one_hot(target_B.clamp(min=0), logits_BC.shape[1])
    distance_B = (one_hot_BC - _wide(logits_BC).softmax(dim=1)).norm(dim=1)
    norms_B: Tensor = factor_B * distance_B * (target_B >= 0)
    return norms_B


def focal_bounds(shares: Sequence[float], *, gamma: float, alpha: Sequence[float] | None = None) -> Bounds:
    """Chance is the loss of the best prediction that is the same for every sample; the floor is 0.

    Args: shares: of each class among the labels; alpha: factor by class.
    """
    present = [c for c, share in enumerate(shares) if share > 0]
    weight_C = np.array([shares[c] * (1.0 if alpha is None else alpha[c]) for c in present])

    def loss(logits_C: np.ndarray) -> float:
        log_p_C = logits_C - np.logaddexp.reduce(logits_C)
        return float(-(weight_C * (-np.expm1(log_p_C)) ** gamma * log_p_C).sum())

    if len(present) < 2:
        return Bounds(chance=0.0, floor=0.0)
    return Bounds(chance=float(minimize(loss, np.log(weight_C), method="Nelder-Mead").fun), floor=0.0)


def _log_p_and_alpha(logits_BC: Tensor, target_B: Tensor, alpha_C: Tensor | None) -> tuple[Tensor, Tensor]:
    """Log probability of each sample's class and its alpha; of class 0 where the label is missing."""
    class_B = target_B.clamp(min=0)
    log_p_B = _wide(logits_BC).log_softmax(dim=1).gather(1, class_B[:, None])[:, 0]
    return log_p_B, torch.ones_like(log_p_B) if alpha_C is None else alpha_C.to(log_p_B)[class_B]


def _focal(log_p_B: Tensor, gamma: Tensor | float) -> Tensor:
    return -_power(-torch.expm1(log_p_B), gamma) * log_p_B


def _power(left_B: Tensor, gamma: Tensor | float) -> Tensor:
    """`left ** gamma`, whose gradient at left = 0 is infinite for gamma < 1: kept off 0 by less than rounding."""
    result: Tensor = left_B.clamp(min=_smallest(left_B)) ** gamma
    return result


def _smallest(x: Tensor) -> float:
    return torch.finfo(x.dtype).eps


def _mean_of_present(terms_B: Tensor, target_B: Tensor) -> Tensor:
    present_B = target_B >= 0
    return torch.where(present_B, terms_B, 0.0).sum() / present_B.sum().clamp(min=1)


def _wide(x: Tensor) -> Tensor:
    return x.to(torch.promote_types(x.dtype, torch.float32))
