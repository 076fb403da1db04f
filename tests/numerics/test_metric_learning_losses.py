"""Each loss over pairs or triplets against loops, against pytorch-metric-learning, and under gradcheck and vmap."""

import pytest
import torch
from torch.func import grad_and_value, vmap
from torch.nn import functional as F

from tests.numerics import naive_pair_losses as naive
from trainables.losses.contrastive import contrastive_loss
from trainables.losses.distances import cosine_distance, euclidean_distance
from trainables.losses.multi_similarity import multi_similarity_loss, multi_similarity_pairs
from trainables.losses.supcon import masked_sup_con, sup_con
from trainables.losses.triplet import batch_hard_triplet_loss, semi_hard_triplet_loss, triplet_loss

DTYPES = [torch.float32, torch.float64]
TOLERANCE = {torch.float32: 1e-5, torch.float64: 1e-12}
TRIPLETS = {
    "batch_all": (triplet_loss, naive.batch_all),
    "batch_hard": (batch_hard_triplet_loss, naive.batch_hard),
    "semi_hard": (semi_hard_triplet_loss, naive.semi_hard),
}
DISTANCES = {"cosine": cosine_distance, "euclidean": euclidean_distance}
LABELS = {
    "some of each": [0, 0, 1, 1, 1, 2, 3, 2, 4],
    "one class": [0] * 9,
    "no positives": list(range(9)),
}


def embeddings(num=9, size=4, *, dtype=torch.float64, seed=0):
    rows = torch.randn(num, size, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    return F.normalize(rows, dim=1).to(dtype)


def masks(labels):
    labels = torch.tensor(labels)
    same = labels[:, None] == labels
    return {"positive_AN": same & ~torch.eye(len(labels), dtype=torch.bool), "negative_AN": ~same}


def as_lists(chosen):
    return chosen["positive_AN"].tolist(), chosen["negative_AN"].tolist()


def pair_losses(*, margin=0.6):
    """Every loss as a function of (embeddings, masks)."""

    def mined(z, chosen, **settings):
        cosines = z @ z.mT
        positive, negative = multi_similarity_pairs(cosines, **chosen)
        return multi_similarity_loss(cosines, positive_AN=positive, negative_AN=negative, **settings)

    margins = {"positive_margin": 0.1, "negative_margin": margin}
    return {
        "contrastive": lambda z, m: contrastive_loss(euclidean_distance(z, z), **m, **margins).loss,
        "contrastive_squared": lambda z, m: contrastive_loss(cosine_distance(z, z), **m, **margins, squared=True).loss,
        "batch_all": lambda z, m: triplet_loss(euclidean_distance(z, z), **m, margin=margin).loss,
        "batch_hard": lambda z, m: batch_hard_triplet_loss(euclidean_distance(z, z), **m, margin=margin).loss,
        "batch_hard_soft": lambda z, m: batch_hard_triplet_loss(cosine_distance(z, z), **m, margin=None).loss,
        "semi_hard": lambda z, m: semi_hard_triplet_loss(cosine_distance(z, z), **m, margin=margin).loss,
        "multi_similarity": lambda z, m: mined(z, m, base=margin),
        "masked_sup_con": lambda z, m: masked_sup_con(z @ z.mT, **m, temperature=margin),
    }


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("distance", DISTANCES)
def test_distances_against_loops(dtype, distance):
    rows, columns = embeddings(4, dtype=dtype), embeddings(6, dtype=dtype, seed=1)
    result = DISTANCES[distance](rows, columns)
    for i in range(4):
        for j in range(6):
            x, y = rows[i].double(), columns[j].double()
            expected = 1 - float(x @ y) if distance == "cosine" else float((x - y).norm())
            assert result[i, j].item() == pytest.approx(expected, abs=TOLERANCE[dtype])


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("labels", LABELS.values(), ids=LABELS)
@pytest.mark.parametrize("distance", DISTANCES)
@pytest.mark.parametrize("squared", [False, True])
def test_contrastive_against_loops(dtype, labels, distance, squared):
    z, chosen = embeddings(dtype=dtype), masks(labels)
    settings = {"positive_margin": 0.2, "negative_margin": 0.9, "squared": squared}
    distances = DISTANCES[distance](z, z)
    result = contrastive_loss(distances, **chosen, **settings)
    loss, active = naive.contrastive(distances.double().tolist(), *as_lists(chosen), **settings)
    assert result.loss.dtype is dtype
    assert result.loss.item() == pytest.approx(loss, rel=TOLERANCE[dtype])
    assert result.active_fraction.item() == pytest.approx(active)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("labels", LABELS.values(), ids=LABELS)
@pytest.mark.parametrize("name", TRIPLETS)
@pytest.mark.parametrize("margin", [0.05, 0.5, None])
def test_triplets_against_loops(dtype, labels, name, margin):
    z, chosen = embeddings(dtype=dtype), masks(labels)
    loss_of, loop = TRIPLETS[name]
    distances = euclidean_distance(z, z)
    result = loss_of(distances, **chosen, margin=margin)
    loss, active = loop(distances.double().tolist(), *as_lists(chosen), margin=margin)
    assert result.loss.dtype is dtype
    assert result.loss.item() == pytest.approx(loss, rel=TOLERANCE[dtype])
    assert result.active_fraction.item() == pytest.approx(active)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("labels", LABELS.values(), ids=LABELS)
def test_multi_similarity_against_loops(dtype, labels):
    z, chosen = embeddings(dtype=dtype), masks(labels)
    cosines = z @ z.T
    positive, negative = multi_similarity_pairs(cosines, **chosen, epsilon=0.2)
    kept = naive.multi_similarity_pairs(cosines.double().tolist(), *as_lists(chosen), epsilon=0.2)
    assert (positive.tolist(), negative.tolist()) == kept
    settings = {"alpha": 3.0, "beta": 20.0, "base": 0.3}
    loss = multi_similarity_loss(cosines, positive_AN=positive, negative_AN=negative, **settings)
    expected = naive.multi_similarity(cosines.double().tolist(), *kept, **settings)
    assert loss.item() == pytest.approx(expected, rel=TOLERANCE[dtype])


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("labels", LABELS.values(), ids=LABELS)
def test_masked_sup_con_against_loops_and_the_loss_by_labels(dtype, labels):
    z, chosen = embeddings(dtype=dtype), masks(labels)
    loss = masked_sup_con(z @ z.T, **chosen, temperature=0.2)
    expected = naive.masked_sup_con((z @ z.T).double().tolist(), *as_lists(chosen), temperature=0.2)
    assert loss.item() == pytest.approx(expected, rel=TOLERANCE[dtype])
    torch.testing.assert_close(loss, sup_con(z, torch.tensor(labels), temperature=0.2))


def test_masked_sup_con_over_a_memory_against_pytorch_metric_learning():
    from pytorch_metric_learning.losses import SupConLoss

    z, memory = embeddings(8), embeddings(20, seed=1)
    labels, stored = torch.arange(8) // 2, torch.arange(20) % 6
    same = labels[:, None] == stored
    loss = masked_sup_con(z @ memory.T, positive_AN=same, negative_AN=~same, temperature=0.1)
    oracle = SupConLoss(temperature=0.1)(z, labels, ref_emb=memory, ref_labels=stored)
    torch.testing.assert_close(loss, oracle, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("dtype", DTYPES)
def test_contrastive_against_pytorch_metric_learning(dtype):
    from pytorch_metric_learning.distances import LpDistance
    from pytorch_metric_learning.losses import ContrastiveLoss

    z, labels = embeddings(24, dtype=dtype), [i // 4 for i in range(24)]
    oracle = ContrastiveLoss(pos_margin=0.3, neg_margin=1.2, distance=LpDistance(normalize_embeddings=False))
    loss = contrastive_loss(euclidean_distance(z, z), **masks(labels), positive_margin=0.3, negative_margin=1.2).loss
    torch.testing.assert_close(loss, oracle(z, torch.tensor(labels)), rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("soft", [False, True])
@pytest.mark.parametrize("hard", [False, True])
def test_triplets_against_pytorch_metric_learning(dtype, soft, hard):
    """Its soft form keeps the margin inside, here 0; its semi-hard miner gives all of a window, ours one per pair."""
    from pytorch_metric_learning.distances import LpDistance
    from pytorch_metric_learning.losses import TripletMarginLoss
    from pytorch_metric_learning.miners import BatchHardMiner
    from pytorch_metric_learning.reducers import MeanReducer

    z, labels = embeddings(24, dtype=dtype), [i // 4 for i in range(24)]
    distance = LpDistance(normalize_embeddings=False)
    settings = {"margin": 0.0 if soft else 0.3, "smooth_loss": soft, "distance": distance}
    oracle = TripletMarginLoss(**settings, **({"reducer": MeanReducer()} if hard else {}))
    mined = BatchHardMiner(distance=distance)(z, torch.tensor(labels)) if hard else None
    loss_of = batch_hard_triplet_loss if hard else triplet_loss
    loss = loss_of(euclidean_distance(z, z), **masks(labels), margin=None if soft else 0.3).loss
    torch.testing.assert_close(loss, oracle(z, torch.tensor(labels), mined), rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("mine", [False, True])
def test_multi_similarity_against_pytorch_metric_learning(dtype, mine):
    from pytorch_metric_learning.losses import MultiSimilarityLoss
    from pytorch_metric_learning.miners import MultiSimilarityMiner

    z, labels = embeddings(24, dtype=dtype), [i // 4 for i in range(24)]
    chosen = masks(labels)
    if mine:
        positive, negative = multi_similarity_pairs(z @ z.T, **chosen, epsilon=0.1)
        chosen = {"positive_AN": positive, "negative_AN": negative}
    pairs = MultiSimilarityMiner(epsilon=0.1)(z, torch.tensor(labels)) if mine else None
    oracle = MultiSimilarityLoss(alpha=2, beta=50, base=0.5)(z, torch.tensor(labels), pairs)
    torch.testing.assert_close(multi_similarity_loss(z @ z.T, **chosen), oracle, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("name", pair_losses())
@pytest.mark.parametrize("labels", LABELS.values(), ids=LABELS)
def test_gradients_against_finite_differences(name, labels):
    loss, chosen = pair_losses()[name], masks(labels)
    assert torch.autograd.gradcheck(lambda z: loss(z, chosen), (embeddings().requires_grad_(),))


@pytest.mark.parametrize("name", pair_losses())
def test_gradients_are_finite_where_distances_are_zero(name):
    z = embeddings(4).repeat_interleave(2, dim=0).requires_grad_()
    loss = pair_losses()[name](z, masks([0, 0, 1, 1, 0, 0, 2, 3]))
    assert torch.autograd.grad(loss, z)[0].isfinite().all()


@pytest.mark.parametrize("name", pair_losses())
def test_empty_masks_give_zero_and_no_nan(name):
    z = embeddings(3).requires_grad_()
    nothing = torch.zeros(3, 3, dtype=torch.bool)
    loss = pair_losses()[name](z, {"positive_AN": nothing, "negative_AN": nothing})
    assert loss.item() == 0.0
    assert torch.autograd.grad(loss, z)[0].abs().max() == 0.0


@pytest.mark.parametrize("name", pair_losses())
@pytest.mark.parametrize("copies", [1, 2])
def test_the_order_of_the_batch_does_not_matter(name, copies):
    z, labels = embeddings(12 // copies).repeat_interleave(copies, dim=0), torch.arange(12) // 4
    order = torch.randperm(12, generator=torch.Generator().manual_seed(3))
    loss = pair_losses()[name]
    expected = loss(z, masks(labels.tolist()))
    torch.testing.assert_close(loss(z[order], masks(labels[order].tolist())), expected)


@pytest.mark.parametrize("name", pair_losses())
def test_lanes_of_vmap_equal_a_loop(name):
    """With embeddings, masks and the setting that a sweep varies differing by lane."""
    lanes = torch.stack([embeddings(seed=seed) for seed in range(3)])
    settings = torch.tensor([0.2, 0.5, 0.9], dtype=torch.float64)
    by_lane = [masks(labels) for labels in LABELS.values()]
    chosen = {key: torch.stack([lane[key] for lane in by_lane]) for key in by_lane[0]}

    def loss(z, margin, positive, negative):
        return pair_losses(margin=margin)[name](z, {"positive_AN": positive, "negative_AN": negative})

    gradients, values = vmap(grad_and_value(loss))(lanes, settings, chosen["positive_AN"], chosen["negative_AN"])
    for lane in range(3):
        z = lanes[lane].clone().requires_grad_()
        expected = pair_losses(margin=float(settings[lane]))[name](z, by_lane[lane])
        torch.testing.assert_close(values[lane], expected.detach())
        torch.testing.assert_close(gradients[lane], torch.autograd.grad(expected, z)[0])
