"""Where in the space an illness is more frequent, and how sure that is."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import fisher_exact

from orchestrator.analysis.diagnosis import MAX_CUTS, Region, chance_of_more, strongest_excess

small = st.integers(0, 30)


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
    found = strongest_excess(ill, params)

    assert found.region == Region("lr", low=min(params[n]["lr"] for n in ill))
    assert (found.num_ill, found.num_inside, found.num_ill_outside) == (len(ill), len(ill), 0)
    assert found.num_outside == 30 - len(ill)
    assert found.is_sure
    assert str(found.region).startswith("lr >= 0.803")


def test_the_lower_end_and_a_choice_too():
    ill, params = trials(30, lambda p: p["lr"] < 0.3, lr=lambda r: r.random())
    assert strongest_excess(ill, params).region == Region("lr", high=max(params[n]["lr"] for n in ill))

    ill, params = trials(30, lambda p: p["kind"] == "b", kind=lambda r: r.choice("abc"), lr=lambda r: r.random())
    found = strongest_excess(ill, params)
    assert found.region == Region("kind", choice="b")
    assert str(found.region) == "kind = b"


def test_booleans_are_choices():
    ill, params = trials(20, lambda p: p["flag"], flag=lambda r: r.random() < 0.5)

    assert strongest_excess(ill, params).region == Region("flag", choice=True)


def test_a_conditional_parameter_is_compared_among_the_trials_that_have_it():
    params = {n: {"kind": "linear", "end": n / 20} if n % 2 else {"kind": "constant"} for n in range(40)}
    ill = [n for n in params if params[n].get("end", 0) > 1]
    found = strongest_excess(ill, params)

    assert found.region.parameter == "end"
    assert found.num_inside + found.num_outside == 20


def test_the_p_value_is_paid_for_each_look_and_each_question():
    ill, params = trials(20, lambda p: p["kind"] == "b", kind=lambda r: r.choice("ab"))
    once, asked = strongest_excess(ill, params), strongest_excess(ill, params, num_questions=3)

    assert once.num_looks == 2
    assert asked.num_looks == 6
    assert asked.p_value == pytest.approx(3 * once.p_value)
    exact = chance_of_more(once.num_ill, once.num_inside, once.num_ill_outside, once.num_outside)
    assert once.p_value == pytest.approx(2 * exact)


def test_an_illness_that_is_everywhere_or_nowhere_has_no_region():
    _, params = trials(10, lambda p: True, lr=lambda r: r.random())

    assert strongest_excess(list(params), params) is None
    assert strongest_excess([], params) is None
    assert strongest_excess([0], {0: {}, 1: {}}) is None
    assert strongest_excess([0], {0: {"lr": 1.0}, 1: {"lr": 1.0}}) is None


def test_chance_is_seldom_called_sure():
    rng = random.Random(1)
    sure = 0
    for _ in range(200):
        params = {n: {f"p{i}": rng.random() for i in range(4)} for n in range(20)}
        found = strongest_excess({n for n in params if rng.random() < 0.4}, params)
        sure += found is not None and found.is_sure
    assert sure <= 0.05 * 200


def test_a_range_is_cut_at_a_bounded_number_of_places():
    ill, params = trials(200, lambda p: p["lr"] > 0.5, lr=lambda r: r.random())

    assert strongest_excess(ill, params).num_looks == 2 * MAX_CUTS
