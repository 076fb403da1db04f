"""A state survives the disk exactly, and a damaged folder is never read as a state."""

import json
import math

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from trainables.checkpoint import CheckpointError, read_checkpoint, write_checkpoint

DTYPES = [torch.float32, torch.float64, torch.bfloat16, torch.float16, torch.int64, torch.uint8, torch.bool]


def _tensor(shape_dtype_seed):
    shape, dtype, seed = shape_dtype_seed
    generator = torch.Generator().manual_seed(seed)
    return (torch.rand(shape, generator=generator) * 3).to(dtype)


tensors = st.tuples(
    st.lists(st.integers(0, 3), max_size=3).map(tuple), st.sampled_from(DTYPES), st.integers(0, 99)
).map(_tensor)
scalars = st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.floats() | st.text(max_size=5)
trees = st.recursive(
    scalars | tensors,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.lists(inner, max_size=3).map(tuple)
        | st.dictionaries(st.text(max_size=4) | st.integers(), inner, max_size=3)
    ),
    max_leaves=8,
)


def same(a, b):
    if isinstance(a, torch.Tensor):
        return isinstance(b, torch.Tensor) and a.dtype == b.dtype and a.shape == b.shape and torch.equal(a, b)
    if isinstance(a, dict):
        return isinstance(b, dict) and list(a) == list(b) and all(same(a[key], b[key]) for key in a)
    if isinstance(a, list | tuple):
        return type(a) is type(b) and len(a) == len(b) and all(same(x, y) for x, y in zip(a, b, strict=True))
    if isinstance(a, float) and math.isnan(a):
        return isinstance(b, float) and math.isnan(b)
    return type(a) is type(b) and a == b


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "epoch-1"


@pytest.fixture
def written(folder):
    write_checkpoint(folder, {"weights": torch.arange(6.0).reshape(2, 3), "epoch": 3, "names": ["a", "b"]})
    return folder


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(state=st.dictionaries(st.text(max_size=4) | st.integers(), trees, max_size=4))
def test_any_state_survives(folder, state):
    write_checkpoint(folder, state)
    assert same(state, read_checkpoint(folder))


def test_views_shared_memory_and_graphs_are_written_as_values(folder):
    base = torch.arange(12.0).reshape(3, 4).requires_grad_()
    state = {
        "whole": base,
        "same": base,
        "transposed": base.T,
        "column": base[:, 1],
        "none": base[:0],
        "one": base.sum(),
    }
    write_checkpoint(folder, state)
    assert same({name: value.detach() for name, value in state.items()}, read_checkpoint(folder))


def test_what_was_read_is_independent_of_what_was_written(folder):
    weights = torch.zeros(3)
    write_checkpoint(folder, {"weights": weights})
    weights += 1
    assert read_checkpoint(folder)["weights"].tolist() == [0, 0, 0]


def test_replaces_an_older_one_and_leaves_nothing_else(written):
    write_checkpoint(written, {"epoch": 4})
    assert read_checkpoint(written) == {"epoch": 4}
    assert [path.name for path in written.parent.iterdir()] == [written.name]


def test_a_failed_write_leaves_the_older_one(written):
    with pytest.raises(CheckpointError, match=r"state\.model\[1\]: a checkpoint cannot hold a set"):
        write_checkpoint(written, {"model": [1, {2}]})
    assert read_checkpoint(written)["epoch"] == 3


@pytest.mark.parametrize("value", [object(), {1.5: 2}, b"bytes", 1j, {(1, 2): 3}])
def test_refuses_what_json_and_safetensors_cannot_say(folder, value):
    with pytest.raises(CheckpointError):
        write_checkpoint(folder, {"value": value})
    assert not folder.exists()


def test_a_missing_folder(folder):
    with pytest.raises(CheckpointError, match=r"manifest\.json: cannot be read: No such file"):
        read_checkpoint(folder)


@pytest.mark.parametrize("name", ["manifest.json", "state.safetensors"])
def test_a_missing_file(written, name):
    (written / name).unlink()
    with pytest.raises(CheckpointError, match=f"{name}: cannot be read"):
        read_checkpoint(written)


@pytest.mark.parametrize("name", ["manifest.json", "state.safetensors"])
@pytest.mark.parametrize("keep", [0, 1, 0.5, 0.99])
def test_a_truncated_file(written, name, keep):
    path = written / name
    content = path.read_bytes()
    path.write_bytes(content[: keep if keep == 1 else int(keep * len(content))])
    with pytest.raises(CheckpointError, match=name):
        read_checkpoint(written)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(place=st.floats(0, 1, exclude_max=True), flip=st.integers(1, 255), first=st.booleans())
def test_any_flipped_byte_is_noticed_or_harmless(folder, place, flip, first):
    state = {"weights": torch.arange(6.0), "lr": 0.125, "names": ["a", "b"]}
    write_checkpoint(folder, state)
    path = folder / ("manifest.json" if first else "state.safetensors")
    content = bytearray(path.read_bytes())
    content[int(place * len(content))] ^= flip
    path.write_bytes(content)
    try:
        found = read_checkpoint(folder)
    except CheckpointError:
        return
    assert same(state, found)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"format": 2}, "format 2, this program reads 1"),
        ({"bytes": 1}, "the manifest says 1"),
        ({"sha256": "0" * 64}, "damaged"),
        ({"tree": {"dict": []}}, "does not match"),
    ],
)
def test_a_manifest_that_says_something_else(written, change, reason):
    path = written / "manifest.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | change))
    with pytest.raises(CheckpointError, match=reason):
        read_checkpoint(written)


@pytest.mark.parametrize("content", ["[]", "{}", "null", "[" * 100_000, "\x00", '{"format": 1}'])
def test_a_foreign_manifest(written, content):
    (written / "manifest.json").write_text(content)
    with pytest.raises(CheckpointError):
        read_checkpoint(written)


def test_a_manifest_of_unknown_nodes(written):
    import hashlib

    tree = {"call": "print"}
    path = written / "manifest.json"
    digest = hashlib.sha256(json.dumps(tree).encode()).hexdigest()
    path.write_text(json.dumps(json.loads(path.read_text()) | {"tree": tree, "tree_sha256": digest}))
    with pytest.raises(CheckpointError, match="not a checkpoint of this program"):
        read_checkpoint(written)


@pytest.mark.parametrize("linked", ["trial", "trial/step-000001", "trial/step-000001/manifest.json"])
def test_a_symbolic_link_is_not_followed(tmp_path, linked):
    folder = tmp_path / "trial" / "step-000001"
    write_checkpoint(folder, {"epoch": 1})
    place = tmp_path / linked
    place.rename(tmp_path / "elsewhere")
    place.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(CheckpointError, match=r"symbolic link"):
        read_checkpoint(folder)


def test_nothing_is_written_through_a_symbolic_link(tmp_path):
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "trial").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(CheckpointError, match="symbolic link"):
        write_checkpoint(tmp_path / "trial" / "step-000001", {"epoch": 1})
    assert list((tmp_path / "elsewhere").iterdir()) == []
