"""`--set a.b=c`: one value of a sweep file, replaced before the file is checked.

Called by `loading`. The path follows the file: keys that hold dots (parameter names) are found as they stand, the
value is YAML, and a fault in it is placed at the option.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from orchestrator.errors import Fault, SpecError
from orchestrator.spec.nodes import Entry, Mark, Node
from orchestrator.spec.reading import read
from orchestrator.spec.wording import did_you_mean


@dataclass(frozen=True, slots=True)
class _Change:
    """A value to set: `mark` is the option that asks for it."""

    mark: Mark
    value: Node


def override(root: Node, option: str) -> Node:
    """`root` with one option applied.

    Raises: SpecError: no `=`, an empty path element, an unreadable value, or a path that leads nowhere.
    """
    mark = Mark(f"--set {option}", 0, 0)
    key, equals, text = option.partition("=")
    parts = [part.strip() for part in key.split(".")]
    if not equals or not all(parts):
        raise _refuse(mark, "expected dotted.key=value, such as budget.trials=4")
    return _graft(root, parts, (), _Change(mark, read(text, origin=mark.origin, located=False)))


def _refuse(mark: Mark, what: str, hint: str = "") -> SpecError:
    return SpecError([Fault(mark.origin, mark.line, mark.column, "", what, hint)])


def _graft(node: Node, rest: list[str], above: tuple[str, ...], change: _Change) -> Node:
    if not rest:
        return change.value
    if isinstance(node.content, tuple):
        return _graft_item(node, rest, above, change)
    if node.content is not None and not isinstance(node.content, Mapping):
        raise _refuse(change.mark, f"{'.'.join(above)} is a single value; nothing stands below it")
    entries = dict(node.content or {})
    for length in range(len(rest), 0, -1):
        key = ".".join(rest[:length])
        if key in entries:
            inner = _graft(entries[key].node, rest[length:], (*above, key), change)
            return Node(node.mark, {**entries, key: Entry(change.mark, inner)})
    key, value = _new_entry(entries, rest, above, change)
    kept = {name: entry for name, entry in entries.items() if not name.startswith(f"{key}.")}
    return Node(node.mark, {**(kept if above[:1] == ("config",) else entries), key: Entry(change.mark, value)})


def _graft_item(node: Node, rest: list[str], above: tuple[str, ...], change: _Change) -> Node:
    assert isinstance(node.content, tuple)
    position = int(rest[0]) if rest[0].isdecimal() else -1
    if not 0 <= position < len(node.content):
        where, size = ".".join(above), len(node.content)
        raise _refuse(change.mark, f"{where} is a list of {size}; {rest[0]!r} is not a position from 0 to {size - 1}")
    items = list(node.content)
    items[position] = _graft(items[position], rest[1:], (*above, rest[0]), change)
    return Node(node.mark, tuple(items))


def _new_entry(
    entries: Mapping[str, Entry], rest: list[str], above: tuple[str, ...], change: _Change
) -> tuple[str, Node]:
    """The key and value for a path that the file does not have yet."""
    whole = ".".join(rest)
    if above == ("space",) and not isinstance(change.value.content, Mapping):
        raise _refuse(change.mark, f"no parameter of space: matches {whole!r}", did_you_mean(whole, entries))
    if above == ("space",) or above[:1] == ("config",) or above[-1:] == ("when",):
        return whole, change.value
    value = change.value
    for part in reversed(rest[1:]):
        value = Node(change.mark, {part: Entry(change.mark, value)})
    return rest[0], value
