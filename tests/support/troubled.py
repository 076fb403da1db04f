"""A trainable whose surroundings misbehave: its module, its Config, its output, its clean-up."""

import os
import sys
import threading
from collections.abc import Iterator, Mapping
from enum import StrEnum
from typing import Any

from pydantic import BaseModel, Field, field_validator

from trainables.contract import Measurement, TrialContext
from trainables.roles import Role

METRICS = {"val/score": "the objective"}
if "default_worker" in sys.argv[0] and os.environ.get("PYTHONORCH_TROUBLE") == "import":
    raise ImportError("a library is missing on this machine")


class Trouble(StrEnum):
    NONE = "none"
    ROLES = "roles"
    VALIDATOR = "validator"
    CLEANUP = "cleanup"
    CLEANUP_EXITS = "cleanup_exits"
    YIELDS_IN_CLEANUP = "yields_in_cleanup"
    PRINTS = "prints"
    STATE = "state"


class Config(BaseModel, extra="forbid"):
    epochs: int = Field(default=3, ge=1)
    x: float = Field(default=0.5, ge=0, le=1)
    trouble: Trouble = Trouble.NONE
    lock: Any = Field(default_factory=threading.Lock)
    """Nothing that can be pickled, or written as JSON."""

    @field_validator("trouble")
    @classmethod
    def refuse(cls, trouble: Trouble) -> Trouble:
        if trouble is Trouble.VALIDATOR:
            raise RuntimeError("the validator is broken")
        return trouble

    def roles(self) -> Mapping[str, Role]:
        if self.trouble is Trouble.ROLES:
            raise RuntimeError("the roles are broken")
        return {}


def train(config: Config, context: TrialContext) -> Iterator[Measurement]:
    first = 0 if context.resume is None else int(context.resume["epoch"]) + 1
    try:
        for epoch in range(first, config.epochs + 1):
            if config.trouble is Trouble.PRINTS:
                print("x" * 1_000_000)
                print("x" * 1_000_000, file=sys.stderr)
            context.save(lambda epoch=epoch: state(config, epoch))
            yield Measurement(epoch, {"val/score": config.x * epoch})
    finally:
        match config.trouble:
            case Trouble.CLEANUP:
                raise RuntimeError("the clean-up is broken")
            case Trouble.CLEANUP_EXITS:
                sys.exit("enough")
            case Trouble.YIELDS_IN_CLEANUP:
                yield Measurement(99, {"val/score": 99.0})


def state(config: Config, epoch: int) -> dict[str, object]:
    if config.trouble is Trouble.STATE:
        raise RuntimeError("the state is broken")
    return {"epoch": epoch}
