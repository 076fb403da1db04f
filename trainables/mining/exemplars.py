"""Which few items stand for a class once its data is gone. The incremental task calls these at the end of a task."""

import torch
from torch import Tensor


def herd(z_ND: Tensor, *, num: int) -> Tensor:
    """Places of `num` rows, best first, whose running mean stays closest to the mean of all; all rows if fewer.

    Shapes: N embeddings of one class, size D; returns int64. Of equally good rows the first is taken.
    Source: Rebuffi et al. 2017, arXiv:1611.07725, algorithm 4.
    """
    wide_ND = z_ND.detach().double()
    mean_D, total_D = wide_ND.mean(dim=0), torch.zeros_like(wide_ND[0])
    chosen: list[int] = []
    for count in range(1, min(num, len(z_ND)) + 1):
        distance_N = (mean_D - (total_D + wide_ND) / count).norm(dim=1)
        distance_N[chosen] = torch.inf
        chosen.append(int(distance_N.argmin()))
        total_D = total_D + wide_ND[chosen[-1]]
    return torch.tensor(chosen, dtype=torch.int64)


def draw(num_items: int, *, num: int, generator: torch.Generator) -> Tensor:
    """Places of `num` different items at random; all of them if there are fewer."""
    return torch.randperm(num_items, generator=generator)[:num]
