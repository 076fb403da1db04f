"""Factors on classes and on tasks: alphas from class counts, and the parts of a batch's loss with their weights."""

from collections.abc import Iterable, Mapping, Set

import torch
from torch import Tensor

from trainables.data.texts.texts import TextData
from trainables.loop import Part
from trainables.losses.similarity import Scalar
from trainables.losses.uncertainty import TaskUncertainties, uncertainty_log_term, uncertainty_weight
from trainables.tasks.toxicity.config import AbsentTasks, Focal, TaskWeighting, Weighting


def class_alphas(focal: Focal, data: TextData) -> dict[str, Tensor]:
    """Alpha (C,) of each task: as configured, or from the shares of the classes, with a mean of 1 over the labels."""
    return {
        task.name: torch.tensor(focal.alpha[task.name])
        if task.name in focal.alpha
        else _balanced(data.class_counts(number), focal.balance)
        for number, task in enumerate(data.tasks)
    }


def scalars_of(weighting: Weighting, tasks: Iterable[str]) -> dict[str, float]:
    """The numbers that `weigh` takes and in which lanes may differ."""
    match weighting.kind:
        case TaskWeighting.EQUAL:
            return {}
        case TaskWeighting.FIXED:
            return {f"weight.{task}": weighting.weights.get(task, 1.0) for task in tasks}
        case TaskWeighting.KENDALL:
            return {"decay": weighting.decay}


def weigh(
    losses: Mapping[str, Tensor],
    *,
    weighting: Weighting,
    scalars: Mapping[str, Scalar],
    uncertainties: TaskUncertainties,
) -> tuple[dict[str, Part], Tensor | None]:
    """The parts of a batch's loss, and what is added to it.

    Args:
        losses: of the tasks that the batch has labels for; without any there is nothing to do.
        weighting: says which tasks have a weight at all.
        scalars: `scalars_of`, or those of a lane.
    """
    if not losses:
        return {}, None
    match weighting.kind:
        case TaskWeighting.EQUAL:
            return {task: Part(loss, 1.0) for task, loss in losses.items()}, None
        case TaskWeighting.FIXED:
            weighted = [task for task in losses if weighting.weights.get(task, 1.0)]
            return {task: Part(losses[task], scalars[f"weight.{task}"]) for task in weighted}, None
        case TaskWeighting.KENDALL:
            parts = {task: Part(loss, uncertainty_weight(uncertainties[task])) for task, loss in losses.items()}
            return parts, _log_terms(losses.keys(), weighting, uncertainties, decay=scalars["decay"])


def _log_terms(present: Set[str], weighting: Weighting, uncertainties: TaskUncertainties, *, decay: Scalar) -> Tensor:
    """The ln sigma of the tasks that are in the graph, with the penalty on it.

    A frozen task is not in the graph at all. A masked one is, times 0: its gradient is then a 0 that AdamW adds to its
    momentum, where no gradient would have stopped it.
    """
    terms = []
    for task, log_variance in uncertainties.items():
        if task not in present and weighting.absent is AbsentTasks.FROZEN:
            continue
        counted = weighting.log_term and (task in present or weighting.absent is AbsentTasks.PHANTOM)
        terms.append(counted * uncertainty_log_term(log_variance) + 0.5 * decay * log_variance**2)
    return torch.stack(terms).sum()


def _balanced(counts: list[int], balance: float) -> Tensor:
    """A class without a label counts as one with a single label: it has no influence, but must not be infinite."""
    counts_C = torch.tensor(counts, dtype=torch.float64)
    alpha_C = counts_C.clamp(min=1) ** -balance
    return (alpha_C * counts_C.sum() / (alpha_C * counts_C).sum()).float()
