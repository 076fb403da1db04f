"""The toxicity task: several labels of a text over one encoder, any of which may be missing.

The loop drives `ToxicityTask`; `weighting` holds the factors, `presence` the record of absences, `evaluate` what is
measured on val.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from trainables.config import GroupOptimizer
from trainables.contract import LaneSteps, Measurement, State, TrialContext
from trainables.data.texts.load import load_texts
from trainables.data.texts.texts import MISSING, TextData
from trainables.loop import BatchLoss, Moment, Task, run_lanes, run_trial
from trainables.losses.focal import focal_gradient_norms, focal_loss
from trainables.losses.similarity import Scalar
from trainables.metrics.classification import hard_fraction
from trainables.metrics.resampling import Resamplable
from trainables.tasks.toxicity import evaluate
from trainables.tasks.toxicity.config import BatchLabels, Config, TaskWeighting
from trainables.tasks.toxicity.model import ToxicityModel, build_model, facts_of
from trainables.tasks.toxicity.presence import Presence
from trainables.tasks.toxicity.weighting import class_alphas, scalars_of, weigh

_SAMPLE_SEED = 4


def train(config: Config, context: TrialContext) -> Iterator[Measurement]:
    """Train on the configured source.

    Raises: DataError: the source's files are missing, damaged, or not as described.
    """
    task = ToxicityTask(config, load_texts(config.data, context.purpose), device=context.device)
    yield from run_trial(
        task, optimizer=config.optimizer, groups=task.own_optimizers, epochs=config.epochs, context=context
    )


def train_lanes(configs: Sequence[Config], contexts: Sequence[TrialContext]) -> LaneSteps:
    """What `train` yields for each of several configs, from one computation.

    Raises: CannotFuse, DataError.
    """
    data = load_texts(configs[0].data, contexts[0].purpose)
    tasks = [ToxicityTask(config, data, device=contexts[0].device) for config in configs]
    optimizers, groups = [config.optimizer for config in configs], [task.own_optimizers for task in tasks]
    yield from run_lanes(tasks, optimizers=optimizers, groups=groups, epochs=configs[0].epochs, contexts=contexts)


@dataclass(frozen=True, slots=True)
class TextBatch:
    """Places in the training split and their labels (B, T), `MISSING` where a label is missing or not used.

    Attributes:
        present: the tasks that there is a label for, and their columns.
    """

    rows_B: Tensor
    labels_BT: Tensor
    present: Mapping[str, int]


class ToxicityTask(Task[ToxicityModel, TextBatch]):
    """What the loop needs to know."""

    def __init__(self, config: Config, data: TextData, *, device: str) -> None:
        self.config, self.data, self.device = config, data, device
        self.names = [task.name for task in data.tasks]
        self.batch_size = min(config.batch_size, len(data.train))
        self.learns_weights = config.weighting.kind is TaskWeighting.KENDALL
        self.presence = Presence(self.names)
        alphas = class_alphas(config.focal, data)
        self.settings = [
            evaluate.TaskSetting(task, data.class_counts(number), alphas[task.name], config.focal.gamma)
            for number, task in enumerate(data.tasks)
        ]
        self.alphas = {name: alpha_C.to(device) for name, alpha_C in alphas.items()}
        self.pieces_VP = data.train.pieces_VP.to(device)
        order = torch.randperm(len(data.train), generator=torch.Generator().manual_seed(_SAMPLE_SEED))
        self.sample = order[: len(data.val)].sort().values

    @property
    def own_optimizers(self) -> dict[str, GroupOptimizer]:
        """Settings of the parameter groups that have their own."""
        return {"uncertainty": self.config.uncertainty} if self.learns_weights else {}

    def build_model(self) -> ToxicityModel:
        """The networks, sized for the tasks of the data."""
        return build_model(self.config, facts_of(self.data))

    def parameter_groups(self, model: ToxicityModel) -> Mapping[str, nn.Module]:
        """The encoder, the heads, and the learned weights, which have an optimizer setting of their own."""
        groups: dict[str, nn.Module] = {"encoder": model.texts.encoder, "heads": model.texts.heads}
        return groups | ({"uncertainty": model.uncertainties} if self.learns_weights else {})

    def trunk(self, model: ToxicityModel) -> nn.Module:
        """The encoder."""
        return model.texts.encoder

    def num_batches(self, moment: Moment) -> int:
        """The last one may be smaller."""
        return -(-len(self.data.train) // self.batch_size)

    def batches(self, moment: Moment) -> Iterator[TextBatch]:
        """Shuffled texts, with all their labels or with those of the task whose turn it is."""
        order = torch.randperm(len(self.data.train), generator=moment.generator)
        first = round(moment.epoch) * self.num_batches(moment)
        for number, rows_B in enumerate(torch.split(order, self.batch_size), start=first):
            labels_BT = self.data.train.labels_NT[rows_B]
            if self.config.batching.labels is BatchLabels.ONE_TASK:
                turn = number // self.config.batching.run_length % len(self.names)
                others = torch.arange(len(self.names)) != turn
                labels_BT = labels_BT.masked_fill(others, MISSING)
            columns = (labels_BT >= 0).any(dim=0).nonzero()[:, 0].tolist()
            yield TextBatch(rows_B, labels_BT, present={self.names[column]: column for column in columns})

    def scalars(self, moment: Moment) -> Mapping[str, Scalar]:
        """Focal loss's gamma and alphas, and the numbers of the weighting."""
        alphas = {f"alpha.{name}": alpha_C for name, alpha_C in self.alphas.items()}
        return {"gamma": self.config.focal.gamma, **alphas, **scalars_of(self.config.weighting, self.names)}

    def loss(self, model: ToxicityModel, batch: TextBatch, moment: Moment) -> BatchLoss:
        """The parts that the batch has labels for."""
        words_BL = self.data.train.words_NL[batch.rows_B]
        words_BL = words_BL[:, : int((words_BL > 0).sum(dim=1).max())].to(self.device)
        logits = model.texts(words_BL, self.pieces_VP)
        targets = {name: batch.labels_BT[:, column].to(self.device) for name, column in batch.present.items()}
        scalars = moment.scalars or self.scalars(moment)
        losses = {
            name: focal_loss(logits[name], target_B, gamma=scalars["gamma"], alpha_C=_alpha(scalars, name))
            for name, target_B in targets.items()
        }
        weighting = self.config.weighting
        parts, added = weigh(losses, weighting=weighting, scalars=scalars, uncertainties=model.uncertainties)
        effective: dict[str, Scalar] = {
            f"task_precision_{name}": value for name, value in model.uncertainties.precisions().items()
        }
        if targets:
            effective["hard_gradient_fraction"] = _hard_gradient_fraction(logits, targets, scalars)
        return BatchLoss(parts=parts, effective=effective, regularizer=added)

    def after_step(self, model: ToxicityModel, batch: TextBatch) -> Mapping[str, float]:
        """Keep learned weights in their range, and take note of who was absent."""
        model.uncertainties.clamp_(self.config.weighting.clamp)
        self.presence.after_step(batch.present.keys(), model.uncertainties)
        return {}

    def begin_epoch(self, model: ToxicityModel, moment: Moment) -> Mapping[str, float]:
        """Begin the record anew."""
        self.presence.begin_epoch()
        return {}

    def evaluate(self, model: ToxicityModel, moment: Moment) -> Mapping[str, float]:
        """Everything on val, its twin on a sample of train, and the epoch's absences."""
        val, train = self.data.val, self.data.train
        logits = evaluate.run_model(model.texts, val, torch.arange(len(val)), device=self.device)
        seen = evaluate.run_model(model.texts, train, self.sample, device=self.device)
        if not evaluate.are_finite(logits | {f"train/{name}": values for name, values in seen.items()}):
            return {}
        values = {
            **evaluate.measure_val(logits, val.labels_NT, self.settings),
            **evaluate.summary("train", seen, train.labels_NT[self.sample], self.settings),
            "val/num_truncated_texts": float(val.num_truncated),
        }
        return values | (self.presence.report(learned=self.learns_weights) if moment.epoch else {})

    def resamplable(self, model: ToxicityModel, moment: Moment) -> Mapping[str, Resamplable]:
        """F1 and accuracy."""
        val = self.data.val
        logits = evaluate.run_model(model.texts, val, torch.arange(len(val)), device=self.device)
        return evaluate.resamplable(logits, val.labels_NT, self.settings)

    def state(self) -> State:
        """The record of absences, which may be longer than an epoch."""
        return self.presence.state()

    def restore(self, state: State) -> None:
        """Take back what `state` gave."""
        self.presence.restore(state)


def _alpha(scalars: Mapping[str, Scalar], task: str) -> Tensor:
    return torch.as_tensor(scalars[f"alpha.{task}"])


def _hard_gradient_fraction(
    logits: Mapping[str, Tensor], targets: Mapping[str, Tensor], scalars: Mapping[str, Scalar]
) -> Tensor:
    """Of all labels of the batch together, before task weights; hard is what has a low probability."""
    norms, difficulties = [], []
    with torch.no_grad():
        for name, target_B in targets.items():
            here_B = target_B >= 0
            some_BC, some_B = logits[name][here_B].float(), target_B[here_B]
            alpha_C = _alpha(scalars, name)
            norms.append(focal_gradient_norms(some_BC, some_B, gamma=scalars["gamma"], alpha_C=alpha_C))
            difficulties.append(1 - some_BC.softmax(dim=1).gather(1, some_B[:, None])[:, 0])
    return hard_fraction(torch.cat(norms), torch.cat(difficulties))
