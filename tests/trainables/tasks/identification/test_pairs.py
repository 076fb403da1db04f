"""Which pairs the loss gets: all, or mined in the batch, a memory or the whole train set; and the record of it."""

import pytest
import torch
from torch.nn import functional as F

from trainables.loop import Moment
from trainables.mining.pool import Items
from trainables.tasks.identification.config import Config
from trainables.tasks.identification.objective import objective_at
from trainables.tasks.identification.pairs import Embedded, PairMaker

PEOPLE = torch.arange(4).repeat_interleave(2)
TRAIN = Items(labels_N=PEOPLE, recordings_N=torch.arange(8), items_N=torch.arange(8))
Z_RD = F.normalize(torch.randn(8, 5, generator=torch.Generator().manual_seed(1)), dim=1)


def moment(epoch=0.0, seed=0):
    return Moment(epoch=epoch, epochs=4, generator=torch.Generator().manual_seed(seed))


def batch(places=tuple(range(8))):
    chosen = torch.tensor(places)
    return Embedded(Z_RD[chosen].clone(), TRAIN.select(chosen))


def embed(record_B):
    return Z_RD[record_B]


class Maker:
    """A `PairMaker` with its config, at one moment."""

    def __init__(self, **fields):
        self.config = Config.model_validate({"loss": "contrastive", **fields, "sizes": {"embedding": 5}})
        self.maker = PairMaker(self.config, TRAIN)

    def begin(self, epoch=0.0, embeddings=Z_RD):
        self.maker.begin_epoch(moment(epoch), lambda: embeddings)

    def pairs(self, given=None, epoch=0.0, seed=0):
        at = moment(epoch, seed)
        return self.maker.pairs(given or batch(), objective_at(self.config, at), at, embed=embed)


def chosen(mask_AN):
    assert (mask_AN.sum(dim=1) <= 1).all()
    return mask_AN.int().argmax(dim=1)


def test_without_mining_the_loss_gets_all_pairs():
    pairs = Maker().pairs()
    same = PEOPLE[:, None] == PEOPLE
    assert torch.equal(pairs.negative_AN, ~same)
    assert torch.equal(pairs.positive_AN, same & ~torch.eye(8, dtype=torch.bool))
    assert pairs.report == {}


@pytest.mark.parametrize(("mining", "place"), [("hard", 0.0), ("farthest", 1.0)])
def test_hard_is_the_nearest_and_farthest_is_what_it_says(mining, place):
    pairs = Maker(negative_mining=mining).pairs()
    strangers = pairs.distance_AN.masked_fill(~(PEOPLE[:, None] != PEOPLE), torch.nan)
    wanted = [row[~row.isnan()].min() if mining == "hard" else row[~row.isnan()].max() for row in strangers]
    assert torch.equal(pairs.distance_AN[pairs.negative_AN], torch.stack(wanted))
    assert pairs.report["negative_percentile"] == place
    assert pairs.report["mining_requested_fraction"] == 1.0


def test_without_embeddings_everything_is_random_and_says_so():
    pairs = Maker(negative_mining="hard", mining_embeddings="none").pairs()
    assert pairs.report["mining_requested_fraction"] == 0.0
    assert pairs.report["mining_fallback_no_embeddings"] == 1.0
    assert 0.0 < pairs.report["negative_percentile"] < 1.0


def test_old_embeddings_choose_and_their_age_is_known():
    maker = Maker(negative_mining="hard", mining_embeddings="epoch")
    old = Z_RD.flip(0)
    maker.begin(embeddings=old)
    for _ in range(3):
        maker.maker.after_step(batch())
    pairs = maker.pairs()
    stale = (1 - old @ old.T).masked_fill(PEOPLE[:, None] == PEOPLE, torch.inf)
    assert torch.equal(chosen(pairs.negative_AN), stale.argmin(dim=1))
    assert torch.allclose(pairs.distance_AN, 1 - Z_RD @ Z_RD.T, atol=1e-6)
    assert pairs.report["embedding_age_steps"] == 3.0


def test_the_train_set_is_embedded_again_only_when_it_is_due():
    maker = Maker(negative_mining="full_hard", mining_refresh_epochs=2)
    calls = []
    for epoch in range(4):
        maker.maker.begin_epoch(moment(epoch), lambda: calls.append(1) or Z_RD)
    assert len(calls) == 2


def test_full_hard_looks_at_the_whole_train_set():
    maker = Maker(negative_mining="full_hard")
    maker.begin()
    given = batch((0, 1))
    pairs = maker.pairs(given)
    distance = (1 - Z_RD @ Z_RD.T)[:2]
    negatives = distance.masked_fill(PEOPLE[None] == PEOPLE[:2, None], torch.inf)
    assert pairs.distance_AN.shape == (2, 4)
    assert torch.allclose(pairs.distance_AN[pairs.negative_AN], negatives.amin(dim=1), atol=1e-6)
    assert torch.allclose(pairs.distance_AN[pairs.positive_AN], distance[[0, 1], [1, 0]], atol=1e-6)
    assert pairs.report["mining_pool_size"] == 6.0
    assert pairs.report["mining_requested_fraction"] == 1.0


def test_a_curriculum_changes_the_strategy():
    maker = Maker(curriculum=[{"negative": "random"}, {"from_epoch": 2, "negative": "hard"}])
    assert [maker.pairs(epoch=epoch).report["mining_strategy"] for epoch in (0.0, 1.9, 2.0)] == [0.0, 0.0, 2.0]


def test_the_memory_adds_candidates_after_its_warm_up():
    maker = Maker(memory_size=64, memory_warmup_steps=2)
    sizes = []
    for places in ((0, 1, 2, 3), (4, 5, 6, 7), (0, 1, 2, 3)):
        sizes.append(maker.pairs(batch(places)).distance_AN.shape[1])
        report = maker.maker.after_step(batch(places))
    assert sizes == [4, 4, 12]
    assert report["memory_size"] == 8.0
    pairs = maker.pairs(batch((0, 1)))
    # The memory holds the anchors' own records too: they are no positives.
    assert pairs.positive_AN.sum(dim=1).tolist() == [2, 2]


@pytest.mark.parametrize(
    "fields", [{"memory_size": 64}, {"negative_mining": "full_hard"}, {"negative_mining": "hard", "memory_size": 64}]
)
def test_a_resumed_maker_goes_on_exactly(fields):
    first = Maker(**fields)
    first.begin()
    first.maker.after_step(batch((0, 1, 2, 3)))
    second = Maker(**fields)
    second.maker.restore(first.maker.state())
    one, other = first.pairs(), second.pairs()
    assert torch.equal(one.distance_AN, other.distance_AN)
    assert torch.equal(one.negative_AN, other.negative_AN)
    assert one.report == other.report
