"""How `orch show` shows the importance of parameters."""

from rich.console import Console

from orchestrator.cli.output import table
from orchestrator.study.importance import Importance
from orchestrator.trial import JsonValue

MAX_ROWS = 10


def importance_json(found: Importance | None) -> dict[str, JsonValue]:
    """What `--json` adds; nothing where nothing can be said."""
    return {} if found is None else {"importance": found.to_json()}


def print_importance(console: Console, found: Importance | None) -> None:
    """The most important parameters, overall and at each epoch at which trials were compared."""
    if found is None:
        return
    columns = ("overall", *(f"epoch {at.epoch}" for at in found.epochs))
    rows = table("importance", *columns, numeric=columns)
    trials = (at.words for at in found.epochs)
    rows.add_row("", "", *trials, style="dim")
    for name, share in list(found.shares.items())[:MAX_ROWS]:
        at_epochs = (at.shares.get(name) for at in found.epochs)
        rows.add_row(name, _share(share), *map(_share, at_epochs))
    console.print(rows)


def _share(share: float | None) -> str:
    return "-" if share is None else f"{share:.2f}"
