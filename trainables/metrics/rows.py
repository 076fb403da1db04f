"""Matrices of queries against a gallery that are too large to hold: made, used and dropped a few rows at a time.

The metrics take a `Matrix`: a tensor, or `Rows` that say how to make some of its rows. Cosines of 100,000 embeddings
with each other would take 40 GB as a tensor, and take what one chunk does as rows.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TypeAlias

import torch
from torch import Tensor

_CHUNK_ELEMENTS = 2**25
"""Of a chunk: 128 MB in float32; a matrix of up to 5,792 queries and items is one chunk."""


@dataclass(frozen=True, slots=True)
class Rows:
    """A matrix by its rows.

    Attributes:
        shape: (Q, G).
        compute: makes the rows (C, G) at a slice or at indices; called again whenever rows are needed.
    """

    shape: tuple[int, int]
    compute: Callable[[slice | Tensor], Tensor]

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, rows: slice | Tensor) -> Tensor:
        return self.compute(rows)


Matrix: TypeAlias = Tensor | Rows


def products(rows_QD: Tensor, columns_GD: Tensor) -> Rows:
    """The product of each row with each column vector: cosines where both are unit vectors."""
    return Rows((len(rows_QD), len(columns_GD)), lambda rows: rows_QD[rows] @ columns_GD.T)


def chunks(matrix: Matrix) -> Iterator[slice]:
    """Rows to take at a time, in order; at least one."""
    num_rows, num_columns = matrix.shape
    size = max(1, _CHUNK_ELEMENTS // max(1, num_columns))
    return (slice(start, min(start + size, num_rows)) for start in range(0, num_rows, size))


def counts(mask_CG: Tensor) -> Tensor:
    """How many are True in each row, int64 (C,). In half the time of a sum of booleans."""
    return mask_CG.view(torch.uint8).sum(dim=1, dtype=torch.int32).long()
