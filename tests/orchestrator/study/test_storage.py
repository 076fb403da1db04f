"""Opening ledgers: names, ids, helpful errors without passwords, and several processes at once."""

import subprocess
import sys

import pytest

from orchestrator.errors import InfrastructureError, IntegrityError, SweepNotFoundError, UsageError
from orchestrator.study import Storage, SweepRecord, is_absent
from tests.conftest import ROOT
from tests.support.specs import toy_spec


def create(storage, name, sweep_id="id"):
    return storage.create(SweepRecord(name, sweep_id, toy_spec(), created_ms=5, file="toy.yaml", text="name: toy\n"))


def test_names_are_unique_and_numbered(desk):
    storage = desk.storage()
    assert (storage.names, storage.next_name("toy")) == ([], "toy-1")
    create(storage, "toy-1")
    create(storage, "toy-3")
    assert storage.next_name("toy") == "toy-2"
    create(storage, "toy-2")
    assert storage.next_name("toy") == "toy-4"
    assert storage.next_name("other") == "other-1"
    assert storage.names == ["toy-1", "toy-3", "toy-2"]
    with pytest.raises(UsageError, match=r"a sweep named 'toy-1' exists already; choose another --name or resume"):
        create(storage, "toy-1")


def test_a_sweep_is_found_by_name_and_by_id(desk):
    create(desk.storage(), "toy-1", "abc")
    storage = desk.storage()
    assert storage.find("toy-1") == storage.find("abc")
    assert storage.find("abc").text == "name: toy\n"
    assert storage.open("abc").name == "toy-1"


def test_a_sweep_that_is_not_there_is_answered_with_those_that_are(desk):
    storage = desk.storage()
    with pytest.raises(SweepNotFoundError, match="the latest are: none"):
        storage.find("toy")
    create(storage, "toy-1")
    create(storage, "toy-2")
    with pytest.raises(SweepNotFoundError, match="no sweep 'toy' in this ledger; the latest are: toy-1, toy-2"):
        storage.open("toy")


def test_studies_of_others_in_the_same_database_are_no_sweeps(desk):
    import optuna

    optuna.create_study(study_name="theirs", storage=desk.url)
    assert desk.storage().names == []
    with pytest.raises(SweepNotFoundError):
        desk.storage().find("theirs")


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://me:hunter2@127.0.0.1:1/ledger",
        "postgresql+psycopg2://me:hunter2@127.0.0.1:1/ledger",
        "mysql+pymysql://me:hunter2@127.0.0.1:1/ledger",
        "nonsense://me:hunter2@host/ledger",
    ],
)
def test_a_database_that_does_not_answer_is_named_without_its_password(url):
    with pytest.raises(InfrastructureError) as caught:
        Storage(url)
    assert "hunter2" not in str(caught.value)
    assert "cannot open the ledger" in str(caught.value)
    assert "//***@" in str(caught.value)


@pytest.mark.parametrize("url", ["hunter2", "postgresql://me:hunter2@host:port/ledger", ""])
def test_what_is_no_url_is_not_repeated(url):
    with pytest.raises(UsageError) as caught:
        Storage(url)
    assert "hunter2" not in str(caught.value)
    assert "sqlite:///" in str(caught.value)


def test_a_file_that_is_no_database_is_an_error(tmp_path):
    (tmp_path / "ledger.db").write_text("not a database, but long enough to be looked at" * 50)
    with pytest.raises(IntegrityError, match=r"the ledger /.*ledger\.db is damaged: file is not a database\n.*backup"):
        Storage(f"sqlite:///{tmp_path / 'ledger.db'}")


def test_a_folder_that_cannot_be_made_is_an_error(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(InfrastructureError, match="cannot open the ledger"):
        Storage(f"sqlite:///{tmp_path / 'file' / 'ledger.db'}")


def test_looking_for_a_ledger_makes_none(tmp_path):
    url = f"sqlite:///{tmp_path / 'sub' / 'ledger.db'}"
    assert is_absent(url)
    assert not (tmp_path / "sub").exists()
    Storage(url).close()
    assert not is_absent(url)


def test_several_processes_may_make_the_same_new_ledger_at_once(tmp_path):
    script = f"from orchestrator.study import Storage; Storage('sqlite:///{tmp_path / 'home' / 'ledger.db'}').close()"
    started = [
        subprocess.Popen([sys.executable, "-c", script], cwd=ROOT, stderr=subprocess.PIPE, text=True) for _ in range(4)
    ]
    ends = [(process.communicate(timeout=60)[1], process.returncode) for process in started]
    assert ends == [("", 0)] * 4
