"""What readers give and what tasks get: a `Recording` is one record as read, a `RecordSet` a split in windows."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor


@dataclass(frozen=True, slots=True)
class Recording:
    """One record.

    Attributes:
        name: where it came from, for messages.
        person: whose it is.
        day: any label; two records with the same one were taken on the same day.
        signal_CT: float, C channels, T samples; beats are looked for in the first channel.
    """

    name: str
    person: str
    day: str
    signal_CT: NDArray[np.float64]
    rate_hz: float


@dataclass(frozen=True, slots=True)
class Entry:
    """A record that can be read: people are split before anything is read."""

    person: str
    read: Callable[[], Recording]


@dataclass(frozen=True, slots=True)
class RecordSet:
    """The records of one split, as windows.

    Attributes:
        names: of the R records.
        person_R: integers; equal ones are the same person, within this set.
        day_R: integers; equal ones are the same day.
        windows_NCL: all windows, record after record; C channels, L samples.
        begin_R1: where each record's windows begin, and N at the end.
        num_excluded: records that were left out because they cannot be used.
    """

    names: tuple[str, ...]
    person_R: Tensor
    day_R: Tensor
    windows_NCL: Tensor
    begin_R1: Tensor
    num_excluded: int = 0

    def __len__(self) -> int:
        """How many records."""
        return len(self.names)

    @property
    def record_N(self) -> Tensor:
        """The record of each window."""
        return torch.repeat_interleave(torch.arange(len(self)), self.begin_R1.diff())

    def medians(self) -> Tensor:
        """The median window of each record, (R, C, L): its beat without what happens only now and then."""
        return torch.stack([windows.median(dim=0).values for windows in self.split()])

    def split(self) -> tuple[Tensor, ...]:
        """The windows of each record."""
        return torch.split(self.windows_NCL, self.begin_R1.diff().tolist())

    def draw(self, record_B: Tensor, *, num: int, generator: torch.Generator) -> Tensor:
        """Places of `num` random windows of each named record, (B, num).

        They are distinct where the record has that many; where it has fewer, they come in turns.
        """
        count_B1 = self.begin_R1.diff()[record_B, None]
        key_BN = torch.rand(len(record_B), int(count_B1.max()), generator=generator)
        key_BN = key_BN.masked_fill(torch.arange(key_BN.shape[1]) >= count_B1, torch.inf)
        place_Bn = key_BN.argsort(dim=1).gather(1, torch.arange(num) % count_B1)
        return self.begin_R1[record_B, None] + place_Bn


@dataclass(frozen=True, slots=True)
class RecordingData:
    """What a trial sees."""

    train: RecordSet
    val: RecordSet
