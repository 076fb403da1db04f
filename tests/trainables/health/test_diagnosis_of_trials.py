"""The doctor as a whole: it reads anything, says nothing without cause, and explains every check."""

import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trainables.contract import Measurement
from trainables.health import CHECKS, History, Severity, diagnose, explain
from trainables.registry import TRAINABLES, load_info

NAMES = sorted({name for trainable in TRAINABLES for name in load_info(trainable).metrics})
VALUES = st.floats(allow_nan=True, allow_infinity=True) | st.sampled_from([0.0, 1.0, -1.0, 0.5, 1e300, -1e300])


@st.composite
def histories(draw):
    names = [*draw(st.lists(st.sampled_from(NAMES), max_size=12, unique=True)), "speed"]
    steps = draw(st.lists(st.integers(0, 9), max_size=8, unique=True).map(sorted))
    measurements = [Measurement(s, draw(st.dictionaries(st.sampled_from(names), VALUES))) for s in steps]
    objective = draw(st.none() | st.sampled_from(names))
    unread = draw(st.lists(st.sampled_from(["siglip.scale"]), max_size=1))
    config = draw(st.dictionaries(st.sampled_from(["temperature.start", "epochs"]), VALUES | st.text(max_size=3)))
    return History(tuple(measurements), config=config, objective=objective, unread=tuple(unread))


@given(histories())
@settings(max_examples=300, deadline=None)
def test_any_history_is_read_without_an_error(history):
    findings = diagnose(history)
    order = [list(Severity).index(finding.severity) for finding in findings]
    assert order == sorted(order, reverse=True)
    assert all(finding.check in CHECKS and finding.meaning and finding.cure for finding in findings)


def test_nothing_measured_is_no_finding():
    assert diagnose(History(())) == ()
    assert diagnose(History((Measurement(0, {}),))) == ()


def test_metrics_of_an_unknown_trainable_are_no_finding():
    grown = tuple(Measurement(step, {"speed": float(step), "val/charm": 0.1}) for step in range(9))
    assert diagnose(History(grown, objective="val/charm")) == ()


@pytest.mark.parametrize("name", sorted(CHECKS))
def test_a_check_is_explained_and_speaks_of_what_it_reads(name):
    text = explain(name)
    assert text.startswith(name)
    assert CHECKS[name].meaning in text and CHECKS[name].found_by in text and CHECKS[name].cure in text
    assert not any("\n" in part for part in (CHECKS[name].meaning, CHECKS[name].found_by, CHECKS[name].cure))


def test_an_unknown_check_is_not_explained():
    with pytest.raises(KeyError):
        explain("bad_luck")


def test_findings_come_most_severe_first():
    measurements = tuple(
        Measurement(step, {"val/resultant_length": 0.999, "train/temperature": 10.0}) for step in range(5)
    )
    severities = [finding.severity for finding in diagnose(History(measurements, unread=("siglip.scale",)))]
    assert severities[0] is Severity.ILL
    assert all(list(Severity).index(a) >= list(Severity).index(b) for a, b in itertools.pairwise(severities))
