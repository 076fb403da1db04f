"""What a budget buys, and how it is written."""

import pytest

from orchestrator.analysis.budgets import Limit
from orchestrator.errors import UsageError
from orchestrator.sweeps.planning.buying import buy, read_budget
from orchestrator.sweeps.planning.forecast import Workers, rehearse_often
from orchestrator.sweeps.planning.pace import Between, Pace, TrialPace
from orchestrator.sweeps.planning.survival import Rehearsed
from tests.support.specs import toy_spec

WRONG = ["", "2", "two hours", "hours=2", "epochs=many", "epochs=0", "-1h", "epochs=nan", "epochs=inf"]


@pytest.mark.parametrize(
    ("text", "limits"),
    [
        ("2h", {Limit.WALL_HOURS: 2.0}),
        ("90m", {Limit.WALL_HOURS: 1.5}),
        ("36s", {Limit.WALL_HOURS: 0.01}),
        ("1d", {Limit.WALL_HOURS: 24.0}),
        ("gpu_hours=1.5", {Limit.GPU_HOURS: 1.5}),
        ("epochs=100, 2h", {Limit.EPOCHS: 100.0, Limit.WALL_HOURS: 2.0}),
    ],
)
def test_the_forms(text, limits):
    assert read_budget(text) == pytest.approx(limits)


@pytest.mark.parametrize("text", WRONG)
def test_what_cannot_be_read_names_the_forms(text):
    with pytest.raises(UsageError, match=r"--budget.*the forms are a time such as 2h"):
        read_budget(text)


@pytest.fixture(scope="module")
def rehearsals():
    pace = Pace((TrialPace(0.0, 10.0),) * 4, Between(0.0, 0.0, 0.0), 2, "a test")
    return rehearse_often(pace, Rehearsed(toy_spec(), [6], 10, 2, 99), Workers(2, 1.0), guided_from=99, seed=0)


def test_half_the_epochs_buy_half_the_sweep(rehearsals):
    bought = buy(rehearsals, {Limit.EPOCHS: 30})
    assert bought.share == pytest.approx(0.5, abs=0.05)
    assert bought.fits in (4, 5)
    assert not bought.buys_all
    assert bought.to_json()["budget"] == {"epochs": 30}


def test_enough_buys_all(rehearsals):
    bought = buy(rehearsals, {Limit.WALL_HOURS: 1.0})
    assert (bought.buys_all, bought.share, bought.fits) == (True, 1.0, 10)
