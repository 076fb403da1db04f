"""What a constraint yields for given values."""

import pytest

from orchestrator.space import parse_expression


@pytest.mark.parametrize(
    ("text", "holds"),
    [
        ("kind == 'linear'", True),
        ('kind != "linear"', False),
        ("use == true", True),
        ("use", True),
        ("not use", False),
        ("use == 1", False),
        ("1 == 1.0", True),
        ("n / 0 > 1", False),
        ("not n / 0 > 1", False),
        ("kind + 1 > 0", False),
        ("n\n  > 1", True),
        ("1 < n < 3 < 4", True),
        ("1 < n < 2", False),
    ],
)
def test_evaluation(text, holds):
    assert parse_expression(text).holds({"kind": "linear", "use": True, "n": 2}) is holds
