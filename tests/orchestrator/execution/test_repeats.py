"""Several seeds as one trial: each as it would be alone, the mean of all, and a resume that goes on exactly."""

import itertools
import math
import random
from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest
import torch
from pydantic import BaseModel

from orchestrator.execution.assignment import Assignment, Done, Measured, Raised
from orchestrator.execution.attempt import Attempt
from orchestrator.execution.checkpoint_names import steps_in
from orchestrator.execution.repeats import repeat
from orchestrator.spec import Direction, Objective
from tests.conftest import ROOT
from tests.support.specs import TOY
from trainables.contract import Measurement, TrialContext

SEEDS = (3, 4, 8)


class Config(BaseModel):
    """Of the walker."""

    epochs: int = 5
    ends_at: dict[int, int] = {}
    raises_at: dict[int, int] = {}
    nan_at: dict[int, int] = {}
    skips: dict[int, int] = {}
    silent: tuple[int, ...] = ()
    closed: list[int] = []


def walk(config: Config, context: TrialContext) -> Iterator[Measurement]:
    """A random walk on all global generators, which lie in the checkpoint as a careless trainable has them."""
    seed, start, value = context.seed, 0, 0.0
    if context.resume is None:
        torch.manual_seed(seed)
        random.seed(seed)
        np.random.seed(seed)  # noqa: NPY002
    else:
        start, value = context.resume["step"] + 1, context.resume["value"]
        torch.set_rng_state(context.resume["torch"])
        random.seed(context.resume["next"])
        np.random.seed(context.resume["next"])  # noqa: NPY002
    try:
        for step in range(start, config.epochs + 1):
            if config.skips.get(seed) == step:
                continue
            if config.ends_at.get(seed) == step:
                return
            if config.raises_at.get(seed) == step:
                raise ValueError("no luck")
            draws = float(torch.rand(())), random.random(), float(np.random.random())  # noqa: NPY002
            value = math.nan if config.nan_at.get(seed) == step else value + sum(draws)
            coming = random.getrandbits(31)
            random.seed(coming)
            np.random.seed(coming)  # noqa: NPY002
            kept = {"step": step, "value": value, "torch": torch.get_rng_state, "next": coming}
            context.save(lambda kept=kept: {**kept, "torch": kept["torch"]()})
            own = {} if seed in config.silent else {"spoken": 1.0}
            yield Measurement(step, {"score": np.float32(value), "step": step, **own})
    finally:
        config.closed.append(seed)


def pull(config, seeds=SEEDS, *, resume=None, count=100):
    """Measurements, and the state that was offered with each."""
    offered = []
    context = TrialContext(resume=resume, save=lambda state: offered.append(state()))
    return list(itertools.islice(repeat(walk, config, context, seeds=seeds, metrics=("score",)), count)), offered


def alone(seed, **changes):
    return [m.metrics["score"] for m in walk(Config(**changes), TrialContext(seed=seed))]


def test_each_seed_trains_as_it_would_alone_and_the_mean_is_theirs():
    measured, _ = pull(Config())
    for step, measurement in enumerate(measured):
        values = [float(alone(seed)[step]) for seed in SEEDS]
        metrics = measurement.metrics
        assert [metrics[f"score/seed_{seed}"] for seed in SEEDS] == values
        assert metrics["score"] == pytest.approx(np.mean(values), rel=1e-12)
        assert metrics["score/standard_error"] == pytest.approx(np.std(values, ddof=1) / math.sqrt(3), rel=1e-12)
        assert "step/seed_3" not in metrics
    assert [m.step for m in measured] == [0, 1, 2, 3, 4, 5]


def test_whoever_pulls_keeps_its_own_random_generators():
    torch.manual_seed(1)
    expected = torch.rand(5)
    torch.manual_seed(1)
    drawn = []
    for _ in repeat(walk, Config(epochs=4), TrialContext(), seeds=SEEDS, metrics=()):
        drawn.append(torch.rand(()))
    assert torch.equal(torch.stack(drawn), expected)


@pytest.mark.parametrize("at", range(5))
def test_a_resumed_trial_goes_on_exactly(at):
    whole, offered = pull(Config())
    rest, _ = pull(Config(), resume=offered[at])
    assert rest == whole[at + 1 :]


def test_a_state_of_other_seeds_is_refused():
    _, offered = pull(Config(), seeds=(3, 4))
    with pytest.raises(ValueError, match="no state of seed 8"):
        pull(Config(), resume=offered[0])
    with pytest.raises(ValueError, match="no state of seed 3"):
        pull(Config(), resume={"step": 1})


def test_the_trial_ends_with_the_first_seed_that_ends():
    config = Config(ends_at={4: 3})
    measured, _ = pull(config)
    assert [m.step for m in measured] == [0, 1, 2]
    assert sorted(config.closed) == sorted(SEEDS)


def test_a_seed_that_raises_is_named_and_the_others_are_closed():
    config = Config(raises_at={8: 2})
    with pytest.raises(ValueError, match="no luck") as caught:
        pull(config)
    assert caught.value.__notes__ == ["with seed 8"]
    assert sorted(config.closed) == sorted(SEEDS)


def test_a_trial_that_is_given_up_closes_each_seed():
    config = Config()
    measurements = repeat(walk, config, TrialContext(), seeds=SEEDS, metrics=())
    next(measurements)
    measurements.close()
    assert sorted(config.closed) == sorted(SEEDS)


def test_a_nan_of_one_seed_is_a_nan_of_the_trial():
    measured, _ = pull(Config(nan_at={4: 2}))
    metrics = measured[2].metrics
    assert [math.isnan(metrics[name]) for name in ("score", "score/standard_error", "score/seed_4")] == [True] * 3
    assert math.isfinite(metrics["score/seed_3"])


def test_seeds_that_measure_at_different_steps_are_an_error():
    with pytest.raises(ValueError, match="seed 3 measured step 2 where seed 4 measured step 3"):
        pull(Config(skips={4: 2}))


def test_a_metric_that_a_seed_lacks_is_left_out():
    measured, _ = pull(Config(silent=(4,)))
    assert all("spoken" not in m.metrics for m in measured)


def test_resamples_of_the_same_units_are_averaged():
    def once(config, context):
        yield Measurement(1, {"score": 1.0}, {"score": [context.seed, 2.0 * context.seed]})

    (measured,) = repeat(once, Config(), TrialContext(), seeds=(1, 3), metrics=())
    assert measured.resamples == {"score": (2.0, 4.0)}


# --- inside of an attempt


@pytest.fixture
def assign(tmp_path):
    """An assignment of two seeds for the toy."""

    def make(config=None, **fields):
        return Assignment(
            number=0,
            attempt=1,
            trainable=TOY,
            config={"epochs": 4, **(config or {})},
            objective=Objective(metric="val/score", direction=Direction.MAXIMIZE),
            by_seed=("val/score",),
            checkpoint_interval_s=0.0,
            directory=ROOT,
            **{"seeds": (7, 8), "checkpoints": tmp_path / "checkpoints", **fields},
        )

    return make


def advance(attempt):
    outcomes = [attempt.advance()]
    while isinstance(outcomes[-1], Measured):
        outcomes.append(attempt.advance())
    return outcomes


def noise(outcomes):
    return [(o.step, o.metrics["noise"], o.metrics["val/score"]) for o in outcomes if isinstance(o, Measured)]


def test_an_attempt_averages_its_seeds_and_still_knows_what_was_read(assign):
    both = advance(Attempt(assign({"z": 1.0})))
    one, two = (
        advance(Attempt(assign(seeds=(seed,), checkpoints=assign().checkpoints / str(seed)))) for seed in (7, 8)
    )
    for mean, a, b in zip(noise(both), noise(one), noise(two), strict=True):
        assert mean[1] == pytest.approx((a[1] + b[1]) / 2)
    assert both[1].metrics["val/score/standard_error"] == 0
    assert isinstance(both[-1], Done)
    assert both[-1].unread == ("z",)


@pytest.mark.parametrize("stop", [0, 2, 3])
def test_an_attempt_that_died_goes_on_exactly(assign, stop):
    whole = noise(advance(Attempt(replace(assign(), checkpoints=assign().checkpoints / "whole"))))
    first = Attempt(assign())
    for _ in range(stop + 1):
        first.advance()
    del first
    again = noise(advance(Attempt(assign(last_step=stop))))
    assert again == whole[stop + 1 :]
    assert steps_in(assign().checkpoints)


def test_an_attempt_tells_which_seed_raised(assign):
    outcome = advance(Attempt(assign({"mode": "raise"})))[-1]
    assert isinstance(outcome, Raised)
    assert outcome.message == "ValueError: no luck"
    assert "with seed 7" in outcome.traceback
