"""Random changes of training items: a shift in time, a stretch after the R peak, a slow curve, noise.

The encoder standardises each window, so amplitude is not among them.
"""

import torch
from torch import Tensor

from trainables.tasks.identification.config import Augment


def augmented(x_BCL: Tensor, augment: Augment, *, peak: float, rate_hz: float, generator: torch.Generator) -> Tensor:
    """Changed copies of windows.

    Args:
        x_BCL: B windows of C channels and L samples.
        peak: the sample that stays where it is when a window is stretched.
        rate_hz: samples per second.
    """
    size_B = len(x_BCL)
    if augment.shift_ms or augment.stretch:
        reach = augment.shift_ms * rate_hz / 1000
        shift_B = reach * (2 * torch.rand(size_B, generator=generator) - 1)
        factor_B = (1 + augment.stretch * torch.randn(size_B, generator=generator)).clamp(0.5, 2.0)
        x_BCL = _moved(x_BCL, shift_B, factor_B, peak=peak)
    deviation_BC1 = x_BCL.std(dim=-1, keepdim=True)
    if augment.wander:
        x_BCL = x_BCL + augment.wander * deviation_BC1 * _slow_curves(x_BCL.shape, generator).to(x_BCL)
    if augment.noise:
        x_BCL = x_BCL + augment.noise * deviation_BC1 * torch.randn(x_BCL.shape, generator=generator).to(x_BCL)
    return x_BCL


def _moved(x_BCL: Tensor, shift_B: Tensor, factor_B: Tensor, *, peak: float) -> Tensor:
    """Read each window elsewhere: moved by a shift, and stretched by a factor after the peak; edges are repeated."""
    last = x_BCL.shape[-1] - 1
    from_peak_L = torch.arange(last + 1) - peak
    after_BL = torch.where(from_peak_L > 0, from_peak_L / factor_B[:, None], from_peak_L)
    source_BL = (after_BL + peak + shift_B[:, None]).clamp(0, last)
    low_BL = source_BL.floor().clamp(max=last - 1).long()
    share_B1L = (source_BL - low_BL)[:, None].to(x_BCL)
    low_B1L = low_BL[:, None].expand(-1, x_BCL.shape[1], -1).to(x_BCL.device)
    return x_BCL.gather(2, low_B1L) * (1 - share_B1L) + x_BCL.gather(2, low_B1L + 1) * share_B1L


def _slow_curves(shape: torch.Size, generator: torch.Generator) -> Tensor:
    """Random sums of a slope, a bow and most of a wave over the window; (B, C, L)."""
    time_L = torch.linspace(-1, 1, shape[2])
    shapes_3L = torch.stack([time_L, time_L**2 - 1 / 3, torch.sin(3 * time_L)])
    return torch.randn(*shape[:2], 3, generator=generator) @ shapes_3L
