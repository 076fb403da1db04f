"""The loss that the config asks for: its value is the library's own, its bounds hold, its setting is on record."""

import pytest
import torch
from torch.nn import functional as F

from trainables.loop import Moment
from trainables.losses.supcon import sup_con
from trainables.tasks.identification.choices import LossKind
from trainables.tasks.identification.config import Config
from trainables.tasks.identification.objective import needs_train_embeddings, objective_at

LABELS = torch.arange(4).repeat_interleave(3)
SAME = LABELS[:, None] == LABELS
POSITIVE, NEGATIVE = SAME & ~torch.eye(12, dtype=torch.bool), ~SAME


def objective(epoch=0.0, **fields):
    moment = Moment(epoch=epoch, epochs=10, generator=torch.Generator())
    return objective_at(Config.model_validate(fields), moment)


def unit(num=12, size=8, seed=0):
    return F.normalize(torch.randn(num, size, generator=torch.Generator().manual_seed(seed)), dim=1)


@pytest.mark.parametrize("kind", list(LossKind))
@pytest.mark.parametrize("distance", ["cosine", "euclidean"])
def test_equal_embeddings_are_at_chance_and_a_simplex_at_the_floor(kind, distance):
    fields = {"loss": kind} | ({"distance": distance} if "trip" in kind or kind == "contrastive" else {})
    asked = objective(**fields)
    bounds = asked.bounds(12, num_people=4)

    def loss(z_BD):
        distance_BB = asked.distances(z_BD, z_BD)
        return float(asked.loss(distance_BB, positive_AN=POSITIVE, negative_AN=NEGATIVE)[0])

    simplex = F.normalize(torch.eye(4) - 0.25, dim=1)[LABELS]
    floor = 0.0 if kind is LossKind.MULTI_SIMILARITY else bounds.floor
    assert loss(simplex) == pytest.approx(floor, abs=1e-3)
    if kind not in (LossKind.MULTI_SIMILARITY, LossKind.CONTRASTIVE):
        assert loss(unit(1).expand(12, 8)) == pytest.approx(bounds.chance, rel=1e-4)
    assert bounds.floor < bounds.chance


def test_supcon_is_supcon():
    z_BD = unit()
    asked = objective(temperature={"start": 0.2})
    loss, active = asked.loss(asked.distances(z_BD, z_BD), positive_AN=POSITIVE, negative_AN=NEGATIVE)
    assert float(loss) == pytest.approx(float(sup_con(z_BD, LABELS, temperature=0.2)), rel=1e-5)
    assert active == {}
    assert asked.effective() == {"temperature": 0.2}


@pytest.mark.parametrize(
    ("kind", "active"),
    [
        ("contrastive", "active_negative_fraction"),
        ("triplet_batch_all", "active_triplet_fraction"),
        ("triplet_batch_hard", "active_triplet_fraction"),
        ("triplet_semi_hard", "active_triplet_fraction"),
        ("multi_similarity", "active_negative_fraction"),
    ],
)
def test_the_active_share_is_on_record(kind, active):
    asked = objective(loss=kind)
    distance_BB = asked.distances(unit(), unit())
    _, shares = asked.loss(distance_BB, positive_AN=POSITIVE, negative_AN=NEGATIVE)
    assert shares.keys() == {active}
    assert 0 < shares[active] <= 1


def test_the_margin_follows_its_schedule():
    fields = {"loss": "contrastive", "margin": {"kind": "linear", "start": 0.2, "end": 0.6, "warmup_epochs": 2}}
    assert [objective(epoch, **fields).margin for epoch in (0, 2, 6, 10)] == pytest.approx([0.2, 0.2, 0.4, 0.6])
    assert objective(6, **fields).effective() == {"margin": pytest.approx(0.4)}


def test_which_mining_needs_the_embedded_train_set():
    def needs(epoch=0.0, **fields):
        return needs_train_embeddings(Config.model_validate(fields), epoch)

    assert not needs()
    assert not needs(negative_mining="hard")
    assert needs(negative_mining="hard", mining_embeddings="epoch")
    assert needs(negative_mining="full_hard")
    stages = [{"negative": "random"}, {"from_epoch": 2, "negative": "full_hard"}]
    assert [needs(epoch, curriculum=stages) for epoch in (0, 1.9, 2)] == [False, False, True]
