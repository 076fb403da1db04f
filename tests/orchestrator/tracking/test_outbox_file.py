"""Files that are truncated, overwritten, flipped or half written, as a crash or a disk leaves them."""

import random
import sqlite3
from contextlib import closing

import pytest

from orchestrator.tracking.operations import LogMetrics
from orchestrator.tracking.outbox import Outbox
from orchestrator.tracking.outbox_file import DamagedError, is_damage, open_sound, seal, set_aside, unseal


@pytest.fixture
def path(tmp_path):
    """An outbox of some pages, closed."""
    outbox = Outbox(tmp_path / "outbox.db")
    for step in range(200):
        log = LogMetrics(number=0, step=step, metrics={"x": 1.0}, at_ms=step)
        outbox.append([log], at_ms=step, facts=[f"0 step {step}"])
    outbox.close()
    return tmp_path / "outbox.db"


def facts(path):
    with closing(open_sound(path)) as db:
        return db.execute("SELECT COUNT(*) FROM told").fetchone()[0]


def test_a_sound_file_is_opened_as_it_is(path):
    assert facts(path) == 200
    assert not path.with_name("outbox.damaged-1.db").exists()


@pytest.mark.parametrize("size", [100, 5000, 20000])
def test_a_truncated_file_is_set_aside_and_a_new_one_begun(path, size):
    content = path.read_bytes()[:size]
    path.write_bytes(content)
    assert facts(path) == 0
    assert path.with_name("outbox.damaged-1.db").read_bytes() == content


def test_an_empty_file_knows_nothing(path):
    path.write_bytes(b"")
    assert facts(path) == 0


def test_pages_of_noise_are_noticed(path):
    content = bytearray(path.read_bytes())
    content[4096:8192] = random.Random(0).randbytes(4096)
    path.write_bytes(content)
    assert facts(path) == 0
    assert path.with_name("outbox.damaged-1.db").exists()


def test_any_flipped_byte_is_noticed_or_harmless(path):
    """What is read afterwards is what was written, or the file is set aside; a fact too few is told again."""
    whole, dice = path.read_bytes(), random.Random(1)
    for place in dice.sample(range(len(whole)), 60):
        path.write_bytes(whole[:place] + bytes([whole[place] ^ 1 << dice.randrange(8)]) + whole[place + 1 :])
        outbox = Outbox(path)
        try:
            read = [entry.operation for entry in outbox.pending(1000)]
        except (sqlite3.Error, DamagedError):
            read = [entry.operation for entry in outbox.pending(1000)]
        assert all(log.metrics == {"x": 1.0} and log.step == log.at_ms for log in read)
        outbox.append(read[:1], at_ms=0)
        outbox.close()


def test_each_damaged_file_gets_a_name_of_its_own(path):
    for _ in range(2):
        path.write_bytes(b"not a database" * 1000)
        assert facts(path) == 0
    assert {p.name for p in path.parent.glob("outbox.damaged*")} == {"outbox.damaged-1.db", "outbox.damaged-2.db"}


def test_what_sqlite_keeps_beside_the_file_goes_with_it(path):
    path.with_name("outbox.db-wal").write_bytes(b"wal")
    set_aside(path)
    assert path.with_name("outbox.damaged-1.db-wal").read_bytes() == b"wal"
    assert {p.name for p in path.parent.iterdir()} == {"outbox.damaged-1.db", "outbox.damaged-1.db-wal"}


def test_setting_aside_what_is_not_there_is_nothing(tmp_path):
    set_aside(tmp_path / "outbox.db")
    assert list(tmp_path.iterdir()) == []


def test_a_text_comes_back_or_its_change_is_noticed():
    assert unseal(seal("täxt with spaces")) == "täxt with spaces"
    for changed in (seal("text")[:-1], seal("text").replace("t", "T"), "", "00000000 text"):
        with pytest.raises(DamagedError):
            unseal(changed)


def test_a_full_disk_or_a_locked_file_is_no_damage(path):
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with closing(open_sound(path)) as db, pytest.raises(sqlite3.OperationalError) as raised:
        db.execute("DELETE FROM told")
    other.close()
    assert not is_damage(raised.value)
    assert not is_damage(OSError("no space left"))
