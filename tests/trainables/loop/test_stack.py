"""Lanes of one computation against the same trials alone: equal curves, whoever leaves or diverges."""

import math

import pytest
import torch
from torch import nn

from trainables.checkpoint import read_checkpoint, write_checkpoint
from trainables.config import Optimizer
from trainables.contract import CannotFuse, Measurement, TrialContext
from trainables.loop import BatchLoss, Part, Task, run_lanes, run_trial

OPTIMIZERS = [
    Optimizer(lr=0.02),
    Optimizer.model_validate(
        {"lr": 0.1, "weight_decay": 0.5, "max_grad_norm": 0.3, "schedule": {"kind": "cosine", "end": 0.0}}
    ),
    Optimizer.model_validate({"lr": 0.05, "betas": (0.8, 0.9), "schedule": {"kind": "one_cycle"}}),
]
SHARPNESS = (0.5, 1.0, 2.0)


@pytest.fixture(autouse=True)
def double():
    torch.set_default_dtype(torch.float64)
    yield
    torch.set_default_dtype(torch.float32)


class Line(Task):
    """Two heads on a trunk with dropout learn from noisy batches; `sharpness` is a lane's own number."""

    def __init__(self, sharpness, *, size=8, poison_at=None, absent=False, fails_at=None, layer=nn.Identity):
        self.sharpness, self.size, self.poison_at = sharpness, size, poison_at
        self.absent, self.fails_at, self.layer = absent, fails_at, layer

    def build_model(self):
        trunk = nn.Sequential(nn.Linear(4, self.size), self.layer(), nn.Dropout(0.3))
        return nn.ModuleDict({"trunk": trunk, "heads": nn.ModuleList([nn.Linear(self.size, 1) for _ in range(2)])})

    def parameter_groups(self, model):
        return {"trunk": model["trunk"], "heads": model["heads"]}

    def trunk(self, model):
        return model["trunk"]

    def num_batches(self, moment):
        return 3

    def batches(self, moment):
        yield from enumerate(torch.randn(3, 16, 4, generator=moment.generator))

    def scalars(self, moment):
        poison = self.poison_at is not None and moment.epoch >= self.poison_at
        return {"sharpness": math.nan if poison else self.sharpness / (1 + moment.epoch), "shared": 2.0}

    def begin_epoch(self, model, moment):
        return {"drawn": float(torch.rand((), generator=moment.generator))}

    def loss(self, model, batch, moment):
        number, x = batch
        noise = torch.randn(16, generator=moment.generator)
        found = model["trunk"](x)
        sharpness = moment.scalars["sharpness"]
        first = (sharpness * (model["heads"][0](found)[:, 0] - x.sum(dim=1) - 0.1 * noise)).square().mean()
        parts = {"first": Part(first, moment.scalars["shared"])}
        if not (self.absent and number == 1):
            parts["second"] = Part((model["heads"][1](found)[:, 0] - x[:, 0]).abs().mean(), sharpness)
        return BatchLoss(parts=parts, effective={"sharpness": sharpness, "number": float(number)})

    def after_step(self, model, batch):
        bias = model["heads"][1].bias
        bias.clamp_(-0.05, 0.05)
        return {"bias": float(bias), "bias_grad": 9.0 if bias.grad is None else float(bias.grad)}

    def evaluate(self, model, moment):
        if moment.epoch == self.fails_at:
            raise RuntimeError("this lane alone")
        error = (model["heads"][0](model["trunk"](torch.eye(4)))[:, 0] - 1).abs().mean()
        return (
            {"val/error": float(error), "val/sharpness": float(moment.scalars["sharpness"])} if error == error else {}
        )


def alone(tasks, *, epochs=4, contexts=None):
    contexts = contexts or [TrialContext(seed=3) for _ in tasks]
    triples = zip(tasks, OPTIMIZERS, contexts, strict=False)
    return [list(run_trial(t, optimizer=o, epochs=epochs, context=c)) for t, o, c in triples]


def fused(tasks, *, epochs=4, contexts=None, leave=None):
    """Each lane's measurements; `leave` maps a lane to the step after which it is over."""
    contexts = contexts or [TrialContext(seed=3) for _ in tasks]
    running = run_lanes(tasks, optimizers=OPTIMIZERS[: len(tasks)], epochs=epochs, contexts=contexts)
    found, going_on = [[] for _ in tasks], None
    try:
        while True:
            step = running.send(going_on)
            for lane, measured in step.items():
                found[lane].append(measured)
            stays = {n for n, m in step.items() if isinstance(m, Measurement)}
            going_on = {n for n in stays if (leave or {}).get(n, math.inf) > step[n].step}
    except StopIteration:
        return found


def assert_equal(found, expected):
    assert [[m.step for m in lane] for lane in found] == [[m.step for m in lane] for lane in expected]
    for lane, other in zip(found, expected, strict=True):
        for measured, wanted in zip(lane, other, strict=True):
            assert measured.metrics == pytest.approx(wanted.metrics, rel=1e-5, abs=1e-9, nan_ok=True)


@pytest.mark.parametrize("absent", [False, True])
def test_each_lanes_curve_is_that_of_its_trial_alone(absent):
    assert_equal(fused([Line(s, absent=absent) for s in SHARPNESS]), alone([Line(s, absent=absent) for s in SHARPNESS]))


def test_a_lane_that_leaves_changes_nothing_for_the_others():
    found = fused([Line(s) for s in SHARPNESS], leave={0: 2, 2: 3})
    assert_equal(found, [lane[:end] for lane, end in zip(alone([Line(s) for s in SHARPNESS]), (3, 5, 4), strict=True)])


def test_batch_norms_keep_what_each_lane_has_seen():
    """Also when lanes leave; in eval mode each lane's model uses its own statistics."""

    def layer():
        # Something between them: right before a batch norm a bias has no gradient but rounding.
        return nn.Sequential(nn.Tanh(), nn.BatchNorm1d(8))

    lines = [[Line(s, layer=layer) for s in SHARPNESS] for _ in range(2)]
    found = fused(lines[0], leave={1: 2})
    assert_equal(found, [lane[:end] for lane, end in zip(alone(lines[1]), (5, 3, 5), strict=True)])


def test_a_lane_that_diverges_never_touches_its_neighbours():
    """Its own curve is that of its trial alone up to there, where any sweep ends it."""
    found = fused([Line(0.5), Line(1.0, poison_at=1.5), Line(2.0)])
    expected = alone([Line(0.5), Line(1.0, poison_at=1.5), Line(2.0)])
    assert math.isnan(found[1][2].metrics["val/error"])
    assert_equal([found[0], found[1][:3], found[2]], [expected[0], expected[1][:3], expected[2]])
    assert all(math.isfinite(value) for lane in (found[0], found[2]) for m in lane for value in m.metrics.values())


def test_an_error_of_one_lane_is_its_own():
    found = fused([Line(0.5), Line(1.0, fails_at=2)])
    assert [type(measured) for measured in found[1]] == [Measurement, Measurement, RuntimeError]
    assert_equal([found[0]], alone([Line(0.5)]))


def test_a_lane_and_a_trial_alone_go_on_from_each_others_state(tmp_path):
    states = {"fused": [[] for _ in SHARPNESS], "alone": [[] for _ in SHARPNESS]}

    def contexts(kind):
        return [TrialContext(seed=3, save=lambda state, n=n: states[kind][n].append(state())) for n in range(3)]

    whole = fused([Line(s) for s in SHARPNESS], contexts=contexts("fused"))
    alone([Line(s) for s in SHARPNESS], contexts=contexts("alone"))

    def resumed(kind):
        read = []
        for lane in range(3):
            write_checkpoint(tmp_path / f"{kind}-{lane}", states[kind][lane][2])
            read.append(TrialContext(seed=3, resume=read_checkpoint(tmp_path / f"{kind}-{lane}")))
        return read

    rest = [lane[3:] for lane in whole]
    assert_equal(alone([Line(s) for s in SHARPNESS], contexts=resumed("fused")), rest)
    assert_equal(fused([Line(s) for s in SHARPNESS], contexts=resumed("alone")), rest)


@pytest.mark.parametrize(
    ("tasks", "contexts", "why"),
    [
        ([Line(1.0), Line(1.0, size=6)], [TrialContext(), TrialContext()], "differ in shape"),
        ([Line(1.0)] * 2, [TrialContext(seed=0), TrialContext(seed=1)], "seeds differ"),
    ],
)
def test_what_cannot_be_lanes_is_refused_before_anything_runs(tasks, contexts, why):
    running = run_lanes(tasks, optimizers=OPTIMIZERS[:2], epochs=1, contexts=contexts)
    with pytest.raises(CannotFuse, match=why):
        next(running)


def test_lanes_from_different_moments_are_refused():
    states = []
    alone([Line(1.0)], contexts=[TrialContext(seed=3, save=lambda state: states.append(state()))])
    contexts = [TrialContext(seed=3, resume=states[n]) for n in (1, 2)]
    running = run_lanes([Line(1.0)] * 2, optimizers=OPTIMIZERS[:2], epochs=4, contexts=contexts)
    with pytest.raises(CannotFuse, match="different moments"):
        next(running)
