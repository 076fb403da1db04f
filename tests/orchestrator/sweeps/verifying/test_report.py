"""What a verification says."""

from orchestrator.errors import ExitCode
from orchestrator.sweeps.verifying.report import CheckId, Health, Outcome, Verification, Violation, not_applicable


def test_health_and_exit_code_follow_from_the_violations():
    sound = Verification("s", "id", "COMPLETE", {CheckId.STEPS: Outcome(), CheckId.BUDGETS: not_applicable("none")})
    broken = Verification("s", "id", "COMPLETE", {CheckId.STEPS: Outcome([Violation("it is gone", 3)])})

    assert [outcome.health for outcome in sound.outcomes.values()] == [Health.OK, Health.NOT_APPLICABLE]
    assert (sound.is_sound, sound.exit_code) == (True, ExitCode.DONE)
    assert (broken.broken, broken.exit_code) == ([CheckId.STEPS], ExitCode.INTEGRITY)


def test_the_json_has_every_check_and_every_violation():
    outcome = Outcome([Violation("it is gone", 3, seen=1.5, expected=[2.5], repairable=True)], note="of 4")
    written = Verification("s", "id", "PAUSED", {CheckId.STEPS: outcome}).to_json()

    assert written["sound"] is False
    (check,) = written["checks"]
    assert (check["check"], check["health"], check["note"]) == ("values.steps", "broken", "of 4")
    assert check["violations"] == [
        {"trial": 3, "what": "it is gone", "seen": 1.5, "expected": [2.5], "repairable": True, "advice": ""}
    ]
