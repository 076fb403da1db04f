"""Where in the space an illness is more frequent, and how sure that is."""

import math
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import fisher_exact

from orchestrator.analysis.diagnosis import MAX_CUTS, Region, chance_of_more, strongest_excess

small = st.integers(0, 30)


def excess(ill, params, *, seed=0):
    return strongest_excess(set(ill), params, seed=seed)


@given(small, small, small, small)
def test_the_exact_test_is_fishers(ill_inside, well_inside, ill_outside, well_outside):
    inside, outside = ill_inside + well_inside, ill_outside + well_outside
    found = chance_of_more(ill_inside, inside, ill_outside, outside)

    if ill_inside * outside <= ill_outside * inside:
        assert found == 1.0
    else:
        table = [[ill_inside, well_inside], [ill_outside, well_outside]]
        assert found == pytest.approx(fisher_exact(table, alternative="greater").pvalue)


def test_large_counts_neither_overflow_nor_take_long():
    assert 0 <= chance_of_more(3000, 4000, 10, 6000) < 1e-300
    assert chance_of_more(301, 1000, 300, 1000) == pytest.approx(
        fisher_exact([[301, 699], [300, 700]], alternative="greater").pvalue
    )


def trials(num, ill, **params):
    """Parameters by number, drawn by functions of a generator, and the numbers of the ill ones."""
    rng = random.Random(0)
    drawn = {n: {name: draw(rng) for name, draw in params.items()} for n in range(num)}
    return [n for n in range(num) if ill(drawn[n])], drawn


def test_the_end_of_a_range_that_makes_trials_ill_is_found():
    ill, params = trials(
        30, lambda p: p["lr"] > 0.7, lr=lambda r: r.random(), other=lambda r: r.random(), kind=lambda r: r.choice("ab")
    )
    found = excess(ill, params)

    assert found.region == Region("lr", low=min(params[n]["lr"] for n in ill))
    assert (found.num_ill, found.num_inside, found.num_ill_outside) == (len(ill), len(ill), 0)
    assert found.num_outside == 30 - len(ill)
    assert found.is_sure
    assert str(found.region).startswith("lr >= 0.803")


def test_the_lower_end_and_a_choice_too():
    ill, params = trials(30, lambda p: p["lr"] < 0.3, lr=lambda r: r.random())
    assert excess(ill, params).region == Region("lr", high=max(params[n]["lr"] for n in ill))

    ill, params = trials(30, lambda p: p["kind"] == "b", kind=lambda r: r.choice("abc"), lr=lambda r: r.random())
    found = excess(ill, params)
    assert found.region == Region("kind", choice="b")
    assert str(found.region) == "kind = b"


def test_booleans_are_choices():
    ill, params = trials(20, lambda p: p["flag"], flag=lambda r: r.random() < 0.5)

    assert excess(ill, params).region == Region("flag", choice=True)


def test_a_conditional_parameter_is_compared_among_the_trials_that_have_it():
    params = {n: {"kind": "linear", "end": n / 20} if n % 2 else {"kind": "constant"} for n in range(40)}
    ill = [n for n in params if params[n].get("end", 0) > 1]
    found = excess(ill, params)

    assert found.region.parameter == "end"
    assert found.num_inside + found.num_outside == 20


def test_the_p_value_is_paid_for_by_the_looks():
    """Two complementary choices are two looks; each further parameter costs something."""
    ill, params = trials(20, lambda p: p["kind"] == "b" and p["luck"] < 0.6, kind=lambda r: r.choice("ab"),
                         luck=lambda r: r.random())  # fmt: skip
    one = excess(ill, {n: {"kind": p["kind"]} for n, p in params.items()})
    exact = chance_of_more(one.num_ill, one.num_inside, one.num_ill_outside, one.num_outside)
    rng = random.Random(2)
    many = excess(ill, {n: {"kind": p["kind"], **{f"p{i}": rng.random() for i in range(6)}} for n, p in
                                  params.items()})  # fmt: skip

    assert one.num_looks == 2
    assert one.p_value == pytest.approx(exact, abs=0.03)
    assert many.num_looks == 2 + 6 * 2 * 19
    assert many.p_value > one.p_value
    assert many.p_value < many.num_looks * exact, "a factor for each look would be far too strict"


def test_a_plain_case_needs_no_permutation():
    ill, params = trials(60, lambda p: p["kind"] == "b", kind=lambda r: r.choice("ab"))
    found = excess(ill, params)

    assert found.p_value == pytest.approx(2 / math.comb(60, len(ill)))


def test_the_same_seed_gives_the_same_answer():
    ill, params = trials(12, lambda p: p["lr"] > 0.6, lr=lambda r: r.random())

    assert excess(ill, params, seed=3) == excess(ill, params, seed=3)


def test_an_illness_that_is_everywhere_or_nowhere_has_no_region():
    _, params = trials(10, lambda p: True, lr=lambda r: r.random())

    assert excess(list(params), params) is None
    assert excess([], params) is None
    assert excess([0], {0: {}, 1: {}}) is None
    assert excess([0], {0: {"lr": 1.0}, 1: {"lr": 1.0}}) is None


def test_chance_is_seldom_called_sure():
    rng = random.Random(1)
    sure = 0
    for _ in range(100):
        params = {n: {f"p{i}": rng.random() for i in range(4)} for n in range(20)}
        found = excess({n for n in params if rng.random() < 0.4}, params)
        sure += found is not None and found.is_sure
    assert sure <= 8, "5 expected"


def test_a_range_is_cut_at_a_bounded_number_of_places():
    ill, params = trials(200, lambda p: p["lr"] > 0.5, lr=lambda r: r.random())

    assert excess(ill, params).num_looks == 2 * MAX_CUTS
