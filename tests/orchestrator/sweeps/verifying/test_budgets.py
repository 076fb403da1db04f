"""Budgets that were exceeded by more than an epoch of each trial."""

import pytest

from orchestrator.sweeps.verifying.report import CheckId, Health


def set_budget(patient, text):
    with patient.ledger() as db:
        db.execute(
            """UPDATE study_user_attributes SET value_json = replace(value_json, '"budget": {', '"budget": {' || ?)""",
            (f"{text}, ",),
        )


@pytest.mark.parametrize(("text", "held"), [('"epochs": 100', True), ('"epochs": 17', True), ('"epochs": 5', False)])
def test_epochs(patient, text, held):
    set_budget(patient, text)

    violations = patient.violations(CheckId.BUDGETS)

    assert (violations == []) is held
    assert held or violations[0].seen > 6


def test_gpu_hours(patient):
    set_budget(patient, '"gpu_hours": 1e-12')

    (violation,) = patient.violations(CheckId.BUDGETS)

    assert "GPU-hours" in violation.what


def test_wall_hours(patient):
    set_budget(patient, '"wall_hours": 0.001')
    assert patient.violations(CheckId.BUDGETS) == []
    with patient.ledger() as db:
        db.execute("""UPDATE study_user_attributes SET value_json = json_set(value_json, '$.wall_s', 500)
            WHERE key = 'orch:progress'""")

    (violation,) = patient.violations(CheckId.BUDGETS)

    assert violation.seen == pytest.approx(500 / 3600)


def test_a_file_without_such_budgets(patient):
    assert patient.verify().outcomes[CheckId.BUDGETS].health is Health.NOT_APPLICABLE
