"""How good predicted classes are where some are rare: F1 over a fixed list of classes, calibration, hard samples.

Classification tasks call these on val. Numbers of classes are given, never taken from what happens to occur.
"""

from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True, slots=True)
class ClassScores:
    """Each (C,), float64. A class that nothing was counted for has 0."""

    precision_C: Tensor
    recall_C: Tensor
    f1_C: Tensor

    @property
    def macro_f1(self) -> float:
        """The plain mean over all classes, those that never occur too."""
        return float(self.f1_C.mean())


def class_scores(predicted_N: Tensor, target_N: Tensor, *, num_classes: int) -> ClassScores:
    """Precision, recall and F1 of each class, as scikit-learn's with all labels named and zero_division 0."""
    confusion_CC = torch.bincount(target_N * num_classes + predicted_N, minlength=num_classes**2)
    confusion_CC = confusion_CC.reshape(num_classes, num_classes).double()
    right_C = confusion_CC.diagonal()
    predicted_C, actual_C = confusion_CC.sum(dim=0), confusion_CC.sum(dim=1)
    return ClassScores(
        precision_C=right_C / predicted_C.clamp(min=1),
        recall_C=right_C / actual_C.clamp(min=1),
        f1_C=2 * right_C / (predicted_C + actual_C).clamp(min=1),
    )


def majority_macro_f1(target_N: Tensor, *, majority: int, num_classes: int) -> float:
    """Macro-F1 of whoever always says `majority`."""
    return class_scores(torch.full_like(target_N, majority), target_N, num_classes=num_classes).macro_f1


def calibration_error(probability_NC: Tensor, target_N: Tensor, *, num_bins: int = 15) -> float:
    """Mean distance of confidence from accuracy, over bins of equal width by their share of samples (ECE, top label).

    Source: Guo et al. 2017, arXiv:1706.04599, eq. 3.
    """
    confidence_N, predicted_N = probability_NC.double().max(dim=1)
    right_N = (predicted_N == target_N).double()
    # A bin holds what lies above its lower edge, up to its upper one.
    bin_N = (confidence_N * num_bins).ceil().long().clamp(1, num_bins) - 1
    gap_K = torch.zeros(num_bins, dtype=torch.float64).index_add_(0, bin_N.cpu(), (confidence_N - right_N).cpu())
    return float(gap_K.abs().sum()) / len(target_N)


def hard_fraction(amount_N: Tensor, difficulty_N: Tensor, *, share: float = 0.05) -> Tensor:
    """Share of an amount, such as of gradient, that falls on the hardest `share` of the samples; at least one of them.

    Each sample alike gives `share`; 0 where there is no amount at all. Args: difficulty_N: larger is harder.
    Returns: 0-d, float64; never looked at, so that it can be computed for many lanes under `vmap`.
    """
    num = max(1, round(share * len(amount_N)))
    hardest = difficulty_N.topk(num).indices
    total = amount_N.sum().double()
    return torch.where(total > 0, amount_N.gather(0, hardest).sum().double() / total, 0.0)
