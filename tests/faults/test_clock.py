"""A clock that is set back an hour, or forward a year, while a sweep runs: budgets and durations do not move."""

import sqlite3
from contextlib import closing
from dataclasses import replace

import pytest

from orchestrator.sweeps import drive, read
from orchestrator.sweeps.maintain import deliver
from orchestrator.tracking.operations import EndTrial
from tests.support.clocks import SteppingClock
from tests.support.commands import Orch
from tests.support.failpoints import Action, FailPoint, armed
from tests.support.home import House, Lines
from tests.support.soundness import assert_sound, learnt
from tests.support.specs import toy_spec

HOUR_S = 3600.0
STEPS = {"an hour back": -HOUR_S, "a year forward": 365 * 24 * HOUR_S}
TRIALS = 3
OUTCOME = "budgets, durations and values as if it had not; MLflow has everything"


def spec():
    return toy_spec(budget={"trials": TRIALS, "wall_hours": 0.5}, sampler={"type": "tpe", "startup_trials": 2})


class Stepped:
    """A home whose clock steps at an event."""

    def __init__(self, folder, *, step_s, at):
        self.house = House(folder)
        self._clock = SteppingClock()
        watcher = Lines(lambda event: self._clock.step(step_s) if event.text.startswith(at) else None)
        self.around = replace(self.house.around(watcher), clock=self._clock.clock)

    def launch(self):
        return drive.launch(self.house.checked(spec()), self.around, name=None, sweep_id="id-1")

    def resume(self):
        return drive.resume("toy-1", self.around)


@pytest.mark.fault("clock stepping {step}", phase="mid-trial", outcome=OUTCOME)
@pytest.mark.parametrize("step", STEPS)
def test_a_step_in_mid_sweep_moves_nothing(tmp_path, step):
    straight = House(tmp_path / "straight").launch(spec())
    stepped = Stepped(tmp_path, step_s=STEPS[step], at="trial 1 epoch 2 ")
    summary = stepped.launch()
    assert (summary.state, summary.exit_code) == ("COMPLETE", 0)
    assert learnt(summary.trials) == learnt(straight.trials)
    assert 0 < summary.sweep.wall_s < HOUR_S / 2
    assert 0 <= summary.elapsed_s < HOUR_S / 2
    assert all(0 <= trial.train_s < HOUR_S / 2 for trial in summary.trials)
    deliver(stepped.house.home, "toy-1", clock=stepped.around.clock, timeout_s=60)
    assert_sound(Orch(tmp_path), trials=TRIALS)


@pytest.mark.fault("clock stepping {step}", phase="before a kill and a resume", outcome=OUTCOME)
@pytest.mark.parametrize("step", STEPS)
def test_a_step_before_a_kill_uses_no_budget(tmp_path, step):
    stepped = Stepped(tmp_path, step_s=STEPS[step], at="trial 1 epoch 1 ")
    crash = FailPoint("orchestrator.study.ledger:Ledger.report", Action.RAISE, call=9, after=True)
    with armed(crash), pytest.raises(RuntimeError, match="a fault at"):
        stepped.launch()
    assert [trial.epochs for trial in read.show(stepped.house.home, "toy-1").trials] == [4, 3]
    summary = stepped.resume()
    assert (summary.state, summary.exit_code, summary.counts["complete"]) == ("COMPLETE", 0, TRIALS)
    assert 0 < summary.sweep.wall_s < HOUR_S / 2


@pytest.mark.fault(
    "clock stepping an hour back", phase="a kill between the ledger and MLflow", outcome="MLflow is told of the ending"
)
def test_the_last_ending_is_said_again_whatever_its_date(desk):
    before_mlflow = FailPoint("orchestrator.tracking.tracker:Tracker.end_trial", Action.RAISE, call=2)
    with armed(before_mlflow), pytest.raises(RuntimeError, match="a fault at"):
        desk.run(spec())
    with closing(sqlite3.connect(desk.folder / "ledger.db")) as ledger, ledger:
        ledger.execute("UPDATE trials SET datetime_complete = datetime(datetime_complete, '-1 hour') WHERE number = 1")
    desk.run()
    assert {said.number for said in desk.said() if isinstance(said, EndTrial)} == set(range(TRIALS))
