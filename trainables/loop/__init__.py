"""THE training loop: one generator that every task uses, whatever it trains.

A task's `train` builds its `Task` and yields from `run_trial`. The loop owns the order of things, the optimizer,
randomness and the state for a resume; it knows no data, no model and no loss.
"""

from trainables.loop.task import BatchLoss, Moment, Part, Task
from trainables.loop.trial import run_lanes, run_trial

__all__ = ["BatchLoss", "Moment", "Part", "Task", "run_lanes", "run_trial"]
