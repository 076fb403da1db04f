"""What the manifest of a checkpoint promises, and whether its folder holds that. Without torch: looking is quick.

`checkpoint` reads and writes what is inside; verification only wants to know whether a folder is whole.
"""

import hashlib
import json
import os
from dataclasses import dataclass
from pathlib import Path

FORMAT = 1
TENSORS_FILE = "state.safetensors"
MANIFEST_FILE = "manifest.json"


class CheckpointError(ValueError):
    """A state that cannot be written, or a folder that does not hold a whole checkpoint."""


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a checkpoint says of itself: size and SHA-256 of its tensors, and the tree that they belong in."""

    num_bytes: int
    sha256: str
    tree: object


def check_folder(folder: Path) -> None:
    """Look whether a folder holds a whole checkpoint.

    Raises: CheckpointError: something is missing, damaged, or of another format.
    """
    read_payload(folder, read_manifest(folder))


def read_manifest(folder: Path) -> Manifest:
    """The manifest of a checkpoint, which is what it was when it was written.

    Raises: CheckpointError
    """
    refuse_links(folder)
    path = folder / MANIFEST_FILE
    content = _read(path)
    try:
        manifest = json.loads(content)
    except (ValueError, RecursionError) as error:
        raise CheckpointError(f"{path}: damaged, not JSON: {error}") from error
    if not isinstance(manifest, dict) or not {"bytes", "sha256", "tree", "tree_sha256"} <= manifest.keys():
        raise CheckpointError(f"{path}: not a checkpoint's manifest")
    if manifest.get("format") != FORMAT:
        raise CheckpointError(f"{path}: format {manifest.get('format')!r}, this program reads {FORMAT}")
    try:
        digest = tree_digest(manifest["tree"])
    except (ValueError, RecursionError) as error:
        raise CheckpointError(f"{path}: damaged: {error}") from error
    if digest != manifest["tree_sha256"]:
        raise CheckpointError(f"{path}: damaged, its tree does not match its SHA-256")
    return Manifest(manifest["bytes"], manifest["sha256"], manifest["tree"])


def read_payload(folder: Path, manifest: Manifest) -> bytes:
    """The tensors' file, which is what it was when it was written.

    Raises: CheckpointError
    """
    path = folder / TENSORS_FILE
    payload = _read(path)
    if len(payload) != manifest.num_bytes:
        raise CheckpointError(f"{path}: {len(payload)} bytes, the manifest says {manifest.num_bytes}")
    if hashlib.sha256(payload).hexdigest() != manifest.sha256:
        raise CheckpointError(f"{path}: damaged, its SHA-256 is not the manifest's")
    return payload


def tree_digest(tree: object) -> str:
    """By which damage to a tree is seen."""
    return hashlib.sha256(json.dumps(tree, allow_nan=False).encode()).hexdigest()


def refuse_links(folder: Path) -> None:
    """A checkpoint lies where it is named: a link would read or write somewhere else.

    Raises: CheckpointError
    """
    for path in (folder, folder.parent):
        if path.is_symlink():
            raise CheckpointError(f"{path} is a symbolic link; checkpoints are kept in folders")


def _read(path: Path) -> bytes:
    try:
        with open(os.open(path, os.O_RDONLY | os.O_NOFOLLOW), "rb") as file:
            return file.read()
    except OSError as error:
        raise CheckpointError(f"{path}: cannot be read: {error.strerror}") from error
