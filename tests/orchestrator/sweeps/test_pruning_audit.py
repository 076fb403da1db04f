"""Pruned trials of a real sweep are finished, and the sweep stays as it was."""

import pytest

from orchestrator.errors import UsageError
from orchestrator.sweeps.paths import Home
from orchestrator.sweeps.pruning_audit import audit_sweep, finished_curves
from orchestrator.trial import TrialState
from tests.support.specs import toy_spec

ASHA = {"type": "asha", "min_epochs": 1, "reduction_factor": 2}


def test_a_sample_is_trained_to_its_end_with_what_it_had(desk, tmp_path):
    desk.run(toy_spec(trials=10, pruner=ASHA))
    before = desk.records()
    pruned = {r.number: r for r in before if r.state is TrialState.PRUNED}

    curves = finished_curves(desk.reopen(), sample=3, seed=0, directory=tmp_path)
    finished = {c.number: c for c in curves if c.stopped_at is not None}

    assert len(finished) == 3
    assert finished.keys() <= pruned.keys()
    for number, curve in finished.items():
        seen = {m.step: m.metrics["val/score"] for m in pruned[number].measurements if m.step > 0}
        assert curve.epochs == 4
        assert {step: curve.values[step] for step in seen} == seen
        assert curve.stopped_at == pruned[number].epochs
    assert {c.number for c in curves} - finished.keys() == {r.number for r in before if r.state is TrialState.COMPLETE}
    assert desk.records() == before


def test_a_sweep_is_audited_by_its_name(desk, tmp_path):
    desk.run(toy_spec(trials=8, pruner=ASHA))
    home = Home(tmp_path / "home", ledger=desk.url)

    audit = audit_sweep(home, "toy-1", sample=100, seed=0, directory=tmp_path)

    pruned = sum(record.state is TrialState.PRUNED for record in desk.records())
    assert audit.killed.of == pruned
    assert 0 < audit.epochs_saved < 1


def test_without_a_pruned_trial_there_is_nothing_to_finish(desk, tmp_path):
    desk.run(toy_spec(trials=2))

    with pytest.raises(UsageError, match="the pruner of toy-1 stopped no trial"):
        finished_curves(desk.reopen(), sample=3, seed=0, directory=tmp_path)
