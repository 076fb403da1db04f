"""Where embeddings come from, as config: one model per source. Task configs hold one; `load_embeddings` reads it.

Must not know torch or numpy: configs are checked before anything heavy is imported.
"""

from collections.abc import Mapping
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from trainables.config import StrictModel

NUM_FACTORS = 8
"""In how many directions generated items differ within their class."""


class TargetGeometry(StrictModel):
    """How the targets of the classes lie in one space."""

    positions: int = Field(default=1, ge=1, le=1024, description="1 for a pooled embedding, more for a sequence.")
    dims: int = Field(default=768, ge=2, le=8192, description="Channels of each position.")
    distance_low: float = Field(default=14.0, gt=0, le=1e4, description="Least distance of the targets of two classes.")
    distance_high: float = Field(default=17.0, gt=0, le=1e4, description="Largest such distance.")
    mean_norm: float = Field(default=29.6, ge=0, le=1e5, description="Length of what all targets have in common.")

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.distance_high < self.distance_low:
            raise ValueError(f"distance_high is {self.distance_high:g}: it is below distance_low {self.distance_low:g}")
        return self


class ClipGeometry(TargetGeometry):
    """A pooled text embedding; distances as note 000 measured them, and lengths that give its first loss."""


class T5Geometry(TargetGeometry):
    """A short sequence of token embeddings, with about the same class-blind error."""

    positions: int = Field(default=4, ge=1, le=1024)
    dims: int = Field(default=64, ge=2, le=8192)
    distance_low: float = Field(default=8.0, gt=0, le=1e4)
    distance_high: float = Field(default=10.0, gt=0, le=1e4)
    mean_norm: float = Field(default=17.0, ge=0, le=1e5)


class GeneratedEmbeddings(StrictModel):
    """Generated on the spot: noisy inputs that tell the class, and targets at chosen distances from each other."""

    source: Literal["generated"] = "generated"
    num_classes: int = Field(default=4, ge=1, le=256)
    num_train: int = Field(default=256, ge=2, le=100_000)
    num_val: int = Field(default=128, ge=2, le=10_000)
    num_test: int = Field(default=128, ge=2, le=10_000)
    positions: int = Field(default=2, ge=1, le=1024, description="Of an input.")
    dims: int = Field(default=768, ge=2, le=8192, description="Channels of an input position.")
    separation: float = Field(
        default=12.0,
        ge=0,
        le=1000,
        description="Distance of the inputs of two classes, in deviations of the noise: 4 is hard, 0 blind.",
    )
    within_class: float = Field(
        default=0.0,
        ge=0,
        le=1e3,
        description="Root mean square distance of a target from its class target; the input tells most of it.",
    )
    imbalance: float = Field(
        default=1.0, ge=1, le=1000, description="How many times more frequent the first class is than the last."
    )
    clip: ClipGeometry = ClipGeometry()
    t5: T5Geometry = T5Geometry()
    seed: int = Field(default=0, ge=0, lt=2**31, description="Of the data; trials of a sweep see the same items.")

    @model_validator(mode="after")
    def _has_room(self) -> Self:
        sizes = {"clip": self.clip.positions * self.clip.dims, "t5": self.t5.positions * self.t5.dims}
        sizes["input"] = self.positions * self.dims
        for name, size in sizes.items():
            if size < self.num_classes + NUM_FACTORS:
                allowed = f"at most {size - NUM_FACTORS}, for {name} has {size} numbers"
                raise ValueError(f"num_classes is {self.num_classes}: it must be {allowed}")
        for split in ("num_train", "num_val", "num_test"):
            if getattr(self, split) < 2 * self.num_classes:
                raise ValueError(f"{split} is {getattr(self, split)}: {self.num_classes} classes need two items each")
        return self


class EmbeddingFile(StrictModel):
    """Your own embeddings; the task's README describes the arrays."""

    source: Literal["files"]
    path: str = Field(description="An .npz or .safetensors file.")
    encoder: str | None = Field(
        default=None,
        pattern=r"^[A-Za-z_][\w.]*:[A-Za-z_]\w*$",
        description="my_pkg.my_module:build, a function that returns a torch module. Inputs are then what it takes; "
        "what it returns is computed once and kept in cache.",
    )
    encoder_batch_size: int = Field(default=64, ge=1, le=65_536)
    cache: str = Field(
        default="~/.cache/orch/embeddings",
        description="A folder for what encoders return, on any disk; found by content.",
    )

    def unread(self) -> Mapping[str, str]:
        """Nothing is encoded without an encoder."""
        return {} if self.encoder else dict.fromkeys(("encoder_batch_size", "cache"), "without an encoder")


EmbeddingSource = Annotated[GeneratedEmbeddings | EmbeddingFile, Field(discriminator="source")]
