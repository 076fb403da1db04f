"""A checkpoint on disk: a tree of tensors and plain values as `state.safetensors` and `manifest.json`.

Runners write the state that a trainable hands over and read it back for a resume. Nothing here knows what a state
means, and reading never executes anything: no pickle, no path or code is taken from the files.
"""

import contextlib
import hashlib
import json
import math
import os
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import cast

import safetensors.torch
import torch
from safetensors import SafetensorError
from torch import Tensor

from trainables.contract import State
from trainables.manifest import (
    FORMAT,
    MANIFEST_FILE,
    TENSORS_FILE,
    read_manifest,
    read_payload,
    refuse_links,
    tree_digest,
)
from trainables.manifest import CheckpointError as CheckpointError


def write_checkpoint(folder: Path, state: State) -> None:
    """Write `state` to `folder`, which appears whole or not at all; an older one of the same name is replaced.

    Raises:
        CheckpointError: the state holds something else than tensors, dicts, lists, tuples and JSON scalars.
        OSError: it cannot be written; nothing is left of it.
    """
    tensors: dict[str, Tensor] = {}
    tree = _encode(state, tensors, path="state")
    payload = safetensors.torch.save(tensors)
    manifest = {
        "format": FORMAT,
        "bytes": len(payload),
        "sha256": hashlib.sha256(payload).hexdigest(),
        "tree_sha256": tree_digest(tree),
        "tree": tree,
    }
    refuse_links(folder)
    parts = {TENSORS_FILE: payload, MANIFEST_FILE: json.dumps(manifest, allow_nan=False).encode()}
    folder.parent.mkdir(parents=True, exist_ok=True)
    fresh = folder.with_name(f".{folder.name}.{os.getpid()}.new")
    shutil.rmtree(fresh, ignore_errors=True)
    try:
        fresh.mkdir()
        for name, content in parts.items():
            _write_durably(fresh / name, content)
        _sync_folder(fresh)
        _put_in_place(fresh, folder)
    except OSError:
        # On a full disk half a checkpoint is in the way of the next one.
        shutil.rmtree(fresh, ignore_errors=True)
        raise


def read_checkpoint(folder: Path) -> State:
    """The state in `folder`, with tensors on the CPU.

    Raises: CheckpointError: something is missing, damaged, or of another format.
    """
    manifest = read_manifest(folder)
    payload = read_payload(folder, manifest)
    try:
        state = _decode(manifest.tree, safetensors.torch.load(payload))
    except (SafetensorError, KeyError, TypeError, ValueError, RecursionError) as error:
        raise CheckpointError(f"{folder}: not a checkpoint of this program: {error!r}") from error
    if not isinstance(state, dict):
        raise CheckpointError(f"{folder}: not a checkpoint of this program: the state is no mapping")
    return state


def _encode(value: object, tensors: dict[str, Tensor], *, path: str) -> object:
    """`value` as JSON: containers and special values become one-key objects, tensors move to `tensors`."""
    if isinstance(value, Tensor):
        name = str(len(tensors))
        # A private contiguous copy: safetensors refuses views and tensors that share memory.
        tensors[name] = torch.empty(value.shape, dtype=value.dtype).copy_(value.detach())
        return {"tensor": name}
    if isinstance(value, Mapping):
        return {
            "dict": [[_key(key, path), _encode(item, tensors, path=f"{path}.{key}")] for key, item in value.items()]
        }
    if isinstance(value, list | tuple):
        items = [_encode(item, tensors, path=f"{path}[{i}]") for i, item in enumerate(value)]
        return {"tuple" if isinstance(value, tuple) else "list": items}
    if isinstance(value, float) and not math.isfinite(value):
        return {"float": repr(float(value))}
    if value is None or type(value) in (bool, int, float, str):
        return value
    raise CheckpointError(f"{path}: a checkpoint cannot hold a {type(value).__name__}")


def _key(key: object, path: str) -> str | int:
    if type(key) in (str, int):
        return cast(str | int, key)
    raise CheckpointError(f"{path}: a key must be a string or an integer, not {key!r}")


def _decode(node: object, tensors: Mapping[str, Tensor]) -> object:
    if not isinstance(node, dict):
        return node
    ((kind, content),) = node.items()
    match kind:
        case "tensor":
            return tensors[content]
        case "dict":
            return {key: _decode(item, tensors) for key, item in content}
        case "list":
            return [_decode(item, tensors) for item in content]
        case "tuple":
            return tuple(_decode(item, tensors) for item in content)
        case "float":
            return float(content)
    raise ValueError(f"unknown node {kind!r}")


def _write_durably(path: Path, content: bytes) -> None:
    with path.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def _put_in_place(fresh: Path, folder: Path) -> None:
    """Rename `fresh` to `folder`. A folder cannot replace a full one, so the old one steps aside first."""
    old = folder.with_name(f".{folder.name}.{os.getpid()}.old")
    shutil.rmtree(old, ignore_errors=True)
    with contextlib.suppress(FileNotFoundError):
        folder.rename(old)
    fresh.rename(folder)
    _sync_folder(folder.parent)
    shutil.rmtree(old, ignore_errors=True)


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
