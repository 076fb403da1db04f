"""Parameter groups with settings of their own, parameters that stand still, and rates by batch."""

import pytest
import torch
from torch import nn

from trainables.config import GroupOptimizer, Optimizer
from trainables.loop.update import Update


def model():
    torch.manual_seed(0)
    return nn.ModuleDict({"a": nn.Linear(3, 3), "b": nn.Linear(3, 3)})


def total(net, *names):
    return torch.stack([net[name](torch.ones(2, 3)).square().sum() for name in names]).sum()


def test_a_group_of_its_own_has_its_own_rate_and_decay():
    net = model()
    own = {"b": GroupOptimizer(lr=0.5, weight_decay=0.25)}
    update = Update(net, net, Optimizer(lr=0.01, weight_decay=0.125), own)
    assert update.begin(0, epochs=10) == {"train/lr": 0.01, "train/lr_b": 0.5}
    groups = update.state()["param_groups"]
    assert [(group["name"], group["weight_decay"]) for group in groups] == [
        ("", 0.125),
        ("", 0.0),
        ("b", 0.25),
        ("b", 0),
    ]


def test_a_group_that_the_task_does_not_have_is_refused():
    net = model()
    with pytest.raises(ValueError, match="no parameter group c"):
        Update(net, net, Optimizer(), {"c": GroupOptimizer()})


def test_what_is_not_in_the_graph_stands_still_to_the_bit_despite_momentum_and_decay():
    net = model()
    update = Update(net, net, Optimizer(lr=0.1, weight_decay=1.0), {})
    update.step(total(net, "a", "b"))
    before = {name: value.clone() for name, value in net["b"].state_dict().items()}
    for _ in range(3):
        update.step(total(net, "a"))
    assert all(torch.equal(before[name], value) for name, value in net["b"].state_dict().items())


def test_steps_are_those_of_adamw_to_the_bit():
    net, twin = model(), model()
    update = Update(net, net, Optimizer(lr=0.1, weight_decay=0.5, betas=(0.8, 0.95), max_grad_norm=1e9), {})
    groups = [{"params": [p for p in twin.parameters() if (p.ndim >= 2) is decays]} for decays in (True, False)]
    groups[1]["weight_decay"] = 0.0
    adamw = torch.optim.AdamW(groups, lr=0.1, weight_decay=0.5, betas=(0.8, 0.95), fused=True)
    for names in (["a", "b"], ["a"], ["b"], ["a", "b"]):
        update.step(total(net, *names))
        adamw.zero_grad()
        total(twin, *names).backward()
        adamw.step()
    assert all(torch.equal(*pair) for pair in zip(net.parameters(), twin.parameters(), strict=True))


def test_the_ratio_is_the_change_over_the_size():
    net = model()
    update = Update(net, net, Optimizer(), {})
    before = update.snapshot()
    with torch.no_grad():
        for parameter in net.parameters():
            parameter.mul_(1.5)
    assert update.ratio_since(before) == pytest.approx(0.5)


@pytest.mark.parametrize("peak_at", [0.3, 0.5])
def test_one_cycle_follows_torchs(peak_at):
    steps = 100
    settings = {"lr": 0.2, "schedule": {"kind": "one_cycle", "peak_at": peak_at}}
    net = model()
    update = Update(net, net, Optimizer.model_validate(settings), {})
    other = torch.optim.AdamW(model().parameters(), lr=0.1)
    scheduler = torch.optim.lr_scheduler.OneCycleLR(other, max_lr=0.2, total_steps=steps, pct_start=peak_at)
    for step in range(steps):
        rates = update.begin(step * steps / (steps - 1), epochs=steps)
        # torch's phases end at whole steps: its peak is up to one step away.
        assert rates["train/lr"] == pytest.approx(other.param_groups[0]["lr"], abs=0.2 * 2.5 / steps)
        beta = update.state()["param_groups"][0]["betas"][0]
        assert beta == pytest.approx(other.param_groups[0]["betas"][0], abs=0.1 * 2.5 / steps)
        other.step()
        scheduler.step()
    assert update.begin(peak_at * steps, epochs=steps)["train/lr"] == pytest.approx(0.2)
