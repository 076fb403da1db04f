"""`orch sweep` and `orch resume` in this process, on the toy and the local runner, with an MLflow that is down."""

import os
import shlex
import sqlite3
import time

import pytest

from orchestrator.sweeps.paths import Home
from orchestrator.trial import Bucket
from tests.orchestrator.cli.conftest import NOWHERE, listing
from tests.support.home import driven

KEYS = {"sweep", "state", "counts", "best", "wall_s", "train_s", "tracking_uri", "parent_run_id", "trials"}
TRIAL_KEYS = {"number", "state", "reason", "value", "params", "epochs", "run_id"}
ENDS_EARLY = ("--set", "budget.wall_hours=1e-5", "--set", "config.epoch_s=0.2")


def test_a_whole_sweep_prints_one_json_document_and_its_progress_beside_it(finished):
    import json

    document = json.loads(finished.out)

    assert document.keys() >= KEYS
    assert (document["sweep"], document["state"]) == ("toy-1", "COMPLETE")
    assert document["counts"] == dict.fromkeys(Bucket, 0) | {"complete": 3} | dict.fromkeys(
        document["counts"].keys() - set(Bucket), 0
    )
    assert document["best"].keys() == {"number", "value", "params", "epoch"}
    assert document["best"]["value"] == max(trial["value"] for trial in document["trials"])
    assert document["best"]["epoch"] == 3
    assert document["tracking_uri"] == f"sqlite:///{finished.folder / '.orch' / 'mlflow.db'}"
    assert document["parent_run_id"]
    assert [trial["number"] for trial in document["trials"]] == [0, 1, 2]
    for trial in document["trials"]:
        assert trial.keys() >= TRIAL_KEYS
        assert (trial["state"], trial["reason"], trial["epochs"]) == ("COMPLETE", "finished", 3)
        assert trial["run_id"]
    for line in ("trial 0 started", "trial 2 complete after 3 epochs", "orch show toy-1", "orch ui"):
        assert line in finished.err
    assert "orch resume" not in finished.err


def test_what_mlflow_got(finished):
    with sqlite3.connect(f"file:{finished.folder / '.orch' / 'mlflow.db'}?mode=ro", uri=True) as store:
        states = [state for (state,) in store.execute("select status from runs")]

    assert states == ["FINISHED"] * 4


def test_everything_lies_in_home(finished):
    names = {name.split("/")[0] for name in listing(finished.folder)}

    assert names == {"toy.py", "toy.yaml", ".orch"}


def test_lines_for_people_go_to_stderr_and_mlflow_may_be_down(sweep, monkeypatch):
    monkeypatch.setenv("ORCH_HOME", "elsewhere")
    began_s = time.monotonic()
    answer = sweep("--epochs")

    assert answer.code == 0
    assert time.monotonic() - began_s < 8
    assert answer.out == ""
    assert answer.err.splitlines()[0] == "sweep toy-1: 3 trials, 1 at a time on this process"
    assert "3/3 ended: 3 complete" in answer.err
    assert "trial 0 epoch 2" in answer.err
    assert "  look     orch show toy-1" in answer.err, "what the shell is set to need not be said again"
    assert f"  MLflow   {NOWHERE}\n" in answer.err
    assert "operations are not delivered yet: orch sync toy-1" in answer.err


def test_with_json_stdout_is_one_document_even_when_the_trainable_prints(sweep):
    answer = sweep("--json", "--set", "config.fails=true")

    assert answer.json["state"] == "FAILED"


def test_quiet_is_quiet(sweep):
    answer = sweep("--quiet")

    assert (answer.code, answer.out, answer.err) == (0, "", "")


def test_names_count_up_and_a_name_may_be_chosen_once(finished_copy, sweep_here, orch):
    assert sweep_here("--quiet", "--name", "mine").code == 0
    again = sweep_here("--quiet", "--name", "mine")
    sweep_here("--quiet")

    assert again.code == 2
    assert "'mine' exists already" in again.err
    assert [s["sweep"] for s in orch("ls", "--json").json] == ["toy-1", "mine", "toy-2"]


@pytest.mark.parametrize("name", ["a/b", "Ä", "", " x", "x" * 64, "-x"])
def test_a_name_that_is_none_is_refused_before_anything_is_made(folder, sweep, name):
    answer = sweep("--name", name)

    assert answer.code == 2
    assert "is not a name for a sweep" in answer.err
    assert not (folder / ".orch").exists()


def test_overrides_reach_the_trials(sweep):
    answer = sweep("--json", "--set", "budget.trials=1", "--set", "config.epochs=5", "--set", "space.x.low=0.9")

    (trial,) = answer.json["trials"]
    assert trial["epochs"] == 5
    assert trial["params"]["x"] >= 0.9


def test_a_trainable_that_raises_fails_its_trials_and_shows_its_own_traceback(sweep, orch):
    answer = sweep("--set", "config.fails=true")

    assert answer.code == 1
    assert "3 x ValueError: no luck (trials 0, 1, 2)" in answer.err
    assert "toy.py" in answer.err
    assert "orchestrator/" not in answer.err
    shown = orch("show", "toy-1", "0")
    assert "ValueError: no luck" in shown.out
    assert 'raise ValueError("no luck")' in shown.out
    assert "orchestrator/" not in shown.out


def test_equal_failures_end_the_sweep_early(sweep):
    answer = sweep("--json", "--set", "config.fails=true", "--set", "budget={trials: 9, max_failures: 2}")

    assert answer.code == 1
    assert answer.json["counts"]["failed"] == 2
    assert answer.json["state"] == "FAILED"
    assert "resume" in answer.err


def test_a_budget_of_time_ends_with_4_and_the_command_that_goes_on(sweep, orch):
    answer = sweep(*ENDS_EARLY)

    assert answer.code == 4
    command = resume_command(answer)
    assert command == "orch resume toy-1 --runner local --set budget.wall_hours=2e-05"
    assert orch("show", "toy-1", "--json").json["state"] == "BUDGET_ENDED"


def test_sigint_pauses_with_130_and_resume_finishes_the_same_trials(sweep, orch):
    answer = sweep("--set", "config.interrupts=true")

    assert answer.code == 130
    assert "paused (SIGINT)" in answer.err
    before = orch("show", "toy-1", "--json").json["trials"]
    resumed = orch(*shlex.split(resume_command(answer))[1:], "--json")
    while resumed.code == 130:  # the toy interrupts each of its trials once
        resumed = orch(*shlex.split(resume_command(answer))[1:], "--json")
    assert resumed.code == 0
    assert resumed.json["counts"]["complete"] == 3
    assert resumed.json["trials"][0]["params"] == before[0]["params"]


def resume_command(answer):
    (line,) = [line for line in answer.err.splitlines() if line.startswith("  resume")]
    return line.split(maxsplit=1)[1]


def test_the_next_commands_say_where_things_are(folder, sweep, orch):
    answer = sweep("--home", "a b", "--ledger", f"sqlite:///{folder}/l.db", *ENDS_EARLY)

    settings = f"ORCH_HOME='a b' ORCH_LEDGER=sqlite:///{folder}/l.db"
    assert f"  look     {settings} orch show toy-1" in answer.err
    assert resume_command(answer).startswith(f"{settings} orch resume toy-1 --runner local")


def test_a_database_s_password_is_not_shown(sweep):
    answer = sweep("--ledger", "postgresql://me:secret@127.0.0.1:9/x")

    assert answer.code == 3
    assert "secret" not in answer.err
    assert "cannot open the ledger" in answer.err


@pytest.mark.parametrize("option", ["--home", "--storage"])
def test_a_folder_that_is_a_file(folder, sweep, option):
    before = listing(folder)
    answer = sweep(option, "toy.yaml")

    assert answer.code == 2
    assert "'toy.yaml' is a file" in answer.err
    assert listing(folder) == before


@pytest.mark.parametrize("option", ["--home", "--storage"])
def test_a_folder_that_cannot_be_made(folder, sweep, option):
    answer = sweep(option, "toy.yaml/below")

    assert answer.code == 3
    assert "Not a directory" in answer.err
    assert "Traceback" not in answer.err


@pytest.mark.parametrize(
    ("url", "code", "message"),
    [
        ("nonsense", 2, "the ledger's URL cannot be read"),
        ("postgresql://h:port/x", 2, "the ledger's URL cannot be read"),
        ("nosuchdb://h/x", 3, "cannot open the ledger"),
        ("sqlite:///toy.yaml", 6, "file is not a database"),
    ],
)
def test_a_ledger_that_is_none(folder, sweep, url, code, message):
    before = listing(folder)
    answer = sweep("--ledger", url)

    assert answer.code == code
    assert message in answer.err
    assert listing(folder).items() >= before.items()


def test_resuming_a_complete_sweep_does_nothing_and_says_so(finished_copy, orch):
    before = orch("show", "toy-1", "--json").json
    answer = orch("resume", "toy-1")

    assert answer.code == 0
    assert "sweep toy-1 is complete, nothing is left to do" in answer.err
    assert "orch resume toy-1 --extend trials=+3" in answer.err
    assert orch("show", "toy-1", "--json").json == before


def test_a_larger_budget_extends_a_complete_sweep(finished_copy, orch):
    before = orch("show", "toy-1", "--json").json["trials"]
    options = ("--runner", "local", "--json", "--tracking-uri", NOWHERE)
    answer = orch("resume", "toy-1", *options, "--set", "budget.trials=5")

    assert answer.code == 0
    assert answer.json["counts"]["complete"] == 5
    assert [t["params"] for t in answer.json["trials"][:3]] == [t["params"] for t in before]


def test_a_sweep_continues_from_another_and_says_what_it_took(finished_copy, sweep_here, orch):
    before = [trial["params"]["x"] for trial in orch("show", "toy-1", "--json").json["trials"]]
    low = sum(sorted(before)[:2]) / 2
    narrow = ("--set", f"space.x.low={low}", "--set", "budget.trials=1", "--name", "new")
    answer = sweep_here("--continue-from", "toy-1", *narrow)
    taken = sum(x >= low for x in before)

    assert answer.code == 0
    assert taken == 2
    assert f"{taken} of the 3 trials of toy-1 are known to the sampler" in answer.err
    shown = orch("show", "new", "--json").json
    assert [trial["number"] for trial in shown["trials"]] == [taken]
    assert shown["continued"]["taken"] == taken
    assert f"{3 - taken} not taken: x was outside of what is searched now" in orch("show", "new").out


def test_a_key_that_may_differ_needs_a_sweep_to_differ_from(finished_copy, sweep_here):
    answer = sweep_here("--may-differ", "kind")

    assert answer.code == 2
    assert "--may-differ says something of --continue-from SWEEP, which is not there" in answer.err


@pytest.mark.parametrize("change", ["space.x.low=0.2", "objective.direction=minimize", "config.epochs=9", "seed=1"])
def test_a_resumed_sweep_keeps_its_question(finished_copy, orch, change):
    answer = orch("resume", "toy-1", "--runner", "local", "--set", change)

    assert answer.code == 2
    path, _, new = change.partition("=")
    assert f"  {path}: " in answer.err
    assert answer.err.rstrip().endswith(f"-> {new}")


def test_resuming_what_is_not_there(finished, orch):
    answer = orch("resume", "toy-9")

    assert answer.code == 2
    assert "no sweep 'toy-9' in this ledger; the latest are: toy-1" in answer.err


def test_a_second_driver_is_refused_with_the_name_of_the_first(folder, sweep, orch):
    sweep("--quiet", *ENDS_EARLY)
    with driven(Home(folder / ".orch")):
        answer = orch("resume", "toy-1", "--runner", "local")
        status = orch("status", "toy-1", "--json").json

    assert answer.code == 5
    assert f"sweep toy-1 is driven by process {os.getpid()} on " in answer.err
    assert str(os.getpid()) in status["driver"]
