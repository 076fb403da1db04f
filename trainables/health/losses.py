"""A contrastive loss against its range: pinned at chance, squeezed between floor and chance, and its temperature."""

from trainables.health.check import Sign, check
from trainables.health.curves import RECENT, curves, setting, trained_curve
from trainables.health.finding import History, Severity

PINNED = 0.01
"""Of the range between floor and chance; a loss that learns leaves this band within a few epochs."""


@check(
    meaning=(
        "The loss stays at the value of a model that finds all pairs alike (ln B of a contrastive loss, the margin "
        "of a triplet loss, ln 2 of a soft margin): nothing is learned from it, and often the embeddings are one point."
    ),
    found_by=(
        f"val/<loss>_position within {PINNED:.0%} of 1 (0 is the floor, 1 chance) in each of the last {RECENT} epochs, "
        "and train/<loss>_loss as near to chance: the hard pairs of val alone may look like chance for a while."
    ),
    cure=(
        "Lower temperature.start to .05 to .2, lower optimizer.lr if the embeddings collapsed and raise it if nothing "
        "moved, give the loss the largest weight, and check that positives belong together."
    ),
)
def loss_pinned(history: History) -> Sign | None:
    """Read every loss that has bounds."""
    for name, position in curves(history, "val/", "_position").items():
        if len(position) < RECENT or any(abs(value - 1) > PINNED for value in position.values[-RECENT:]):
            continue
        loss, chance, floor = (
            trained_curve(history, metric)
            for metric in (f"train/{name}_loss", f"val/{name}_chance", f"val/{name}_floor")
        )
        if not loss or not chance or not floor:
            continue
        band = PINNED * abs(chance.last - floor.last)
        if all(abs(value - chance.last) <= band for value in loss.values[-RECENT:]):
            evidence = {position.name: position.last, loss.name: loss.last, chance.name: chance.last}
            return Sign(Severity.ILL, position.step, evidence, detail=f"This is the {name} loss.")
    return None


SQUEEZED = 0.15
"""(chance - floor) / chance. At T = 10 and B = 20 it is .03, at T = 1 it is .32, at T = .1 it is 1."""
NATS = 0.3
"""chance - floor: .1 at T = 10. With many positives an anchor the share is small at any temperature, but not this."""


@check(
    meaning=(
        "The temperature leaves the loss almost no room between its floor and chance: it looks stuck whatever the "
        "embeddings do, and its gradient is weak."
    ),
    found_by=f"(val/<loss>_chance - val/<loss>_floor) / chance below {SQUEEZED:.0%}, and chance - floor below {NATS}.",
    cure="Lower temperature.start and temperature.end to .05 to .2: cosines are divided by the temperature.",
)
def loss_squeezed(history: History) -> Sign | None:
    """Read every loss that has bounds; a range does not depend on the model."""
    for name, chance in curves(history, "val/", "_chance").items():
        floor = trained_curve(history, f"val/{name}_floor")
        if not floor or chance.last <= 0 or f"val/{name}_position" not in history.measurements[-1].metrics:
            continue
        room = (chance.last - floor.last) / chance.last
        if room < SQUEEZED and chance.last - floor.last < NATS:
            evidence = {chance.name: chance.last, floor.name: floor.last, "range/chance": room}
            return Sign(Severity.WARNING, chance.step, evidence, detail=f"This is the {name} loss.")
    return None


TEMPERATURES = (0.01, 1.0)
"""The clamp of CLIP's learned temperature. A temperature above 1 divides cosines, which are at most 1, to nothing."""
LEARNED_EDGE = 1.02
"""A learned temperature this near to an end of its range rests on the clamp."""


@check(
    meaning="The temperature is outside of the range in which cosines give a useful softmax.",
    found_by=(
        f"train/temperature outside {TEMPERATURES[0]:g} to {TEMPERATURES[1]:g}, or a learned one resting at an end; "
        "without it the config's temperature.start."
    ),
    cure=(
        "Set temperature.start and temperature.end between .05 and .2. SigLIP's 10 multiplies cosines: "
        "here it would be .1."
    ),
)
def temperature_out_of_range(history: History) -> Sign | None:
    """Read what was in effect; the config only where nothing is reported."""
    low, high = TEMPERATURES
    reported = trained_curve(history, "train/temperature")
    configured = setting(history, "temperature.start")
    if reported:
        value, step, name = reported.last, reported.step, reported.name
    elif configured is not None and history.measurements:
        value, step, name = configured, history.measurements[-1].step, "temperature.start"
    else:
        return None
    learned = history.config.get("temperature.kind") == "learned"
    edge = LEARNED_EDGE if learned else 1.0
    if low * edge <= value <= high / edge:
        return None
    return Sign(Severity.WARNING, step, {name: value, "lowest": low, "highest": high})
