"""Sweep specs for the toys, as short as a test wants them."""

from orchestrator.spec import SweepSpec

TOY = "tests.support.toys:train"
SPACE = {"x": {"type": "float", "low": -1.0, "high": 1.0}}


def toy_spec(**sections) -> SweepSpec:
    """A spec for the toy; each keyword replaces a whole section, `trials` is short for the budget."""
    trials = sections.pop("trials", 4)
    data = {
        "name": "toy",
        "trainable": TOY,
        "objective": {"metric": "val/score", "direction": "maximize"},
        "space": SPACE,
        "sampler": {"type": "random"},
        "budget": {"trials": trials},
        "resources": {"gpu": 0.0, "checkpoint_interval_s": 0.0},
    }
    return SweepSpec.model_validate({**data, **sections})


def modes(*names, **fixed) -> dict[str, object]:
    """Sections for a grid with one trial per mode; `fixed` goes to the config."""
    return {
        "space": {"mode": {"type": "categorical", "choices": list(names)}},
        "sampler": {"type": "grid"},
        "config": fixed,
        "trials": len(names),
    }
