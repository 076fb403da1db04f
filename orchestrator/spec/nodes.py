"""What a sweep file's text becomes before it is typed: plain values that remember their line and column.

Made by `reading`, changed by `overrides`, and asked by every check for the place of a fault.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pydantic import JsonValue

from orchestrator.errors import Fault

Scalar = None | bool | int | float | str
Path = Sequence[str | int]
"""Keys and list positions from the top of a file; a dotted key is one element."""


@dataclass(frozen=True, slots=True)
class Mark:
    """A place: `origin` is a file, or the `--set` option that a value came from; line 0 means no line."""

    origin: str
    line: int
    column: int


@dataclass(frozen=True, slots=True)
class Entry:
    """One key of a mapping: where the key stands, and its value."""

    mark: Mark
    node: "Node"


@dataclass(frozen=True, slots=True)
class Node:
    """A value and where it stands."""

    mark: Mark
    content: "Scalar | tuple[Node, ...] | Mapping[str, Entry]"

    def data(self) -> JsonValue:
        """The plain value."""
        if isinstance(self.content, tuple):
            return [item.data() for item in self.content]
        if isinstance(self.content, Mapping):
            return {key: entry.node.data() for key, entry in self.content.items()}
        return self.content

    def follow(self, path: Path) -> "tuple[list[str | int], Node, Mark]":
        """Walk along `path` past the elements that do not exist (such as pydantic's union tags).

        Returns: the path of what was reached, it, and the mark of its key (of its value in a list).
        """
        reached: list[str | int] = []
        node, key_mark = self, self.mark
        for part in path:
            content = node.content
            if isinstance(content, Mapping) and isinstance(part, str) and part in content:
                node, key_mark = content[part].node, content[part].mark
            elif isinstance(content, tuple) and isinstance(part, int) and part < len(content):
                node = content[part]
                key_mark = node.mark
            else:
                continue
            reached.append(part)
        return reached, node, key_mark

    def fault(self, path: Path, what: str, hint: str = "", *, at_key: bool = False) -> Fault:
        """A fault at `path`: at the value if it is a single one, else (or with `at_key`) at its key.

        A path that does not exist, such as a missing key's, is placed at the nearest thing above it.
        """
        _, node, key_mark = self.follow(path)
        single = not isinstance(node.content, tuple | Mapping)
        mark = node.mark if single and not at_key else key_mark
        if node.content is None and not mark.line and mark.origin.endswith("="):
            hint = hint or "nothing stands after the '=', which is null"
        return Fault(mark.origin, mark.line, mark.column, dotted(path), what, hint)


def dotted(path: Path) -> str:
    """`("stop", 0, "metric")` as `stop[0].metric`."""
    text = ""
    for part in path:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else part
    return text
