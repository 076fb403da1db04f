"""A memory of past batches, so that a small batch can be contrasted with many items.

A task enqueues after each step and, once the memory is ready, adds it to the columns of its loss with the masks of
`pool`, which leave out an anchor's own copies. Its embeddings are stale: their age is on record.
"""

from typing import cast

import torch
from torch import Tensor

from trainables.contract import State
from trainables.mining.pool import Items


class CrossBatchMemory:
    """First in, first out, at most `size` detached embeddings; each item is in it once, as it was last seen.

    Source: Wang et al. 2020, arXiv:1912.06798; they begin to use it after 1,000 steps of training.

    Attributes:
        embeddings_MD: the M items that it holds, oldest first.
        items: what they are.
    """

    def __init__(self, size: int, *, embedding_size: int, warmup_steps: int = 0) -> None:
        """An empty memory on the CPU; it moves to where the embeddings come from.

        Args:
            size: > 0.
            embedding_size: D.
            warmup_steps: steps to count before it is ready, because early embeddings change fast.

        Raises: ValueError: a size below 1.
        """
        if size < 1:
            raise ValueError(f"a memory holds at least one embedding, not {size}")
        self._size, self._warmup_steps = size, warmup_steps
        self._step = 0
        nothing = torch.empty(0, dtype=torch.int64)
        self.embeddings_MD = torch.empty(0, embedding_size)
        self.items = Items(nothing, nothing, nothing)
        self._seen_M = nothing

    def __len__(self) -> int:
        return len(self.items)

    @property
    def is_ready(self) -> bool:
        """Whether the warm-up is over and there is something in it."""
        return self._step >= max(self._warmup_steps, 1) and len(self) > 0

    @property
    def age_M(self) -> Tensor:
        """Steps since each embedding was computed: 1 for those of the step before; int64."""
        return self._step - self._seen_M

    def enqueue(self, z_BD: Tensor, items: Items) -> None:
        """Take in a batch after its step. Older copies of its items go, and of copies within it the last one stays.

        Raises: ValueError: the batch does not fit the memory.
        """
        expected = (len(items), self.embeddings_MD.shape[1])
        if tuple(z_BD.shape) != expected or len(items) > self._size:
            raise ValueError(f"embeddings {tuple(z_BD.shape)}, expected {expected}; the memory holds {self._size} rows")
        device = z_BD.device
        now_B = torch.full_like(items.items_N, self._step, device=device)
        embeddings = torch.cat([self.embeddings_MD.to(z_BD), z_BD.detach()])
        every = _joined(self.items, items, device=device)
        kept = _last_occurrences(every.items_N)[-self._size :]
        self.embeddings_MD, self.items = embeddings[kept], every.select(kept)
        self._seen_M = torch.cat([self._seen_M.to(device), now_B])[kept]
        self._step += 1

    def state(self) -> State:
        """A copy, for a checkpoint."""
        return {
            "step": self._step,
            "embeddings": self.embeddings_MD.clone(),
            "labels": self.items.labels_N.clone(),
            "recordings": self.items.recordings_N.clone(),
            "items": self.items.items_N.clone(),
            "seen": self._seen_M.clone(),
        }

    def restore(self, state: State) -> None:
        """Go on from a `state`, exactly."""
        self._step = cast(int, state["step"])
        self.embeddings_MD = cast(Tensor, state["embeddings"]).clone()
        self.items = Items(*(cast(Tensor, state[name]).clone() for name in ("labels", "recordings", "items")))
        self._seen_M = cast(Tensor, state["seen"]).clone()


def _joined(first: Items, second: Items, *, device: torch.device) -> Items:
    pairs = zip(_columns(first), _columns(second), strict=True)
    return Items(*(torch.cat([old.to(device), new.to(device)]) for old, new in pairs))


def _columns(items: Items) -> tuple[Tensor, Tensor, Tensor]:
    return items.labels_N, items.recordings_N, items.items_N


def _last_occurrences(items_N: Tensor) -> Tensor:
    """Indices, in order, of each number's last occurrence."""
    last = {item: index for index, item in enumerate(items_N.tolist())}
    return torch.tensor(sorted(last.values()), dtype=torch.int64, device=items_N.device)
