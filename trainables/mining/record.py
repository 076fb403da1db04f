"""What mining was asked for and what it did, anchor by anchor, and the metrics that sum it up.

`choose` fills in the record; tasks report `metrics()` by batch, and the loop takes their means over an epoch.
"""

from dataclasses import dataclass

import torch
from torch import Tensor

from trainables.mining.strategies import EffectiveMining, NegativeMining, Reason

STRATEGIES = tuple(NegativeMining)
EFFECTIVE = tuple(EffectiveMining)
REASONS = tuple(Reason)


@dataclass(frozen=True, slots=True)
class MiningRecord:
    """One row for each of A anchors.

    Attributes:
        requested: what was asked for.
        effective_A: what was done, as a place in `EFFECTIVE`.
        reason_A: why, as a place in `REASONS`.
        pool_size_A: how many negatives there were to choose from.
        age_A: optimizer steps since the chosen negative was embedded; NaN where nothing was chosen by embeddings.
        percentile_A: see `negative_percentile`.
    """

    requested: NegativeMining
    effective_A: Tensor
    reason_A: Tensor
    pool_size_A: Tensor
    age_A: Tensor
    percentile_A: Tensor

    def metrics(self) -> dict[str, float]:
        """Means over the anchors, by full metric name; what no anchor knows is left out."""
        fallbacks = {f"train/mining_fallback_{reason}": self._share(reason) for reason in REASONS[1:]}
        known = {"train/negative_percentile": self.percentile_A, "train/embedding_age_steps": self.age_A}
        return {
            "train/mining_strategy": float(STRATEGIES.index(self.requested)),
            "train/mining_requested_fraction": self._share(Reason.AS_REQUESTED),
            "train/mining_pool_size": float(self.pool_size_A.double().mean()),
            **fallbacks,
            **{name: float(x.double().nanmean()) for name, x in known.items() if not bool(x.isnan().all())},
        }

    def _share(self, reason: Reason) -> float:
        return float((self.reason_A == REASONS.index(reason)).double().mean())


def negative_percentile(distance_AN: Tensor, negative_AN: Tensor, chosen_A: Tensor) -> Tensor:
    """Place of the chosen negative among the anchor's candidates: 0 is the nearest, 1 the farthest.

    Candidates at the same distance share the middle of their places, so that equal embeddings give 0.5 to any choice.
    NaN where nothing was chosen, or where there was one candidate only.

    Shapes: A anchors, N candidates; the choice is an index, or -1. Returns A floats.
    """
    distance_AN = distance_AN.detach().to(negative_AN.device)
    at_A1 = chosen_A.clamp(min=0)[:, None]
    chosen_A1 = distance_AN.gather(1, at_A1)
    nearer_A = (negative_AN & (distance_AN < chosen_A1)).sum(dim=1)
    tied_A = (negative_AN & (distance_AN == chosen_A1)).sum(dim=1) - 1
    others_A = negative_AN.sum(dim=1) - 1
    place_A = (nearer_A + tied_A / 2) / others_A.clamp(min=1)
    known_A = (chosen_A >= 0) & (others_A > 0) & negative_AN.gather(1, at_A1).squeeze(1)
    return torch.where(known_A, place_A, torch.nan)
