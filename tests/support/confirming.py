"""A search and its confirmation in this process, with the trainable that has a test split."""

from orchestrator.sweeps.confirming.confirm import Asked, Confirmation, confirm
from tests.support.home import House, Lines
from tests.support.specs import toy_spec

CONFIRMABLE = "tests.support.confirmable:train"
SPACE = {"x": {"type": "float", "low": 0.5, "high": 1.5}}


def confirmable_spec(**sections):
    """Four trials; `config` goes to the trainable."""
    return toy_spec(**{"trainable": CONFIRMABLE, "space": SPACE, "trials": 4, **sections})


def asked(**given) -> Asked:
    """What a person asks for: as little as there can be, unless told otherwise."""
    return Asked("mira@node7", "orch confirm toy-1", **{"top": 1, "seeds": 3, **given})


def confirmed(
    house: House, reference: str = "toy-1", *, watcher: Lines | None = None, sweep_id: str = "c-1", **given
) -> Confirmation:
    """`orch confirm`."""
    return confirm(reference, house.around(watcher), asked(**given), sweep_id=sweep_id)
