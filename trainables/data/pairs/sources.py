"""Where paired data comes from, as config: one model per source. Task configs hold one; `load_pairs` reads it.

Must not know torch or numpy: configs are checked before anything heavy is imported.
"""

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from trainables.config import StrictModel
from trainables.roles import ClassSizes


class AngiogramSource(StrictModel):
    """Generated on the spot: grey videos of a vessel tree and reports that name its stenoses."""

    has_classes: ClassVar[bool] = False
    source: Literal["angiogram"] = "angiogram"
    num_train: int = Field(default=512, ge=8, le=100_000)
    num_val: int = Field(default=128, ge=8, le=10_000)
    num_test: int = Field(default=128, ge=8, le=10_000)
    num_frames: int = Field(default=8, ge=2, le=64)
    size: Literal[32, 48, 64] = Field(default=32, description="Height and width in pixels.")
    noise: float = Field(default=0.05, ge=0, le=1, description="Standard deviation; grey values are in [0, 1].")
    seed: int = Field(default=0, ge=0, lt=2**31, description="Of the data; trials of a sweep see the same items.")

    @property
    def train_sizes(self) -> None:
        """There are no classes."""


NUM_TRAIN_CHARACTERS = 96
"""Of the alphabets that are for training: Balinese, Early Aramaic, Greek and Latin."""


class OmniglotSource(StrictModel):
    """Handwritten characters: the drawing, stroke by stroke, and its pen strokes as a token sequence."""

    has_classes: ClassVar[bool] = True
    source: Literal["omniglot"]
    root: str = Field(description="Folder with images_background_small1.zip, strokes_background_small1.zip, ...small2.")
    num_frames: int = Field(default=1, ge=1, le=8, description="1 is the finished picture; more show it being drawn.")
    size: Literal[24, 32, 48] = Field(default=32, description="Height and width in pixels.")
    drawers_per_class: int = Field(default=20, ge=2, le=20, description="Fewer make smaller and faster epochs.")
    turned_classes: bool = Field(
        default=False, description="Training drawings turned by 90, 180 and 270 degrees, too, as further characters."
    )

    @property
    def train_sizes(self) -> ClassSizes:
        """The characters of four alphabets and their drawings."""
        characters = NUM_TRAIN_CHARACTERS * (4 if self.turned_classes else 1)
        return ClassSizes(num=characters, typical=self.drawers_per_class, most=self.drawers_per_class)


class FilesSource(StrictModel):
    """Your own arrays and texts; the task's README describes the files."""

    has_classes: ClassVar[bool] = False
    source: Literal["files"]
    root: str = Field(description="Folder with videos.npy (or videos.npz) and texts.jsonl (or texts.txt).")
    segments: tuple[str, ...] = Field(
        default=(), description="Vessel segments that your reports name; turns the stenosis metrics on."
    )

    @property
    def train_sizes(self) -> None:
        """There are no classes."""


PairSource = Annotated[AngiogramSource | OmniglotSource | FilesSource, Field(discriminator="source")]
