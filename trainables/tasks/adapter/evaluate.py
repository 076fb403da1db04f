"""What is measured on val: R^2, class-blind errors, retrieval, geometry of the targets, reach of the norm."""

from collections.abc import Iterable, Mapping

import torch
from torch import Tensor

from trainables.data.embeddings.embeddings import EmbeddingData, Embeddings
from trainables.metrics.regression import (
    cosine_retrieval_accuracy,
    cosine_retrieved,
    norm_floor,
    r_squared,
    regression_scores,
    retrieval_accuracy,
    retrieved,
    squared_errors,
    target_geometry,
)
from trainables.metrics.resampling import Resamplable, Weighted, mean_of, weighted_mean, weighted_r2
from trainables.models.adapters import Adapter, AdapterModel
from trainables.tasks.adapter.config import MAX_REPORTED_CLASSES, Loss
from trainables.tasks.adapter.criteria import contrastive_bounds, contrastive_loss

_CHUNK = 256
_ORDER_SEED = 20
_OVER_SPACES = ("val/r2", "val/retrieval_accuracy")


def predict(model: AdapterModel, items: Embeddings, *, device: str) -> dict[str, Tensor]:
    """What the model makes of all items; space to (N, T * D) on the CPU."""
    chunks = [model(inputs.to(device)) for inputs in torch.split(items.inputs_NSI, _CHUNK)]
    return {space: torch.cat([chunk[space].flatten(1).cpu() for chunk in chunks]) for space in chunks[0]}


def regression(space: str, predicted_ND: Tensor, data: EmbeddingData) -> dict[str, float]:
    """Errors beside those of predictions that know nothing but the mean, or nothing but the class."""
    target_ND, labels_N = data.val.targets[space].flatten(1), data.val.labels_N
    scores = regression_scores(predicted_ND, target_ND, labels_N, blind_D=data.blind_targets[space].flatten())
    class_mean_ND = data.class_targets[space][labels_N].flatten(1)
    values = {
        f"val/mse_{space}": scores.mse,
        f"val/class_blind_mse_{space}": scores.class_blind_mse,
        f"val/class_mean_mse_{space}": float((class_mean_ND - target_ND).double().square().mean()),
        f"val/mse_worst_class_{space}": max(scores.class_mse.values()),
        f"val/mse_best_class_{space}": min(scores.class_mse.values()),
    }
    if scores.r2 is not None:
        values[f"val/r2_{space}"] = scores.r2
    values |= {f"val/mse_{space}_class_{c}": e for c, e in scores.class_mse.items() if c < MAX_REPORTED_CLASSES}
    return values


def retrieval(space: str, predicted_ND: Tensor, data: EmbeddingData) -> dict[str, float]:
    """How often the right class target is the nearest."""
    class_targets_CD = data.class_targets[space].flatten(1)
    inputs = (predicted_ND, class_targets_CD, data.val.labels_N)
    return {
        f"val/retrieval_accuracy_{space}": retrieval_accuracy(*inputs),
        f"val/cosine_retrieval_accuracy_{space}": cosine_retrieval_accuracy(*inputs),
    }


def geometry(space: str, predicted_ND: Tensor, data: EmbeddingData) -> dict[str, float]:
    """Where the class targets lie, and how long predictions are beside them."""
    targets = target_geometry(data.class_targets[space].flatten(1))
    return {
        f"val/target_distance_{space}": targets.distance,
        f"val/target_distance_min_{space}": targets.distance_min,
        f"val/target_distance_max_{space}": targets.distance_max,
        f"val/target_norm_{space}": targets.norm,
        f"val/output_norm_{space}": float(predicted_ND.double().square().sum(dim=1).mean().sqrt()),
        f"val/class_blind_floor_{space}": targets.class_blind_floor,
    }


def reach(space: str, adapter: Adapter, data: EmbeddingData) -> dict[str, float]:
    """What the final norm allows with its present gain and bias; nothing where there is none."""
    norm = adapter.final_norm
    if norm is None:
        return {}
    positions = adapter.shape.positions
    gain_D, bias_D = (p.detach().cpu().repeat(positions) for p in (norm.weight, norm.bias))
    targets_CD = data.class_targets[space].flatten(1)
    return {
        f"val/norm_gain_{space}": float(gain_D.double().square().mean().sqrt()),
        f"val/norm_floor_{space}": norm_floor(targets_CD, gain_D=gain_D, bias_D=bias_D),
    }


def contrastive(
    space: str, predicted_ND: Tensor, data: EmbeddingData, *, loss: Loss, batch_size: int
) -> dict[str, float]:
    """The contrastive loss with its bounds, in batches of the training's size; nothing when it is not used."""
    if not loss.contrastive_weight:
        return {}
    val, size = data.val, min(batch_size, len(data.val))
    order_N = torch.randperm(len(val), generator=torch.Generator().manual_seed(_ORDER_SEED))
    losses, chances, floors = [], [], []
    for chosen in torch.split(order_N[: len(val) // size * size], size):
        labels_B = val.labels_N[chosen]
        present_C = sorted(set(labels_B.tolist()))
        if len(present_C) > 1:
            target_BD = val.targets[space][chosen].flatten(1)
            scores = contrastive_loss(loss, predicted_ND[chosen], target_BD, labels_B, temperature=loss.temperature)
            losses.append(float(scores))
            bounds = contrastive_bounds(loss, data.class_targets[space][present_C].flatten(1))
            chances.append(bounds.chance)
            floors.append(bounds.floor)
    if not losses:
        return {}
    value, chance, floor = (sum(each) / len(each) for each in (losses, chances, floors))
    return {
        f"val/{space}_contrastive_loss": value,
        f"val/{space}_contrastive_chance": chance,
        f"val/{space}_contrastive_floor": floor,
        f"val/{space}_contrastive_position": (value - floor) / (chance - floor),
    }


def over_spaces(values: Mapping[str, float], spaces: Iterable[str]) -> dict[str, float]:
    """The means of R^2 and of the retrieval accuracy; R^2 is left out where no space has one."""
    means = {}
    for name in _OVER_SPACES:
        present = [values[f"{name}_{space}"] for space in spaces if f"{name}_{space}" in values]
        if present:
            means[name] = sum(present) / len(present)
    return means


def resamplable(predicted: Mapping[str, Tensor], data: EmbeddingData) -> dict[str, Resamplable]:
    """Errors and retrieval of each space, and the means over the spaces; classes are the same in each split, so what
    is drawn is items.
    """
    val, metrics = data.val, dict[str, Weighted]()
    for space, predicted_ND in predicted.items():
        target_ND = val.targets[space].flatten(1)
        error_N = squared_errors(predicted_ND, target_ND)
        blind_N = squared_errors(data.blind_targets[space].flatten(), target_ND)
        inputs = (predicted_ND, data.class_targets[space].flatten(1), val.labels_N)
        metrics[f"val/mse_{space}"] = weighted_mean(error_N)
        metrics[f"val/retrieval_accuracy_{space}"] = weighted_mean(retrieved(*inputs))
        metrics[f"val/cosine_retrieval_accuracy_{space}"] = weighted_mean(cosine_retrieved(*inputs))
        if r_squared(float(error_N.mean()), class_blind_mse=float(blind_N.mean())) is not None:
            metrics[f"val/r2_{space}"] = weighted_r2(error_N, blind_N)
    for name in _OVER_SPACES:
        present = [metrics[f"{name}_{space}"] for space in predicted if f"{name}_{space}" in metrics]
        if present:
            metrics[name] = mean_of(present)
    return {name: Resamplable(torch.arange(len(val)), metric) for name, metric in metrics.items()}


def classes(data: EmbeddingData) -> dict[str, float]:
    """How many classes there are, and what a guess among them gets."""
    num = len(data.class_names)
    return {
        "val/num_classes": float(num),
        "val/num_excluded_classes": float(num - len(set(data.val.labels_N.tolist()))),
        "val/chance_retrieval_accuracy": 1 / num,
    }


def raw_retrieval(data: EmbeddingData) -> float:
    """How often the mean input of the right class is the nearest: what the inputs tell without a model."""
    inputs_ND, labels_N = data.train.inputs_NSI.flatten(1), data.train.labels_N
    means_CD = torch.stack([inputs_ND[labels_N == c].mean(dim=0) for c in range(len(data.class_names))])
    return retrieval_accuracy(data.val.inputs_NSI.flatten(1), means_CD, data.val.labels_N)
