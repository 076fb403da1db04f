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


def gradient_norm(parameters: Iterable[Tensor]) -> Tensor:
    """2-norm of all `.grad` together, 0-d; a parameter without one counts as 0. Call it before clipping."""
    return norm([parameter.grad for parameter in parameters if parameter.grad is not None])


def norm(tensors: Sequence[Tensor]) -> Tensor:
    """2-norm of all tensors together, 0-d, in float32 or wider; 0 of none."""
    if not tensors:
        return torch.zeros(())
    each = [torch.linalg.vector_norm(x, dtype=torch.promote_types(x.dtype, torch.float32)) for x in tensors]
    whole: Tensor = torch.stack(each).norm()
    return whole


def lane_norms(tensors: Sequence[Tensor]) -> Tensor:
    """The same of each lane, of tensors (K, ...) with a lane in each row; (K,)."""
    each = [
        torch.linalg.vector_norm(x.reshape(len(x), -1), dim=1, dtype=torch.promote_types(x.dtype, torch.float32))
        for x in tensors
    ]
    whole_K: Tensor = torch.stack(each).norm(dim=0)
    return whole_K


def task_gradients(
    losses: Mapping[str, Tensor], parameters: Sequence[Tensor], *, lanes: int | None = None
) -> dict[str, Tensor]:
    """Gradient of each task's loss with respect to all parameters, as one vector; `.grad` is left alone.

    The graph is kept, so that the training step can still go backward. What a loss does not depend on gets zeros.

    Args: lanes: where losses are (K,) and parameters (K, ...), one lane in each row; the gradients then are (K, P).
    """
    return {name: _flat_gradient(loss, parameters, lanes) for name, loss in losses.items()}


def gradient_cosine(first_P: Tensor, second_P: Tensor) -> Tensor:
    """Cosine of two of the `task_gradients`: below 0 the tasks work against each other; 0 where one is zero.

    Shapes: (P,) to 0-d, (K, P) to (K,).
    """
    return F.cosine_similarity(first_P, second_P, dim=-1)


def _flat_gradient(loss: Tensor, parameters: Sequence[Tensor], lanes: int | None) -> Tensor:
    gradients: Sequence[Tensor | None] = [None] * len(parameters)
    if loss.requires_grad:
        gradients = torch.autograd.grad(loss.sum(), parameters, retain_graph=True, allow_unused=True)
    pairs = zip(parameters, gradients, strict=True)
    shape = (-1,) if lanes is None else (lanes, -1)
    return torch.cat([(torch.zeros_like(p) if g is None else g).reshape(shape).float() for p, g in pairs], dim=-1)
