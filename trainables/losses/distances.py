"""Distance matrices between anchors and candidates; a task computes one and gives it to mining and to the loss.

So the two can not disagree about what is near. As everywhere, in float32 or wider.
"""

import torch
from torch import Tensor

from trainables.losses.similarity import cosine_matrix


def cosine_distance(rows_AD: Tensor, columns_ND: Tensor) -> Tensor:
    """One minus cosine: 0 for equal directions, 1 for perpendicular, 2 for opposite ones.

    Shapes: A anchors and N candidates of size D, rows L2-normalised; returns (A, N).
    """
    return 1 - cosine_matrix(rows_AD, columns_ND)


def euclidean_distance(rows_AD: Tensor, columns_ND: Tensor) -> Tensor:
    """2-norm of the difference, computed from differences: equal rows are at 0 exactly, with a gradient of 0 there.

    Shapes: A anchors and N candidates of size D, of any length; returns (A, N).
    """
    dtype = torch.promote_types(rows_AD.dtype, torch.float32)
    with torch.autocast(rows_AD.device.type, enabled=False):
        return torch.cdist(rows_AD.to(dtype), columns_ND.to(dtype), compute_mode="donot_use_mm_for_euclid_dist")
