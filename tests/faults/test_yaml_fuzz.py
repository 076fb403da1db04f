"""Whatever is read as a sweep file ends in a sweep or in a `SpecError`, soon; `make fuzz` reads 100,000 of them.

Mutations of the shipped files: bytes, lines and YAML's own traps. `FUZZ_EXAMPLES` says how many of each kind.
"""

import os
import time
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from orchestrator.cli import main
from orchestrator.errors import SpecError, UsageError
from orchestrator.spec import load
from orchestrator.spec.reading import MAX_BYTES
from orchestrator.sweeps.checks import check

ROOT = Path(__file__).parents[2]
SHIPPED = [path.read_bytes() for path in sorted((ROOT / "search_spaces").glob("*.yaml"))]
EXAMPLES = int(os.environ.get("FUZZ_EXAMPLES", "120"))
SLOW_S = 2.0

TRAPS = [
    b"\xef\xbb\xbf", b"\xff\xfe", b"\x00", b"\t", b"\r", b"\x85", b"\xc0\x80", b"\xed\xa0\x80", b"---\n", b"...\n",
    b"%YAML 9.9\n", b"!!python/object/apply:os.system [id]", b"!!binary x", b"&a ", b"*a", b"<<: *a\n", b"? ", b": ",
    b"- ", b"| \n", b"> \n", b"{", b"}", b"[", b"]", b"'", b'"', b"#", b"@", b"`", b"1e999", b"-.inf", b".nan",
    b"0x" + b"f" * 40, b"9" * 400, b"1_000", b"012", b"1e-400", b"~", b"null", b"yes", b"2026-01-01", b"[" * 500,
    b"{a: " * 500, b"- " * 500, b"name: a\nname: b\n", b"__class__", b"x.y.z", b".", b"..", b"a." * 300,
    b"constraints: ['" + b"(" * 400 + b"']\n", b"constraints: ['__import__(1)']\n", b"constraints: ['1 / 0 > 1']\n",
    b"constraints: ['9 ** 9 ** 9 > 1']\n", b"budget: {trials: 99999999999999999999}\n", b"seed: -1\n",
    b"points: [{}]\n",
]  # fmt: skip

VALUES = st.sampled_from(TRAPS) | (st.integers() | st.floats()).map(lambda number: repr(number).encode())
TEXT = st.text(max_size=20).map(lambda text: text.encode("utf-8", "surrogatepass"))


def is_clean(data, folder):
    """Reads as a command does; True for a sweep, False for a clean refusal. Anything else is the test's failure."""
    file = folder / "fuzz.yaml"
    file.write_bytes(data)
    sound, took_s = read(file)
    # A slow input is slow again; a collection of all that Hypothesis has kept so far is not.
    assert took_s < SLOW_S or read(file)[1] < SLOW_S, "slow"
    return sound


def read(file):
    """Whether a file is a sweep, and the seconds of CPU that it took to say so."""
    began_s = time.process_time()
    try:
        check(load(file), directory=file.parent, imports=False)
    except (SpecError, UsageError) as error:
        assert str(error)
        assert len(str(error)) < 200_000
        return False, time.process_time() - began_s
    return True, time.process_time() - began_s


def fuzzed(test):
    """Draws `EXAMPLES` inputs; what fails can be drawn again."""
    quiet = [HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.data_too_large]
    limits = settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=quiet, print_blob=True)
    return limits(test)


@st.composite
def mutated_bytes(draw):
    """A shipped file with bits flipped, parts cut out, doubled and swapped, and traps put in."""
    data = bytearray(draw(st.sampled_from(SHIPPED)))
    for _ in range(draw(st.integers(1, 6))):
        at, end = sorted((draw(st.integers(0, len(data))), draw(st.integers(0, len(data)))))
        match draw(st.sampled_from(["flip", "cut", "double", "trap", "truncate", "byte"])):
            case "flip" if data:
                data[at % len(data)] ^= 1 << draw(st.integers(0, 7))
            case "cut":
                del data[at : min(end, at + 40)]
            case "double":
                data[at:at] = data[at : min(end, at + 200)]
            case "trap":
                data[at:at] = draw(st.sampled_from(TRAPS))
            case "truncate":
                del data[end:]
            case "byte":
                data[at:at] = draw(st.binary(min_size=1, max_size=4))
    return bytes(data)


@st.composite
def mutated_lines(draw):
    """Lines of several shipped files, moved, indented otherwise, with other values."""
    files = draw(st.lists(st.sampled_from(SHIPPED), min_size=1, max_size=2))
    lines = b"\n".join(files).split(b"\n")
    for _ in range(draw(st.integers(1, 8))):
        at = draw(st.integers(0, len(lines) - 1))
        match draw(st.sampled_from(["drop", "move", "indent", "value", "trap"])):
            case "drop" if len(lines) > 1:
                del lines[at]
            case "move":
                lines.insert(draw(st.integers(0, len(lines) - 1)), lines[at])
            case "indent":
                lines[at] = b" " * draw(st.integers(0, 9)) + lines[at].lstrip()
            case "value":
                key, colon, _ = lines[at].partition(b":")
                lines[at] = key + colon + b" " + draw(VALUES)
            case "trap":
                lines.insert(at, draw(st.sampled_from(TRAPS)))
    return b"\n".join(lines)


@pytest.mark.fault(
    "sweep file: bytes flipped, cut, inserted",
    phase="orch validate",
    outcome="a clean error or a valid file, within 2 s",
)
@fuzzed
@given(data=mutated_bytes())
def test_damaged_files(tmp_path, data):
    is_clean(data, tmp_path)


@pytest.mark.fault(
    "sweep file: lines of other files", phase="orch validate", outcome="a clean error or a valid file, within 2 s"
)
@fuzzed
@given(data=mutated_lines())
def test_files_with_lines_of_others(tmp_path, data):
    is_clean(data, tmp_path)


@pytest.mark.fault("sweep file: random bytes", phase="orch validate", outcome="a clean error, within 2 s")
@fuzzed
@given(data=st.binary(max_size=400))
def test_bytes(tmp_path, data):
    assert not is_clean(data, tmp_path)


@pytest.mark.fault(
    "sweep file: YAML's traps and random text", phase="orch validate", outcome="a clean error, within 2 s"
)
@fuzzed
@given(parts=st.lists(st.sampled_from(TRAPS) | TEXT, max_size=30))
def test_traps_and_text(tmp_path, parts):
    assert not is_clean(b"".join(parts), tmp_path)


BOMB = b"a: &a [x, x, x, x, x, x, x, x, x]\n" + b"".join(
    f"{name}: &{name} [{', '.join(['*' + before] * 9)}]\n".encode()
    for before, name in zip("abcdefgh", "bcdefghi", strict=True)
)
BIG = {
    "an alias bomb": BOMB,
    "ten megabytes": b"name: x\n# " + b"y" * 10_000_000,
    "ten megabytes of keys": b"".join(b"k%d: 1\n" % n for n in range(900_000)),
    "just short of the limit": b"".join(b"k%d: 1\n" % n for n in range(MAX_BYTES // 12)),
    "one long line": b"name: " + b"x" * (MAX_BYTES - 10),
    "deep flow": b"[" * 100_000,
    "deep maps": b"{a: " * 100_000,
    "deep blocks": b"".join(b" " * n + b"a:\n" for n in range(1200)),
    "many constraints": SHIPPED[0] + b"\nconstraints: [" + b"'1 < 2', " * 50_000 + b"]\n",
    "a deep constraint": SHIPPED[0] + b"\nconstraints: ['" + b"(" * 900_000 + b"']\n",
    "many choices": b"name: a\nspace: {x: {type: categorical, choices: [" + b"1, " * 40_000 + b"2]}}\n",
    "many parameters": b"name: a\nspace:\n" + b"".join(b"  k%d: {type: fixed, value: 1}\n" % n for n in range(9_000)),
}  # fmt: skip


@pytest.mark.fault(
    "sweep file: alias bomb, 10 MB, deep nesting", phase="orch validate", outcome="a clean error, within 2 s"
)
@pytest.mark.parametrize("data", BIG.values(), ids=BIG)
def test_what_is_big_is_refused_soon(tmp_path, data):
    assert not is_clean(data, tmp_path)


@pytest.fixture
def unreadable(tmp_path):
    """A file of each kind that is no sweep file."""

    def make(kind):
        file = tmp_path / "x.yaml"
        match kind:
            case "bytes":
                file.write_bytes(b"name: \xff\xfe\n")
            case "empty":
                file.touch()
            case "folder":
                file.mkdir()
            case "pipe":
                os.mkfifo(file)
            case "closed":
                file.write_text("name: x")
                file.chmod(0)
            case "loop":
                file.symlink_to(file)
            case "device":
                return Path("/dev/zero")
        return file

    return make


@pytest.mark.fault("sweep file: {kind}", phase="orch validate", outcome="exit 2 and one line")
@pytest.mark.parametrize("kind", ["bytes", "empty", "folder", "pipe", "closed", "loop", "device", "nothing"])
def test_what_is_no_file_is_refused_by_the_command(unreadable, kind, monkeypatch, capsys):
    monkeypatch.setattr("sys.argv", ["orch", "validate", str(unreadable(kind))])
    with pytest.raises(SystemExit) as end:
        main()
    assert end.value.code == 2
    told = capsys.readouterr().err
    assert told.startswith("orch: ")
    assert "Traceback" not in told
