"""Sweep files that a copy, an editor or malice has broken: exit 2, a line that says where, and nothing is created."""

import random
import time

import pytest

from tests.orchestrator.cli.conftest import SWEEP, call, listing, write_toy

PROMISE = "exit 2 with a place, no traceback, nothing created"
BOMB = "a: &a [x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"{name}: &{name} [{', '.join([f'*{below}'] * 9)}]\n" for below, name in zip("abcdefgh", "bcdefghi", strict=True)
)
FILES = {
    "empty": b"",
    "zeros": bytes(4096),
    "alias bomb": BOMB.encode() + SWEEP.encode(),
    "alias to itself": b"config: &a {x: *a}\n" + SWEEP.encode(),
    "10 MB of a comment": SWEEP.encode() + b"# " + b"x" * 10_000_000,
    "10 MB in one value": SWEEP.replace("name: toy", "name: " + "x" * 10_000_000).encode(),
    "100,000 brackets deep": SWEEP.encode() + b"seed: " + b"[" * 100_000,
    "tabs": SWEEP.replace("  x:", "\tx:").encode(),
    "UTF-16": SWEEP.encode("utf-16"),
    "Latin-1": SWEEP.replace("name: toy", "name: t\u00f6y").encode("latin-1"),
    "a tag that makes objects": SWEEP.replace("{epochs: 3}", "!!python/object/apply:os.system [true]").encode(),
    "two documents": f"{SWEEP}---\n{SWEEP}".encode(),
    "a control character": SWEEP.replace("name: toy", "name: t\x07y").encode(),
}


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(write_toy(tmp_path))
    return tmp_path


@pytest.fixture
def refused(folder, capsys):
    """Runs `orch sweep` on a content, and makes sure of the promise; returns what was said."""

    def run(content):
        (folder / "toy.yaml").write_bytes(content)
        before = listing(folder)
        code = call("sweep", "toy.yaml", "--runner", "local")
        said = capsys.readouterr()
        assert (code, said.out) == (2, ""), said.err
        assert said.err.startswith("orch: toy.yaml")
        assert "Traceback" not in said.err
        assert listing(folder) == before
        return said.err

    return run


@pytest.mark.fault("sweep file: {kind}", phase="orch sweep", outcome=PROMISE)
@pytest.mark.parametrize("kind", FILES)
def test_a_broken_file_is_refused_at_once(refused, kind):
    began_s = time.monotonic()
    said = refused(FILES[kind])
    assert time.monotonic() - began_s < 20
    assert len(said) < 2000


@pytest.mark.fault("sweep file: a byte order mark", phase="orch validate", outcome="read as if it were not there")
def test_a_byte_order_mark_is_no_fault(folder, capsys):
    (folder / "toy.yaml").write_bytes(b"\xef\xbb\xbf" + SWEEP.encode())
    assert call("validate", "toy.yaml") == 0
    assert "Traceback" not in capsys.readouterr().err


def truncated():
    content = SWEEP.encode()
    return [content[:end] for end in range(0, len(content), 3)]


def flipped():
    rng, content = random.Random(0), SWEEP.encode()
    return [
        content[:place] + bytes([content[place] ^ (1 << rng.randrange(8))]) + content[place + 1 :]
        for place in range(0, len(content), 2)
    ]


@pytest.mark.fault(
    "sweep file: {kind}", phase="orch sweep", outcome=f"{PROMISE}, unless what is left is a valid question"
)
@pytest.mark.parametrize(("kind", "contents"), [("truncated", truncated), ("a flipped bit", flipped)])
def test_a_torn_or_flipped_file_is_refused_unless_it_is_valid(folder, refused, capsys, kind, contents):
    num_refused = 0
    for content in contents():
        (folder / "toy.yaml").write_bytes(content)
        before = listing(folder)
        code = call("validate", "toy.yaml")
        said = capsys.readouterr()
        assert code in (0, 2), said.err
        assert "Traceback" not in said.err, content
        assert listing(folder) == before
        if code == 2:
            refused(content)
            num_refused += 1
    assert num_refused > len(contents()) / 3
