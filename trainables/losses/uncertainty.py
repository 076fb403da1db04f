"""Weights of tasks that are learned: each task's loss over twice its own variance, plus the log of its deviation.

The toxicity task calls it. The parameter of a task is s = ln sigma^2, a scalar of its own, so that a task that a batch
has no labels for can be left out of the graph: only then does AdamW leave its parameter exactly as it is.
Source: Kendall, Gal and Cipolla 2018, arXiv:1705.07115, eq. 7; written as note 004 has it.
"""

from collections.abc import Iterable, Sequence

import torch
from torch import Tensor, nn


def uncertainty_weight(log_variance: Tensor) -> Tensor:
    """What a task's loss is multiplied by: 1 / (2 sigma^2)."""
    return 0.5 * torch.exp(-log_variance)


def uncertainty_log_term(log_variance: Tensor) -> Tensor:
    """What keeps sigma from growing without end: ln sigma."""
    return 0.5 * log_variance


def uncertainty_loss(losses_T: Tensor, log_variance_T: Tensor, present_T: Tensor) -> Tensor:
    """Sum over the present tasks of L / (2 sigma^2) + ln sigma: lowest at sigma^2 = L, and negative below L = 1 / e.

    The mask is on the whole term: with it on the loss alone, ln sigma of an absent task would still fall, by a
    constant gradient of 1/2 on s. The gradient of an absent task is exactly 0.

    Shapes: T tasks; all three are (T,). Args: present_T: bool.
    """
    terms_T = uncertainty_weight(log_variance_T) * losses_T + uncertainty_log_term(log_variance_T)
    return torch.where(present_T, terms_T, 0.0).sum()


class TaskUncertainties(nn.Module):
    """s = ln sigma^2 of each task, as separate scalars."""

    def __init__(self, tasks: Sequence[str], *, start: float = 0.0) -> None:
        super().__init__()
        self.log_variance = nn.ParameterDict({task: torch.tensor(float(start)) for task in tasks})

    def __getitem__(self, task: str) -> Tensor:
        parameter: Tensor = self.log_variance[task]
        return parameter

    def items(self) -> Iterable[tuple[str, Tensor]]:
        """Each task and its parameter."""
        return self.log_variance.items()

    def precisions(self) -> dict[str, Tensor]:
        """1 / sigma^2 of each task, 0-d."""
        return {task: torch.exp(-s.detach()) for task, s in self.log_variance.items()}

    @torch.no_grad()
    def clamp_(self, limit: float) -> None:
        """Keep each s within [-limit, limit]; call it after a step. A task with a tiny loss would get any weight."""
        for s in self.log_variance.values():
            s.clamp_(-limit, limit)
