"""Sweep specs for the toys, as short as a test wants them."""

from orchestrator.spec import SweepSpec

TOY = "tests.support.toys:train"
SPACE = {"x": {"type": "float", "low": -1.0, "high": 1.0}}

EVERY_KIND = {
    "lr": {"type": "float", "low": 1e-5, "high": 1e-1, "log": True},
    "width": {"type": "int", "low": 2, "high": 64, "log": True},
    "depth": {"type": "int", "low": 1, "high": 9, "step": 2},
    "drop": {"type": "float", "low": 0.0, "high": 0.5, "step": 0.1},
    "kind": {"type": "categorical", "choices": ["constant", "linear", "cosine"]},
    "end": {"type": "float", "low": 0.2, "high": 0.6, "when": {"kind": ["linear", "cosine"]}},
    "cycles": {"type": "int", "low": 1, "high": 3, "when": {"kind": "cosine"}},
    "mode": {"type": "fixed", "value": "slow", "when": {"kind": "linear"}},
    "a": {"type": "float", "low": 0.0, "high": 1.0},
    "b": {"type": "float", "low": 0.0, "high": 1.0},
}
"""Each kind of parameter, with conditions."""
FINITE = {
    "kind": {"type": "categorical", "choices": ["constant", "linear"]},
    "end": {"type": "float", "low": 0.2, "high": 0.4, "step": 0.1, "when": {"kind": "linear"}},
    "depth": {"type": "int", "low": 1, "high": 3},
    "flag": {"type": "categorical", "choices": [True, False]},
}
"""Without a continuous parameter: 24 combinations."""
TWO_WORKERS = {"cpu": 1, "gpu": 0.0, "max_concurrent": 2, "checkpoint_interval_s": 0.0}
"""Resources of a small Ray sweep."""


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
