"""Keys by role, in every whole config, and where the file says so."""

from orchestrator.sweeps.lint.meaning import by_key, place, role_keys, uses, value_of
from tests.support.questions import own, shipped
from trainables.roles import AntMargin, Margin, Temperature


def test_a_key_has_a_role_only_where_it_is_read():
    question = shipped("identification")
    temperatures = uses(question, Temperature)

    assert role_keys(question, Temperature) == ["temperature.start"]
    assert role_keys(question, Margin) == ["margin.start"]
    assert 0 < len(temperatures) < len(question.configs)
    assert all(use.whole.params["loss"] == "supcon" for use in temperatures)


def test_numbers_come_in_order():
    (found,) = by_key(uses(shipped("multitask"), Temperature)).values()

    assert [found[0].number, found[-1].number] == [0.07, 0.15]
    assert [use.number for use in found] == sorted(use.number for use in found)


def test_what_holds_several_values_has_no_number():
    found = uses(shipped("incremental"), AntMargin)

    assert {use.key for use in found} == {"margin"}
    assert by_key(found) == {}


def test_values_by_dotted_key():
    config = own({"rate": (1e-4, 1e-2)}).configs[0].config

    assert value_of(config, "family") == "nt_xent"
    assert value_of(config, "tau") == 0.02
    assert value_of(config, "no.such.key") is None


def test_places():
    question = own({"tau": (0.01, 0.1), "k": [4, 8]})

    assert place(question, "tau") == ("space", "tau")
    assert place(question, "tau", 0.01) == ("space", "tau", "low")
    assert place(question, "tau", 0.1) == ("space", "tau", "high")
    assert place(question, "tau", 0.05) == ("space", "tau")
    assert place(question, "k", 8) == ("space", "k", "choices", 1)
    assert place(question, "rate", 1e-3) == ("config", "rate")
    assert place(shipped("incremental"), "margin") == ("space", "margin.start")
