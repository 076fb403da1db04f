"""What has changed around a sweep since it was launched: its own copy of the question, the file, the code.

Called by `drive`. The question is the ledger's: a changed copy is refused, a changed file and changed code are said.
"""

import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path

from orchestrator.errors import SpecError, UsageError
from orchestrator.spec import Difference, SweepSpec, difference, dump, load, parse
from orchestrator.study import Ledger, SweepRecord
from orchestrator.study.code_log import read_code, write_code
from orchestrator.sweeps.paths import SweepPaths
from trainables.registry import source_files

MAX_NAMED = 5


def write_copy(spec: SweepSpec, paths: SweepPaths) -> None:
    """Put the question beside the sweep, whole or not at all."""
    written = paths.spec.with_suffix(".tmp")
    written.write_text(dump(spec))
    written.replace(paths.spec)


def refuse_edited_copy(record: SweepRecord, paths: SweepPaths) -> None:
    """A copy that is gone is written again.

    Raises:
        UsageError: it was edited, with each difference.
    """
    if not paths.spec.exists():
        write_copy(record.spec, paths)
        return
    hint = f"it is a copy, and the ledger keeps the question; remove it to go on as launched: {paths.spec}"
    try:
        changed = difference(record.spec, load(paths.spec).spec)
    except SpecError as error:
        raise UsageError(f"the sweep's own file was edited and has faults:\n{error}\n  {hint}") from error
    if changed:
        raise UsageError(
            f"the sweep's own file was edited:\n{_lines(changed)}\n  {hint}\n"
            f"  to change what may change: --set budget.trials=N, --set resources.cpu=N, --extend trials=+N\n"
            f"  for another question: orch sweep FILE --continue-from {record.name}"
        )


def file_news(record: SweepRecord, *, directory: Path) -> str | None:
    """What is to be said of the file that the sweep was launched with, if it asks something else now."""
    file = directory / record.file
    if not record.file or not file.is_file() or file.read_bytes() == record.text.encode():
        return None
    try:
        changed = difference(parse(record.text, file=record.file).spec, load(file).spec)
    except SpecError as error:
        return (
            f"{record.file} has changed since the launch, and has faults ({error.faults[0]}); the sweep does not mind"
        )
    if not changed:
        return None
    what = _named([f"{change.path}: {change.old} -> {change.new}" for change in changed])
    return f"{record.file} has changed since the launch ({what}); the sweep keeps its question"


def code_news(ledger: Ledger, *, name: str) -> Sequence[str]:
    """The files of a trainable that have changed since a driver last ran it; from now on the new ones are known."""
    before, now = read_code(ledger), hashes(source_files(name))
    if before == now:
        return []
    write_code(ledger, now)
    return sorted(file for file in {*before, *now} if before.get(file) != now.get(file)) if before else []


def code_warning(files: Sequence[str]) -> str:
    """That measurements of two versions may not compare."""
    return f"the trainable's code has changed since it ran last ({_named(files)}); old and new trials may not compare"


def hashes(files: Mapping[str, Path]) -> dict[str, str]:
    """A short hash of each file's content."""
    return {name: hashlib.sha256(path.read_bytes()).hexdigest()[:16] for name, path in files.items()}


def _lines(changed: Sequence[Difference]) -> str:
    return "\n".join(f"  {change.path}: {change.old} -> {change.new}" for change in changed)


def _named(items: Sequence[str]) -> str:
    more = len(items) - MAX_NAMED
    return ", ".join(items[:MAX_NAMED]) + (f" and {more} more" if more > 0 else "")
