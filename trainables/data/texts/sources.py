"""Where labelled texts come from, as config: one model per source. Task configs hold one; `load_texts` reads it.

Must not know torch or numpy: configs are checked before anything heavy is imported.
"""

from typing import Annotated, Literal

from pydantic import Field, model_validator

from trainables.config import StrictModel

NUM_FOLDS = 5


class TweetsSource(StrictModel):
    """24,783 tweets with the votes of their annotators (Davidson et al. 2017), in stratified folds."""

    source: Literal["tweets"]
    root: str = Field(description="Folder with labeled_data.csv.")
    fold: int = Field(default=0, ge=0, lt=NUM_FOLDS, description="The fifth that is val.")
    split_seed: int = Field(default=0, ge=0, lt=2**31, description="Of the folds.")
    hold_out_test: bool = Field(
        default=True,
        description="Keep the next fold for test; without it all other folds are train, and test is empty.",
    )


class GeneratedSource(StrictModel):
    """Sentences from templates, with four labels each; see `generated.py` for what decides them."""

    source: Literal["generated"] = "generated"
    num_train: int = Field(default=2000, ge=40, le=1_000_000)
    num_val: int = Field(default=1000, ge=40, le=100_000)
    num_test: int = Field(default=1000, ge=40, le=100_000)
    rare_fraction: float = Field(default=0.05, gt=0, le=0.5, description="Share of toxic sentences.")
    misspelt_fraction: float = Field(
        default=0.2, ge=0, le=1, description="Share of the longer words with a wrong letter."
    )
    missing_fraction: float = Field(default=0.1, ge=0, lt=1, description="Share of the training labels that is blank.")
    label_noise: float = Field(
        default=0.0, ge=0, lt=1, description="Share of the training labels that is drawn anew, whatever the sentence."
    )
    seed: int = Field(default=0, ge=0, lt=2**31, description="Of the data; trials of a sweep see the same items.")


class LabelColumn(StrictModel):
    """One column of labels; it becomes a task."""

    column: str = Field(pattern=r"^[A-Za-z][A-Za-z0-9_]*$", description="Name in the file, and of the task.")
    classes: tuple[str, ...] = Field(min_length=2, description="Every label that may occur, as it is written there.")

    @model_validator(mode="after")
    def _differ(self) -> "LabelColumn":
        if len(set(self.classes)) < len(self.classes):
            raise ValueError(f"classes of {self.column} are named twice: {', '.join(self.classes)}")
        return self


class FilesSource(StrictModel):
    """Your own table; the task's README describes it."""

    source: Literal["files"]
    path: str = Field(description="A .csv (UTF-8, with a header) or .parquet file.")
    text_column: str = "text"
    split_column: str = Field(default="split", description="It says train, val or test.")
    labels: tuple[LabelColumn, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _differ(self) -> "FilesSource":
        columns = [self.text_column, self.split_column, *(label.column for label in self.labels)]
        if len(set(columns)) < len(columns):
            raise ValueError(f"a column is named twice: {', '.join(columns)}")
        return self


TextSource = Annotated[TweetsSource | GeneratedSource | FilesSource, Field(discriminator="source")]
