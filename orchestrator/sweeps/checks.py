"""Everything that is checked of a sweep file before anything starts."""

import re
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from pydantic import BaseModel

from orchestrator.errors import OrchError, SpecError, UsageError
from orchestrator.space import SearchSpace
from orchestrator.spec import SpecDocument, SweepSpec, check_config, check_without_config, load, resolve
from orchestrator.spec.model import NAME_PATTERN
from orchestrator.trial import JsonValue, Value
from trainables.registry import TrainableError, TrainableInfo, find_own, load_info


class Unseen(BaseModel, extra="allow"):
    """Stands for the Config of a module that was not imported: it takes anything."""


@dataclass(frozen=True, slots=True)
class CheckedSweep:
    """A sweep file without a fault.

    Attributes:
        fixed: flattened values of the trainable's Config that the search does not touch.
    """

    document: SpecDocument
    info: TrainableInfo
    space: SearchSpace
    fixed: Mapping[str, JsonValue]

    @property
    def spec(self) -> SweepSpec:
        """What the file says."""
        return self.document.spec

    @property
    def is_config_checked(self) -> bool:
        """Whether the trainable's Config was there to be asked."""
        return self.info.config_type is not Unseen

    def config(self, params: Mapping[str, Value]) -> dict[str, JsonValue]:
        """The whole validated config of one trial."""
        dumped: dict[str, JsonValue] = self.info.config_type.model_validate(resolve(self.spec, params)).model_dump(
            mode="json"
        )
        return dumped


def check_name(name: str) -> None:
    """Refuse a `--name` that the file's `name:` could not be either; `compare SWEEP/NUMBER` needs it free of slashes.

    Raises:
        UsageError: it is not one.
    """
    if re.fullmatch(NAME_PATTERN, name) is None:
        allowed = "up to 63 of a-z, 0-9, '-', '_' and '.' (the first is a letter or digit)"
        raise UsageError(f"{name!r} is not a name for a sweep; allowed: {allowed}")


def check_file(path: Path, *, overrides: Sequence[str] = (), directory: Path, imports: bool = True) -> CheckedSweep:
    """Load a sweep file and check it against its trainable.

    Args: imports: whether a user's own module is imported, and with that run; without, its Config is not checked.

    Raises:
        SpecError: with every fault.
    """
    return check(load(path, overrides=overrides), directory=directory, imports=imports)


def check(document: SpecDocument, *, directory: Path, imports: bool = True) -> CheckedSweep:
    """Check a loaded sweep file against its trainable; a user's own module is looked for in `directory` too.

    Raises:
        SpecError: with every fault.
    """
    _import_from(directory)
    name = document.spec.trainable
    try:
        if ":" in name and not imports:
            find_own(name)
            space = check_without_config(document)
            return CheckedSweep(document, TrainableInfo(name, Unseen, None), space, fixed=space.fixed)
        info = load_info(name)
    except TrainableError as error:
        raise SpecError([document.fault(("trainable",), str(error).removeprefix("trainable "))]) from error
    space = _check_config(document, info)
    return CheckedSweep(document, info, space, fixed=space.fixed)


def _check_config(document: SpecDocument, info: TrainableInfo) -> SearchSpace:
    try:
        return check_config(document, info.config_type, metrics=info.metrics)
    except OrchError:
        raise
    # A validator in a person's own Config may raise anything.
    except Exception as error:
        what = f"{document.spec.trainable}: its Config raised {type(error).__name__}: {error}"
        raise SpecError([document.fault(("trainable",), what)]) from error


def _import_from(directory: Path) -> None:
    if str(directory) not in sys.path:
        sys.path.insert(0, str(directory))


def config_schema(trainable: str, *, directory: Path, imports: bool) -> dict[str, JsonValue]:
    """The JSON Schema of a trainable's Config.

    Raises:
        UsageError: there is no such trainable, or it is a user's own and is not to be imported.
    """
    if ":" in trainable and not imports:
        raise UsageError(f"the Config of {trainable} is in a module of yours: --import runs the module and reads it")
    _import_from(directory)
    try:
        schema: dict[str, JsonValue] = load_info(trainable).config_type.model_json_schema()
    except TrainableError as error:
        raise UsageError(str(error)) from error
    return schema
