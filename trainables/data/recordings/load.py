"""From a source in the config to windows in memory: what a trial learns from and what it is measured on.

Tasks call `load_recordings` with the trial's purpose; only `Purpose.TEST` reads the test split. Trials of one process
share what was loaded: nobody may write to it.
"""

from collections.abc import Callable, Sequence
from functools import lru_cache

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from trainables.contract import Purpose
from trainables.data.errors import DataError, Split
from trainables.data.recordings.ecg_id import list_ecg_id
from trainables.data.recordings.files import list_files
from trainables.data.recordings.people import split_people
from trainables.data.recordings.recordings import Entry, Recording, RecordingData, RecordSet
from trainables.data.recordings.simulated import list_simulated
from trainables.data.recordings.sources import BadRecords, EcgIdSource, FilesSource, SimulatedSource, Windows
from trainables.data.recordings.windows import cut

Source = SimulatedSource | EcgIdSource | FilesSource


@lru_cache(maxsize=8)
def load_recordings(source: Source, windows: Windows, purpose: Purpose = Purpose.SEARCH) -> RecordingData:
    """Train and val. For TEST test stands in the place of val, for RETRAIN train has val's people too.

    Raises: DataError: a record is missing, damaged or of no use, unless the source says to exclude such ones.
    """
    if purpose is Purpose.TEST:
        return _checked(load_recordings(source, windows, Purpose.SEARCH).train, load_test_recordings(source, windows))
    learned = (Split.TRAIN, Split.VAL) if purpose is Purpose.RETRAIN else (Split.TRAIN,)
    return _checked(_read_splits(source, learned, windows), _read_splits(source, (Split.VAL,), windows))


def load_test_recordings(source: Source, windows: Windows) -> RecordSet:
    """The test split; empty splits are refused."""
    return _read_splits(source, (Split.TEST,), windows)


def _checked(train: RecordSet, val: RecordSet) -> RecordingData:
    if train.windows_NCL.shape[1] != val.windows_NCL.shape[1]:
        raise DataError(
            f"records of train have {train.windows_NCL.shape[1]} channels, those to measure on "
            f"{val.windows_NCL.shape[1]}"
        )
    return RecordingData(train=train, val=val)


def _read_splits(source: Source, splits: Sequence[Split], windows: Windows) -> RecordSet:
    """The records of one split, or of several as one."""
    entries = [entry for split in splits for entry in _list(source, split)]
    exclude = not isinstance(source, SimulatedSource) and source.bad_records is BadRecords.EXCLUDE
    where = " and ".join(split.value for split in splits)
    return _collect(entries, lambda recording: cut(recording, windows), where=where, exclude=exclude)


def _list(source: Source, split: Split) -> Sequence[Entry]:
    match source:
        case SimulatedSource():
            return list_simulated(source, split)
        case EcgIdSource():
            return _of(split, list_ecg_id(source), source)
        case FilesSource():
            return _of(split, list_files(source), source)


def _of(split: Split, entries: Sequence[Entry], source: EcgIdSource | FilesSource) -> list[Entry]:
    people = split_people([entry.person for entry in entries], source, where=source.root)
    return [entry for entry in entries if entry.person in people[split]]


def _collect(
    entries: Sequence[Entry], cut_up: Callable[[Recording], NDArray[np.float32]], *, where: str, exclude: bool
) -> RecordSet:
    """Read and cut every entry; what fails is raised, or counted."""
    kept: list[tuple[Recording, NDArray[np.float32]]] = []
    reasons: list[DataError] = []
    for entry in entries:
        try:
            recording = entry.read()
            kept.append((recording, cut_up(recording)))
        except DataError as error:
            if not exclude:
                raise
            reasons.append(error)
    if not entries:
        raise DataError(f"{where} has no records: data.num_{where}_people says how many people are kept for it")
    if not kept:
        why = f", the first one because {reasons[0]}" if reasons else ""
        raise DataError(f"{where} has no records: {len(reasons)} of {len(entries)} are excluded{why}")
    _check_channels(kept)
    counts = torch.tensor([0] + [len(cut_NCL) for _, cut_NCL in kept])
    return RecordSet(
        names=tuple(recording.name for recording, _ in kept),
        person_R=_numbered([recording.person for recording, _ in kept]),
        day_R=_numbered([recording.day for recording, _ in kept]),
        windows_NCL=torch.from_numpy(np.concatenate([cut_NCL for _, cut_NCL in kept])),
        begin_R1=counts.cumsum(0),
        num_excluded=len(reasons),
    )


def _check_channels(kept: Sequence[tuple[Recording, NDArray[np.float32]]]) -> None:
    first, first_cut = kept[0]
    for recording, cut_NCL in kept:
        if cut_NCL.shape[1] != first_cut.shape[1]:
            raise DataError(
                f"{recording.name}: {cut_NCL.shape[1]} channels; {first.name} has {first_cut.shape[1]}, "
                "and all records must have as many"
            )


def _numbered(labels: Sequence[str]) -> Tensor:
    number = {label: place for place, label in enumerate(sorted(set(labels)))}
    return torch.tensor([number[label] for label in labels])
