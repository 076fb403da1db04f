"""Settings that do nothing, or that choose by the wrong number."""

from trainables.health.check import Sign, check
from trainables.health.finding import History, Severity


def _last_step(history: History) -> int:
    return history.measurements[-1].step if history.measurements else 0


@check(
    meaning="The config sets keys that this trainable, as configured, never reads: they change nothing.",
    found_by="The keys that the trainable's config names as unread under its other settings.",
    cure="Remove the keys from the sweep file, or change the setting that makes them matter.",
)
def key_without_effect(history: History) -> Sign | None:
    """Speak of every unread key."""
    if not history.unread:
        return None
    evidence = {"unread_keys": float(len(history.unread))}
    return Sign(
        Severity.WARNING, _last_step(history), evidence, detail=f"Without effect: {', '.join(sorted(history.unread))}."
    )
