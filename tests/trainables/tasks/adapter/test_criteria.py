import math

import pytest
import torch

from trainables.losses.regression import (
    cosine_contrast_loss,
    distance_contrast_loss,
    mse_loss,
    weighted_mse_loss,
)
from trainables.tasks.adapter.config import Loss
from trainables.tasks.adapter.criteria import contrastive_bounds, contrastive_loss, regression_loss

PREDICTED, TARGET = (torch.randn(7, 4, generator=torch.Generator().manual_seed(s)) for s in (0, 1))
LABELS = torch.tensor([0, 0, 0, 1, 1, 2, 2])
BATCH = (PREDICTED, TARGET, LABELS)


def loss(**fields):
    return Loss.model_validate({"contrastive_weight": 1.0} | fields)


def test_the_configured_loss_is_the_one_in_effect():
    assert regression_loss(loss(), *BATCH) == mse_loss(PREDICTED, TARGET)
    assert regression_loss(loss(regression="weighted_mse"), *BATCH) == weighted_mse_loss(*BATCH)
    assert contrastive_loss(loss(), *BATCH, temperature=0.3) == cosine_contrast_loss(*BATCH, temperature=0.3)
    distance = contrastive_loss(loss(similarity="distance"), *BATCH, temperature=0.3)
    assert distance == distance_contrast_loss(*BATCH, temperature=0.3)


@pytest.mark.parametrize("similarity", ["cosine", "distance"])
def test_bounds_follow_the_similarity(similarity):
    bounds = contrastive_bounds(loss(similarity=similarity, temperature=0.5), torch.eye(3))
    assert bounds.chance == pytest.approx(math.log(3))
    assert (bounds.floor == 0.0) is (similarity == "distance")
