"""A trainable that is only asked about: its Config has what generic lint rules look for, and its metrics every kind."""

from collections.abc import Iterator

from pydantic import BaseModel, Field

from trainables.contract import Measurement, TrialContext

METRICS = {
    "val/recall_at_1": "of val",
    "val/chance_recall_at_1": "of a random ranking",
    "val/macro_f1": "of val",
    "val/eer": "of val",
    "val/loss": "weighted total",
    "val/contrastive_loss": "at the training's temperature",
    "val/mse": "squared error",
    "train/macro_f1": "of train",
}


class Data(BaseModel, extra="forbid"):
    num_val: int = Field(default=1000, ge=1)
    seed: int = 0


class Config(BaseModel, extra="forbid"):
    epochs: int = Field(default=30, ge=1)
    eval_every: int = Field(default=1, ge=1)
    warmup_epochs: float = Field(default=0, ge=0)
    lr: float = Field(default=1e-3, gt=0, le=1)
    temperature: float = Field(default=0.1, ge=0.001, le=100)
    share: float = Field(default=0.5, ge=0, le=1)
    loss_weights: dict[str, float] = {}
    layers: bool | int | float | str = 2
    kind: str = "a"
    data: Data = Data()


def train(config: Config, context: TrialContext) -> Iterator[Measurement]:
    yield Measurement(step=0, metrics=dict.fromkeys(METRICS, 0.0))
