"""The test split: which one a sweep would read, who has read it before, and what is said to whoever wants it again."""

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from datetime import datetime

from orchestrator.errors import UsageError
from orchestrator.study.confirmations import SplitRead
from orchestrator.trial import JsonValue

_DATA = "data"
_OTHER_SPLITS = ("train", "val")
MAX_SHOWN = 3


def fingerprint(trainable: str, fixed: Mapping[str, JsonValue]) -> str:
    """The same for two sweeps that read the same test split: by trainable, and what its config says of the data.

    Keys about train and val alone, such as `data.num_train`, do not count. Files are known by their names.
    """
    data = {
        key: value
        for key, value in fixed.items()
        if key.split(".")[0] == _DATA and not any(split in re.split("[._]", key) for split in _OTHER_SPLITS)
    }
    text = json.dumps({"trainable": trainable, "data": data}, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def refuse(earlier: Sequence[SplitRead]) -> None:
    """Stop before a split is read that others have read.

    Raises:
        UsageError: naming each read, and what can be done.
    """
    if earlier:
        again = "--again reads it all the same, and the report says so"
        val = "orch confirm --no-test, or confirm: {test: false} in the sweep file, stays on val with fresh seeds"
        search = "orch sweep --no-confirm searches alone"
        raise UsageError(f"{describe(earlier)}\n  {again};\n  {val};\n  {search}")


def describe(earlier: Sequence[SplitRead]) -> str:
    """How often the split was read, the latest reads, and what follows."""
    times = "1 time" if len(earlier) == 1 else f"{len(earlier)} times"
    latest = "; ".join(describe_read(read) for read in earlier[-MAX_SHOWN:])
    return f"test has been read {times} before: {latest}. Its figures are no longer unseen."


def describe_read(read: SplitRead) -> str:
    """Who, when and why."""
    broken = "" if read.ended_ms is not None else ", interrupted"
    return f"by {read.who} at {moment(read.at_ms)} for {read.confirmation} ({read.why}{broken})"


def moment(at_ms: int) -> str:
    """Local time to the minute."""
    return datetime.fromtimestamp(at_ms / 1000).strftime("%Y-%m-%d %H:%M")
