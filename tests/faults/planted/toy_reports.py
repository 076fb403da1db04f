"""A toy writer of reports: it reads a segment and a percentage off a noisy vector and puts them into a sentence.

Planted fault: the sentence leaves the number out. BLEU and ROUGE hardly mind.
"""

from collections.abc import Iterator

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from trainables.config import Optimizer, StrictModel
from trainables.contract import Measurement, TrialContext
from trainables.loop import BatchLoss, Moment, Part, Task, run_trial
from trainables.metrics.stenosis import stenosis_scores
from trainables.metrics.text import bleu, rouge_l

SEGMENTS = ("proximal left anterior descending artery", "mid right coronary artery", "first obtuse marginal artery")
PERCENTS = (30, 50, 70, 90)
DIMS = 16


class Data(StrictModel):
    """The data differ from seed to seed."""

    seed: int = 0


class Config(StrictModel):
    """The toy's settings."""

    epochs: int = 6
    names_numbers: bool = True
    optimizer: Optimizer = Optimizer(lr=1e-2)
    data: Data = Data()


def train(config: Config, context: TrialContext) -> Iterator[Measurement]:
    """Run it."""
    yield from run_trial(ReportTask(config), optimizer=config.optimizer, epochs=config.epochs, context=context)


class ReportTask(Task[nn.Linear, Tensor]):
    """A batch is a tensor of places among the training items."""

    def __init__(self, config: Config) -> None:
        self.config = config
        generator = torch.Generator().manual_seed(2000 + config.data.seed)
        table_KI = torch.randn(len(SEGMENTS) + len(PERCENTS), DIMS, generator=generator)
        self.train_NI, self.truth_N2 = _items(256, table_KI, generator)
        self.val_NI, self.val_truth_N2 = _items(64, table_KI, generator)

    def build_model(self):
        return nn.Linear(DIMS, len(SEGMENTS) + len(PERCENTS))

    def parameter_groups(self, model):
        return {"writer": model}

    def trunk(self, model):
        return model

    def num_batches(self, moment):
        return 16

    def batches(self, moment):
        yield from torch.randperm(len(self.train_NI), generator=moment.generator).split(16)

    def loss(self, model: nn.Linear, batch: Tensor, moment: Moment) -> BatchLoss:
        segment_BK, percent_BK = model(self.train_NI[batch]).split([len(SEGMENTS), len(PERCENTS)], dim=1)
        truth_B2 = self.truth_N2[batch]
        captioning = F.cross_entropy(segment_BK, truth_B2[:, 0]) + F.cross_entropy(percent_BK, truth_B2[:, 1])
        return BatchLoss({"captioning": Part(captioning, 1.0)})

    def evaluate(self, model: nn.Linear, moment: Moment):
        segment_BK, percent_BK = model(self.val_NI).split([len(SEGMENTS), len(PERCENTS)], dim=1)
        said_N2 = torch.stack([segment_BK.argmax(dim=1), percent_BK.argmax(dim=1)], dim=1)
        truth = [_report(*row, numbers=True) for row in self.val_truth_N2.tolist()]
        written = [_report(*row, numbers=self.config.names_numbers) for row in said_N2.tolist()]
        scores = stenosis_scores(truth, written, segments=SEGMENTS)
        return {
            "val/bleu": bleu(truth, written),
            "val/rouge_l": rouge_l(truth, written),
            "val/stenosis_recall": scores.recall or 0.0,
        }


def _items(num: int, table_KI: Tensor, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    """Vectors, and for each the places of its segment and its percentage."""
    segments_N = torch.randint(len(SEGMENTS), (num,), generator=generator)
    percents_N = torch.randint(len(PERCENTS), (num,), generator=generator)
    noise_NI = 0.3 * torch.randn(num, DIMS, generator=generator)
    return table_KI[segments_N] + table_KI[len(SEGMENTS) + percents_N] + noise_NI, torch.stack(
        [segments_N, percents_N], dim=1
    )


def _report(segment: int, percent: int, *, numbers: bool) -> str:
    grade = f"{PERCENTS[percent]}% stenosis" if numbers else "stenosis"
    return (
        f"Coronary angiography was performed without complication. There is a {grade} of the {SEGMENTS[segment]}. "
        "The remaining vessels show no significant lesion and flow is normal."
    )
