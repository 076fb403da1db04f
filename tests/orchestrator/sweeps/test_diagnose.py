"""The course of every metric with its references, of a trial and of a CSV."""

import json

import pytest

from orchestrator.study import SweepRecord
from orchestrator.sweeps.diagnose import diagnose_csv, diagnose_history, diagnose_trial
from orchestrator.trial import Measurement, TrialRecord, TrialState
from tests.support.specs import toy_spec
from trainables import contract
from trainables.health import History

NOTE_001 = """\
epoch,strategy,train_loss,active_neg%,intra,inter,ratio,val_ch,val_db,rank1
1,random,0.60,61.2,0.068,0.842,12.4,4.10,6.40,0.885
2,random,0.41,48.0,0.051,0.861,16.9,5.20,6.60,0.871
3,random,0.33,35.5,0.044,0.872,19.8,5.90,6.80,0.842
4,semi-hard,0.30,30.1,0.031,0.893,28.8,6.10,6.90,0.801
5,semi-hard,0.24,26.0,0.024,0.921,38.4,6.40,7.10,0.775
6,hard,0.19,22.2,0.018,0.951,52.8,6.75,7.20,0.742
7,hard,0.173,20.3,0.012,0.974,81.2,5.59,7.33,0.720
"""


def history(objective=None, **curves):
    names = {name.replace("__", "/"): values for name, values in curves.items()}
    length = max(map(len, names.values()))
    measured = [
        contract.Measurement(step, {name: v[step] for name, v in names.items() if step < len(v)})
        for step in range(length)
    ]
    return History(measured, objective=objective, maximize=False)


def by_name(diagnosis):
    return {course.metric: course for course in diagnosis.trends}


def test_a_metric_stands_beside_its_references_which_have_no_line_of_their_own():
    found = diagnose_history(
        history(
            val__recall_at_1=[0.05, 0.1, 0.2, 0.3],
            val__chance_recall_at_1=[0.05, 0.05, 0.05, 0.05],
            val__contrastive_loss=[3.0, 2.5, 2.0, 1.5],
            val__contrastive_chance=[3.0],
            val__contrastive_floor=[0.1, 0.1, 0.1, 0.1],
        ),
        title="run",
    )
    courses = by_name(found)

    assert set(courses) == {"val/recall_at_1", "val/contrastive_loss"}
    assert courses["val/recall_at_1"].references == {"chance": 0.05}
    assert courses["val/contrastive_loss"].references == {"chance": 3.0, "floor": 0.1}
    assert [courses[name].verdict for name in courses] == ["good", "good"]
    assert found.num_epochs == 4


def test_the_objective_comes_first_and_has_the_sweeps_direction():
    found = diagnose_history(
        history("odd", odd=[3.0, 2.0, 1.5, 1.0], val__recall_at_1=[0.1, 0.2, 0.3, 0.4], train__lr=[4.0, 3.0, 2.0, 1.0]),
        title="run",
    )

    assert [course.metric for course in found.trends] == ["odd", "val/recall_at_1", "train/lr"]
    assert [course.verdict for course in found.trends] == ["good", "good", "none"]
    assert found.trends[0].best == (3, 1.0)


def test_what_never_changes_and_has_no_direction_is_named_once():
    found = diagnose_history(history(val__num_queries=[80.0, 80.0], train__lr=[1.0], val__r2=[0.1, 0.1]), title="run")

    assert found.constants == {"val/num_queries": 80.0, "train/lr": 1.0}
    assert set(by_name(found)) == {"val/r2"}


def test_a_trial_of_the_ledger():
    sweep = SweepRecord("toy-1", "id-1", toy_spec(), created_ms=0)
    measured = [
        Measurement(s, {"val/score": 0.1 * s, "val/resultant_length": 0.999 if s else 0.1}, 0.0, 0) for s in range(5)
    ]
    found = diagnose_trial(sweep, TrialRecord(3, TrialState.COMPLETE, {"x": 0.1}, measured))

    assert (found.title, found.objective, found.num_epochs) == ("toy-1 trial 3", "val/score", 5)
    assert [since.finding.check for since in found.findings] == ["point_collapse"]
    assert by_name(found)["val/resultant_length"].why == "worse than untrained"


def test_the_table_of_note_001_is_seen_through(tmp_path):
    path = tmp_path / "history.csv"
    path.write_text(NOTE_001)
    found = diagnose_csv(path)
    courses = by_name(found)

    assert "ranking_falls" in [since.finding.check for since in found.findings]
    assert (courses["val/rank_at_1"].verdict, courses["val/rank_at_1"].why) == ("bad", "worse since epoch 1")
    assert courses["train/intra_distance"].verdict == "none", "the loss's own pairs prove nothing"
    assert (courses["train/loss"].movement, courses["train/loss"].verdict) == ("falling", "good")
    assert found.notes[0].startswith("read as: train_loss is train/loss, ")
    assert "left out: strategy (text)" in found.notes


def test_json_is_plain(tmp_path):
    path = tmp_path / "history.csv"
    path.write_text(NOTE_001)
    document = json.loads(json.dumps(diagnose_csv(path).to_json()))
    rank = next(metric for metric in document["metrics"] if metric["metric"] == "val/rank_at_1")

    assert set(document) == {"run", "objective", "num_epochs", "metrics", "constants", "findings", "notes"}
    assert rank["first"] == {"step": 1, "value": 0.885}
    assert (rank["movement"], rank["verdict"]) == ("falling", "bad")
    assert rank["slope"] == pytest.approx(-0.029, abs=0.002)
    assert document["findings"][0]["cure"]
