"""Schedules that nobody would think of: Hypothesis strikes a simulated sweep at any moment and looks after each step.

The control logic and the ledger are the real ones. Storage, outbox, clock, checkpoints and workers are simulated, so
that thousands of schedules run in minutes; the real ones are struck by the other files here.
"""

import math
import sys
from collections import Counter
from contextlib import contextmanager
from typing import ClassVar

import hypothesis
import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from orchestrator.execution.assignment import Done, Measured, Raised
from orchestrator.execution.control import Directive
from orchestrator.study import SweepState
from orchestrator.trial import Mishap
from tests.support.killable import Killed
from tests.support.promises import Promises, drive_to_the_end
from tests.support.simulated import SimulatedSweep
from tests.support.specs import toy_spec

HOUR_S, YEAR_S = 3600.0, 365 * 86_400.0
HANG_S = 30.0
SECONDS = st.sampled_from([0.0123456789, 1.0 / 3, 1.0, 7.3])
NO_MEMORY = Raised("MemoryError", "", out_of_memory=True)
NO_LUCK = Raised("ValueError: no luck", "Traceback")
WHICH = st.integers(0, 2)
"""Picks one of what is there."""
PRUNERS = [
    {"type": "none"},
    {"type": "asha", "min_epochs": 1, "reduction_factor": 2},
    {"type": "median", "startup_trials": 1, "min_epochs": 1},
]
STOPS = [[], [{"type": "target", "value": 0.7}], [{"type": "plateau", "patience": 1, "min_delta": 0.05}]]
BUDGETS = st.one_of(
    st.just({}),
    st.builds(lambda n: {"epochs": n}, st.integers(1, 12)),
    st.builds(lambda s: {"gpu_hours": s / HOUR_S}, st.sampled_from([1.5, 10.0, 40.0])),
    st.builds(lambda s: {"wall_hours": s / HOUR_S}, st.sampled_from([1.5, 10.0, 40.0])),
)


@st.composite
def searches(draw):
    """A spec, small enough that a schedule gets somewhere."""
    sampler = draw(st.sampled_from([{"type": "random"}, {"type": "tpe", "startup_trials": 2}]))
    budget = {"trials": draw(st.integers(1, 6)), "max_failures": draw(st.integers(1, 4)), **draw(BUDGETS)}
    return toy_spec(
        sampler=sampler,
        pruner=draw(st.sampled_from(PRUNERS)),
        stop=draw(st.sampled_from(STOPS)),
        budget=budget,
        config={"epochs": draw(st.integers(1, 4))},
        resources={"gpu": 0.0, "hang_timeout_s": HANG_S},
        seed=draw(st.integers(0, 3)),
    )


@st.composite
def populations(draw):
    """Population-based training of two stretches."""
    epochs = draw(st.sampled_from([2, 3]))
    return toy_spec(
        sampler={"type": "pbt", "population": 4, "interval_epochs": epochs - 1},
        budget={"trials": draw(st.integers(4, 8)), **draw(BUDGETS)},
        config={"epochs": epochs},
        resources={"gpu": 0.0, "hang_timeout_s": HANG_S},
    )


def at_work(machine):
    return any(not worker.is_pausing for worker in machine.sweep.workers)


def is_open(machine):
    return machine.sweep.last_state is not SweepState.COMPLETE


class ControlMachine(RuleBasedStateMachine):
    """One schedule. Each rule is an event; `promises` holds what the control has acknowledged."""

    done: ClassVar[Counter[str]] = Counter()

    @initialize(spec=st.one_of(searches(), searches(), populations()), concurrency=st.integers(1, 3))
    def create(self, spec, concurrency):
        self.sweep = SimulatedSweep(spec, concurrency=concurrency)
        self.promises = Promises(self.sweep)
        self.done["schedules"] += 1

    @contextmanager
    def _driver(self):
        """What happens in the driver; it may be killed at any write in here."""
        try:
            yield
        except Killed:
            self.done["kills at a write"] += 1
            self.sweep.kill()

    def _pick(self, which):
        working = [worker for worker in self.sweep.workers if not worker.is_pausing]
        return working[which % len(working)]

    def _obey(self):
        """Those that were told to pause do so, one that never began need not be waited for; then the driver ends."""
        for worker in list(self.sweep.workers):
            if worker.is_pausing or not worker.began:
                self.sweep.pause(worker)
        if self.sweep.control.is_drained or self.sweep.control.must_abandon:
            self.sweep.finish()

    # --- what goes well

    @precondition(is_open)
    @rule(begins=st.booleans())
    def hand_out(self, begins):
        """A driver, a new one where the last one is gone, gives each free worker something to do."""
        with self._driver():
            if self.sweep.control is None:
                self.done["drivers"] += 1
                self.sweep.start()
            if self.sweep.control.halt:
                self._obey()
                return
            while len(self.sweep.workers) < self.sweep.concurrency:
                worker = self.promises.hand_out()
                if worker is None:
                    break
                if begins:
                    self.sweep.begin(worker)
            if not self.sweep.workers:
                self.sweep.finish()

    @precondition(at_work)
    @rule(which=WHICH, seconds=SECONDS, write=st.booleans(), stretches=st.integers(1, 5))
    def train(self, which, seconds, write, stretches):
        worker = self._pick(which)
        with self._driver():
            for _ in range(stretches):
                self.done["stretches"] += 1
                outcome = self.sweep.train(worker, seconds=seconds, write=write)
                if self.promises.report(worker, outcome) is not Directive.GO_ON:
                    break

    @precondition(is_open)
    @rule(seconds=SECONDS, write=st.booleans(), rounds=st.integers(1, 4))
    def go_on(self, seconds, write, rounds):
        """All that a driver and its workers do as long as nothing happens."""
        for _ in range(rounds):
            self.hand_out(begins=True)
            if self.sweep.control is None:
                return
            for which in range(len(self.sweep.workers)):
                if at_work(self):
                    self.train(which=which, seconds=seconds, write=write, stretches=1)

    @precondition(lambda self: self.sweep.control is not None and self.sweep.control.halt is None)
    @rule(by_file=st.booleans())
    def ask_to_stop(self, by_file):
        with self._driver():
            self.done["stops"] += 1
            self.sweep.stop.is_there = by_file
            if not by_file:
                self.sweep.control.request_pause("SIGINT")

    @precondition(lambda self: self.sweep.control is None and self.sweep.last_state is SweepState.BUDGET_ENDED)
    @rule()
    def give_more(self):
        """Somebody resumes it without its budgets."""
        self.done["larger budgets"] += 1
        self.promises.give_more()

    # --- what does not

    @precondition(lambda self: not self.sweep.fuse.is_lit)
    @rule(writes=st.integers(1, 20), after=st.booleans())
    def kill_at_a_write(self, writes, after):
        self.sweep.fuse.light(writes, after=after)

    @precondition(at_work)
    @rule(which=WHICH, seconds=SECONDS, writes=st.integers(1, 6), after=st.booleans())
    def kill_while_it_hears(self, which, seconds, writes, after):
        """The driver dies at a write of a measurement or of an ending."""
        self.sweep.fuse.light(writes, after=after)
        self.train(which=which, seconds=seconds, write=True, stretches=3)
        self.sweep.fuse.put_out()

    @precondition(at_work)
    @rule(which=WHICH, seconds=SECONDS, write=st.booleans())
    def kill_before_it_hears(self, which, seconds, write):
        """The driver dies while a worker trains on."""
        self.done["kills"] += 1
        self.sweep.train(self._pick(which), seconds=seconds, write=write)
        self.sweep.kill()

    @precondition(at_work)
    @rule(
        which=WHICH,
        mishap=st.sampled_from([Mishap.WORKER_LOST, Mishap.NODE_LOST]),
        seconds=SECONDS,
        wrote=st.booleans(),
    )
    def lose(self, which, mishap, seconds, wrote):
        """A worker dies in the middle of an epoch, or between its checkpoint and its report."""
        worker = self._pick(which)
        with self._driver():
            if wrote:
                self.sweep.train(worker, seconds=seconds, write=True)
            self.done[mishap.value] += 1
            self.promises.lose(worker, mishap)

    @precondition(at_work)
    @rule()
    def hang(self):
        """Nobody measures for too long; a runner spares those that write their checkpoint for a pause."""
        self.sweep.clock.advance(HANG_S + 1)
        with self._driver():
            hung = self.sweep.control.hung
            for worker in [w for w in self.sweep.workers if w.number in hung and not w.is_pausing]:
                self.done[Mishap.HUNG.value] += 1
                self.promises.lose(worker, Mishap.HUNG)

    @precondition(at_work)
    @rule(which=WHICH, outcome=st.sampled_from([NO_MEMORY, NO_MEMORY, NO_LUCK]))
    def fail(self, which, outcome):
        with self._driver():
            self.done[outcome.message] += 1
            self.sweep.raised(self._pick(which), outcome)

    @precondition(at_work)
    @rule(which=WHICH, seconds=SECONDS)
    def measure_nan(self, which, seconds):
        worker = self._pick(which)
        with self._driver():
            outcome = self.sweep.train(worker, seconds=seconds, write=False)
            # What is stored already stays as it is, so that a worker that measures otherwise the second time is none.
            if isinstance(outcome, Measured) and outcome.step not in self.promises.steps(worker.number):
                outcome = Measured(outcome.step, {"val/score": math.nan, "noise": 0.0}, outcome.train_s)
            self.promises.report(worker, outcome)

    @precondition(lambda self: self.sweep.control is not None and self.sweep.zombies)
    @rule(which=st.integers(0, 9), said=st.sampled_from(["measured", "done", "raised", "lost", "paused"]))
    def hear_a_zombie(self, which, said):
        """One whose attempt or driver is gone says what it has to say, and nobody hears it."""
        zombie = self.sweep.zombies[which % len(self.sweep.zombies)]
        self.done["zombies"] += 1
        before = repr(self.sweep.records()), len(self.sweep.said)
        control, number, attempt = self.sweep.control, zombie.number, zombie.attempt
        step = 0 if zombie.step is None else zombie.step + 1
        outcomes = {"measured": Measured(step, {"val/score": 99.0}, 1.0), "done": Done(), "raised": NO_LUCK}
        if said in outcomes:
            assert control.outcome(number, outcomes[said], attempt=attempt) is Directive.END
        elif said == "lost":
            control.lost(number, Mishap.WORKER_LOST, "late", attempt=attempt)
        else:
            control.paused(number, attempt=attempt)
        assert (repr(self.sweep.records()), len(self.sweep.said)) == before

    @rule(waits=st.sampled_from([0.6, 20.0, 61.0]), date=st.sampled_from([0.0, -HOUR_S, YEAR_S]))
    def set_the_clocks(self, waits, date):
        self.sweep.clock.advance(waits)
        self.sweep.clock.shift_date(date)

    # --- what holds

    @invariant()
    def promises_are_kept(self):
        self.done["events"] += 1
        if hasattr(self, "sweep"):
            self.promises.check()

    def teardown(self):
        """Whatever happened: from here on nothing does, and the sweep ends as one that nothing ever happened to."""
        if hasattr(self, "sweep") and sys.exception() is None:
            drive_to_the_end(self.promises)
            self.promises.check_end()


def machine(seed):
    """The machine with its own count and its own schedules."""
    return hypothesis.seed(seed)(type("ControlMachine", (ControlMachine,), {"done": Counter()}))


@pytest.mark.fault(
    "driver kill -9", phase="before or after any write of ledger or outbox", outcome="nothing lost or twice"
)
@pytest.mark.fault("clock an hour back or a year forward", phase="any", outcome="nothing lost or twice")
@pytest.mark.fault("a lost worker reports later", phase="any", outcome="not heard")
@pytest.mark.timeout(1200)
@pytest.mark.parametrize("examples", [100, pytest.param(3000, marks=[pytest.mark.slow, pytest.mark.timeout(7200)])])
def test_no_schedule_breaks_a_promise(examples, capsys):
    tried = machine(seed=0)
    run_state_machine_as_test(
        tried,
        settings=settings(
            max_examples=examples,
            stateful_step_count=40,
            deadline=None,
            database=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
    with capsys.disabled():
        print(f"\n{dict(tried.done)}")
