"""Secrets in what a sweep wrote: URLs with a password, and values of this process's secret environment variables.

Searched are ledger, params and tags of MLflow, the sweep's files and its artifacts; not the tensors of checkpoints.
What is found is named by its place, never shown.
"""

import mmap
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

_SECRET_NAME = re.compile(r"(?:^|_)(?:PASSWORD|PASSWD|PASSPHRASE|TOKEN|SECRET|KEY|CREDENTIALS?)$", re.IGNORECASE)
_URL = re.compile(rb"[a-zA-Z][a-zA-Z0-9+.-]*://[^\s/:@\"'\\]+:(?!\*+@)[^\s/@\"'\\]+@")
MIN_LENGTH = 8
"""Shorter values, such as `1`, are found everywhere and hide nothing."""
_TENSORS = ".safetensors"


@dataclass(frozen=True, slots=True)
class Leak:
    """A secret that stands somewhere: `what` says which one, without its value."""

    place: str
    what: str


@dataclass(frozen=True, slots=True)
class SecretSearch:
    """What is searched for.

    Attributes:
        values: name of an environment variable to its value.
    """

    values: Mapping[str, bytes]

    def find(self, place: str, content: bytes | mmap.mmap) -> Iterator[Leak]:
        """The secrets in one place."""
        for name, value in self.values.items():
            if content.find(value) >= 0:
                yield Leak(place, f"the value of the environment variable {name}")
        if _URL.search(content):
            yield Leak(place, "a URL with a password")


def search_for(environment: Mapping[str, str]) -> SecretSearch:
    """The secrets of this process, by the names of their variables."""
    return SecretSearch(
        {
            name: value.encode()
            for name, value in environment.items()
            if _SECRET_NAME.search(name) and len(value) >= MIN_LENGTH
        }
    )


def leaks_in_texts(search: SecretSearch, texts: Iterable[tuple[str, str]]) -> list[Leak]:
    """Of (place, text) pairs."""
    return [leak for place, text in texts for leak in search.find(place, text.encode())]


def leaks_in_files(search: SecretSearch, folders: Sequence[Path]) -> list[Leak]:
    """Of all files below some folders; no link is followed."""
    files = {file for folder in folders for file in folder.rglob("*") if file.is_file() and not file.is_symlink()}
    return [leak for file in sorted(files) if file.suffix != _TENSORS for leak in _in_file(search, file)]


def _in_file(search: SecretSearch, file: Path) -> list[Leak]:
    with file.open("rb") as opened:
        if not file.stat().st_size:
            return []
        with mmap.mmap(opened.fileno(), 0, access=mmap.ACCESS_READ) as content:
            return list(search.find(str(file), content))
