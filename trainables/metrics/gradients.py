"""Who drives the training: each task's share of the loss and of the gradient, and whether two tasks pull apart.

A task's `train` calls these on a batch now and then; each task gradient costs one extra backward pass.
"""

from collections.abc import Iterable, Mapping, Sequence

import torch
from torch import Tensor
from torch.nn import functional as F


def shares(values: Mapping[str, float]) -> dict[str, float]:
    """Each magnitude over the sum of all; they sum to 1, or all are 0 where every value is."""
    total = sum(abs(value) for value in values.values())
    return {name: abs(value) / total if total else 0.0 for name, value in values.items()}


def gradient_norm(parameters: Iterable[Tensor]) -> float:
    """2-norm of all `.grad` together; a parameter without one counts as 0. Call it before clipping."""
    norms = [parameter.grad.norm(dtype=torch.float32) for parameter in parameters if parameter.grad is not None]
    return float(torch.stack(norms).norm()) if norms else 0.0


def task_gradients(losses: Mapping[str, Tensor], parameters: Sequence[Tensor]) -> dict[str, Tensor]:
    """Gradient of each task's loss with respect to all parameters, as one vector; `.grad` is left alone.

    The graph is kept, so that the training step can still go backward. What a loss does not depend on gets zeros.
    """
    return {name: _flat_gradient(loss, parameters) for name, loss in losses.items()}


def gradient_cosine(first_P: Tensor, second_P: Tensor) -> float:
    """Cosine of two of the `task_gradients`: below 0 the tasks work against each other; 0 where one is zero."""
    return float(F.cosine_similarity(first_P, second_P, dim=0))


def _flat_gradient(loss: Tensor, parameters: Sequence[Tensor]) -> Tensor:
    gradients: Sequence[Tensor | None] = [None] * len(parameters)
    if loss.requires_grad:
        gradients = torch.autograd.grad(loss, parameters, retain_graph=True, allow_unused=True)
    pairs = zip(parameters, gradients, strict=True)
    return torch.cat([(torch.zeros_like(p) if g is None else g).flatten().float() for p, g in pairs])
