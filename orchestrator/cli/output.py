"""Writing to the terminal: data on stdout, progress on stderr, tables that fit."""

import json
import sys
from collections.abc import Iterable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext, redirect_stdout
from typing import TYPE_CHECKING, TypeVar

import click
from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from orchestrator.trial import JsonValue, Value

if TYPE_CHECKING:
    from orchestrator.study import Continued

Item = TypeVar("Item")


def print_json(value: JsonValue) -> None:
    """One JSON document on stdout; NaN and infinities as null, which JSON has."""
    click.echo(json.dumps(_finite(value), indent=2))


def only_json(as_json: bool) -> AbstractContextManager[object]:
    """While open, what a trainable prints goes to stderr if `as_json`, so that stdout is one document."""
    return redirect_stdout(sys.stderr) if as_json else nullcontext()


PIPE_WIDTH = 320
MAX_EPOCH_COLUMNS = 6


def out() -> Console:
    """The console for data; a pipe is as wide as the data."""
    console = Console(highlight=False, soft_wrap=False)
    return console if console.is_terminal else Console(highlight=False, width=PIPE_WIDTH)


def table(*columns: str, numeric: tuple[str, ...] = ()) -> Table:
    """A plain table with right-aligned `numeric` columns."""
    made = Table(box=None, pad_edge=False, header_style="bold", padding=(0, 2, 0, 0))
    for column in columns:
        made.add_column(column, justify="right" if column in numeric else "left", overflow="fold")
    return made


def print_indented(console: Console, text: Text, *, by: int) -> None:
    """A paragraph: wrapped at words and indented on a terminal, one line in a pipe."""
    if console.is_terminal:
        console.print(Padding(text, (0, 0, 0, by), expand=False))
    else:
        console.print(Text(" " * by).append_text(text), soft_wrap=True)


def number(value: float | None) -> str:
    """Four significant digits, or a dash."""
    return "-" if value is None else f"{value:.4g}"


def duration(seconds: float | None) -> str:
    """Such as `4.2 s`, `3:07` or `2:15:00`."""
    if seconds is None:
        return "-"
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes}:{rest:02d}"


def params_text(params: Mapping[str, Value]) -> str:
    """Parameters on one line."""
    return " ".join(f"{name}={_value(value)}" for name, value in params.items())


def short_names(names: Iterable[str]) -> dict[str, str]:
    """Dotted names by their shortest unique endings: `optimizer.lr` is `lr` unless another parameter ends so."""
    known = list(names)

    def shortest(name: str) -> str:
        parts = name.split(".")
        for start in range(len(parts) - 1, 0, -1):
            ending = ".".join(parts[start:])
            if sum(other == ending or other.endswith(f".{ending}") for other in known) == 1:
                return ending
        return name

    return {name: shortest(name) for name in known}


def spread(items: Sequence[Item], count: int) -> list[Item]:
    """At most `count` of them, evenly spread, the first and the last among them."""
    if len(items) <= count:
        return list(items)
    return [items[round(i * (len(items) - 1) / (count - 1))] for i in range(count)]


def _value(value: Value) -> str:
    return f"{value:.3g}" if isinstance(value, float) else str(value)


def _finite(value: JsonValue) -> JsonValue:
    if isinstance(value, float):
        return value if value == value and abs(value) != float("inf") else None
    if isinstance(value, Mapping):
        return {key: _finite(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(item) for item in value]
    return value


def continued_lines(continued: "Continued") -> list[str]:
    """How many trials of which sweep were taken, and why the others were not."""
    total = continued.taken + sum(continued.dropped.values())
    taken = f"{continued.taken} of the {total} trials of {continued.sweep} are known to the sampler"
    return [taken, *(f"{count} not taken: {reason}" for reason, count in continued.dropped.items())]
