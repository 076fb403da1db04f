"""Findings while a sweep runs: said once a trial, counted, tagged, taken up by the next driver, and never stored."""

import math
import time
from dataclasses import replace

import pytest

from orchestrator.execution.doctor import Doctor, evidence_text, findings_of, history_of
from orchestrator.study import SweepRecord
from orchestrator.tracking.operations import SetTags
from orchestrator.trial import Cause, Ending, Measurement, TrialRecord, TrialState
from tests.support.specs import modes, toy_spec
from tests.support.toys import Mode
from trainables.tasks.multitask.config import METRICS

SICK = "point_collapse"
SWEEP = SweepRecord("toy-1", "id-1", toy_spec(config={"epochs": 9}), created_ms=0, fixed={"epochs": 9, "kind": "a"})


def measurement(step, length=0.999):
    return Measurement(step, {"val/score": 0.1 * step, "val/resultant_length": length}, train_s=0.0, at_ms=0)


def curve(*lengths):
    return [measurement(step, length) for step, length in enumerate(lengths)]


def trial(number, measurements, state=TrialState.RUNNING):
    return TrialRecord(number, state, {"x": 0.5}, tuple(measurements))


class Ear:
    """A tracker that keeps tags and a listener that keeps texts."""

    def __init__(self):
        self.tags = {}
        self.calls = 0
        self.said = []

    def tag(self, number, tags):
        self.calls += 1
        self.tags.setdefault(number, {}).update(tags)

    def hear(self, event):
        assert event.kind == "found"
        self.said.append(event.text)


@pytest.fixture
def ear():
    return Ear()


@pytest.fixture
def doctor(ear):
    return Doctor(SWEEP, ear, listener=ear.hear)


def watch(doctor, number, measurements):
    for length in range(1, len(measurements) + 1):
        doctor.examine(number, {"x": 0.5}, measurements[:length])


def test_a_history_has_the_whole_config_and_the_objective():
    history = history_of(SWEEP, {"x": 0.5, "sizes.width": 8}, curve(0.1), unread=["kind"])

    assert history.config == {"epochs": 9, "kind": "a", "x": 0.5, "sizes.width": 8}
    assert (history.objective, history.maximize, history.unread) == ("val/score", True, ["kind"])
    assert [(m.step, m.metrics["val/resultant_length"]) for m in history.measurements] == [(0, 0.1)]


def test_findings_come_from_the_record_alone():
    assert [f.check for f in findings_of(SWEEP, trial(0, curve(0.1, 0.999, 0.999, 0.999)))] == [SICK]
    assert findings_of(SWEEP, trial(0, curve(0.1, 0.2, 0.2, 0.2))) == ()
    assert findings_of(SWEEP, trial(0, [])) == ()


@pytest.mark.parametrize(
    ("detail", "check", "evidence"),
    [
        (
            {"rule": "collapse", "metric": "val/resultant_length", "step": 2, "value": 0.99, "threshold": 0.98},
            "point_collapse",
            {"val/resultant_length": 0.99, "threshold": 0.98},
        ),
        (
            {"rule": "collapse", "metric": "val/effective_rank", "step": 2, "value": 1.1, "threshold": 1.5},
            "dimensional_collapse",
            {"val/effective_rank": 1.1, "threshold": 1.5},
        ),
        (
            {"rule": "below_untrained", "metric": "val/score", "step": 3, "best": 0.1, "threshold": 0.2},
            "worse_than_untrained",
            {"best": 0.1, "threshold": 0.2},
        ),
    ],
)
def test_what_made_a_rule_stop_a_trial_is_a_finding_although_the_checks_saw_too_little(detail, check, evidence):
    record = replace(trial(0, curve(0.1, 0.2)), ending=Ending(Cause.SICK, detail["rule"], detail))
    (finding,) = findings_of(SWEEP, record)
    assert (finding.check, finding.severity, finding.step) == (check, "ill", detail["step"])
    assert finding.evidence == evidence


def test_what_the_checks_found_is_not_said_twice_because_a_rule_saw_it_too():
    detail = {"rule": "collapse", "metric": "val/resultant_length", "step": 3, "value": 0.999, "threshold": 0.98}
    record = replace(trial(0, curve(0.1, 0.999, 0.999, 0.999)), ending=Ending(Cause.SICK, "collapse", detail))
    assert [finding.check for finding in findings_of(SWEEP, record)] == [SICK]


def test_a_finding_is_said_once_a_trial_with_its_meaning_only_once_a_sweep(doctor, ear):
    sick = curve(0.1, 0.999, 0.999, 0.999, 0.999, 0.999)
    watch(doctor, 0, sick)
    watch(doctor, 3, sick)
    watch(doctor, 4, curve(0.1, 0.2, 0.2, 0.2))
    watch(doctor, 5, sick)

    assert ear.said[0].startswith(f"trial 0 epoch 3 {SICK} (ill): val/resultant_length 0.999, untrained 0.1. All embed")
    assert ear.said[1:] == [
        f"trial 3 epoch 3 {SICK} (2 trials so far)",
        f"trial 5 epoch 3 {SICK} (3 trials so far)",
    ]
    assert doctor.counts == {SICK: 3}


def test_tags_say_what_holds_now_and_are_written_only_when_that_changes(doctor, ear):
    lengths = [0.1, 0.999, 0.999, 0.999, 0.999, 0.999]
    watch(doctor, 0, curve(*lengths))
    assert ear.calls == 2
    assert ear.tags[0] == {
        "orch.findings": SICK,
        f"orch.finding.{SICK}": "ill: val/resultant_length 0.999, untrained 0.1",
    }
    assert ear.tags[None] == {"orch.findings": SICK, f"orch.num_finding.{SICK}": "1"}

    doctor.examine(0, {"x": 0.5}, curve(*lengths, 0.2))
    assert ear.tags[0] == {"orch.findings": "", f"orch.finding.{SICK}": "gone at epoch 6"}
    assert ear.tags[None] == {"orch.findings": "", f"orch.num_finding.{SICK}": "0"}
    assert doctor.counts == {}


def test_the_last_word_is_tagged_when_a_trial_ends(doctor, ear):
    sick = curve(0.1, 0.999, 0.999, 0.999)
    watch(doctor, 0, sick)
    doctor.see_off(trial(0, [*sick, measurement(4, 0.9999)], TrialState.COMPLETE))
    assert ear.tags[0][f"orch.finding.{SICK}"] == "ill: val/resultant_length 0.9999, untrained 0.1"

    doctor.see_off(trial(1, curve(0.1, 0.2), TrialState.COMPLETE))
    assert 1 not in ear.tags, "a healthy trial has nothing to say"
    doctor.see_off(trial(2, [], TrialState.FAILED))
    assert len(ear.said) == 1


def test_a_new_driver_takes_up_what_the_last_one_said(doctor, ear):
    sick = curve(0.1, 0.999, 0.999, 0.999)
    doctor.recall([trial(0, sick, TrialState.COMPLETE), trial(1, sick), trial(2, [])])
    assert (ear.said, ear.calls, doctor.counts) == ([], 0, {SICK: 2})

    doctor.examine(1, {"x": 0.5}, [*sick, measurement(4)])
    assert ear.said == []
    watch(doctor, 2, sick)
    watch(doctor, 3, sick)
    assert ear.said[0].startswith(f"trial 2 epoch 3 {SICK} (ill)"), "this driver's terminal has not explained it yet"
    assert ear.said[1:] == [f"trial 3 epoch 3 {SICK} (4 trials so far)"]


def overfitting(*scores):
    """A val loss that rises while the train loss falls; a note for as long as the objective holds."""
    train, val = (0.9, 0.5, 0.3, 0.2, 0.1, 0.05), (0.9, 0.5, 0.6, 0.7, 0.8, 0.9)
    return [
        Measurement(
            step, {"train/x_loss": t, "val/x_loss": v, "val/score": s, "val/num_queries": 1000.0}, train_s=0.0, at_ms=0
        )
        for step, (t, v, s) in enumerate(zip(train, val, scores, strict=True), start=1)
    ]


def test_a_note_is_counted_and_tagged_and_said_only_when_it_becomes_a_warning(doctor, ear):
    doctor.examine(0, {"x": 0.5}, overfitting(0.1, 0.2, 0.6, 0.6, 0.6, 0.6))
    assert (ear.said, doctor.counts) == ([], {"overfitting": 1})
    assert ear.tags[0]["orch.finding.overfitting"].startswith("note: val/x_loss")

    doctor.examine(0, {"x": 0.5}, overfitting(0.1, 0.9, 0.8, 0.7, 0.3, 0.1))
    assert ear.said[0].startswith("trial 0 epoch 6 overfitting (warning)")
    assert ear.tags[0]["orch.finding.overfitting"].startswith("warning")


def test_an_odd_curve_does_not_end_a_sweep(doctor):
    odd = [math.nan, math.inf, -math.inf, 1e308, -1e308, 0.0]
    watch(doctor, 0, curve(*odd, *odd))


def test_evidence_is_one_line():
    (finding,) = findings_of(SWEEP, trial(0, curve(0.1, 0.999, 0.999, 0.99912345)))

    assert evidence_text(finding) == "val/resultant_length 0.9991, untrained 0.1"


def test_a_look_costs_no_more_than_reading_every_value_a_few_times(doctor):
    """100 epochs of 90 metrics: about 3 ms where reading each of them once takes .6; in the processor's time."""
    history = [Measurement(s, {name: 0.5 + 0.001 * s for name in METRICS}, 0.0, 0) for s in range(100)]

    def read_all():
        return [[m.metrics[name] for m in history if name in m.metrics] for name in METRICS]

    def took_s(act):
        began_s = time.process_time()
        act()
        return time.process_time() - began_s

    looks, reads = zip(
        *((took_s(lambda: doctor.examine(0, {"x": 0.5}, history)), took_s(read_all)) for _ in range(10)), strict=True
    )
    assert min(looks) < 15 * min(reads)


def test_a_running_sweep_says_tags_and_counts(desk):
    said, counts = [], []

    def listen(control, event):
        if event.kind == "found":
            said.append(event.text)
        counts.append(control.progress().findings)

    desk.run(toy_spec(**modes(Mode.SICK, Mode.LEARN, at=1)), listener=listen)
    (sick,) = [r for r in desk.records() if r.params["mode"] == Mode.SICK]
    tags = {}
    for operation in desk.said():
        if isinstance(operation, SetTags):
            tags.setdefault(operation.number, {}).update(operation.tags)

    assert len(said) == 1
    assert said[0].startswith(f"trial {sick.number} epoch 3 {SICK} (ill)")
    assert counts[-1] == {SICK: 1}
    assert tags[sick.number][f"orch.finding.{SICK}"] == "ill: val/resultant_length 0.999"
    assert tags[None][f"orch.num_finding.{SICK}"] == "1"
    assert not any("finding" in key for key in desk.reopen().study.user_attrs)
