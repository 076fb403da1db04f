"""What is measured on val: perfect, useless and collapsed embeddings get what they deserve."""

import math

import pytest
import torch
from torch.nn import functional as F

from tests.trainables.tasks.identification.conftest import build
from trainables.loop import Moment
from trainables.tasks.identification import evaluate
from trainables.tasks.identification.config import METRICS, Config, Evaluation
from trainables.tasks.identification.embed import Records
from trainables.tasks.identification.objective import objective_at
from trainables.tasks.identification.protocol import protocol_masks

CONFIG = Config()
OBJECTIVE = objective_at(CONFIG, Moment(epoch=0, epochs=10, generator=torch.Generator()))


def ranked(val, train, val_RD, train_RD=None, **fields):
    evaluation = Evaluation(**fields)
    given = torch.zeros(len(train), val_RD.shape[1]) if train_RD is None else train_RD
    return evaluate.ranking(val_RD, given, protocol_masks(val, train, evaluation), evaluation)


def one_hot(records):
    return F.one_hot(records.items.labels_N, 8).float()


def test_perfect_embeddings(records, strangers):
    found = ranked(records, strangers, one_hot(records))
    assert found["val/rank_at_1"] == found["val/map_at_r"] == 1.0
    assert found["val/rank_at_1_same_day"] == found["val/rank_at_1_cross_day"] == 1.0
    assert (found["val/num_queries"], found["val/num_excluded_queries"]) == (5.0, 1.0)
    assert found["val/num_queries_cross_day"] == 3.0
    assert found["val/gallery_size"] == 5.0
    assert set(found) <= set(METRICS)


def test_equal_embeddings_get_no_credit(records, strangers):
    found = ranked(records, strangers, torch.ones(6, 8) / 8**0.5)
    assert found["val/rank_at_1"] == 0.0
    assert found["val/chance_rank_at_1"] > 0


def test_the_protocol_that_is_asked_for_is_the_headline(records, strangers):
    generator = torch.Generator().manual_seed(0)
    z_RD = F.normalize(torch.randn(6, 4, generator=generator), dim=1)
    for protocol in ("same_day", "cross_day"):
        found = ranked(records, strangers, z_RD, protocol=protocol)
        assert found["val/rank_at_1"] == found[f"val/rank_at_1_{protocol}"]
        assert found["val/num_queries"] == found[f"val/num_queries_{protocol}"]


def test_counting_unanswerable_queries_as_missed_lowers_a_perfect_ranking(records, strangers):
    found = ranked(records, strangers, one_hot(records), queries="all")
    assert found["val/rank_at_1"] == pytest.approx(5 / 6)
    assert found["val/num_excluded_queries"] == 0.0


def test_strangers_in_the_gallery_can_be_taken_for_somebody(records, strangers):
    z_RD = one_hot(records)
    alone = ranked(records, strangers, z_RD, 2 * z_RD[[0, 3, 5, 5]])
    crowded = ranked(records, strangers, z_RD, 2 * z_RD[[0, 3, 5, 5]], gallery="all")
    assert alone["val/rank_at_1"] == 1.0
    assert crowded["val/rank_at_1"] == 0.0
    assert crowded["val/gallery_size"] == 9.0


def test_a_leak_would_be_seen():
    """Windows of one record as records of their own would make any embedding look perfect."""
    leaky = Records(build([0, 0, 1, 1, 2, 2], [0] * 6))
    noise = F.normalize(torch.randn(3, 32, generator=torch.Generator().manual_seed(0)), dim=1)
    found = ranked(leaky, leaky, noise.repeat_interleave(2, dim=0))
    assert found["val/rank_at_1"] == 1.0


def test_raw_beats_are_ranked_by_shape_alone(records, strangers):
    masks = protocol_masks(records, strangers, Evaluation())
    before = evaluate.raw_ranking(records, strangers, masks, Evaluation())
    records.medians_RCL *= torch.rand(6, 1, 1) + 0.5
    records.medians_RCL += 3
    assert evaluate.raw_ranking(records, strangers, masks, Evaluation()) == before
    assert before.keys() == {"val/raw_rank_at_1", "val/raw_rank_at_1_same_day", "val/raw_rank_at_1_cross_day"}


def test_geometry_of_perfect_and_of_collapsed_embeddings(records):
    perfect = evaluate.geometry(one_hot(records), records.items, OBJECTIVE)
    assert perfect["val/auc"] == perfect["val/nearest_neighbor_accuracy"] == 1.0
    assert perfect["val/intra_distance"] == pytest.approx(0, abs=1e-6)
    collapsed = evaluate.geometry(torch.ones(6, 8) / 8**0.5, records.items, OBJECTIVE)
    assert collapsed["val/resultant_length"] == pytest.approx(1)
    assert collapsed["val/effective_rank"] == pytest.approx(1)
    assert "val/davies_bouldin" not in collapsed
    for values in (perfect, collapsed):
        assert set(values) <= set(METRICS)
        assert all(math.isfinite(value) for value in values.values())


def test_the_loss_stands_between_its_bounds_and_does_not_depend_on_the_call():
    records = Records(build([0, 0, 1, 1, 2, 2, 2], [0] * 7))
    generator = torch.Generator().manual_seed(0)
    z_RD = F.normalize(torch.randn(7, 8, generator=generator), dim=1)
    found = evaluate.losses(z_RD, records.items, OBJECTIVE, CONFIG)
    assert found == evaluate.losses(z_RD, records.items, OBJECTIVE, CONFIG)
    assert found["val/supcon_floor"] < found["val/supcon_loss"]
    collapsed = evaluate.losses(torch.ones(7, 8) / 8**0.5, records.items, OBJECTIVE, CONFIG)
    assert collapsed["val/supcon_position"] == pytest.approx(1, abs=1e-3)


def test_no_loss_without_two_people_to_compare():
    records = Records(build([0, 0, 1], [0] * 3))
    assert evaluate.losses(torch.eye(3), records.items, OBJECTIVE, CONFIG) == {}
