"""Which pairs of a batch the loss gets: all, or one positive and one negative an anchor, mined as the config asks.

Candidates are the batch, the memory of past batches too, or the whole train set. `task` asks for the pairs of each
batch; what was asked for and what was done is on record. The mining itself is in `trainables.mining`.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import cast

import torch
from torch import Tensor

from trainables.contract import State
from trainables.loop import Moment
from trainables.mining.choose import Choice, MiningRule, choose
from trainables.mining.memory import CrossBatchMemory
from trainables.mining.pool import Items, Pool, chosen_mask, negative_candidates, positive_candidates
from trainables.mining.record import negative_percentile
from trainables.mining.strategies import NegativeMining, Stage
from trainables.tasks.identification.choices import MiningEmbeddings
from trainables.tasks.identification.config import Config
from trainables.tasks.identification.objective import Objective, needs_train_embeddings


@dataclass(frozen=True, slots=True)
class Embedded:
    """Items, described on the CPU, and their embeddings, rows alike."""

    z_BD: Tensor
    items: Items


@dataclass(frozen=True, slots=True)
class Pairs:
    """What the loss is computed from; the masks pick the pairs. `report` is what to say of them, without `train/`."""

    distance_AN: Tensor
    positive_AN: Tensor
    negative_AN: Tensor
    report: Mapping[str, float] = field(default_factory=dict)


class PairMaker:
    """Keeps what mining needs between batches: the embedded train set, the memory, and the steps done."""

    def __init__(self, config: Config, train: Items) -> None:
        self._config, self._train = config, train
        self._memory = None
        if config.memory_size:
            self._memory = CrossBatchMemory(
                config.memory_size, embedding_size=config.sizes.embedding, warmup_steps=config.memory_warmup_steps
            )
        self._step = 0
        self._train_RD: Tensor | None = None
        self._embedded_at, self._embedded_in = 0, 0

    def begin_epoch(self, moment: Moment, embed_train: Callable[[], Tensor]) -> None:
        """Embed the train set for mining, where that is due."""
        epoch = int(moment.epoch)
        if not needs_train_embeddings(self._config, epoch):
            self._train_RD = None
        elif self._train_RD is None or epoch - self._embedded_in >= self._config.mining_refresh_epochs:
            self._train_RD, self._embedded_at, self._embedded_in = embed_train(), self._step, epoch

    def after_step(self, batch: Embedded | None) -> dict[str, float]:
        """Count the step, and remember the batch where there is a memory."""
        self._step += 1
        if self._memory is None or batch is None:
            return {}
        self._memory.enqueue(batch.z_BD, batch.items)
        return {"memory_size": float(len(self._memory)), "memory_age_steps": float(self._memory.age_M.float().mean())}

    def pairs(
        self, batch: Embedded, objective: Objective, moment: Moment, *, embed: Callable[[Tensor], Tensor]
    ) -> Pairs:
        """Args: embed: embeds training items of the records at these places, with their graph."""
        stage = self._config.stage_at(moment.epoch)
        if stage is not None and stage.negative is NegativeMining.FULL_HARD and self._train_RD is not None:
            return self._global_pairs(batch, self._rule(stage, objective), objective, moment, embed)
        columns, age_N = self._columns(batch)
        distance_AN = objective.distances(batch.z_BD, columns.z_BD)
        positive_AN = positive_candidates(batch.items, columns.items).to(distance_AN.device)
        negative_AN = negative_candidates(batch.items, columns.items).to(distance_AN.device)
        if stage is None:
            return Pairs(distance_AN, positive_AN, negative_AN)
        mined_AN, age_N = self._distances_for_mining(distance_AN, batch, columns, objective, age_N)
        pool = Pool(positive_AN, negative_AN, distance_AN=mined_AN, age_N=age_N)
        choice = choose(pool, self._rule(stage, objective), generator=moment.generator)
        report = _report(choice)
        if mined_AN is None:
            # What was chosen blindly has a place all the same.
            place_A = negative_percentile(distance_AN.detach(), negative_AN, choice.negative_A)
            report["negative_percentile"] = float(place_A.nanmean())
        return Pairs(distance_AN, *choice.masks(distance_AN.shape[1]), report)

    def state(self) -> State:
        """A copy, for a checkpoint."""
        return {
            "step": self._step,
            "embedded_at": self._embedded_at,
            "embedded_in": self._embedded_in,
            "train": None if self._train_RD is None else self._train_RD.clone(),
            "memory": None if self._memory is None else self._memory.state(),
        }

    def restore(self, state: State) -> None:
        """Go on from a `state`, exactly."""
        self._step = cast(int, state["step"])
        self._embedded_at, self._embedded_in = cast(int, state["embedded_at"]), cast(int, state["embedded_in"])
        self._train_RD = cast(Tensor | None, state["train"])
        if self._memory is not None:
            self._memory.restore(cast(State, state["memory"]))

    def _rule(self, stage: Stage, objective: Objective) -> MiningRule:
        return MiningRule(
            negative=stage.negative,
            positive=stage.positive,
            margin=float(objective.margin),
            window=self._config.mining_window,
        )

    def _columns(self, batch: Embedded) -> tuple[Embedded, Tensor | None]:
        """The candidates in the batch and in the memory, and the age of each."""
        if self._memory is None or not self._memory.is_ready:
            return batch, None
        past = self._memory.items
        items = Items(
            labels_N=torch.cat([batch.items.labels_N, past.labels_N.cpu()]),
            recordings_N=torch.cat([batch.items.recordings_N, past.recordings_N.cpu()]),
            items_N=torch.cat([batch.items.items_N, past.items_N.cpu()]),
        )
        age_N = torch.cat([torch.zeros(len(batch.items), dtype=torch.int64), self._memory.age_M.cpu()])
        age_N = age_N.to(batch.z_BD.device)
        return Embedded(torch.cat([batch.z_BD, self._memory.embeddings_MD.to(batch.z_BD)]), items), age_N

    def _distances_for_mining(
        self, fresh_AN: Tensor, batch: Embedded, columns: Embedded, objective: Objective, age_N: Tensor | None
    ) -> tuple[Tensor | None, Tensor | None]:
        """What mining looks at, and how old it is."""
        match self._config.mining_embeddings:
            case MiningEmbeddings.BATCH:
                return fresh_AN.detach(), age_N
            case MiningEmbeddings.NONE:
                return None, None
        assert self._train_RD is not None
        rows_AD, columns_ND = self._train_RD[batch.items.items_N], self._train_RD[columns.items.items_N]
        device = fresh_AN.device
        return objective.distances(rows_AD, columns_ND).to(device), torch.full(
            (len(columns_ND),), self._age, device=device
        )

    @property
    def _age(self) -> int:
        return self._step - self._embedded_at

    def _global_pairs(
        self,
        batch: Embedded,
        rule: MiningRule,
        objective: Objective,
        moment: Moment,
        embed: Callable[[Tensor], Tensor],
    ) -> Pairs:
        """Choose in the whole train set by its old embeddings, on the CPU, then embed what was chosen anew."""
        assert self._train_RD is not None
        pool = Pool(
            positive_candidates(batch.items, self._train),
            negative_candidates(batch.items, self._train),
            distance_AN=objective.distances(self._train_RD[batch.items.items_N], self._train_RD),
            is_global=True,
            age_N=torch.full((len(self._train),), self._age),
        )
        choice = choose(pool, rule, generator=moment.generator)
        # An anchor without a pair gets any record; its masks are empty.
        chosen_2A = torch.cat([choice.positive_A, choice.negative_A]).clamp(min=0)
        place_A = torch.arange(len(batch.items))
        positive_A = torch.where(choice.used_A, place_A, -1)
        negative_A = torch.where(choice.used_A, place_A + len(place_A), -1)
        positive_AN, negative_AN = (
            chosen_mask(index_A, 2 * len(place_A)).to(batch.z_BD.device) for index_A in (positive_A, negative_A)
        )
        return Pairs(objective.distances(batch.z_BD, embed(chosen_2A)), positive_AN, negative_AN, _report(choice))


def _report(choice: Choice) -> dict[str, float]:
    return {name.removeprefix("train/"): value for name, value in choice.record.metrics().items()}
