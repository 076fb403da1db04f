"""From a file's text to a `SpecDocument`: read, override, type, check; every fault located and all of them at once.

Called by `sweeps`. Knows no trainable: what needs its Config is checked by `config_check`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path as FilePath

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from orchestrator.errors import Fault, SpecError
from orchestrator.space import show
from orchestrator.spec.constraint_checks import check_constraints
from orchestrator.spec.dotted import plain_values
from orchestrator.spec.model import SweepSpec
from orchestrator.spec.nodes import Entry, Mark, Node, Path, dotted
from orchestrator.spec.overrides import override
from orchestrator.spec.point_checks import check_points
from orchestrator.spec.reading import MAX_BYTES, read
from orchestrator.spec.rule_checks import check_rules
from orchestrator.spec.space_checks import check_space
from orchestrator.spec.wording import allowed, did_you_mean, keys_at, refusal, tags_at


@dataclass(frozen=True)
class SpecDocument:
    """A sweep file that is valid in itself.

    Attributes:
        spec: what it says, overrides applied.
        text: the file as it is on disk.
        file: its name in faults.
        root: its values with their places.
    """

    spec: SweepSpec
    text: str
    file: str
    root: Node

    def fault(self, path: Path, what: str, hint: str = "") -> Fault:
        """A fault at `path`, such as `("space", "optimizer.lr", "low")`."""
        return self.root.fault(path, what, hint)


def load(path: FilePath, *, overrides: Sequence[str] = ()) -> SpecDocument:
    """Read a sweep file.

    Raises: SpecError: not readable, not UTF-8, or with any fault that `parse` names.
    """
    file = str(path)
    try:
        if path.exists() and not (path.is_file() or path.is_dir()):  # a pipe might never end, or never begin
            raise SpecError([Fault(file, 0, 0, "", "cannot be read: not a file")])
        with path.open("rb") as stream:
            raw = stream.read(MAX_BYTES + 1)
    except OSError as error:
        raise SpecError([Fault(file, 0, 0, "", f"cannot be read: {error.strerror or error}")]) from None
    if len(raw) > MAX_BYTES:
        raise SpecError([Fault(file, 0, 0, "", f"larger than {MAX_BYTES} bytes; a sweep file is a page or two")])
    try:
        text = raw.decode()
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        column = error.start - raw.rfind(b"\n", 0, error.start)
        what = f"the byte 0x{raw[error.start]:02x} is not UTF-8; save the file as UTF-8"
        raise SpecError([Fault(file, line, column, "", what)]) from None
    return parse(text, file=file, overrides=overrides)


def parse(text: str, *, file: str, overrides: Sequence[str] = ()) -> SpecDocument:
    """Read the text of a sweep file; `file` is its name in faults.

    Raises: SpecError: all faults of its values at once; faults of the YAML itself end the reading earlier.
    """
    root = read(text, origin=file)
    if not isinstance(root.content, Mapping):
        what = "the file is empty" if root.content is None else "expected a mapping (key: value) at the top"
        raise SpecError([root.fault((), what)])
    for option in overrides:
        root = override(root, option)
    root = _with_nested_config(root)
    try:
        spec = SweepSpec.model_validate(root.data())
    except ValidationError as error:
        raise SpecError(_type_faults(error, root)) from None
    faults = list(check_space(spec, root))
    fixed = plain_values(spec.config)
    faults += check_constraints(spec, root, fixed, complete=False, sample=not faults)
    faults += check_rules(spec, root)
    faults += check_points(spec, root)
    if faults:
        raise SpecError(faults)
    return SpecDocument(spec, text, file, root)


def _with_nested_config(root: Node) -> Node:
    """`root` with dotted keys under `config:` as nested mappings, so that a path finds both alike."""
    assert isinstance(root.content, Mapping)
    entry = root.content.get("config")
    if entry is None or not isinstance(entry.node.content, Mapping):
        return root
    faults: list[Fault] = []
    config = _nested(entry.node, ("config",), faults)
    if faults:
        raise SpecError(faults)
    return Node(root.mark, {**root.content, "config": Entry(entry.mark, config)})


def _nested(node: Node, path: Path, faults: list[Fault]) -> Node:
    if not isinstance(node.content, Mapping):
        return node
    merged: dict[str, Entry] = {}
    for key, entry in node.content.items():
        head, *rest = key.split(".")
        if not all((head, *rest)):
            faults.append(_at(entry.mark, (*path, key), "a dotted key with an empty part"))
            continue
        inner = _nested(entry.node, (*path, key), faults)
        for part in reversed(rest):
            inner = Node(entry.mark, {part: Entry(entry.mark, inner)})
        _merge(merged, head, Entry(entry.mark, inner), path, faults)
    return Node(node.mark, merged)


def _merge(target: dict[str, Entry], key: str, entry: Entry, path: Path, faults: list[Fault]) -> None:
    present = target.get(key)
    if present is None:
        target[key] = entry
    elif isinstance(present.node.content, Mapping) and isinstance(entry.node.content, Mapping):
        inside = dict(present.node.content)
        for inner, inner_entry in entry.node.content.items():
            _merge(inside, inner, inner_entry, (*path, key), faults)
        target[key] = Entry(present.mark, Node(present.node.mark, inside))
    else:
        what = f"set twice; also {_where(present.mark)}"
        faults.append(_at(entry.mark, (*path, key), what))


def _at(mark: Mark, path: Path, what: str) -> Fault:
    return Fault(mark.origin, mark.line, mark.column, dotted(path), what)


def _where(mark: Mark) -> str:
    return f"in line {mark.line}" if mark.line else f"by {mark.origin}"


def _type_faults(error: ValidationError, root: Node) -> list[Fault]:
    """Pydantic's errors as located faults; those of one union about one value become one."""
    grouped: dict[tuple[str | int, ...], list[ErrorDetails]] = {}
    faults: list[Fault] = []
    for details in error.errors(include_url=False):
        reached, _, _ = root.follow(details["loc"])
        match details["type"]:
            case "missing":
                faults.append(root.fault(reached, f"the key {str(details['loc'][-1])!r} is missing"))
            case "extra_forbidden":
                faults.append(_unknown_key(details["loc"], reached, root))
            case "union_tag_not_found":
                options = ", ".join(tags_at(SweepSpec, details["loc"]))
                faults.append(root.fault(reached, f"the key 'type' is missing; allowed: {options}"))
            case "union_tag_invalid":
                tag = str(details["ctx"]["tag"])
                options = allowed(details)
                what = f"{tag!r} is not allowed; allowed: {options}"
                faults.append(root.fault((*reached, "type"), what, did_you_mean(tag, options.split(", "))))
            case _:
                grouped.setdefault(tuple(reached), []).append(details)
    return faults + [_refused(path, errors, root) for path, errors in grouped.items()]


def _unknown_key(location: Path, reached: Path, root: Node) -> Fault:
    known = keys_at(SweepSpec, location[:-1])
    key = str(location[-1])
    hint = did_you_mean(key, known) or f"allowed: {', '.join(known)}"
    return root.fault(reached, "unknown key", hint, at_key=True)


def _refused(path: Path, errors: Sequence[ErrorDetails], root: Node) -> Fault:
    first = errors[0]
    hint = ""
    if first["type"] == "enum" and isinstance(first["input"], str):
        hint = did_you_mean(first["input"], allowed(first).split(", "))
    if first["type"] == "string_pattern_mismatch":
        what = f"{show(first['input'])} is not a name; allowed: up to 63 of a-z, 0-9, '-', '_' and '.'"
        return root.fault(path, what, "the first is a letter or digit")
    return root.fault(path, refusal(errors), hint)
