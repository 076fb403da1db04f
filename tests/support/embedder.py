"""An own trainable whose Config says what its keys mean, with every role that no shipped task has.

No rule could guess from the names of its keys. Use it as `trainable: tests.support.embedder:train`.
"""

from collections.abc import Iterator, Mapping

from pydantic import BaseModel

from trainables.contract import Measurement, TrialContext
from trainables.roles import (
    ClassesPerBatch,
    ClassSizes,
    Contrast,
    Convention,
    Format,
    HardNegatives,
    ItemsPerClass,
    LearningRate,
    LossWeight,
    Margin,
    MarginKind,
    Measure,
    OneCycle,
    Precision,
    Proxies,
    Role,
    Scale,
    ScheduleEnd,
    Sharpness,
    Side,
    Temperature,
    UncertaintyDecay,
)


class Config(BaseModel, extra="forbid"):
    epochs: int = 10
    batch: int = 64
    family: Contrast = Contrast.NT_XENT
    convention: Convention = Convention.DIVIDES
    tau: float = 0.02
    bits: Format = Format.FLOAT32
    kind: MarginKind = MarginKind.TRIPLET
    measure: Measure = Measure.EUCLIDEAN
    gap: float = 0.1
    s: float = 100.0
    alpha: float = 2.0
    beta: float = 50.0
    main_weight: float = 1.0
    side_weight: float = 0.1
    pull: float = 0.0
    centres: bool = False
    centres_rate: float | None = None
    rate: float = 1e-3
    p: int = 8
    k: int = 4
    copies: bool = False
    hardest: int = 32
    peak: float = 1.0
    ramp: float = 5.0
    mood: str = "good"
    """`bad` makes `roles()` fail."""

    def roles(self) -> Mapping[str, Role]:
        if self.mood == "bad":
            raise RuntimeError("not in the mood")
        sizes = ClassSizes(num=20, typical=4, most=9)
        roles: dict[str, Role] = {
            "tau": Temperature(
                self.family, self.convention, batch_size=self.batch, items_per_class=2, one_modality=True
            ),
            "bits": Precision(self.bits),
            "gap": Margin(self.kind, self.measure, classes_per_batch=self.p),
            "alpha": Sharpness(Side.POSITIVES),
            "beta": Sharpness(Side.NEGATIVES),
            "main_weight": LossWeight("main", is_main=True),
            "side_weight": LossWeight("side"),
            "pull": UncertaintyDecay(),
            "rate": LearningRate(),
            "p": ClassesPerBatch(self.p, sizes),
            "k": ItemsPerClass(self.k, sizes, repeats=self.copies),
            "hardest": HardNegatives(self.hardest, available=self.batch - self.k),
            "peak": OneCycle(self.peak, end=self.epochs),
            "ramp": ScheduleEnd("the ramp is over", at=self.ramp, within=self.epochs),
        }
        if self.kind in (MarginKind.COSFACE, MarginKind.ARCFACE):
            roles["s"] = Scale(self.kind)
        if self.centres:
            roles["centres"] = Proxies("centres_rate" if self.centres_rate is not None else None)
        return roles


METRICS = {"val/recall_at_1": "share of queries whose nearest item is of their class"}


def train(config: Config, context: TrialContext) -> Iterator[Measurement]:
    for step in range(config.epochs + 1):
        yield Measurement(step=step, metrics={"val/recall_at_1": step / config.epochs})
