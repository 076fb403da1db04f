"""What a driver and its shipping process say to each other, a line of JSON each. See `shipper` and `shipping`."""

from pathlib import Path

from pydantic import BaseModel, ConfigDict

from orchestrator.tracking.outbox import Identity


class _Line(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Place(_Line):
    """The driver's first line: which store to get ready for, and a folder for a new one until it is wanted."""

    tracking_uri: str
    folder: Path


class Errand(_Line):
    """Its second line: what to ship, and for whom. Each line after it is the number of a request to flush."""

    outbox: Path
    identity: Identity


class Report(_Line):
    """What the shipping process says after each cycle.

    Attributes:
        num_shipped: operations that it has delivered.
        error: why the cycle failed, without passwords; None after a success.
        flushed: the last request to flush that had come before a cycle which succeeded.
    """

    num_shipped: int
    error: str | None
    flushed: int
