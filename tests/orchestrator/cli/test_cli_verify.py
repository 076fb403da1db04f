"""`orch verify`."""

import sqlite3


def damage(folder):
    with sqlite3.connect(folder / ".orch" / "ledger.db") as db:
        db.execute("UPDATE trial_values SET value = 0.5")


def test_a_sound_sweep(finished, orch):
    answer = orch("verify", "toy-1")

    assert answer.code == 0
    assert answer.out.splitlines()[0] == "sweep toy-1 is COMPLETE"
    assert answer.out.splitlines()[-1] == "toy-1 is sound"
    assert "broken" not in answer.out


def test_a_broken_one(finished_copy, orch):
    damage(finished_copy)

    answer = orch("verify", "toy-1", "--no-replay")

    assert answer.code == 6
    assert "broken         values.objective" in answer.out
    assert "trial 0: Optuna's value is not the best measurement; seen [0.5]; expected [" in answer.out
    assert answer.out.splitlines()[-1] == "toy-1 is broken: 3 violations"


def test_as_json(finished_copy, orch):
    damage(finished_copy)

    answer = orch("verify", "toy-1", "--json")

    assert (answer.code, answer.json["sound"]) == (6, False)
    assert {check["check"] for check in answer.json["checks"]} >= {"trials.numbers", "values.objective"}


def test_of_no_sweep(finished, orch):
    assert orch("verify", "nobody").code == 2


def test_repair_says_what_it_would_do_and_does_it(finished_copy, orch):
    (sweep,) = (finished_copy / ".orch" / "sweeps").iterdir()
    (sweep / "tune").mkdir()
    uri = f"sqlite:///{finished_copy}/.orch/mlflow.db"

    dry = orch("repair", "toy-1", "--dry-run", "--tracking-uri", uri)
    done = orch("repair", "toy-1", "--tracking-uri", uri)
    again = orch("repair", "toy-1", "--json", "--tracking-uri", uri)

    assert (dry.code, dry.out.splitlines()[0]) == (6, f"would remove {sweep / 'tune'}")
    assert "toy-1 is broken: 1 violation; orch repair toy-1 mends what it can" in dry.out
    assert (done.code, done.out.splitlines()[0]) == (0, f"remove {sweep / 'tune'}")
    assert (again.code, again.json["done"], again.json["sound"]) == (0, [], True)
