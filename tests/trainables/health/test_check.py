"""A check is its function's name, its words, and what its function saw."""

from trainables.health import Finding, History, Severity
from trainables.health.check import Sign, check


@check(meaning="It hums.", found_by="Listening.", cure="Oil it.")
def humming(history):
    return Sign(Severity.NOTE, 3, {"hum": 1.0}, detail="The left wheel.") if history.unread else None


def test_a_check_gives_a_finding_with_its_words_and_what_it_saw():
    assert humming(History((), unread=("x",))) == Finding(
        "humming", Severity.NOTE, 3, {"hum": 1.0}, "The left wheel. It hums.", "Oil it."
    )


def test_a_check_that_saw_nothing_gives_none():
    assert humming(History(())) is None
