"""One definition for one trial and for many: every public loss runs under vmap, with a setting that differs by lane.

A function of `trainables.losses` that returns a tensor stands in CASES, or in NO_LOSS with the reason; a new one that
stands in neither fails.
"""

import importlib
import inspect
import pkgutil
from typing import Any

import pytest
import torch
from torch import Tensor
from torch.func import grad_and_value, vmap
from torch.nn import functional as F

import trainables.losses
from trainables.losses.active import MaskedLoss
from trainables.losses.ant import AntPairs, ant_loss, ant_pairs
from trainables.losses.ant_form import Aggregation, AntForm, Coverage
from trainables.losses.captioning import captioning_loss
from trainables.losses.clip import clip_loss
from trainables.losses.contrastive import contrastive_loss
from trainables.losses.distances import cosine_distance, euclidean_distance
from trainables.losses.focal import binary_focal_loss, focal_loss
from trainables.losses.gap import gap_loss
from trainables.losses.gated_softmax import gated_softmax_loss
from trainables.losses.masked import masked_modeling_loss
from trainables.losses.multi_similarity import multi_similarity_loss
from trainables.losses.regression import cosine_contrast_loss, distance_contrast_loss, mse_loss, weighted_mse_loss
from trainables.losses.siglip import siglip_loss
from trainables.losses.supcon import masked_sup_con, sup_con, supcon_loss
from trainables.losses.triplet import batch_hard_triplet_loss, semi_hard_triplet_loss, triplet_loss
from trainables.losses.uncertainty import uncertainty_loss

LANES, BATCH, SIZE = 4, 10, 6
LABELS = torch.tensor([[0, 0, 1, 1, 1, 2, 3, 4, 5, 6], [0] * 10, list(range(10)), [0, 1] * 5])
"""Classes of each lane: some of each, one class, no positives, and two."""


def lanes() -> dict[str, Tensor]:
    """What losses are made of, a lane in each row, and one setting in (0, 1]."""
    generator = torch.Generator().manual_seed(0)
    same = LABELS[:, :, None] == LABELS[:, None, :]
    itself = torch.eye(BATCH, dtype=torch.bool)
    return {
        "z": F.normalize(torch.randn(LANES, BATCH, SIZE, generator=generator), dim=-1),
        "other": F.normalize(torch.randn(LANES, BATCH, SIZE, generator=generator), dim=-1),
        "labels": LABELS,
        "same": same,
        "positive": same & ~itself,
        "negative": ~same,
        "hidden": torch.rand(LANES, BATCH, generator=generator) < 0.5,
        "setting": torch.tensor([0.1, 0.3, 0.7, 1.0]),
    }


def pairs(x: dict[str, Tensor]) -> dict[str, Tensor]:
    return {"positive_AN": x["positive"], "negative_AN": x["negative"]}


def hinge(loss: Any, distance: Any = cosine_distance, name: str = "margin") -> Any:
    """A loss over distances with a margin, as a function of a lane."""
    return lambda x: loss(distance(x["z"], x["other"]), **pairs(x), **{name: x["setting"]}).loss


def ant(aggregation: Aggregation) -> Any:
    form = AntForm(aggregation=aggregation, coverage=Coverage.BOTH_VIEWS)
    fields = {"margin": 0.4, "form": form}
    return lambda x: ant_loss(ant_pairs(x["z"], x["labels"], form=form), hard_negative_ratio=x["setting"], **fields)


CASES: dict[str, tuple[Any, ...]] = {
    "ant.ant_loss": tuple(ant(aggregation) for aggregation in Aggregation),
    "captioning.captioning_loss": (
        lambda x: captioning_loss(x["z"][None] / x["setting"], x["labels"][None] % SIZE, pad=0),
    ),
    "clip.clip_loss": (
        lambda x: clip_loss(x["z"], x["other"], temperature=x["setting"], equivalent_BB=x["same"]),
        lambda x: clip_loss(x["z"], x["other"], temperature=0.2, margin=0.1, hard_negative_ratio=x["setting"]),
    ),
    "contrastive.contrastive_loss": (
        hinge(contrastive_loss, name="negative_margin"),
        hinge(contrastive_loss, euclidean_distance, "negative_margin"),
    ),
    "focal.binary_focal_loss": (lambda x: binary_focal_loss(x["z"][:, 0], x["labels"] % 3 - 1, gamma=x["setting"]),),
    "focal.focal_loss": (lambda x: focal_loss(x["z"], x["labels"] % SIZE - 1, gamma=x["setting"]),),
    "gap.gap_loss": (lambda x: gap_loss(x["z"] @ x["other"].mT, **pairs(x), target=x["setting"]),),
    "gated_softmax.gated_softmax_loss": (
        lambda x: gated_softmax_loss(x["z"], x["other"], temperature=x["setting"], equivalent_BB=x["same"]),
    ),
    "masked.masked_modeling_loss": (
        lambda x: masked_modeling_loss(x["z"][None] * x["setting"], x["other"][None], x["hidden"][None]),
    ),
    "multi_similarity.multi_similarity_loss": (
        lambda x: multi_similarity_loss(x["z"] @ x["other"].mT, **pairs(x), base=x["setting"]),
    ),
    "regression.cosine_contrast_loss": (
        lambda x: cosine_contrast_loss(x["z"], x["other"], x["labels"], temperature=x["setting"]),
    ),
    "regression.distance_contrast_loss": (
        lambda x: distance_contrast_loss(x["z"], x["other"], x["labels"], temperature=x["setting"]),
    ),
    "regression.mse_loss": (lambda x: mse_loss(x["z"], x["other"] * x["setting"]),),
    "regression.weighted_mse_loss": (lambda x: weighted_mse_loss(x["z"], x["other"] * x["setting"], x["labels"]),),
    "siglip.siglip_loss": (
        lambda x: siglip_loss(x["z"], x["other"], scale=1 / x["setting"], bias=-1.0, equivalent_BB=x["same"]),
    ),
    "supcon.masked_sup_con": (lambda x: masked_sup_con(x["z"] @ x["other"].mT, **pairs(x), temperature=x["setting"]),),
    "supcon.sup_con": (lambda x: sup_con(x["z"], x["labels"], temperature=x["setting"]),),
    "supcon.supcon_loss": (lambda x: supcon_loss(x["z"], x["other"], positive_BB=x["same"], temperature=x["setting"]),),
    "triplet.batch_hard_triplet_loss": (hinge(batch_hard_triplet_loss),),
    "triplet.semi_hard_triplet_loss": (hinge(semi_hard_triplet_loss),),
    "triplet.triplet_loss": (hinge(triplet_loss), hinge(triplet_loss, euclidean_distance)),
    "uncertainty.uncertainty_loss": (
        lambda x: uncertainty_loss(x["other"].square().mean(dim=-1), x["z"][:, 0], x["hidden"]),
    ),
}
"""Module and function to what it gives on one lane."""

NO_LOSS = {
    "active.fraction_of": "a share of a mask",
    "active.mean_over": "a step of the hinge losses",
    "ant.ant_floor": "a bound",
    "ant.ant_pairs": "a step of ant_loss",
    "ant.ant_violations": "a step of ant_loss",
    "ant.violation_rate": "a measurement",
    "distances.cosine_distance": "a step of the pair losses",
    "distances.euclidean_distance": "a step of the pair losses",
    "focal.focal_factor": "a step of focal_loss",
    "focal.focal_gradient_norms": "a measurement",
    "gap.mean_gap": "a step of gap_loss",
    "multi_similarity.multi_similarity_pairs": "a choice of pairs",
    "negatives.hardest_negatives": "a choice of pairs",
    "negatives.num_kept": "a count",
    "regression.class_weights": "a step of weighted_mse_loss",
    "regression.squared_errors": "a step of mse_loss",
    "similarity.cosine_matrix": "a step of the contrastive losses",
    "similarity.diagonal_mask": "a mask",
    "supcon.anchors_without_positive": "a count",
    "uncertainty.uncertainty_log_term": "a step of uncertainty_loss",
    "uncertainty.uncertainty_weight": "a step of uncertainty_loss",
}
"""Functions that return tensors and are no losses, and what they are."""


def tensor_functions() -> set[str]:
    """`module.function` of every public function in the package that returns a tensor, or several."""
    found = set()
    for module_info in pkgutil.walk_packages(trainables.losses.__path__, "trainables.losses."):
        module = importlib.import_module(module_info.name)
        for name, function in inspect.getmembers(module, inspect.isfunction):
            returned = inspect.signature(function).return_annotation
            gives = returned in (Tensor, MaskedLoss, AntPairs) or "Tensor" in str(returned)
            if function.__module__ == module.__name__ and not name.startswith("_") and gives:
                found.add(f"{module.__name__.removeprefix('trainables.losses.')}.{name}")
    return found


def test_every_loss_has_a_case():
    assert tensor_functions() - NO_LOSS.keys() == CASES.keys()


def test_what_is_said_to_be_no_loss_is_there():
    assert NO_LOSS.keys() <= tensor_functions()


@pytest.mark.parametrize("loss", [pytest.param(loss, id=name) for name, cases in CASES.items() for loss in cases])
def test_lanes_equal_a_loop(loss):
    inputs = lanes()

    def of_lane(z, rest):
        return loss({"z": z, **rest})

    rest = {name: value for name, value in inputs.items() if name != "z"}
    gradients, values = vmap(grad_and_value(of_lane))(inputs["z"], rest)
    assert values.isfinite().all() and gradients.isfinite().all()
    for lane in range(LANES):
        gradient, value = grad_and_value(of_lane)(inputs["z"][lane], {name: x[lane] for name, x in rest.items()})
        torch.testing.assert_close(values[lane], value)
        torch.testing.assert_close(gradients[lane], gradient, rtol=1e-4, atol=1e-6)
