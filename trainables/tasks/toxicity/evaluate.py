"""What is measured on val, task by task: F1 beside the majority's, the rare class, calibration, the loss."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from trainables.data.texts.texts import LabelTask, Texts
from trainables.losses.focal import focal_bounds, focal_loss
from trainables.metrics.classification import calibration_error, class_scores, majority_macro_f1
from trainables.metrics.resampling import Resamplable, Weighted, mean_of, on_some, weighted_f1, weighted_mean
from trainables.models.labelled_text import LabelledTextModel

_CHUNK = 256


@dataclass(frozen=True, slots=True)
class TaskSetting:
    """One task as it is judged.

    Attributes:
        counts: training labels of each class; they say which class is rare and which is the majority.
        alpha_C: of focal loss, on the CPU.
    """

    task: LabelTask
    counts: Sequence[int]
    alpha_C: Tensor
    gamma: float

    @property
    def rare(self) -> int:
        """The class with the fewest training labels, of those that have any; the first of equals."""
        return min((c for c, count in enumerate(self.counts) if count), key=lambda c: self.counts[c])

    @property
    def majority(self) -> int:
        """The class with the most training labels."""
        return max(range(len(self.counts)), key=lambda c: self.counts[c])


def run_model(model: LabelledTextModel, texts: Texts, rows_N: Tensor, *, device: str) -> dict[str, Tensor]:
    """Logits (N, C) of each task for some of the texts, on the CPU."""
    pieces_VP, words_NL = texts.pieces_VP.to(device), texts.words_NL[rows_N]
    # Texts of one length together, so that little of what is computed is padding: one place, which the last word sees.
    length_N, order_N = (words_NL > 0).sum(dim=1).sort(stable=True)
    chunks = [
        model(words_NL[place_B, : int(length_B[-1]) + 1].to(device), pieces_VP)
        for place_B, length_B in zip(torch.split(order_N, _CHUNK), torch.split(length_N, _CHUNK), strict=True)
    ]
    return {task: torch.cat([chunk[task] for chunk in chunks]).cpu()[order_N.argsort()] for task in chunks[0]}


def are_finite(logits: Mapping[str, Tensor]) -> bool:
    """Whether anything can be measured."""
    return all(bool(logits_NC.isfinite().all()) for logits_NC in logits.values())


def measure_val(logits: Mapping[str, Tensor], labels_NT: Tensor, settings: Sequence[TaskSetting]) -> dict[str, float]:
    """Every figure of every task, and the means over the tasks."""
    values: dict[str, float] = {}
    for number, setting in enumerate(settings):
        has_label_N = labels_NT[:, number] >= 0
        values |= _measure_task(logits[setting.task.name][has_label_N], labels_NT[has_label_N, number], setting)
    return values | summary("val", logits, labels_NT, settings)


def summary(
    split: str, logits: Mapping[str, Tensor], labels_NT: Tensor, settings: Sequence[TaskSetting]
) -> dict[str, float]:
    """Macro-F1 and accuracy, means over the tasks that have labels; the same names for train and val."""
    f1s, accuracies = [], []
    for number, setting in enumerate(settings):
        has_label_N = labels_NT[:, number] >= 0
        if has_label_N.any():
            predicted_N = logits[setting.task.name][has_label_N].argmax(dim=1)
            target_N = labels_NT[has_label_N, number]
            f1s.append(class_scores(predicted_N, target_N, num_classes=len(setting.task.classes)).macro_f1)
            accuracies.append(float((predicted_N == target_N).double().mean()))
    if not f1s:
        return {}
    return {f"{split}/macro_f1": sum(f1s) / len(f1s), f"{split}/accuracy": sum(accuracies) / len(accuracies)}


def resamplable(
    logits: Mapping[str, Tensor], labels_NT: Tensor, settings: Sequence[TaskSetting]
) -> dict[str, Resamplable]:
    """F1 of each task and of its rare class, and the means over the tasks; what is drawn is texts."""
    found, f1s, accuracies = dict[str, Resamplable](), list[Weighted](), list[Weighted]()
    for number, setting in enumerate(settings):
        name, has_label_N = setting.task.name, labels_NT[:, number] >= 0
        if has_label_N.any():
            predicted_M, target_M = logits[name][has_label_N].argmax(dim=1), labels_NT[has_label_N, number]
            f1 = weighted_f1(predicted_M, target_M, num_classes=len(setting.task.classes))
            unit_M = torch.arange(len(target_M))
            found[f"val/macro_f1_{name}"] = Resamplable(unit_M, _macro(f1))
            found[f"val/rare_f1_{name}"] = Resamplable(unit_M, _one(f1, setting.rare))
            f1s.append(on_some(has_label_N, _macro(f1)))
            accuracies.append(on_some(has_label_N, weighted_mean(predicted_M == target_M)))
    if f1s:
        unit_N = torch.arange(len(labels_NT))
        found["val/macro_f1"] = Resamplable(unit_N, mean_of(f1s))
        found["val/accuracy"] = Resamplable(unit_N, mean_of(accuracies))
    return found


def _macro(f1: Weighted) -> Weighted:
    return lambda weight_BN: f1(weight_BN).mean(dim=1)


def _one(f1: Weighted, label: int) -> Weighted:
    return lambda weight_BN: f1(weight_BN)[:, label]


def _measure_task(logits_NC: Tensor, target_N: Tensor, setting: TaskSetting) -> dict[str, float]:
    name, num_classes, rare = setting.task.name, len(setting.task.classes), setting.rare
    scores = class_scores(logits_NC.argmax(dim=1), target_N, num_classes=num_classes)
    shares_C = torch.bincount(target_N, minlength=num_classes).double() / len(target_N)
    loss = focal_loss(logits_NC, target_N, gamma=setting.gamma, alpha_C=setting.alpha_C).item()
    bounds = focal_bounds(shares_C.tolist(), gamma=setting.gamma, alpha=setting.alpha_C.tolist())
    values = {
        f"val/macro_f1_{name}": scores.macro_f1,
        f"val/majority_macro_f1_{name}": majority_macro_f1(
            target_N, majority=setting.majority, num_classes=num_classes
        ),
        f"val/rare_f1_{name}": float(scores.f1_C[rare]),
        f"val/rare_recall_{name}": float(scores.recall_C[rare]),
        f"val/rare_precision_{name}": float(scores.precision_C[rare]),
        f"val/rare_prevalence_{name}": float(shares_C[rare]),
        f"val/calibration_error_{name}": calibration_error(logits_NC.softmax(dim=1), target_N),
        f"val/num_labels_{name}": float(len(target_N)),
        f"val/{name}_loss": loss,
    }
    # With one class only there is no range.
    if bounds.chance > bounds.floor:
        values |= {
            f"val/{name}_chance": bounds.chance,
            f"val/{name}_floor": bounds.floor,
            f"val/{name}_position": bounds.position(loss),
        }
    return values
