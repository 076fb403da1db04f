"""Next-token cross entropy of a caption decoder."""

import torch
from torch import Tensor
from torch.nn import functional as F


def captioning_loss(logits_BLV: Tensor, target_BL: Tensor, *, pad: int) -> Tensor:
    """Mean cross entropy over the tokens that are not padding; 0 where all are.

    Shapes: B captions of L tokens, V = vocabulary. Returns a scalar in nats per token, in float32 or wider.
    Args: pad: the token id that marks padding in `target_BL`.
    """
    logits_BLV = logits_BLV.to(torch.promote_types(logits_BLV.dtype, torch.float32))
    total = F.cross_entropy(logits_BLV.flatten(0, 1), target_BL.flatten(), ignore_index=pad, reduction="sum")
    return total / (target_BL != pad).sum().clamp(min=1)
