"""Strict YAML: text to `Node`s with lines and columns. YAML 1.2 scalars; nothing that surprises.

Works on PyYAML's event stream, so that depth, aliases and size are bounded before anything is built. Called by
`loading` and `overrides`; knows nothing of what a sweep file means.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NoReturn

import yaml

from orchestrator.errors import Fault, SpecError
from orchestrator.spec.nodes import Entry, Mark, Node, Scalar

MAX_BYTES = 1_000_000
MAX_DEPTH = 20
MAX_ALIASES = 100
MAX_VALUES = 50_000
"""How many values a text may have after its aliases are followed."""

INTEGER = re.compile(r"[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+")
REAL = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?|[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)")
TRUTH = re.compile(r"true|True|TRUE|false|False|FALSE")
NULL = re.compile(r"null|Null|NULL|~|")
_INTEGER_LIMIT = 2**63
_UNPRINTABLE = re.compile("[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufefe\uff00-\ufffd\U00010000-\U0010ffff]")
_ADVICE = {
    "mapping values are not allowed": "check the indentation, or put a value that holds ': ' in quotes",
    "cannot start any token": "put the value in quotes",
    "expected ',' or": "a bracket may not be closed",
    "find expected key": "check the indentation",
    "could not find expected ':'": "a key needs a colon and a space after it",
}


def resolve_scalar(text: str) -> Scalar:
    """A plain scalar by the YAML 1.2 core schema: `1e-4` is a float, `010` is ten, `yes` is text.

    Raises: ValueError: an integer beyond 64 bits.
    """
    if NULL.fullmatch(text):
        return None
    if TRUTH.fullmatch(text):
        return text.lower() == "true"
    if INTEGER.fullmatch(text):
        return _integer(text)
    if REAL.fullmatch(text):
        special = text.lower().endswith((".inf", ".nan"))
        return float(text.replace(".", "", 1) if special else text)
    return text


def _integer(text: str) -> int:
    if len(text) > 30:
        raise ValueError("the number is too long; at most 64 bits")
    number = int(text[2:], 8) if text.startswith("0o") else int(text, 16) if text.startswith("0x") else int(text)
    if not -_INTEGER_LIMIT <= number < _INTEGER_LIMIT:
        raise ValueError("the number is out of range; at most 64 bits")
    return number


@dataclass(frozen=True, slots=True)
class _Anchor:
    """An anchored value, how many values it has and how deep it goes."""

    node: Node
    num_values: int
    height: int


class _Builder:
    """Builds the nodes of one document; duplicate keys and odd keys are gathered, the rest ends the reading."""

    def __init__(self, events: Iterator[yaml.Event], *, origin: str, located: bool) -> None:
        self.faults: list[Fault] = []
        self._events = events
        self._origin = origin
        self._located = located
        self._anchors: dict[str, _Anchor | None] = {}
        self._num_aliases = 0
        self._num_values = 0
        self._deepest = 0

    def document(self) -> Node:
        """The one document of the stream; an empty stream is null."""
        next(self._events)
        root: Node | None = None
        for event in self._events:
            if isinstance(event, yaml.StreamEndEvent):
                break
            if root is not None:
                self._stop(event, "a second document starts here; a sweep file is one document")
            root = self._value(next(self._events), 1)
            next(self._events)
        return root or Node(self._place(1, 1), None)

    def _value(self, event: yaml.Event, depth: int) -> Node:
        self._count(event, 1)
        if depth > MAX_DEPTH:
            self._stop(event, f"nested more than {MAX_DEPTH} deep")
        self._deepest = max(self._deepest, depth)
        if isinstance(event, yaml.AliasEvent):
            return self._alias(event, depth)
        assert isinstance(event, yaml.ScalarEvent | yaml.CollectionStartEvent)
        if event.tag is not None:
            self._stop(event, f"the tag {event.tag} is not allowed; write a plain value")
        if not event.anchor:
            return self._untagged(event, depth)
        self._anchors[event.anchor] = None
        before, deepest, self._deepest = self._num_values, self._deepest, depth
        node = self._untagged(event, depth)
        self._anchors[event.anchor] = _Anchor(node, self._num_values - before + 1, self._deepest - depth + 1)
        self._deepest = max(self._deepest, deepest)
        return node

    def _untagged(self, event: yaml.Event, depth: int) -> Node:
        if isinstance(event, yaml.ScalarEvent):
            return Node(self._mark(event), self._scalar(event))
        if isinstance(event, yaml.SequenceStartEvent):
            items: list[Node] = []
            while not isinstance(inner := next(self._events), yaml.SequenceEndEvent):
                items.append(self._value(inner, depth + 1))
            return Node(self._mark(event), tuple(items))
        entries: dict[str, Entry] = {}
        while not isinstance(key := next(self._events), yaml.MappingEndEvent):
            text = self._key(key, depth)
            node = self._value(next(self._events), depth + 1)
            if text in entries:
                first = entries[text].mark
                self._report(key, f"duplicate key {text!r}; it already stands in line {first.line}")
            elif text is not None:
                entries[text] = Entry(self._mark(key), node)
        return Node(self._mark(event), entries)

    def _key(self, event: yaml.Event, depth: int) -> str | None:
        """The text of a key; None, with a fault noted, for a key that is no text."""
        if not isinstance(event, yaml.ScalarEvent) or event.tag is not None or event.anchor:
            self._stop(event, "a key must be plain text")
        self._count(event, 1)
        if event.implicit[0] and event.value == "<<":
            self._report(event, "merge keys (<<) are not allowed; write the keys out")
            return None
        value = self._scalar(event)
        if isinstance(value, str):
            return value
        self._report(event, f"the key {event.value or 'null'} is not text; put it in quotes")
        return None

    def _scalar(self, event: yaml.ScalarEvent) -> Scalar:
        if not event.implicit[0]:
            return str(event.value)
        try:
            return resolve_scalar(event.value)
        except ValueError as error:
            self._report(event, str(error))
            return 0

    def _alias(self, event: yaml.AliasEvent, depth: int) -> Node:
        name = str(event.anchor)
        anchor = self._anchors.get(name)
        if anchor is None:
            inside = name in self._anchors
            self._stop(event, f"the alias *{name} " + ("contains itself" if inside else "has no anchor"))
        self._num_aliases += 1
        if self._num_aliases > MAX_ALIASES:
            self._stop(event, f"more than {MAX_ALIASES} aliases")
        self._count(event, anchor.num_values - 1)
        if depth + anchor.height - 1 > MAX_DEPTH:
            self._stop(event, f"nested more than {MAX_DEPTH} deep")
        self._deepest = max(self._deepest, depth + anchor.height - 1)
        return anchor.node

    def _count(self, event: yaml.Event, num_values: int) -> None:
        self._num_values += num_values
        if self._num_values > MAX_VALUES:
            self._stop(event, f"more than {MAX_VALUES} values once aliases are followed")

    def _place(self, line: int, column: int) -> Mark:
        return Mark(self._origin, line, column) if self._located else Mark(self._origin, 0, 0)

    def _mark(self, event: yaml.Event) -> Mark:
        start = event.start_mark
        assert start is not None
        return self._place(start.line + 1, start.column + 1)

    def _report(self, event: yaml.Event, what: str) -> None:
        mark = self._mark(event)
        self.faults.append(Fault(mark.origin, mark.line, mark.column, "", what))

    def _stop(self, event: yaml.Event, what: str) -> NoReturn:
        self._report(event, what)
        raise SpecError(self.faults)


def read(text: str, *, origin: str, located: bool = True) -> Node:
    """Read one YAML document.

    Args: origin: what faults name as their file. located: whether lines and columns mean anything to a reader.
    Raises: SpecError: not YAML, or not the strict kind; duplicate and odd keys are all in it.
    """
    text = text.removeprefix("\ufeff")
    _check_characters(text, origin)
    builder = _Builder(_parse(text), origin=origin, located=located)
    try:
        root = builder.document()
    except yaml.MarkedYAMLError as error:
        raise SpecError([*builder.faults, _syntax_fault(error, text, origin, located=located)]) from None
    if builder.faults:
        raise SpecError(builder.faults)
    return root


def _parse(text: str) -> Iterator[yaml.Event]:
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    events: Iterator[yaml.Event] = yaml.parse(text, Loader=loader)
    return events


def _check_characters(text: str, origin: str) -> None:
    """Refuse what no YAML reader takes, before the reader that would name only a byte offset."""
    if len(text) > MAX_BYTES:
        raise SpecError([Fault(origin, 0, 0, "", f"{len(text)} characters; at most {MAX_BYTES} are allowed")])
    if bad := _UNPRINTABLE.search(text):
        line = text.count("\n", 0, bad.start()) + 1
        column = bad.start() - text.rfind("\n", 0, bad.start())
        what = f"the character U+{ord(bad.group()):04X} cannot stand in YAML"
        raise SpecError([Fault(origin, line, column, "", what)])


def _syntax_fault(error: yaml.MarkedYAMLError, text: str, origin: str, *, located: bool) -> Fault:
    mark = error.problem_mark or error.context_mark
    line, column = (mark.line + 1, mark.column + 1) if mark else (1, 1)
    lines = text.splitlines() or [""]
    if line > len(lines):  # "one after the last line" is shown at the end of the last
        line, column = len(lines), len(lines[-1]) + 1
    for number in range(line, max(line - 2, 0), -1):
        indent = re.match(r"[ ]*\t", lines[number - 1])
        if indent:
            return Fault(origin, number, indent.end(), "", "a tab in the indentation; YAML takes only spaces there")
    problem = error.problem or error.context or "unreadable"
    hint = next((advice for words, advice in _ADVICE.items() if words in problem), "")
    if not located:
        line, column = 0, 0
    return Fault(origin, line, column, "", f"not valid YAML: {problem}", hint)
