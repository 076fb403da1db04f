"""`orch diagnose FOLDER`: saved embeddings of a run's epochs, measured now. Needs torch, which a CSV does not."""

from pathlib import Path

import torch

from orchestrator.errors import UsageError
from orchestrator.execution.checkpoint_names import steps_in
from orchestrator.sweeps.diagnose import Diagnosis, diagnose_history
from trainables.contract import Measurement
from trainables.data.epochs.saved import SavedEpoch, epoch_files, read_epochs
from trainables.data.errors import DataError
from trainables.health import History
from trainables.metrics.embeddings import measure_embeddings

MAX_ITEMS = 4000
"""All pairs of items are compared: of more items, this many drawn ones are measured, the same in each epoch."""
_SEED = 0


def diagnose_folder(folder: Path) -> Diagnosis:
    """A folder of saved epochs.

    Raises:
        UsageError: there are none, or one is damaged or not like the others; the message names the file and the row.
    """
    try:
        if not epoch_files(folder) and steps_in(folder):
            raise UsageError(
                f"{folder} holds a trial's checkpoints: weights, no embeddings; try orch diagnose SWEEP TRIAL"
            )
        num_items, measurements = 0, []
        for saved in read_epochs(folder):
            num_items = len(saved.labels_N)
            measurements.append(_measure(saved))
    except DataError as error:
        raise UsageError(str(error)) from error
    thinned = [f"{MAX_ITEMS} of {num_items} items were measured"] if num_items > MAX_ITEMS else []
    return diagnose_history(History(measurements), title=str(folder), notes=thinned)


def _measure(saved: SavedEpoch) -> Measurement:
    generator = torch.Generator().manual_seed(_SEED)
    rows = torch.randperm(len(saved.labels_N), generator=generator)[:MAX_ITEMS].sort().values
    try:
        values = measure_embeddings(saved.z_ND[rows], saved.labels_N[rows], saved.records_N[rows], seed=_SEED)
    except ValueError as error:
        raise UsageError(f"{saved.path}: {error}") from error
    return Measurement(saved.epoch, values)
