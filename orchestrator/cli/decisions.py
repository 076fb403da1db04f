"""Why the pruner let a trial go on or ended it, in words. Called by `orch show`."""

from collections.abc import Mapping

from orchestrator.cli.output import number
from orchestrator.trial import JsonValue

_SPARED = {"standard_error": "within its own standard error", "improving": "it still improves"}

Decision = Mapping[str, JsonValue]


def decision_words(decision: Decision) -> str:
    """One stored decision on one line."""
    rung = decision.get("rung")
    where = f"epoch {decision['step']}" + ("" if rung is None else f", rung {rung}")
    idle, error = decision.get("epochs_without_improvement"), _number(decision, "standard_error")
    parts = [_compared(decision)]
    if error is not None:
        parts.append(f"standard error {number(error)}")
    if idle is not None:
        parts.append(f"{idle} epochs without improvement")
    return f"{where}: {', '.join(parts)}: {_outcome(decision)}"


def _compared(decision: Decision) -> str:
    value, cutoff = number(_number(decision, "value")), number(_number(decision, "cutoff"))
    if (floor := decision.get("floor")) is not None:
        return f"{floor} never above {value}, floor {cutoff}"
    if (p_value := _number(decision, "p_value")) is not None:
        return f"mean {value}, best trial's mean {cutoff}, p {number(p_value)}"
    if decision.get("rank") is None:
        return f"value {value}, its best {cutoff}"
    return f"value {value}, cutoff {cutoff}, rank {decision['rank']} of {decision['num_compared']}"


def _outcome(decision: Decision) -> str:
    if decision["pruned"]:
        return "pruned"
    spared = decision.get("spared")
    return "goes on" if spared is None else f"spared, {_SPARED[str(spared)]}"


def _number(decision: Decision, name: str) -> float | None:
    value = decision.get(name)
    return float(value) if isinstance(value, int | float) else None
