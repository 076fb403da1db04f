"""What is measured: accuracies over the tasks, the geometry of the embeddings, InfoNCE. `task` calls it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from trainables.data.augment import warp
from trainables.data.images.images import ImageData, Images
from trainables.metrics.collapse import effective_rank, resultant_length, top_variance_fraction
from trainables.metrics.incremental import (
    average_accuracy,
    backward_transfer,
    forgetting,
    nearest_mean,
    overall_accuracy,
)
from trainables.metrics.resampling import Resamplable, mean_of, on_some, weighted_mean
from trainables.models.image import ImageModel
from trainables.tasks.incremental.config import Classifier, Config
from trainables.tasks.incremental.contrast import Views
from trainables.tasks.incremental.stream import ClassStream

_CHUNK = 512
_VIEW_SEED = 20
_MOST_VIEWED = 256
"""Val items that are seen in two views, or one batch if that is more: each costs two passes."""


@dataclass(frozen=True, slots=True)
class Rule:
    """How embeddings become classes at one moment.

    Attributes:
        means_SD: a row for each class seen so far; what the nearest-mean rule compares with.
    """

    model: ImageModel
    classifier: Classifier
    means_SD: Tensor

    def classify(self, z_ND: Tensor) -> Tensor:
        """Numbers of classes in the stream."""
        if self.classifier is Classifier.LINEAR:
            logits_NS = self.model.classify(z_ND.to(self.model.mean.device), num_seen=len(self.means_SD))
            return logits_NS.argmax(dim=1).cpu()
        return nearest_mean(z_ND, self.means_SD.to(z_ND))


def embed(model: ImageModel, pixels_NCHW: Tensor, *, device: str) -> Tensor:
    """Embeddings (N, D) on the CPU, in the model's present mode."""
    return torch.cat([model(chunk.to(device)).cpu() for chunk in torch.split(pixels_NCHW, _CHUNK)])


def accuracies(predicted_N: Tensor, labels_N: Tensor, stream: ClassStream, *, step: int) -> list[float]:
    """Accuracy on the items of each task up to `step`. Args: labels_N: numbers in the stream."""
    right_N = (predicted_N == labels_N).double()
    tasks = [stream.classes(j) for j in range(step + 1)]
    return [float(right_N[(labels_N >= task.start) & (labels_N < task.stop)].mean()) for task in tasks]


def resamplable(predicted: Sequence[Tensor], labels_N: Tensor, stream: ClassStream) -> dict[str, Resamplable]:
    """The accuracies over all classes, over those seen, and their mean over the steps; what is drawn is items.

    Args:
        predicted: what was said of the items (N,) at the end of each step so far; -1 where the class was yet to come.
        labels_N: numbers in the stream.
    """
    right = [predicted_N == labels_N for predicted_N in predicted]
    seen = [labels_N < end for end in stream.ends[: len(right)]]
    over_steps = [on_some(seen_N, weighted_mean(right_N[seen_N])) for right_N, seen_N in zip(right, seen, strict=True)]
    every_N, seen_M = torch.arange(len(labels_N)), right[-1][seen[-1]]
    return {
        "val/stream_accuracy": Resamplable(every_N, weighted_mean(right[-1])),
        "val/last_accuracy": Resamplable(torch.arange(len(seen_M)), weighted_mean(seen_M)),
        "val/average_accuracy": Resamplable(every_N, mean_of(over_steps)),
    }


def over_tasks(rows: Sequence[Sequence[float]], num_items: Sequence[int], *, num_classes: int) -> dict[str, float]:
    """Args: num_items: val items of each task of the stream; num_classes: seen so far."""
    row = rows[-1]
    last = overall_accuracy(row, num_items)
    values = {
        "val/stream_accuracy": last * sum(num_items[: len(row)]) / sum(num_items),
        "val/last_accuracy": last,
        "val/average_accuracy": average_accuracy(rows, num_items),
        "val/num_classes_seen": float(num_classes),
        "val/num_queries": float(sum(num_items[: len(row)])),
        "val/chance_accuracy": 1 / num_classes,
        **{f"val/accuracy_task_{j}": accuracy for j, accuracy in enumerate(row, start=1)},
    }
    forgotten, transfer = forgetting(rows), backward_transfer(rows)
    if forgotten is not None and transfer is not None:
        values |= {"val/forgetting": forgotten, "val/backward_transfer": transfer}
    return values


def raw_accuracy(data: ImageData) -> float:
    """What the nearest mean of raw pixels gets, with all classes and all of their items at once."""
    train_ND, labels_N = data.train.pixels_NCHW.flatten(1), data.train.labels_N
    means_KD = torch.stack([train_ND[labels_N == k].mean(dim=0) for k in range(len(data.classes))])
    predicted_N = nearest_mean(data.val.pixels_NCHW.flatten(1), means_KD)
    return float((predicted_N == data.val.labels_N).double().mean())


def geometry(z_ND: Tensor) -> dict[str, float]:
    """Signs of collapse."""
    return {
        "val/resultant_length": resultant_length(z_ND),
        "val/effective_rank": effective_rank(z_ND, centred=False),
        "val/effective_rank_centred": effective_rank(z_ND, centred=True),
        "val/top_variance_fraction": top_variance_fraction(z_ND),
        "val/embedding_size": float(z_ND.shape[1]),
    }


def contrast(model: ImageModel, images: Images, *, config: Config, device: str) -> dict[str, float]:
    """InfoNCE and the cosines on two views of val items, in full batches of the training's size or one smaller one.

    The order and the views are the same at each call. Means over the batches; empty when no batch has two groups.
    """
    generator = torch.Generator().manual_seed(_VIEW_SEED)
    size = min(config.batch_size, len(images))
    order_N = torch.randperm(len(images), generator=generator)[: max(size, _MOST_VIEWED)]
    found: list[Mapping[str, float]] = []
    for chosen in torch.split(order_N[: len(order_N) // size * size], size):
        pixels = images.pixels_NCHW[chosen]
        views = torch.cat([warp(pixels, amount=config.warp, generator=generator) for _ in range(2)])
        z_VD = embed(model, views, device=device)
        found += _contrast(Views.of(z_VD, images.labels_N[chosen], positives=config.positives), config)
    return {name: sum(values[name] for values in found) / len(found) for name in found[0]} if found else {}


def _contrast(views: Views, config: Config) -> list[dict[str, float]]:
    bounds, cosines = views.nce_bounds(temperature=config.temperature), views.cosines()
    if bounds is None or cosines is None:
        return []
    loss = views.nce(temperature=config.temperature).item()
    return [
        {
            "val/nce_loss": loss,
            "val/nce_chance": bounds.chance,
            "val/nce_floor": bounds.floor,
            "val/nce_position": bounds.position(loss),
            **{f"val/{name}": float(value) for name, value in cosines.named().items()},
        }
    ]
