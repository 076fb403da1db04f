"""The table of rules."""

import pytest

from orchestrator.errors import UsageError
from orchestrator.sweeps.lint.table import RULES, find_rule


def test_ids_are_in_order_and_names_are_told_apart():
    assert list(RULES) == sorted(RULES)
    assert len({rule.name for rule in RULES.values()}) == len(RULES)


@pytest.mark.parametrize("wanted", ["ORC101", "orc101", "wide-range-not-log", "Wide-Range-Not-Log"])
def test_a_rule_is_found_by_its_id_or_its_name(wanted):
    assert find_rule(wanted).id == "ORC101"


@pytest.mark.parametrize(
    ("wanted", "hint"),
    [
        ("ORC1655", "did you mean 'ORC165'"),
        ("wide-range", "did you mean 'wide-range-not-log'"),
        ("?", "`orch lint --rules`"),
    ],
)
def test_an_unknown_rule_gets_a_near_one(wanted, hint):
    with pytest.raises(UsageError, match="there is no rule") as caught:
        find_rule(wanted)
    assert hint in str(caught.value)
