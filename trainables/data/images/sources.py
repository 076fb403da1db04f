"""Where labelled pictures come from, as config: one model per source. Task configs hold one; `load_images` reads it.

Must not know torch or numpy: configs are checked before anything heavy is imported.
"""

from enum import StrEnum
from typing import Annotated, Literal

from pydantic import Field, model_validator

from trainables.config import StrictModel


class DigitsSource(StrictModel):
    """The 1797 handwritten digits of 8 x 8 pixels that come with scikit-learn: 60 % train, 20 % val, 20 % test."""

    source: Literal["digits"] = "digits"
    seed: int = Field(default=0, ge=0, lt=2**31, description="Of the split, which is stratified by class.")


class OmniglotCharacters(StrictModel):
    """Characters of Omniglot as classes. Train, val and test have different drawers of the same characters."""

    source: Literal["omniglot"]
    root: str = Field(description="Folder with images_background_small1.zip and images_background_small2.zip.")
    num_classes: int = Field(default=100, ge=2, le=242, description="Drawn from the 242 characters that there are.")
    train_drawers: int = Field(
        default=15, ge=1, le=19, description="Of 20 people who drew each character; the others are for val and test."
    )
    test_drawers: int = Field(
        default=0, ge=0, le=18, description="How many of those others are for test; with 0 nothing can be confirmed."
    )
    size: Literal[24, 28, 32, 48] = Field(default=28, description="Height and width in pixels.")
    seed: int = Field(default=0, ge=0, lt=2**31, description="Of the choice of characters.")

    @model_validator(mode="after")
    def _leaves_val(self) -> "OmniglotCharacters":
        if self.train_drawers + self.test_drawers > 19:
            raise ValueError(
                f"train_drawers {self.train_drawers} and test_drawers {self.test_drawers} leave nobody of 20 for val"
            )
        return self


class CifarLabel(StrEnum):
    """Which labels of the files are the classes."""

    FINE = "fine_labels"
    COARSE = "coarse_labels"


class ImageFiles(StrictModel):
    """Your own pictures in the layout of CIFAR-100; the task's README describes the files."""

    source: Literal["files"]
    root: str = Field(description="Folder with train and test of CIFAR-100 for Python, or train.npz and test.npz.")
    labels: CifarLabel = Field(default=CifarLabel.FINE)
    val_fraction: float = Field(
        default=0.1, gt=0, lt=1, description="Share of each class's training pictures that is kept for val."
    )
    seed: int = Field(default=0, ge=0, lt=2**31, description="Of the choice of val.")


ImageSource = Annotated[DigitsSource | OmniglotCharacters | ImageFiles, Field(discriminator="source")]
