"""Histories made by hand, one list of values for each metric."""

from trainables.contract import Measurement
from trainables.health import History


def history(*, objective=None, config=None, unread=(), **curves):
    """Values from step 0 on; None where a metric was not measured. `val_x` stands for `val/x`."""
    length = max(map(len, curves.values()), default=0)
    measurements = tuple(
        Measurement(
            step,
            {
                name.replace("_", "/", 1): values[step]
                for name, values in curves.items()
                if step < len(values) and values[step] is not None
            },
        )
        for step in range(length)
    )
    return History(measurements, config=config or {}, objective=objective, unread=unread)
