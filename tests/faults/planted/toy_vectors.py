"""A toy for faults that no trainable's config can plant: two encoders, one for each of two noisy views of an item.

Items of a class attract. Each `Fault` is one thing done wrong; without one it learns in less than a second.
"""

from collections.abc import Iterator
from enum import StrEnum

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from trainables.config import Optimizer, StrictModel
from trainables.contract import Measurement, TrialContext
from trainables.loop import BatchLoss, Moment, Part, Task, run_trial
from trainables.losses.bounds import supcon_bounds
from trainables.losses.supcon import supcon_loss
from trainables.metrics.collapse import effective_rank, resultant_length, top_variance_fraction
from trainables.metrics.cosines import mean_cosines
from trainables.metrics.ranking import InvalidQueries, ranking_scores

DIMS, TELLING, ITEMS_PER_CLASS, EMBEDDING = 24, 8, 4, 32
VAL_CLASSES = 64
NUISANCE = 1.0
"""Deviation of the dimensions that tell nothing of the class; those that do have 1 between classes."""
VIEW_NOISE = 0.2


class Fault(StrEnum):
    """What is done wrong."""

    NONE = "none"
    SHUFFLED = "shuffled"
    """Batches without regard to classes."""
    OPPOSED = "opposed"
    """The sign of one view is wrong, so that what belongs together is pushed apart."""
    RIVALS = "rivals"
    """A second loss wants one view where the first does not."""
    POISONED = "poisoned"
    """One training item holds a NaN."""
    NARROW = "narrow"
    """The training classes differ in one dimension only: what else there is looks like noise, and is given up."""
    LONE_QUERIES = "lone_queries"
    """Queries with nothing to find are counted as missed."""


class Data(StrictModel):
    """The data differ from seed to seed."""

    seed: int = 0


class Config(StrictModel):
    """The toy's settings; `contrastive_loss_type` is ignored, as note 002's key of that name was."""

    epochs: int = 10
    num_classes: int = 64
    fault: Fault = Fault.NONE
    temperature: float = 0.2
    optimizer: Optimizer = Optimizer(lr=1e-2)
    contrastive_loss_type: str = "clip"
    data: Data = Data()


def train(config: Config, context: TrialContext) -> Iterator[Measurement]:
    """Run it."""
    yield from run_trial(VectorTask(config), optimizer=config.optimizer, epochs=config.epochs, context=context)


class Towers(nn.Module):
    """Linear, unit length."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.second = nn.Linear(DIMS, EMBEDDING), nn.Linear(DIMS, EMBEDDING)

    def forward(self, first_BI: Tensor, second_BI: Tensor) -> tuple[Tensor, Tensor]:
        return F.normalize(self.first(first_BI), dim=-1), F.normalize(self.second(second_BI), dim=-1)


class VectorTask(Task[Towers, Tensor]):
    """A batch is a tensor of places among the training items."""

    batch_size = 32

    def __init__(self, config: Config) -> None:
        self.config = config
        generator = torch.Generator().manual_seed(1000 + config.data.seed)
        telling = 1 if config.fault is Fault.NARROW else TELLING
        self.train_NI, self.labels_N = _items(config.num_classes, telling, generator)
        self.val_NI, self.val_labels_N = _items(VAL_CLASSES, TELLING, generator)
        if config.fault is Fault.LONE_QUERIES:
            lone = torch.arange(0, len(self.val_labels_N), 5)
            self.val_labels_N[lone] = 10_000 + lone
        if config.fault is Fault.POISONED:
            self.train_NI[7, 3] = torch.nan

    def build_model(self):
        return Towers()

    def parameter_groups(self, model):
        return {"first": model.first, "second": model.second}

    def trunk(self, model):
        return model.first

    def num_batches(self, moment):
        return 16

    def batches(self, moment):
        for _ in range(self.num_batches(moment)):
            if self.config.fault is Fault.SHUFFLED:
                yield torch.randperm(len(self.labels_N), generator=moment.generator)[: self.batch_size]
            else:
                chosen = torch.randperm(self.config.num_classes, generator=moment.generator)
                chosen = chosen[: self.batch_size // ITEMS_PER_CLASS]
                yield (chosen[:, None] * ITEMS_PER_CLASS + torch.arange(ITEMS_PER_CLASS)).flatten()

    def loss(self, model: Towers, batch: Tensor, moment: Moment) -> BatchLoss:
        first_BD, second_BD = model(self._view(batch, moment), self._view(batch, moment))
        labels_B = self.labels_N[batch]
        same_BB = labels_B[:, None] == labels_B
        sign = -1 if self.config.fault is Fault.OPPOSED else 1
        part = supcon_loss(first_BD, sign * second_BD, positive_BB=same_BB, temperature=self.config.temperature)
        parts = {"contrastive": Part(part, 1.0)}
        if self.config.fault is Fault.RIVALS:
            rival = supcon_loss(first_BD, -second_BD, positive_BB=same_BB, temperature=self.config.temperature)
            parts["rival"] = Part(rival, 0.8)
        others_B = same_BB.sum(dim=1) - 1
        effective = {
            "temperature": self.config.temperature,
            "positives_per_anchor": float(others_B.float().mean()),
            "anchors_without_positive_fraction": float((others_B == 0).float().mean()),
        }
        return BatchLoss(parts, effective)

    def _view(self, batch: Tensor, moment: Moment) -> Tensor:
        return self.train_NI[batch] + VIEW_NOISE * torch.randn(len(batch), DIMS, generator=moment.generator)

    def evaluate(self, model: Towers, moment: Moment):
        z_ND, other_ND = model(self.val_NI, self.val_NI)
        if not z_ND.isfinite().all():
            return {}
        labels_N = self.val_labels_N
        other_NN = ~torch.eye(len(z_ND), dtype=torch.bool)
        same_NN = labels_N[:, None] == labels_N
        lone = self.config.fault is Fault.LONE_QUERIES
        scores = ranking_scores(
            z_ND @ z_ND.T,
            relevant_QG=same_NN & other_NN,
            gallery_QG=other_NN,
            invalid=InvalidQueries.MISSED if lone else InvalidQueries.EXCLUDED,
        )
        cosines = mean_cosines(z_ND, other_ND, equivalent_BB=same_NN)
        bounds = supcon_bounds(self.batch_size, self.config.temperature, positives_per_anchor=ITEMS_PER_CLASS)
        places = torch.arange(self.batch_size)
        loss = supcon_loss(
            z_ND[places],
            other_ND[places],
            positive_BB=same_NN[places][:, places],
            temperature=self.config.temperature,
        )
        return {
            "val/rank_at_1": scores.rank_at[1],
            "val/chance_rank_at_1": scores.chance_rank_at[1],
            "val/num_queries": float(scores.num_queries),
            "val/num_unanswerable_queries": float(scores.num_unanswerable_queries),
            "val/matched_cosine": cosines.matched,
            "val/unmatched_cosine": float(cosines.unmatched or 0.0),
            "val/resultant_length": resultant_length(z_ND),
            "val/effective_rank_centred": effective_rank(z_ND, centred=True),
            "val/top_variance_fraction": top_variance_fraction(z_ND),
            "val/embedding_size": float(EMBEDDING),
            "val/contrastive_loss": float(loss),
            "val/contrastive_chance": bounds.chance,
            "val/contrastive_floor": bounds.floor,
            "val/contrastive_position": bounds.position(float(loss)),
        }


def _items(num_classes: int, telling: int, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    """Classes differ in the first dimensions only; the items of a class follow each other."""
    labels_N = torch.arange(num_classes).repeat_interleave(ITEMS_PER_CLASS)
    means_CI = torch.randn(num_classes, DIMS, generator=generator)
    means_CI[:, telling:] = 0
    noise_NI = torch.randn(len(labels_N), DIMS, generator=generator)
    noise_NI[:, :telling] *= 0.2
    noise_NI[:, telling:] *= NUISANCE
    return means_CI[labels_N] + noise_NI, labels_N
