"""Where recordings come from and how they are cut, as config: one model per source. `load_recordings` reads them.

Must not know torch or numpy: configs are checked before anything heavy is imported.
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated, Literal

from pydantic import Field, model_validator

from trainables.config import StrictModel
from trainables.roles import ClassSizes


class BadRecords(StrEnum):
    """What happens to a record that cannot be read or used: a constant signal, NaN, a damaged file, no beats."""

    REFUSE = "refuse"
    """The trial fails with the file and the sample."""
    EXCLUDE = "exclude"
    """It is left out, and `val/num_excluded_records` and `train/num_excluded_records` count it."""


class Channels(StrEnum):
    """Which of ECG-ID's two versions of the one lead are read."""

    BOTH = "both"
    FILTERED = "filtered"
    RAW = "raw"


class SimulatedSource(StrictModel):
    """Generated on the spot: people with a heartbeat of their own, recorded on several days."""

    source: Literal["simulated"] = "simulated"
    num_train: int = Field(default=40, ge=2, le=10_000, description="People to train on; so below.")
    num_val: int = Field(default=30, ge=2, le=10_000)
    num_test: int = Field(default=30, ge=2, le=10_000)
    days: int = Field(default=2, ge=1, le=100, description="Days on which each person is recorded.")
    records_per_day: int = Field(default=2, ge=1, le=100)
    duration_s: float = Field(default=8.0, ge=6, le=600)
    day_variation: float = Field(
        default=1.0, ge=0, le=10, description="How much a person's beat differs from day to day; 0 for not at all."
    )
    noise: float = Field(
        default=0.08, ge=0, le=10, description="Standard deviation in millivolts; an R wave is near 1."
    )
    seed: int = Field(default=0, ge=0, lt=2**31, description="Of the data; trials of a sweep see the same records.")

    @property
    def train_sizes(self) -> ClassSizes:
        """People and their records."""
        records = self.days * self.records_per_day
        return ClassSizes(num=self.num_train, typical=records, most=records)


class PeopleSplit(StrictModel):
    """Which people are for val and test: nobody is in two splits."""

    num_val_people: int = Field(default=30, ge=2, le=100_000)
    num_test_people: int = Field(
        default=0, ge=0, le=100_000, description="Kept away from the search, for orch confirm."
    )
    split_seed: int = Field(default=0, ge=0, lt=2**31, description="Shuffles the people.")
    fold: int = Field(
        default=0, ge=0, le=1000, description="Val is this block of `num_val_people` in the shuffled list: 0, 1, 2, ..."
    )


class EcgIdSource(PeopleSplit):
    """ECG-ID (PhysioNet ecgiddb 1.0.0): 310 records of 20 s from 90 people, 20 of them on several days."""

    source: Literal["ecg_id"]
    root: str = Field(description="Folder with Person_01 to Person_90, each with rec_N.hea and rec_N.dat.")
    channels: Channels = Channels.BOTH
    bad_records: BadRecords = BadRecords.REFUSE

    @property
    def train_sizes(self) -> ClassSizes:
        """Counted in version 1.0.0: 90 people, half of them with 2 records, one with 22."""
        return ClassSizes(num=90 - self.num_val_people - self.num_test_people, typical=2, most=22)


class FilesSource(PeopleSplit):
    """Your own recordings; the task's README describes the files."""

    source: Literal["files"]
    root: str = Field(description="Folder with index.csv, and signals.npz or one .npy file for each record.")
    rate_hz: float = Field(gt=10, le=100_000, description="Samples per second of all signals.")
    bad_records: BadRecords = BadRecords.REFUSE

    @property
    def train_sizes(self) -> None:
        """Not known before the files are read."""


RecordingSource = Annotated[SimulatedSource | EcgIdSource | FilesSource, Field(discriminator="source")]


class WindowKind(StrEnum):
    """What a window is."""

    BEATS = "beats"
    """One heartbeat, its R peak always at the same place."""
    FIXED = "fixed"
    """A stretch of time, whatever it shows."""


class Windows(StrictModel):
    """How a record is filtered and cut."""

    kind: WindowKind = WindowKind.BEATS
    before_ms: float = Field(default=300.0, gt=0, le=2000, description="From the window's begin to the R peak.")
    after_ms: float = Field(default=400.0, gt=0, le=2000, description="From the R peak to the window's end.")
    length_ms: float = Field(default=2000.0, gt=0, le=60_000, description="Of a fixed window; they do not overlap.")
    rate_hz: float = Field(default=250.0, ge=50, le=2000, description="Samples per second of a window.")
    low_hz: float = Field(default=0.5, gt=0, le=20, description="Slower changes are filtered away, such as breathing.")
    high_hz: float = Field(default=40.0, gt=1, le=1000, description="Faster changes are filtered away.")
    min_windows: int = Field(default=3, ge=1, le=1000, description="A record with fewer is a bad one.")

    def unread(self) -> Mapping[str, str]:
        """Beats have a begin and an end around the peak, fixed windows a length."""
        names = ("length_ms",) if self.kind is WindowKind.BEATS else ("before_ms", "after_ms")
        return dict.fromkeys(names, f"when kind is {self.kind.value}")

    @model_validator(mode="after")
    def _check_the_band(self) -> "Windows":
        if not self.low_hz < self.high_hz < self.rate_hz / 2:
            raise ValueError(
                f"low_hz, high_hz and rate_hz are {self.low_hz:g}, {self.high_hz:g} and {self.rate_hz:g}: "
                "they must rise, and high_hz be below half of rate_hz"
            )
        return self

    @property
    def num_samples(self) -> int:
        """Samples of a window."""
        length_ms = self.before_ms + self.after_ms if self.kind is WindowKind.BEATS else self.length_ms
        return round(length_ms * self.rate_hz / 1000)
