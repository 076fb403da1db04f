"""Reconstruction of masked patches."""

import torch
from torch import Tensor


def masked_modeling_loss(predicted_BNP: Tensor, target_BNP: Tensor, mask_BN: Tensor) -> Tensor:
    """Mean squared error over the masked patches only; 0 where none is masked.

    Shapes: B items of N patches with P values each; the mask is bool, True where a patch was hidden from the model.
    Returns a scalar in float32 or wider.
    Source: He et al. 2022, arXiv:2111.06377, section 3 (without the per-patch normalisation of the target).
    """
    dtype = torch.promote_types(predicted_BNP.dtype, torch.float32)
    # Masking the difference, not the square, keeps a non-finite visible patch out of the gradient too.
    error_BNP = (predicted_BNP.to(dtype) - target_BNP.to(dtype)).masked_fill(~mask_BN.unsqueeze(-1), 0.0)
    return error_BNP.square().mean(dim=-1).sum() / mask_BN.sum().clamp(min=1)
