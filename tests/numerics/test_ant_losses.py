"""ANT and the gap loss against loops over their definitions, and the findings that note 003 got wrong."""

import itertools
import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.func import grad_and_value, vmap
from torch.nn import functional as F

from trainables.losses.ant import AntPairs, ant_bounds, ant_floor, ant_loss, ant_pairs, ant_violations, violation_rate
from trainables.losses.ant_form import Aggregation, AntForm, Coverage, Reference
from trainables.losses.gap import gap_loss, mean_gap

DTYPES = [torch.float32, torch.float64]
TOLERANCE = {torch.float32: 1e-5, torch.float64: 1e-12}
SMALL = {Aggregation.TOPK: {"top": 3}, Aggregation.SOFTPLUS: {"softness": 0.2}}
FORMS = [
    AntForm(aggregation=aggregation, reference=reference, connected=connected, **SMALL.get(aggregation, {}))
    for aggregation, reference, connected in itertools.product(Aggregation, Reference, (False, True))
]


def name(form):
    return f"{form.aggregation.value}-{form.reference.value}-{'connected' if form.connected else 'detached'}"


def views(batch, num=7, *, num_texts=4, dtype=torch.float64):
    """Two views of each of `num` items, and the class of each view."""
    first, second, labels = batch(num, num_texts=num_texts, dtype=dtype)
    return torch.cat([first, second]), labels.repeat(2)


def naive(cosines, negative, *, margin, form, ratio=1.0):
    """Mean over anchors of the aggregated violations, in Python numbers."""
    hardest = [
        max((c for c, n in zip(*row, strict=True) if n), default=None) for row in zip(cosines, negative, strict=True)
    ]
    present = [h for h in hardest if h is not None]
    losses = []
    for i, row in enumerate(cosines):
        chosen = sorted((c for c, n in zip(row, negative[i], strict=True) if n), reverse=True)
        if not chosen:
            continue
        chosen = chosen[: max(1, math.ceil(ratio * len(chosen) - 1e-9))]
        reference = max(present) if form.reference is Reference.GLOBAL else hardest[i]
        violations = [c - reference + margin for c in chosen]
        kept = [v for v in violations if v > 0]
        match form.aggregation:
            case Aggregation.LOGSUMEXP:
                losses.append(math.log(sum(math.exp(max(v, 0)) for v in violations)))
            case Aggregation.TOPK:
                losses.append(math.log(sum(math.exp(max(v, 0)) for v in violations[: form.top])))
            case Aggregation.EXPM1:
                losses.append(math.log(1 + sum(math.exp(max(v, 0)) - 1 for v in violations)))
            case Aggregation.SOFTPLUS:
                losses.append(sum(math.log(1 + math.exp(v / form.softness)) for v in violations) / len(violations))
            case Aggregation.ACTIVE_ONLY:
                losses.append(sum(kept) / len(kept) if kept else 0.0)
            case Aggregation.KEPT_ONLY:
                losses += [math.log(sum(math.exp(v) for v in kept))] if kept else []
    return sum(losses) / len(losses) if losses else 0.0


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("coverage", Coverage)
@pytest.mark.parametrize(("margin", "ratio"), [(0.3, 1.0), (0.0, 1.0), (0.5, 0.4), (0.5, 0.01)])
@pytest.mark.parametrize(("num", "num_texts"), [(7, 4), (7, 1), (7, 1000), (1, 1)])
def test_against_loops(batch, dtype, coverage, margin, ratio, num, num_texts):
    z, labels = views(batch, num, num_texts=num_texts, dtype=dtype)
    rows = num if coverage is Coverage.FIRST_VIEW else 2 * num
    cosines = (z.double() @ z.double().T)[:rows, :rows].tolist()
    negative = (labels[:, None] != labels)[:rows, :rows].tolist()
    for form in FORMS:
        form = form.model_copy(update={"coverage": coverage})
        pairs = ant_pairs(z, labels, form=form)
        result = ant_loss(pairs, margin=margin, form=form, hard_negative_ratio=ratio)
        expected = naive(cosines, negative, margin=margin, form=form, ratio=ratio)
        assert result.dtype is dtype
        assert result.item() == pytest.approx(expected, rel=TOLERANCE[dtype], abs=TOLERANCE[dtype]), form


def test_coverage_counts_b_minus_1_or_2b_minus_2_negatives(batch):
    z, _ = views(batch, 6)
    items = torch.arange(6).repeat(2)
    for coverage, negatives in ((Coverage.FIRST_VIEW, 5), (Coverage.BOTH_VIEWS, 10)):
        pairs = ant_pairs(z, items, form=AntForm(coverage=coverage))
        assert (pairs.negative_AN.sum(dim=1) == negatives).all()
        assert not pairs.negative_AN.diagonal().any()


@pytest.mark.parametrize("form", FORMS, ids=name)
def test_gradients_against_finite_differences(batch, form):
    z, labels = views(batch, 5)

    def loss(z):
        return ant_loss(ant_pairs(z, labels, form=form), margin=0.3, form=form)

    if form.connected:
        assert torch.autograd.gradcheck(loss, (z.requires_grad_(),))
    # A detached reference is a constant to autograd and not to finite differences.
    (gradient,) = torch.autograd.grad(loss(z.requires_grad_()), z, allow_unused=True)
    assert gradient is None or gradient.isfinite().all()


@pytest.mark.parametrize("form", FORMS, ids=name)
def test_the_order_of_the_batch_does_not_matter(batch, form):
    z, labels = views(batch, 8)
    order = torch.randperm(8, generator=torch.Generator().manual_seed(1))
    both = torch.cat([order, order + 8])
    first, again = (
        ant_loss(ant_pairs(*x, form=form), margin=0.2, form=form) for x in ((z, labels), (z[both], labels[both]))
    )
    torch.testing.assert_close(first, again)


@pytest.mark.parametrize("form", FORMS, ids=name)
def test_under_vmap_over_margin_and_ratio(form):
    z = F.normalize(torch.randn(3, 10, 4, generator=torch.Generator().manual_seed(0)), dim=-1)
    labels = torch.tensor([0, 0, 1, 2, 3]).repeat(2)
    margins, ratios = torch.tensor([0.1, 0.4, 0.9]), torch.tensor([1.0, 0.5, 0.1])

    def loss(z, margin, ratio):
        return ant_loss(ant_pairs(z, labels, form=form), margin=margin, form=form, hard_negative_ratio=ratio)

    gradients, values = vmap(grad_and_value(loss))(z, margins, ratios)
    for lane in range(3):
        single = z[lane].clone().requires_grad_()
        value = loss(single, float(margins[lane]), float(ratios[lane]))
        torch.testing.assert_close(values[lane], value.detach())
        expected = torch.autograd.grad(value, single)[0] if value.requires_grad else torch.zeros_like(single)
        torch.testing.assert_close(gradients[lane], expected, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("reference", Reference)
def test_a_connected_reference_moves_nothing_in_sum_and_raises_the_hardest_negative(batch, reference):
    z, labels = views(batch, 8, num_texts=1000)
    pairs = ant_pairs(z, labels, form=AntForm())
    gradients = {}
    for connected in (True, False):
        form = AntForm(reference=reference, connected=connected)
        similarity = pairs.similarity_AN.clone().requires_grad_()
        loss = ant_loss(AntPairs(similarity, pairs.negative_AN), margin=0.5, form=form)
        (gradients[connected],) = torch.autograd.grad(loss, similarity)
    hardest = pairs.similarity_AN.masked_fill(~pairs.negative_AN, -torch.inf)
    rows = (0, 1) if reference is Reference.GLOBAL else (1,)
    total = gradients[True].sum(dim=rows)
    torch.testing.assert_close(total, torch.zeros_like(total), atol=1e-15, rtol=0)
    place = hardest == hardest.amax(dim=rows, keepdim=True)
    # A gradient step goes against its sign: connected, the hardest negative rises; detached, no negative does.
    assert (gradients[True][place] < 0).all()
    assert (gradients[False] >= 0).all() and (gradients[False].sum(dim=1) > 0).any()


UNIT = st.lists(st.floats(-1, 1, allow_nan=False), min_size=9, max_size=9)


@given(values=UNIT, low=st.floats(0, 2), high=st.floats(0, 2), reference=st.sampled_from(Reference))
def test_a_larger_margin_never_keeps_fewer(values, low, high, reference):
    similarity = torch.tensor(values, dtype=torch.float64).reshape(3, 3)
    pairs, form = AntPairs(similarity, ~torch.eye(3, dtype=torch.bool)), AntForm(reference=reference)
    low, high = sorted((low, high))
    rates = [violation_rate(pairs, margin=margin, form=form).item() for margin in (low, high)]
    assert rates[0] <= rates[1]


def test_kept_fractions_of_a_spread_out_batch():
    """128 embeddings in 16 dimensions, mean cosine of negatives .08: a larger margin keeps more, up to 72 %."""
    kept = {0.1: 0.027, 0.2: 0.073, 0.3: 0.155, 0.4: 0.277, 0.5: 0.426, 0.6: 0.578, 0.7: 0.715}
    generator = torch.Generator().manual_seed(0)
    centre = math.sqrt(0.08 / 0.92)
    rates, mean = torch.zeros(len(kept)), 0.0
    for _ in range(20):
        z = F.normalize(torch.randn(128, 16, generator=generator) + centre, dim=1)
        pairs = ant_pairs(z.repeat(2, 1), torch.arange(128).repeat(2), form=AntForm())
        rates += torch.stack([violation_rate(pairs, margin=margin, form=AntForm()) for margin in kept]) / 20
        mean += float(pairs.similarity_AN[pairs.negative_AN].mean()) / 20
    assert mean == pytest.approx(0.08, abs=0.01)
    assert rates.tolist() == pytest.approx(list(kept.values()), abs=0.025)


def test_the_constant_4_78_is_the_count_floor():
    """5000 pictures in batches of 128: 39 full ones and one of 8; the diagonal was counted, and nothing violated."""
    form = AntForm(count_diagonal=True)

    def nothing_violates(num):
        pairs = ant_pairs(torch.eye(2 * num), torch.arange(num).repeat(2), form=form)
        loss, floor = ant_loss(pairs, margin=0.0, form=form), ant_floor(pairs, form=form)
        assert loss.item() == pytest.approx(floor.item()) == pytest.approx(math.log(num))
        return loss.item()

    mean = (39 * nothing_violates(128) + nothing_violates(8)) / 40
    assert mean == pytest.approx(4.783, abs=5e-4)


def test_without_the_diagonal_the_floor_is_that_of_the_true_negatives(batch):
    z, _ = views(batch, 6)
    pairs = ant_pairs(z, torch.arange(6).repeat(2), form=AntForm())
    assert ant_floor(pairs, form=AntForm()).item() == pytest.approx(math.log(5))
    assert ant_floor(pairs, form=AntForm(aggregation="topk", top=3)).item() == pytest.approx(math.log(3))
    assert ant_floor(pairs, form=AntForm(), hard_negative_ratio=0.4).item() == pytest.approx(math.log(2))
    assert ant_floor(pairs, form=AntForm(aggregation="expm1")).item() == 0


def test_the_counted_diagonal_becomes_the_reference_when_all_negatives_are_below_0():
    z = F.normalize(torch.eye(3) - 1 / 3, dim=1).repeat(2, 1)
    groups = torch.arange(3).repeat(2)
    sound, faulty = (ant_pairs(z, groups, form=AntForm(count_diagonal=fault)) for fault in (False, True))
    rates = [violation_rate(pairs, margin=0.1, form=AntForm()).item() for pairs in (sound, faulty)]
    # Simplex cosines of -.5: all negatives are the hardest. With the fault only the item itself is kept.
    assert rates == pytest.approx([1.0, 1 / 3])


@pytest.mark.parametrize("aggregation", Aggregation)
def test_bounds(aggregation):
    form = AntForm(aggregation=aggregation, **SMALL.get(aggregation, {}))
    groups = torch.arange(9).repeat(2)
    bounds = ant_bounds(8, margin=0.4, form=form)
    point = ant_pairs(torch.ones(18, 1, dtype=torch.float64), groups, form=form)
    assert ant_loss(point, margin=0.4, form=form).item() == pytest.approx(bounds.chance)
    assert ant_floor(point, form=form).item() == pytest.approx(bounds.floor)
    spread = F.normalize(torch.randn(18, 4, generator=torch.Generator().manual_seed(0), dtype=torch.float64), dim=1)
    assert bounds.floor < ant_loss(ant_pairs(spread, groups, form=form), margin=0.4, form=form).item() < bounds.chance


@pytest.mark.parametrize("form", FORMS, ids=name)
def test_anchors_without_a_negative_give_0_and_no_nan(batch, form):
    z, _ = views(batch, 4)
    z.requires_grad_()
    pairs = ant_pairs(z, torch.zeros(8), form=form)
    loss = ant_loss(pairs, margin=0.2, form=form)
    assert loss.item() == 0 and violation_rate(pairs, margin=0.2, form=form).item() == 0
    assert ant_violations(pairs, margin=0.2, form=form).isfinite().all()
    loss.backward()
    assert not z.grad.any()


def test_a_margin_of_0_keeps_nothing_and_a_ratio_near_0_keeps_one(batch):
    z, labels = views(batch, 3, num_texts=1000)
    pairs = ant_pairs(z, labels, form=AntForm())
    assert violation_rate(pairs, margin=0.0, form=AntForm()).item() == 0
    assert ant_loss(pairs, margin=0.0, form=AntForm(aggregation="kept_only")).item() == 0
    # int(3 * .3) is 0: the hardest one stays.
    alone = ant_loss(pairs, margin=0.2, form=AntForm(), hard_negative_ratio=0.3)
    assert alone.item() == pytest.approx(0.2)


@pytest.mark.parametrize("dtype", DTYPES)
def test_gap_loss_against_loops(batch, dtype):
    z, labels = views(batch, 6, dtype=dtype)
    similarity = z @ z.T
    same = labels[:, None] == labels
    positive, negative = same & ~torch.eye(12, dtype=torch.bool), ~same
    values = similarity.double().tolist()
    means = [sum(values[i][j] for i, j in mask.nonzero().tolist()) / int(mask.sum()) for mask in (positive, negative)]
    masks = {"positive_AN": positive, "negative_AN": negative}
    gap = means[0] - means[1]
    assert mean_gap(similarity, **masks).item() == pytest.approx(gap, rel=1e-5)
    assert gap_loss(similarity, target=1.5, **masks).item() == pytest.approx(1.5 - gap, rel=1e-5)


def test_the_gap_loss_is_idle_above_its_target_and_pulls_below(batch):
    z, labels = views(batch, 6)
    z.requires_grad_()
    same = labels[:, None] == labels
    masks = {"positive_AN": same & ~torch.eye(12, dtype=torch.bool), "negative_AN": ~same}

    def loss(z, target):
        return gap_loss(z @ z.T, target=target, **masks)

    assert loss(z, 0.01).item() == 0 and not torch.autograd.grad(loss(z, 0.01), z)[0].any()
    assert torch.autograd.gradcheck(lambda z: loss(z, 1.9), (z,))
    empty = {name: torch.zeros(12, 12, dtype=torch.bool) for name in masks}
    assert gap_loss(z @ z.T, target=0.7, **empty).item() == pytest.approx(0.7)


def test_the_gap_loss_under_vmap():
    z = F.normalize(torch.randn(3, 6, 4, generator=torch.Generator().manual_seed(0)), dim=-1)
    same = torch.arange(6)[:, None] // 2 == torch.arange(6) // 2
    masks = {"positive_AN": same & ~torch.eye(6, dtype=torch.bool), "negative_AN": ~same}
    targets = torch.tensor([0.5, 1.0, 1.9])
    values = vmap(lambda z, target: gap_loss(z @ z.mT, target=target, **masks))(z, targets)
    expected = [gap_loss(z[i] @ z[i].T, target=float(targets[i]), **masks) for i in range(3)]
    torch.testing.assert_close(values, torch.stack(expected))
