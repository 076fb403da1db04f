"""The incremental task: classes come a few at a time, and only exemplars of the earlier ones stay.

The loop drives `IncrementalTask`; `stream` says which classes come when, `contrast` holds the losses of a batch,
`evaluate` what is measured on val. Classes are numbered in the order of the stream throughout.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from trainables.contract import LaneSteps, Measurement, Purpose, State, TrialContext
from trainables.data.augment import warp
from trainables.data.images.images import ImageData, Images
from trainables.data.images.load import load_images
from trainables.loop import BatchLoss, Moment, Part, Task, run_lanes, run_trial
from trainables.losses.similarity import Scalar
from trainables.metrics.resampling import Resamplable
from trainables.mining.exemplars import draw, herd
from trainables.models.image import ImageModel
from trainables.tasks.incremental import evaluate
from trainables.tasks.incremental.config import Choice, Config
from trainables.tasks.incremental.contrast import Views, ant_in_effect, scalars_at
from trainables.tasks.incremental.evaluate import Rule
from trainables.tasks.incremental.model import build_model, facts_of
from trainables.tasks.incremental.past import kept, revived
from trainables.tasks.incremental.stream import build_stream


def train(config: Config, context: TrialContext) -> Iterator[Measurement]:
    """Train on the configured source, step by step.

    Raises: DataError: the source's files are missing or damaged, or its classes cannot be cut into the steps.
    """
    data = load_images(config.data, context.purpose)
    task = IncrementalTask(config, data, device=context.device, looks_back=context.purpose is Purpose.TEST)
    yield from run_trial(task, optimizer=config.optimizer, epochs=config.epochs, context=context)


def train_lanes(configs: Sequence[Config], contexts: Sequence[TrialContext]) -> LaneSteps:
    """What `train` yields for each of several configs, from one computation.

    Raises: CannotFuse, DataError.
    """
    data = load_images(configs[0].data, contexts[0].purpose)
    tasks = [IncrementalTask(config, data, device=contexts[0].device) for config in configs]
    optimizers = [config.optimizer for config in configs]
    yield from run_lanes(tasks, optimizers=optimizers, epochs=configs[0].epochs, contexts=contexts)


class IncrementalTask(Task[ImageModel, Tensor]):
    """What the loop needs to know; a batch is a tensor of places among the step's items and the exemplars.

    Each trial has exemplars of its own, but as many of a class as any other, and in the same places: lanes share the
    batches and their labels, and look the pictures up in items of their own.
    """

    def __init__(self, config: Config, data: ImageData, *, device: str, looks_back: bool = False) -> None:
        """Args: looks_back: measure the ends of earlier steps anew, instead of taking what was measured then."""
        self.config, self.data, self.device, self.looks_back = config, data, device, looks_back
        self.stream = build_stream(config.stream, num_classes=len(data.classes))
        self.labels_N = self.stream.place_K[data.train.labels_N]
        self.val_labels_N = self.stream.place_K[data.val.labels_N]
        self.num_val = [len(_places(self.val_labels_N, self.stream.classes(j))) for j in range(self.stream.num_steps)]
        self.herds = config.memory.per_class > 0 and config.memory.choice is Choice.HERDING
        self.exemplars = torch.zeros(0, dtype=torch.int64)
        self.old_means: Tensor | None = None
        self.rows: list[list[float]] = []
        self.past: list[State] = []
        self.start: dict[str, Tensor] = {}

    def build_model(self) -> ImageModel:
        """The network, sized for the pictures."""
        return build_model(self.config, facts_of(self.data))

    def parameter_groups(self, model: ImageModel) -> Mapping[str, nn.Module]:
        """The convolutions, and what stands on them."""
        heads = [model.project] if model.head is None else [model.project, model.head]
        return {"trunk": model.trunk, "heads": nn.ModuleList(heads)}

    def trunk(self, model: ImageModel) -> nn.Module:
        """The convolutions: all terms learn through them."""
        return model.trunk

    def begin_epoch(self, model: ImageModel, moment: Moment) -> Mapping[str, float]:
        """At the beginning of a step, keep what may be kept of the step before."""
        step = self._step(moment)
        if self._epoch_of_step(moment) == 0:
            if step > 0:
                self.past = [*self.past, kept(model, self._class_means(model, step - 1))]
                self._remember(model, step - 1, moment)
            self.start = {name: value.detach().clone() for name, value in model.named_parameters()}
        return {
            "step": float(step + 1),
            "num_exemplars": float(len(self.exemplars)),
            "num_items": float(len(self._items(step))),
        }

    def _remember(self, model: ImageModel, step: int, moment: Moment) -> None:
        """Choose the exemplars of the classes of a step; without any, keep the classes' means as they are now."""
        per_class, classes = self.config.memory.per_class, self.stream.classes(step)
        if not per_class:
            self.old_means = self._class_means(model, step)
            return
        for number in classes:
            places = _places(self.labels_N, range(number, number + 1))
            if self.config.memory.choice is Choice.RANDOM:
                chosen = draw(len(places), num=per_class, generator=moment.generator)
            else:
                chosen = herd(self._embed(model, places), num=per_class)
            self.exemplars = torch.cat([self.exemplars, places[chosen]])

    def num_batches(self, moment: Moment) -> int:
        """Full batches only, on whose size the losses depend; one smaller one where there are fewer items."""
        return max(1, len(self._items(self._step(moment))) // self.config.batch_size)

    def batches(self, moment: Moment) -> Iterator[Tensor]:
        """Shuffled places among the step's items and the exemplars."""
        order = torch.randperm(len(self._items(self._step(moment))), generator=moment.generator)
        size = self.config.batch_size
        for number in range(self.num_batches(moment)):
            yield order[number * size : (number + 1) * size]

    def scalars(self, moment: Moment) -> Mapping[str, Scalar]:
        """The weights and the terms' numbers, and, where each trial has its own, the items."""
        scalars: dict[str, Scalar] = dict(scalars_at(self.config, epoch=self._epoch_of_step(moment)))
        if self.herds and self._step(moment) < self.stream.num_steps:
            scalars["items"] = self._items(self._step(moment))
        return scalars

    def loss(self, model: ImageModel, batch: Tensor, moment: Moment) -> BatchLoss:
        """The terms that have a weight, on two views of each item."""
        scalars = moment.scalars or self.scalars(moment)
        items = self._items(self._step(moment))
        pixels_BCHW = self.data.train.pixels_NCHW[torch.as_tensor(scalars.get("items", items))[batch]]
        both = [warp(pixels_BCHW, amount=self.config.warp, generator=moment.generator) for _ in range(2)]
        labels_B = self.labels_N[items[batch]].to(self.device)
        z_VD = model(torch.cat(both).to(self.device))
        views = Views.of(z_VD, labels_B, positives=self.config.positives)
        parts, effective = self._terms(views, scalars)
        if model.head is not None:
            logits_VS = model.classify(z_VD, num_seen=self.stream.ends[self._step(moment)])
            parts["classification"] = Part(loss=F.cross_entropy(logits_VS, labels_B.repeat(2)), weight=1.0)
        return BatchLoss(parts=parts, effective=effective)

    def _terms(self, views: Views, scalars: Mapping[str, Scalar]) -> tuple[dict[str, Part], dict[str, Scalar]]:
        """The contrastive parts, and what is to be reported of them."""
        weights, parts = self.config.loss_weights, {}
        cosines = views.cosines()
        effective: dict[str, Scalar] = {} if cosines is None else dict(cosines.named())
        if weights.nce:
            effective["temperature"] = scalars["temperature"]
            parts["nce"] = Part(loss=views.nce(temperature=scalars["temperature"]), weight=scalars["weight.nce"])
        if weights.ant:
            ant = ant_in_effect(self.config, views, scalars)
            parts["ant"] = Part(loss=ant.loss(), weight=scalars["weight.ant"])
            effective |= ant.measured(parts["ant"].loss)
        if weights.gap:
            parts["gap"] = Part(loss=views.gap_loss(target=scalars["gap_target"]), weight=scalars["weight.gap"])
        return parts, effective

    def evaluate(self, model: ImageModel, moment: Moment) -> Mapping[str, float]:
        """Everything on val; empty when embeddings are not finite."""
        step = self._measured_step(moment)
        seen = _places(self.val_labels_N, range(self.stream.ends[step]))
        images = Images(self.data.val.pixels_NCHW[seen], self.val_labels_N[seen])
        z_ND = evaluate.embed(model, images.pixels_NCHW, device=self.device)
        if not bool(z_ND.isfinite().all()):
            return {}
        rule = self._rule(model, step)
        row = evaluate.accuracies(rule.classify(z_ND), images.labels_N, self.stream, step=step)
        rows = [*(self._rows_anew(model) if self.looks_back else self.rows[:step]), row]
        if moment.epoch > 0 and not self.looks_back:
            self.rows = rows
        items = self._items(step)
        predicted_N = rule.classify(self._embed(model, items))
        values = {
            **evaluate.over_tasks(rows, self.num_val, num_classes=self.stream.ends[step]),
            **evaluate.geometry(z_ND),
            **evaluate.contrast(model, images, config=self.config, device=self.device),
            "train/last_accuracy": float((predicted_N == self.labels_N[items]).double().mean()),
        }
        if moment.epoch == 0:
            return values | {"val/raw_accuracy": evaluate.raw_accuracy(self.data)}
        return values | {"train/parameter_drift": self._drift(model)}

    def resamplable(self, model: ImageModel, moment: Moment) -> Mapping[str, Resamplable]:
        """Accuracies, of the network at the end of each step."""
        step = self._measured_step(moment)
        predicted = [
            self._predict(rule, j) for j, rule in enumerate([*self._past_rules(model), self._rule(model, step)])
        ]
        return evaluate.resamplable(predicted, self.val_labels_N, self.stream)

    def state(self) -> State:
        """What is remembered of past steps."""
        return {
            "exemplars": self.exemplars,
            "old_means": self.old_means,
            "rows": self.rows,
            "start": self.start,
            "past": self.past,
        }

    def restore(self, state: State) -> None:
        """Take it back."""
        self.exemplars = cast(Tensor, state["exemplars"])
        self.old_means = cast(Tensor | None, state["old_means"])
        self.rows = cast(list[list[float]], state["rows"])
        self.start = cast(dict[str, Tensor], state["start"])
        self.past = cast(list[State], state["past"])

    def _measured_step(self, moment: Moment) -> int:
        """A measurement belongs to the epoch that has just ended, not to the one that may begin."""
        return max(0, -(-int(moment.epoch) // self.config.epochs_per_step) - 1)

    def _epoch_of_step(self, moment: Moment) -> float:
        return moment.epoch % self.config.epochs_per_step

    def _step(self, moment: Moment) -> int:
        return int(moment.epoch // self.config.epochs_per_step)

    def _items(self, step: int) -> Tensor:
        """Places of all that there is to train on: the items of the step's classes, and the exemplars."""
        return torch.cat([_places(self.labels_N, self.stream.classes(step)), self.exemplars])

    def _embed(self, model: ImageModel, places: Tensor) -> Tensor:
        return evaluate.embed(model, self.data.train.pixels_NCHW[places], device=self.device)

    def _class_means(self, model: ImageModel, step: int) -> Tensor:
        """Mean embedding of each class seen so far: from the step's items, the exemplars, or as it was once."""
        items = self._items(step)
        z_ND, labels_N = self._embed(model, items), self.labels_N[items]
        first = 0 if self.old_means is None else len(self.old_means)
        means_SD = torch.stack([z_ND[labels_N == k].mean(dim=0) for k in range(first, self.stream.ends[step])])
        return means_SD if self.old_means is None else torch.cat([self.old_means, means_SD])

    def _rule(self, model: ImageModel, step: int) -> Rule:
        return Rule(model, self.config.classifier, self._class_means(model, step))

    def _past_rules(self, model: ImageModel) -> list[Rule]:
        """Those of the ends of earlier steps."""
        past = [revived(state, model) for state in self.past]
        return [Rule(then, self.config.classifier, means_SD) for then, means_SD in past]

    def _predict(self, rule: Rule, step: int) -> Tensor:
        """What a rule says of the val items of the classes up to a step; -1 for the others, which it does not know."""
        seen = _places(self.val_labels_N, range(self.stream.ends[step]))
        z_ND = evaluate.embed(rule.model, self.data.val.pixels_NCHW[seen], device=self.device)
        return torch.full_like(self.val_labels_N, -1).index_copy(0, seen, rule.classify(z_ND))

    def _rows_anew(self, model: ImageModel) -> list[list[float]]:
        """The rows of earlier steps on the data that there is now."""
        return [
            evaluate.accuracies(self._predict(rule, j), self.val_labels_N, self.stream, step=j)
            for j, rule in enumerate(self._past_rules(model))
        ]

    def _drift(self, model: ImageModel) -> float:
        """How far the parameters are from the beginning of the step, over their norm there."""
        pairs = [(now, self.start[name].to(now.device)) for name, now in model.named_parameters()]
        moved = torch.stack([(now - before).norm() for now, before in pairs]).norm()
        return float(moved / torch.stack([before.norm() for _, before in pairs]).norm())


def _places(labels_N: Tensor, classes: range) -> Tensor:
    """Where the items of a run of classes are."""
    return ((labels_N >= classes.start) & (labels_N < classes.stop)).nonzero().squeeze(1)
