"""Checks of `space:` and `constraints:`: domains, conditions, and whether anything can satisfy them."""

from collections.abc import Iterator

from orchestrator.errors import Fault
from orchestrator.spec.model import SweepSpec
from orchestrator.spec.nodes import Node


def check_space(spec: SweepSpec, root: Node) -> Iterator[Fault]:
    """Faults of the space as far as the file alone tells."""
    yield from ()
