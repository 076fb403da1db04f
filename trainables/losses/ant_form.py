"""The variants of the ANT loss by name. Configs hold one `AntForm`, `ant` computes it; must not know torch."""

from enum import StrEnum

from pydantic import Field

from trainables.config import StrictModel


class Aggregation(StrEnum):
    """How the violations v of an anchor's n negatives become one number; mean over anchors."""

    LOGSUMEXP = "logsumexp"
    """ln sum exp(relu(v)). What is far below the threshold still counts exp(0) = 1: at least ln n."""
    EXPM1 = "expm1"
    """ln(1 + sum (exp(relu(v)) - 1)): the same without the count; at least 0."""
    SOFTPLUS = "softplus"
    """Mean of ln(1 + exp(v / softness)): no threshold, every negative pulls a little."""
    TOPK = "topk"
    """As logsumexp, over the `top` hardest negatives: at least ln(min(top, n))."""
    ACTIVE_ONLY = "active_only"
    """Mean of v over the violations alone."""
    KEPT_ONLY = "kept_only"
    """ln of the sum of exp(v) over the violations alone, as note 003 writes it, with v for its undefined m_ij."""


class Reference(StrEnum):
    """What a negative is compared with."""

    LOCAL = "local"
    """The hardest negative of the same anchor."""
    GLOBAL = "global"
    """The hardest negative of the whole batch."""


class Coverage(StrEnum):
    """Which pairs of the two views of a batch are looked at."""

    FIRST_VIEW = "first_view"
    """First views with first views: B x B."""
    BOTH_VIEWS = "both_views"
    """All views with all views: 2B x 2B."""


class AntForm(StrictModel):
    """One variant of the loss. The defaults are the author's canonical ones."""

    aggregation: Aggregation = Aggregation.LOGSUMEXP
    reference: Reference = Reference.LOCAL
    connected: bool = Field(
        default=False,
        description="Let the gradient flow into the reference: the loss then falls by RAISING the hardest negative.",
    )
    coverage: Coverage = Coverage.FIRST_VIEW
    count_diagonal: bool = Field(
        default=False,
        description="The historical fault: each item counts as a negative of itself, with cosine 0.",
    )
    softness: float = Field(default=0.1, gt=0, le=10, description="Softplus divides the violations by it.")
    top: int = Field(default=32, ge=1, le=65_536, description="Hardest negatives that topk keeps.")

    def unread(self) -> dict[str, str]:
        """Two fields belong to one aggregation each."""
        why = f"when aggregation is {self.aggregation.value}"
        unread = {} if self.aggregation is Aggregation.SOFTPLUS else {"softness": why}
        unread |= {} if self.aggregation is Aggregation.TOPK else {"top": why}
        return unread
