"""Torch's global generators as one trial sees them."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import torch
from torch import Tensor


class RandomState:
    """Torch's global generators as this trial sees them: seeded once, put in use while it works, kept meanwhile.

    Trials that take turns in one process therefore do not disturb each other, nor whoever pulls them.
    """

    def __init__(self, device: str, *, seed: int) -> None:
        self._device = torch.device(device)
        self._devices = [self._device] if self._device.type == "cuda" else []
        with torch.random.fork_rng(devices=self._devices):
            torch.manual_seed(seed)
            self._state = self._current()

    @contextmanager
    def in_use(self) -> Iterator[None]:
        """Make these the global generators, and put the caller's back afterwards."""
        with torch.random.fork_rng(devices=self._devices):
            torch.set_rng_state(self._state["cpu"])
            for device in self._devices:
                torch.cuda.set_rng_state(self._state["cuda"], device)
            yield
            self._state = self._current()

    def state(self) -> dict[str, Tensor]:
        """Generator states by kind of device."""
        return dict(self._state)

    def restore(self, state: Mapping[str, Tensor]) -> None:
        """Take back what `state` gave."""
        self._state = {**self._state, **state}

    def _current(self) -> dict[str, Tensor]:
        state = {"cpu": torch.get_rng_state()}
        for device in self._devices:
            state["cuda"] = torch.cuda.get_rng_state(device)
        return state
