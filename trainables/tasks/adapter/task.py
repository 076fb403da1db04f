"""The adapter task: input embeddings to the target embeddings of one or two other spaces, an adapter for each.

The loop drives `AdapterTask`; `batches` cuts epochs into batches, `evaluate` holds what is measured on val.
"""

from collections.abc import Iterator, Mapping, Sequence

from torch import Tensor, nn

from trainables.config import GroupOptimizer, Optimizer
from trainables.contract import LaneSteps, Measurement, TrialContext
from trainables.data.embeddings.embeddings import EmbeddingData
from trainables.data.embeddings.load import load_embeddings
from trainables.data.errors import DataError
from trainables.loop import BatchLoss, Moment, Part, Task, run_lanes, run_trial
from trainables.losses.regression import mse_loss
from trainables.losses.similarity import Scalar
from trainables.metrics.regression import r_squared
from trainables.metrics.resampling import Resamplable
from trainables.models.adapters import AdapterModel
from trainables.tasks.adapter import evaluate
from trainables.tasks.adapter.batches import heterogeneous_batches, homogeneous_batches, num_homogeneous_batches
from trainables.tasks.adapter.config import BatchKind, Config
from trainables.tasks.adapter.criteria import contrastive_loss, regression_loss
from trainables.tasks.adapter.model import build_model, facts_of


def train(config: Config, context: TrialContext) -> Iterator[Measurement]:
    """Train on the configured source.

    Raises: DataError: the source's file is missing, damaged, or does not fit the config.
    """
    task = AdapterTask(config, load_embeddings(config.data, context.purpose), device=context.device)
    optimizer, groups = _optimizers(config)
    yield from run_trial(task, optimizer=optimizer, groups=groups, epochs=config.epochs, context=context)


def train_lanes(configs: Sequence[Config], contexts: Sequence[TrialContext]) -> LaneSteps:
    """What `train` yields for each of several configs, from one computation.

    Raises: CannotFuse, DataError.
    """
    data = load_embeddings(configs[0].data, contexts[0].purpose)
    tasks = [AdapterTask(config, data, device=contexts[0].device) for config in configs]
    optimizers, groups = zip(*map(_optimizers, configs), strict=True)
    yield from run_lanes(tasks, optimizers=optimizers, groups=groups, epochs=configs[0].epochs, contexts=contexts)


def _optimizers(config: Config) -> tuple[Optimizer, dict[str, GroupOptimizer]]:
    """Each adapter has settings of its own; the first one's stand for the rest, of which there is none."""
    groups: dict[str, GroupOptimizer] = {space: target.optimizer for space, target in config.targets.items()}
    first = next(iter(groups.values()))
    optimizer = Optimizer(
        lr=first.lr,
        weight_decay=first.weight_decay,
        schedule=first.schedule,
        betas=config.betas,
        max_grad_norm=config.max_grad_norm,
    )
    return optimizer, groups


class AdapterTask(Task[AdapterModel, Tensor]):
    """What the loop needs to know; a batch is a tensor of places in the training split."""

    def __init__(self, config: Config, data: EmbeddingData, *, device: str) -> None:
        self.config, self.data, self.device = config, data, device
        self.batch_size = min(config.batch_size, len(data.train))
        absent = [space for space in config.targets if space not in data.train.targets]
        if absent:
            raise DataError(f"the data has no targets_{absent[0]}; set spaces to what is there, or add them")
        if len(data.class_names) == 1 and any(target.loss.contrastive_weight for target in config.targets.values()):
            raise DataError(f"the data has one class only, {data.class_names[0]!r}: there is nothing to contrast")
        self.blind_mse = {
            space: float((data.train.targets[space] - data.blind_targets[space]).square().mean())
            for space in config.targets
        }

    def build_model(self) -> AdapterModel:
        """The adapters, sized for the data."""
        return build_model(self.config, facts_of(self.data))

    def parameter_groups(self, model: AdapterModel) -> Mapping[str, nn.Module]:
        """The adapter of each space."""
        return dict(model.adapters.items())

    def trunk(self, model: AdapterModel) -> nn.Module:
        """All adapters: spaces share no parameter, the parts of one space do."""
        return model.adapters

    def num_batches(self, moment: Moment) -> int:
        """Full batches, or those of each class."""
        if self.config.batches is BatchKind.HOMOGENEOUS:
            return num_homogeneous_batches(self.data.train.labels_N, size=self.batch_size)
        return len(self.data.train) // self.batch_size

    def batches(self, moment: Moment) -> Iterator[Tensor]:
        """Shuffled places in the training split."""
        train = self.data.train
        if self.config.batches is BatchKind.HOMOGENEOUS:
            return homogeneous_batches(train.labels_N, size=self.batch_size, generator=moment.generator)
        return heterogeneous_batches(len(train), size=self.batch_size, generator=moment.generator)

    def scalars(self, moment: Moment) -> Mapping[str, float]:
        """Of each space: its weights and its temperature."""
        return {
            f"{space}.{name}": getattr(target.loss, name)
            for space, target in self.config.targets.items()
            for name in ("regression_weight", "contrastive_weight", "temperature")
        }

    def loss(self, model: AdapterModel, batch: Tensor, moment: Moment) -> BatchLoss:
        """Every space's parts on one batch."""
        train = self.data.train
        labels_B = train.labels_N[batch].to(self.device)
        outputs = model(train.inputs_NSI[batch].to(self.device))
        parts: dict[str, Part] = {}
        effective: dict[str, Scalar] = {"classes_per_batch": float(len(set(train.labels_N[batch].tolist())))}
        for space, target in self.config.targets.items():
            predicted_BD = outputs[space].flatten(1)
            target_BD = train.targets[space][batch].to(self.device).flatten(1)
            loss, of_space = (
                target.loss,
                {
                    name: moment.scalars[f"{space}.{name}"]
                    for name in ("regression_weight", "contrastive_weight", "temperature")
                },
            )
            if loss.regression_weight:
                regression = regression_loss(loss, predicted_BD, target_BD, labels_B)
                parts[f"{space}_regression"] = Part(regression, of_space["regression_weight"])
            if loss.contrastive_weight:
                temperature = of_space["temperature"]
                contrastive = contrastive_loss(loss, predicted_BD, target_BD, labels_B, temperature=temperature)
                parts[f"{space}_contrastive"] = Part(contrastive, of_space["contrastive_weight"])
            effective |= self._knowledge(space, predicted_BD.detach(), target_BD)
        return BatchLoss(parts=parts, effective=effective)

    def _knowledge(self, space: str, predicted_BD: Tensor, target_BD: Tensor) -> dict[str, Scalar]:
        """The plain squared error of a batch, beside that of train's mean target and that of the batch's own."""
        mse, blind = mse_loss(predicted_BD, target_BD), self.blind_mse[space]
        values: dict[str, Scalar] = {
            f"mse_{space}": mse,
            f"batch_class_blind_mse_{space}": (target_BD - target_BD.mean(dim=0)).square().mean(),
        }
        return values if r_squared(0.0, class_blind_mse=blind) is None else values | {f"r2_{space}": 1 - mse / blind}

    def evaluate(self, model: AdapterModel, moment: Moment) -> Mapping[str, float]:
        """Everything on val; empty when predictions are not finite."""
        predicted = evaluate.predict(model, self.data.val, device=self.device)
        if not all(predicted_ND.isfinite().all() for predicted_ND in predicted.values()):
            return {}
        values = evaluate.classes(self.data)
        for space, target in self.config.targets.items():
            values |= {
                **evaluate.regression(space, predicted[space], self.data),
                **evaluate.retrieval(space, predicted[space], self.data),
                **evaluate.geometry(space, predicted[space], self.data),
                **evaluate.reach(space, model.adapter(space), self.data),
                **evaluate.contrastive(
                    space, predicted[space], self.data, loss=target.loss, batch_size=self.batch_size
                ),
            }
        if moment.epoch == 0:
            values["val/raw_retrieval_accuracy"] = evaluate.raw_retrieval(self.data)
        return values | evaluate.over_spaces(values, self.config.targets)

    def resamplable(self, model: AdapterModel, moment: Moment) -> Mapping[str, Resamplable]:
        """Errors and retrieval."""
        predicted = evaluate.predict(model, self.data.val, device=self.device)
        return evaluate.resamplable({space: predicted[space] for space in self.config.targets}, self.data)
