"""From records to embeddings: what a training item is made of, and how a whole record is embedded for evaluation."""

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from trainables.data.recordings.recordings import RecordSet
from trainables.mining.pool import Items
from trainables.tasks.identification.choices import RecordEmbedding
from trainables.tasks.identification.config import Augment

_CHUNK = 512


class Records:
    """The records of one split as the task uses them: each record is an item, its person is the class."""

    def __init__(self, records: RecordSet) -> None:
        self.records = records
        self.medians_RCL = records.medians()
        places = torch.arange(len(records))
        self.items = Items(labels_N=records.person_R, recordings_N=places, items_N=places)

    def __len__(self) -> int:
        return len(self.records)

    def draw(self, record_B: Tensor, augment: Augment, *, generator: torch.Generator) -> Tensor:
        """One training item of each named record, (B, C, L): the median of some of its windows."""
        place_Bn = self.records.draw(record_B, num=augment.windows_per_item, generator=generator)
        middle = (augment.windows_per_item - 1) // 2
        # The same as torch's median, in a fifth of its time: it would take a third of a training step.
        parted_BnCL = np.partition(self.records.windows_NCL[place_Bn].numpy(), middle, axis=1)
        return torch.from_numpy(parted_BnCL[:, middle].copy())

    def embed(self, model: nn.Module, how: RecordEmbedding, *, device: str) -> Tensor:
        """Unit embeddings of all records, (R, E), on the CPU."""
        if how is RecordEmbedding.MEDIAN:
            return _run(model, self.medians_RCL, device=device)
        windows_NE = _run(model, self.records.windows_NCL, device=device)
        sums_RE = torch.zeros(len(self), windows_NE.shape[1]).index_add_(0, self.records.record_N, windows_NE)
        return F.normalize(sums_RE, dim=1)


def _run(model: nn.Module, x_NCL: Tensor, *, device: str) -> Tensor:
    return torch.cat([model(chunk.to(device)).cpu() for chunk in torch.split(x_NCL, _CHUNK)])
