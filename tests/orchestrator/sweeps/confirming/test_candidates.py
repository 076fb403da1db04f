"""Which configurations are confirmed, what the default is, and which seeds are fresh."""

from dataclasses import replace

import pytest
from pydantic import BaseModel

from orchestrator.errors import UsageError
from orchestrator.spec import dump, parse
from orchestrator.study import SweepRecord
from orchestrator.sweeps.checks import check
from orchestrator.sweeps.confirming.candidates import choose, configurations, default_params, fresh_seeds
from orchestrator.trial import Cause, Ending, Measurement, Segment, TrialRecord, TrialState
from tests.support.confirming import confirmable_spec
from tests.support.home import ROOT
from tests.support.specs import toy_spec
from trainables.contract import Measurement as Yielded


class Kinds(BaseModel):
    epochs: int = 2
    kind: str = "plain"
    depth: int = 3
    width: int = 4


def kinds(config: Kinds, context):
    yield Yielded(0, {"val/score": 0.0})


class Slope(BaseModel):
    start: float
    end: float


class Nested(BaseModel):
    slope: Slope = Slope(start=0.1, end=0.2)


def nested(config: Nested, context):
    yield Yielded(0, {"val/score": config.slope.start})


class Needy(BaseModel):
    lr: float


def needy(config: Needy, context):
    yield Yielded(0, {"val/score": config.lr})


def trial(number, value, *, params=None, step=2, seeds=(0,), **fields):
    measured = (Measurement(step, {"val/score": value}, 0.1, 1),)
    ended = {"state": TrialState.COMPLETE, "ending": Ending(Cause.FINISHED, "finished")}
    return TrialRecord(
        number=number,
        params=params or {"x": number / 10},
        measurements=measured,
        value=value,
        best_step=step,
        seeds=seeds,
        **{**ended, **fields},
    )


def checked(spec):
    return check(parse(dump(spec), file="toy.yaml"), directory=ROOT)


def labels(trials, **sections):
    return [candidate.label for candidate in configurations(trials, toy_spec(**sections))]


def test_the_best_come_first_whichever_way_the_metric_goes():
    trials = [trial(0, 0.2), trial(1, 0.9), trial(2, 0.5)]
    assert labels(trials) == ["trial 1", "trial 2", "trial 0"]
    falling = {"metric": "val/score", "direction": "minimize"}
    assert labels(trials, objective=falling) == ["trial 0", "trial 2", "trial 1"]


def test_what_has_no_sound_value_is_left_out():
    sick = Ending(Cause.SICK, "collapse", {"metric": "val/effective_rank", "step": 2, "rule": "collapse"})
    trials = [
        trial(0, 0.2),
        trial(1, 0.9, state=TrialState.FAILED, ending=Ending(Cause.ERROR, "no luck")),
        trial(2, 0.9, state=TrialState.PRUNED, ending=sick),
        trial(3, 0.9, step=0),
        replace(trial(4, 0.9), value=None, best_step=None),
        trial(5, 0.9, violated={"val/floor": 0.4}),
        trial(6, 0.3, params={"x": 0.7}),
        trial(7, 0.1, params={"x": 0.7}, extends=6),
    ]
    assert labels(trials) == ["trial 0", "trial 7"]


def test_a_configuration_that_was_repeated_is_one_with_its_mean():
    trials = [trial(0, 0.6), trial(1, 0.7, params={"x": 0.5}), trial(2, 0.3, params={"x": 0.5}, replicate_of=1)]
    found = configurations(trials, toy_spec())
    assert [(c.label, c.search_value) for c in found] == [("trial 0", 0.6), ("trial 1", 0.5)]


def test_the_default_is_what_the_config_says_with_the_sweeps_fixed_values():
    assert default_params(checked(confirmable_spec())) == {"x": 0.0}
    space = {"x": {"type": "float", "low": 0.5, "high": 1.5}, "noise": {"type": "fixed", "value": 0.3}}
    assert default_params(checked(confirmable_spec(space=space))) == {"x": 0.0, "noise": 0.3}


def test_a_parameter_that_the_default_does_not_activate_is_left_to_the_config():
    space = {
        "kind": {"type": "categorical", "choices": ["plain", "deep"]},
        "depth": {"type": "int", "low": 1, "high": 9, "when": {"kind": "deep"}},
        "width": {"type": "int", "low": 1, "high": 9, "when": {"kind": "plain"}},
    }
    spec = toy_spec(trainable=f"{__name__}:kinds", space=space)
    assert default_params(checked(spec)) == {"kind": "plain", "width": 4}


def test_a_section_that_the_file_sets_in_part_keeps_the_defaults_of_what_is_searched():
    space = {"slope.start": {"type": "float", "low": 0.5, "high": 1.0}}
    spec = toy_spec(trainable=f"{__name__}:nested", space=space, config={"slope": {"end": 0.9}})
    assert default_params(checked(spec)) == {"slope.start": 0.1}


def test_where_the_config_has_no_default_an_unselected_trial_stands_in():
    space = {"lr": {"type": "float", "low": 0.1, "high": 1.0}}
    spec = toy_spec(trainable=f"{__name__}:needy", space=space, confirm={"top": 1, "seeds": 3})
    assert default_params(checked(spec)) is None
    trials = [trial(n, v, params={"lr": v}) for n, v in enumerate((0.9, 0.3, 0.4))]
    chosen = choose(checked(spec), record(spec), trials)
    assert [candidate.label for candidate in chosen.candidates] == ["trial 0", "trial 1"]
    assert chosen.reference == "trial 1"


def record(spec):
    return SweepRecord("toy-1", "id-1", spec, created_ms=0)


def test_a_default_that_was_found_by_the_search_is_confirmed_once():
    spec = confirmable_spec(confirm={"top": 2, "seeds": 3})
    chosen = choose(checked(spec), record(spec), [trial(0, 0.9, params={"x": 0.0}), trial(1, 0.8), trial(2, 0.7)])
    assert [candidate.label for candidate in chosen.candidates] == ["trial 0", "trial 1"]
    assert chosen.reference == "trial 0"


def test_the_stretches_of_a_population_are_no_configurations():
    spec = confirmable_spec(confirm={"top": 1, "seeds": 3})
    with pytest.raises(UsageError, match="toy-1 searched with a population"):
        choose(checked(spec), record(spec), [trial(0, 0.9, segment=Segment(0, None, 2))])


def test_nothing_to_confirm_is_said():
    spec = confirmable_spec(confirm={"top": 1, "seeds": 3}, floors={"val/score": 0.5})
    with pytest.raises(UsageError, match=r"no trial of toy-1 has a usable value of val/score, with val/score of 0\.5"):
        choose(checked(spec), record(spec), [trial(0, 0.1, violated={"val/score": 0.4})])
    with pytest.raises(UsageError, match="the best of toy-1 is what it would be compared with, default"):
        choose(checked(spec), record(spec), [trial(0, 0.9, params={"x": 0.0})])


def test_seeds_are_new_to_the_search_and_to_earlier_confirmations():
    assert fresh_seeds(7, 3, used=[]) == (1007, 1008, 1009)
    assert fresh_seeds(7, 3, used=[1007, 1009]) == (1008, 1010, 1011)
    assert fresh_seeds(2**32 - 1, 2, used=[]) == (999, 1000)
    spec = confirmable_spec(confirm={"top": 1, "seeds": 3})
    assert choose(checked(spec), record(spec), [trial(1, 0.9, seeds=(1000,))], used=[1002]).seeds == (1001, 1003, 1004)
