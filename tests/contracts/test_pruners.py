"""What every pruner owes: a plainly worse trial is ended early with its reason, the best one never.

And the same decisions as Optuna's own pruner, across a crash, with each kind of sampler, and for several objectives.
"""

import random
import warnings

import optuna
import pytest

from orchestrator.study import Ledger, SweepState
from orchestrator.study.judging import epochs_without_improvement
from orchestrator.trial import Cause, Ending, Measurement, TrialState
from tests.support.specs import toy_spec

ASHA = {"type": "asha", "min_epochs": 1, "reduction_factor": 2}
PRUNERS = {
    "asha": ASHA,
    "hyperband": {"type": "hyperband", "min_epochs": 1, "reduction_factor": 2},
    "median": {"type": "median", "startup_trials": 2, "min_epochs": 1},
    "percentile": {"type": "percentile", "startup_trials": 2, "min_epochs": 1, "keep_percent": 40.0},
    "wilcoxon": {"type": "wilcoxon", "min_epochs": 2},
    "patient": {"type": "patient", "patience": 2},
    "patient asha": {"type": "patient", "patience": 1, "pruner": ASHA},
    "patient median": {"type": "patient", "patience": 1, "pruner": {"type": "median", "startup_trials": 2}},
    "none": {"type": "none"},
}
EPOCHS = 6
COST = {"metric": "val/cost", "direction": "minimize"}
TRADE_OFFS = {
    "trainable": "tests.support.trade_offs:train",
    "space": {"x": {"type": "float", "low": 0.0, "high": 1.0, "step": 0.0625}},
    "config": {"epochs": 4},
}


def in_memory(spec, name="sweep"):
    """A study without a database, which is the slow part; the name decides the hyperband bracket of a trial."""
    directions = [objective.direction.value for objective in spec.objectives]
    return optuna.create_study(study_name=name, directions=directions)


def open_ledger(spec, study=None):
    """A ledger as a new driver opens it: it knows nothing but what the study holds."""
    return Ledger(study or in_memory(spec), spec=spec, fixed={"epochs": EPOCHS})


def run(ledger, values, **others):
    """One trial with these objective values from step 0 on; returns its record."""
    number = ledger.ask().number
    for step, value in enumerate(values):
        metrics = {"val/score": value} | {f"val/{name}": other[step] for name, other in others.items()}
        ending = ledger.report(number, Measurement(step, metrics, 0.1, step), last=step == len(values) - 1)
        if ending is not None:
            return ledger.tell(number, ending)
    return ledger.tell(number, Ending(Cause.FINISHED, "finished"))


@pytest.mark.parametrize("direction", ["maximize", "minimize"])
@pytest.mark.parametrize("name", PRUNERS)
def test_a_worse_trial_is_ended_and_a_better_one_is_not(name, direction):
    better = 1 if direction == "maximize" else -1
    objective = {"metric": "val/score", "direction": direction}
    ledger = open_ledger(toy_spec(trials=40, pruner=PRUNERS[name], objective=objective))
    good = [run(ledger, [better * (1 + n / 10) * step for step in range(EPOCHS + 1)]) for n in range(8)]
    assert [r.state for r in good] == [TrialState.COMPLETE] * 8, "each was the best so far"
    bad = [run(ledger, [0.0, *[better * 0.01] * EPOCHS]) for _ in range(8)]
    assert all(r.state is TrialState.COMPLETE for r in bad) == (name == "none")
    for record in bad:
        if record.state is TrialState.PRUNED:
            assert record.ending.detail["pruner"] == PRUNERS[name]["type"]
            assert {"step", "rung", "value", "cutoff", "rank", "num_compared"} <= set(record.ending.detail)
            assert ("p_value" in record.ending.detail) == (name == "wilcoxon")
            assert ("epochs_without_improvement" in record.ending.detail) == name.startswith("patient")
            assert record.epochs < EPOCHS


# --- against Optuna


def curves(count, *, seed, ties=False):
    """Noisy ones of trials of different quality; with `ties` of few values."""
    rng = random.Random(seed)
    qualities = [rng.random() for _ in range(count)]
    noisy = [[0.6 * quality + 0.4 * rng.random() for _ in range(EPOCHS)] for quality in qualities]
    return [[0.0, *(round(value, 1) if ties else value for value in values)] for values in noisy]


def decided_by_optuna(pruner, direction, all_curves):
    """The step at which Optuna's own loop ends each trial, None where it does not; the last step never ends one."""
    study = optuna.create_study(direction=direction, pruner=pruner)
    ends = []
    for values in all_curves:
        trial, end = study.ask(), None
        for step, value in list(enumerate(values))[1:]:
            trial.report(value, step)
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                if step < EPOCHS and trial.should_prune():
                    end = step
                    break
        best = max if direction == "maximize" else min
        study.tell(
            trial, None if end else best(values[1:]), state=optuna.trial.TrialState[("COMPLETE", "PRUNED")[bool(end)]]
        )
        ends.append(end)
    return ends


def decided_by_us(spec, all_curves):
    ledger = open_ledger(spec)
    return [r.epochs if r.state is TrialState.PRUNED else None for r in (run(ledger, c) for c in all_curves)]


@pytest.mark.parametrize("direction", ["maximize", "minimize"])
@pytest.mark.parametrize("ties", [False, True])
@pytest.mark.parametrize("name", ["median", "percentile", "wilcoxon"])
def test_decisions_are_optunas(name, direction, ties):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        theirs = {
            "median": optuna.pruners.MedianPruner(2, 1),
            "percentile": optuna.pruners.PercentilePruner(40.0, 2, 1),
            "wilcoxon": optuna.pruners.WilcoxonPruner(p_threshold=0.1),
        }[name]
    objective = {"metric": "val/score", "direction": direction}
    spec = toy_spec(trials=25, pruner=PRUNERS[name], objective=objective)
    all_curves = curves(25, seed=3, ties=ties)
    expected = decided_by_optuna(theirs, direction, all_curves)
    assert decided_by_us(spec, all_curves) == expected
    assert any(expected)


@pytest.mark.parametrize("direction", ["maximize", "minimize"])
def test_patience_without_ties_and_min_delta_is_optunas_less_one_epoch(direction):
    """Optuna waits one epoch longer than it is told, and takes min_delta as leave to get worse."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        theirs = optuna.pruners.PatientPruner(None, patience=1)
    objective = {"metric": "val/score", "direction": direction}
    spec = toy_spec(trials=25, pruner={"type": "patient", "patience": 2}, objective=objective)
    all_curves = curves(25, seed=8)
    expected = decided_by_optuna(theirs, direction, all_curves)
    assert decided_by_us(spec, all_curves) == expected
    assert any(expected)


@pytest.mark.parametrize("name", ["median", "percentile", "wilcoxon"])
def test_the_numbers_of_a_decision_are_those_behind_it(name):
    spec = toy_spec(trials=25, pruner=PRUNERS[name])
    ledger = open_ledger(spec)
    records = [run(ledger, values) for values in curves(25, seed=3)]
    pruned = [record for record in records if record.state is TrialState.PRUNED]
    assert pruned
    for record in pruned:
        (decision,) = record.decisions
        assert decision["value"] < decision["cutoff"]
        assert 1 < decision["rank"] <= decision["num_compared"]
        if name == "wilcoxon":
            assert decision["p_value"] < 0.1


def test_patience_counts_epochs_since_the_last_improvement():
    objective = toy_spec().objective

    def idle(values, min_delta=0.0):
        history = [Measurement(step, {"val/score": value}, 0.0, 0) for step, value in values.items()]
        return epochs_without_improvement(history, objective, min_delta=min_delta)

    assert idle({1: 0.5}) == 0
    assert idle({1: 0.5, 2: 0.5, 3: 0.4}) == 2, "an equal value is no improvement"
    assert idle({1: 0.5, 2: 0.6, 5: 0.5}) == 3, "epochs, not measurements"
    assert idle({1: 0.5, 2: 0.5625, 3: 0.625}, min_delta=0.125) == 0, "small steps add up"
    assert idle({1: 0.5, 2: 0.5625, 3: 0.59}, min_delta=0.125) == 2


def test_an_improving_trial_that_its_rung_would_end_goes_on_until_it_idles():
    ledger = open_ledger(toy_spec(trials=9, pruner=PRUNERS["patient asha"]))
    run(ledger, [0.0, 0.9, 0.9, 0.9, 0.9])
    record = run(ledger, [0.0, 0.1, 0.2, 0.3, 0.3, 0.3])
    assert [(d["step"], d["rung"], d["pruned"], d.get("spared")) for d in record.decisions] == [
        (1, 0, False, "improving"),
        (2, 1, False, "improving"),
        (4, 2, True, None),
    ]
    record = run(ledger, [0.0, 0.1, 0.2, 0.2, 0.2])
    assert [(d["step"], d["rung"], d["pruned"]) for d in record.decisions][-1] == (3, 1, True), "between two rungs"


# --- across a crash, for several objectives, with floors and standard errors


def measure(curve, step):
    metrics = {"val/score": curve[step], "val/cost": 1 - curve[step], "val/f1": curve[(step * 7) % len(curve)]}
    return Measurement(step, metrics | {"val/score/standard_error": curve[-1] / 8}, 0.1, step)


def drive(ledger, all_curves, *, reopen=None):
    """Run the curves side by side, an epoch of each in turn; the driver may die after each."""
    for _ in all_curves:
        ledger.ask()
    for step in range(EPOCHS + 1):
        for number in list(ledger.running):
            ending = ledger.report(number, measure(all_curves[number], step), last=step == EPOCHS)
            if ending is None and step == EPOCHS:
                ending = Ending(Cause.FINISHED, "finished")
            if ending is not None:
                ledger.tell(number, ending)
        if reopen:
            ledger = reopen()
            for number in ledger.interrupted():
                ledger.again(number)
    return ledger


SEVERAL = {"further_objectives": [COST], "floors": {"val/f1": 0.3}}


@pytest.mark.parametrize("sections", [{}, SEVERAL], ids=["one", "several"])
@pytest.mark.parametrize("name", PRUNERS)
def test_a_driver_that_dies_after_each_epoch_decides_as_one_that_lives(name, sections):
    all_curves = curves(5, seed=1)
    spec = toy_spec(trials=5, pruner=PRUNERS[name], **sections)

    def known(ledger):
        return [(r.state, r.decisions, r.ending, r.values, r.violated) for r in ledger.records()]

    straight = known(drive(open_ledger(spec), all_curves))
    study = in_memory(spec)
    drive(open_ledger(spec, study), all_curves, reopen=lambda: open_ledger(spec, study))
    assert known(open_ledger(spec, study)) == straight


@pytest.mark.parametrize("name", PRUNERS)
def test_several_objectives_prune_by_the_first_as_it_would_alone(name):
    all_curves = curves(16, seed=6)
    ends = []
    for sections in ({}, {"further_objectives": [COST]}):
        spec = toy_spec(trials=16, pruner=PRUNERS[name], **sections)
        ledger = open_ledger(spec)
        records = [run(ledger, values, cost=[1 - v for v in values]) for values in all_curves]
        ends.append([(r.state, r.epochs, r.decisions) for r in records])
    assert ends[0] == ends[1]


def test_a_pruned_trial_of_several_objectives_has_no_values_for_the_sampler():
    ledger = open_ledger(toy_spec(trials=9, pruner=ASHA, further_objectives=[COST]))
    whole = run(ledger, [0.0, 0.5, 0.9, 0.8], cost=[1.0, 0.9, 0.3, 0.1])
    cut = run(ledger, [0.0, 0.1, 0.2, 0.3], cost=[1.0, 0.0, 0.0, 0.0])
    assert whole.values == {"val/score": 0.9, "val/cost": 0.3}, "of the epoch whose checkpoint is kept"
    assert cut.state is TrialState.PRUNED
    told = [(trial.state.name, trial.values) for trial in ledger.study.trials]
    assert told == [("COMPLETE", [0.9, 0.3]), ("PRUNED", None)]
    assert [trial.number for trial in ledger.study.best_trials] == [0]


# --- floors


@pytest.mark.parametrize("sections", [{}, {"further_objectives": [COST]}], ids=["one", "several"])
def test_a_trial_below_a_floor_is_ended_where_the_pruner_looks(sections):
    spec = toy_spec(trials=9, pruner={**ASHA, "min_epochs": 2}, floors={"val/f1": 0.3}, **sections)
    ledger = open_ledger(spec)
    fine = [0.9] * (EPOCHS + 1)
    record = run(ledger, fine, f1=[0.0, 0.1, 0.2, 0.9, 0.9, 0.9, 0.9], cost=fine)
    assert (record.state, record.epochs) == (TrialState.PRUNED, 2)
    assert record.ending.reason == "below floor val/f1"
    assert record.ending.detail["floor"] == "val/f1"
    assert (record.ending.detail["value"], record.ending.detail["cutoff"]) == (0.2, 0.3)
    kept = run(ledger, [0.1] * (EPOCHS + 1), f1=[0.0, 0.3, 0.1, 0.1, 0.1, 0.1, 0.1], cost=fine)
    assert kept.state is TrialState.COMPLETE, "it was at the floor once, and one that misses it is no rival"
    assert kept.violated == {}, "at its best epoch"
    constraints = [trial.constraints for trial in ledger.study.trials]
    assert [dict(c) for c in constraints] == [{"floor:val/f1": pytest.approx(0.2)}, {"floor:val/f1": 0.0}]


def test_a_floor_that_is_missed_at_the_best_epoch_makes_a_full_trial_infeasible():
    ledger = open_ledger(toy_spec(trials=9, floors={"val/f1": 0.3}))
    record = run(ledger, [0.0, 0.5, 0.9, 0.8], f1=[0.0, 0.4, 0.2, 0.5])
    assert record.state is TrialState.COMPLETE
    assert record.violated == {"val/f1": pytest.approx(0.1)}
    assert run(ledger, [0.0, 0.5, 0.7, 0.8], f1=[0.0, 0.4, 0.2, 0.5]).violated == {}
    assert ledger.study.best_trial.number == 1


# --- seeds


@pytest.mark.parametrize("name", ["asha", "median", "wilcoxon"])
def test_a_trial_within_its_own_standard_error_of_the_cutoff_is_spared(name):
    spec = toy_spec(trials=40, pruner=PRUNERS[name])

    def last(error):
        ledger = open_ledger(spec)
        for _ in range(4):
            run(ledger, [0.0, *[0.5] * EPOCHS])
        return run(ledger, [0.0, *[0.4] * EPOCHS], **{"score/standard_error": [error] * (EPOCHS + 1)})

    assert last(0.09).state is TrialState.PRUNED
    spared = last(0.11)
    assert spared.state is TrialState.COMPLETE
    assert {d["spared"] for d in spared.decisions if "spared" in d} == {"standard_error"}
    assert all(d["standard_error"] == 0.11 and not d["pruned"] for d in spared.decisions)


# --- whole sweeps


@pytest.mark.parametrize("name", PRUNERS)
def test_a_real_sweep_with_each_pruner(desk, name):
    spec = toy_spec(trials=8, pruner=PRUNERS[name], config={"epochs": EPOCHS})
    assert desk.run(spec).state is SweepState.COMPLETE
    records = desk.records()
    assert {r.state for r in records} <= {TrialState.COMPLETE, TrialState.PRUNED}
    assert any(r.state is TrialState.PRUNED for r in records) == (name != "none")
    best = max(records, key=lambda r: r.value)
    assert best.state is TrialState.COMPLETE


SAMPLERS = ["tpe", "random", "qmc", "grid", "cmaes", "nsga2", "brute_force", pytest.param("gp", marks=pytest.mark.slow)]


@pytest.mark.parametrize("sampler", SAMPLERS)
def test_a_real_sweep_with_each_sampler(desk, sampler):
    startup = {"startup_trials": 3} if sampler in ("tpe", "gp", "cmaes") else {}
    population = {"population": 4} if sampler == "nsga2" else {}
    spec = toy_spec(trials=6, pruner=ASHA, sampler={"type": sampler, **startup, **population}, **TRADE_OFFS)
    assert desk.run(spec).state is SweepState.COMPLETE
    states = [r.state for r in desk.records()]
    assert TrialState.PRUNED in states
    assert TrialState.COMPLETE in states


@pytest.mark.parametrize(
    "sampler", ["tpe", "random", "qmc", "grid", "nsga2", "nsga3", pytest.param("gp", marks=pytest.mark.slow)]
)
def test_a_real_sweep_with_two_objectives_and_a_floor(desk, sampler):
    startup = {"startup_trials": 3} if sampler in ("tpe", "gp") else {}
    population = {"population": 4} if sampler.startswith("nsga") else {}
    spec = toy_spec(
        trials=8,
        pruner=ASHA,
        sampler={"type": sampler, **startup, **population},
        further_objectives=[COST],
        floors={"val/f1": 0.1},
        **TRADE_OFFS,
    )
    assert desk.run(spec).state is SweepState.COMPLETE
    records = desk.records()
    assert len(records) == 8
    for record in records:
        x, below = record.params["x"], record.ending.reason == "below floor val/f1"
        # f1 is (1 - x) / 2 at the first rung, and 15/16 of 1 - x at the end.
        assert below == ((1 - x) / 2 < 0.1)
        assert below <= bool(record.violated)
        if record.state is TrialState.COMPLETE:
            assert record.values == {"val/score": pytest.approx(15 / 16 * x), "val/cost": pytest.approx(15 / 16 * x**2)}
