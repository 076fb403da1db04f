"""Learned task weights: where they settle, what an absent task's parameter does, and what happens without ln sigma."""

import itertools
import math

import pytest
import torch

from trainables.losses.uncertainty import (
    TaskUncertainties,
    uncertainty_log_term,
    uncertainty_loss,
    uncertainty_weight,
)

ABSENT_STEPS = 180


@pytest.mark.parametrize("value", [0.05, 1.0, 4.0])
def test_the_variance_settles_at_the_loss(value):
    uncertainties = TaskUncertainties(["a"])
    optimizer = torch.optim.SGD(uncertainties.parameters(), lr=0.5)
    for _ in range(500):
        optimizer.zero_grad()
        (uncertainty_weight(uncertainties["a"]) * value + uncertainty_log_term(uncertainties["a"])).backward()
        optimizer.step()
    assert 1 / uncertainties.precisions()["a"] == pytest.approx(value, rel=1e-3)


def test_the_phantom_gradient_is_a_half_whatever_sigma_is():
    for start in (-3.0, 0.0, 2.0):
        s = torch.tensor(start, requires_grad=True)
        uncertainty_log_term(s).backward()
        assert s.grad.item() == 0.5


def test_without_the_log_term_the_variance_grows_without_end():
    s = torch.tensor(0.0, requires_grad=True)
    optimizer = torch.optim.SGD([s], lr=1.0)
    seen = []
    for _ in range(3000):
        optimizer.zero_grad()
        uncertainty_weight(s).backward()
        optimizer.step()
        seen.append(s.item())
    assert all(b > a for a, b in itertools.pairwise(seen))
    # ds/dt = exp(-s) / 2 has the solution ln(1 + t / 2).
    assert seen[-1] == pytest.approx(math.log(1 + 1500), abs=0.1)


def run(include_absent, *, weight_decay=0.0):
    """Train task a alone after both; the change of task b's parameter while it is absent."""
    torch.manual_seed(0)
    uncertainties = TaskUncertainties(["a", "b"], start=0.2)
    optimizer = torch.optim.AdamW(uncertainties.parameters(), lr=0.01, weight_decay=weight_decay)
    kept = None
    for step in range(20 + ABSENT_STEPS):
        both = step < 20
        if step == 20:
            kept = uncertainties["b"].item()
        tasks = ["a", "b"] if both or include_absent else ["a"]
        present = torch.tensor([True, both])[: len(tasks)]
        optimizer.zero_grad()
        uncertainty_loss(
            torch.tensor([0.5, 3.0])[: len(tasks)], torch.stack([uncertainties[t] for t in tasks]), present
        ).backward()
        optimizer.step()
    return uncertainties["b"].item() - kept


def test_a_gradient_of_zero_does_not_stop_the_parameter_under_adamw():
    assert abs(run(include_absent=True)) > 0.01


def test_out_of_the_graph_it_stays_bit_identical():
    assert run(include_absent=False, weight_decay=0.1) == 0.0


def test_the_parameters_are_scalars_of_their_own():
    uncertainties = TaskUncertainties(["a", "b"], start=-1.0)
    assert [p.ndim for p in uncertainties.parameters()] == [0, 0]
    assert uncertainties.precisions() == pytest.approx({"a": math.e, "b": math.e})


def test_clamping():
    uncertainties = TaskUncertainties(["a", "b"])
    uncertainties["a"].data.fill_(-9.0)
    uncertainties.clamp_(4.0)
    assert uncertainties["a"].item() == -4.0
    assert uncertainties["b"].item() == 0.0
