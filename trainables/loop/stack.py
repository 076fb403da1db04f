"""Several trials of one shape as lanes of one computation: stacked parameters, one graph under `vmap`, K updates.

Lanes share the data, the order of batches and all random draws; they differ in scalars alone. What one lane computes
never reaches another: the gradient of the sum of all losses is, row by row, each lane's own.
Shape suffix: K lanes.
Source: torch.func's ensembling (`stack_module_state`, `vmap`) with each lane's own hyperparameters.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Generic, NamedTuple

import torch
from torch import Tensor, nn
from torch.nn.attention import SDPBackend, sdpa_kernel

from trainables.contract import CannotFuse
from trainables.loop.alone import Lane
from trainables.loop.task import BatchLoss, BatchT, ModelT, Moment, Part, Task
from trainables.losses.similarity import Scalar
from trainables.metrics.gradients import lane_norms

_EPSILON = 1e-6
"""As torch's `clip_grad_norm_` adds to a norm."""


class Stack(Generic[ModelT, BatchT]):
    """Lanes whose parameters are the rows of stacked tensors. Each lane's model sees its row, and so does AdamW."""

    def __init__(self, lanes: Sequence[Lane[ModelT, BatchT]]) -> None:
        """Raises: CannotFuse: models differ in shape."""
        self._check([lane.model for lane in lanes])
        self._loss = _Loss(lanes[0].task, lanes[0].model)
        self.keep(lanes)

    def keep(self, lanes: Sequence[Lane[ModelT, BatchT]]) -> None:
        """Go on with these lanes only."""
        self._lanes = list(lanes)
        self._loss.task, self._loss.model = lanes[0].task, lanes[0].model
        named = [dict(lane.model.named_parameters()) for lane in lanes]
        self._leaves: dict[str, Tensor] = {}
        for name in named[0]:
            leaf = torch.stack([parameters[name].detach() for parameters in named])
            for parameters, row in zip(named, leaf, strict=True):
                parameters[name].data = row
            self._leaves[name] = leaf.requires_grad_(named[0][name].requires_grad)
        self._statistics = _stacked_statistics([lane.model for lane in lanes])
        self._parameters = [[parameters[name] for name in self._leaves] for parameters in named]
        first = lanes[0]
        names = {id(parameter): name for name, parameter in named[0].items()}
        groups = first.task.parameter_groups(first.model)
        self._parts = {
            part: [self._leaves[names[id(parameter)]] for parameter in module.parameters()]
            for part, module in groups.items()
        }
        self.trunk = [self._leaves[names[id(parameter)]] for parameter in first.task.trunk(first.model).parameters()]

    @property
    def num_lanes(self) -> int:
        """How many are left."""
        return len(self._lanes)

    def loss(self, batch: BatchT, moment: Moment) -> BatchLoss:
        """The losses of one batch, each a row (K,)."""
        like = next(iter(self._leaves.values()))
        varied, same = _split([lane.task.scalars(moment) for lane in self._lanes], like=like)
        over_lanes = torch.vmap(self._of_lane, in_dims=(0, 0, 0, None, None), randomness="same")
        # The other kernels of attention have no batching rule: each lane would run by itself.
        with sdpa_kernel(SDPBackend.MATH):
            rows: _Rows = over_lanes(self._leaves, self._statistics, varied, batch, replace(moment, scalars=same))
        return BatchLoss(
            parts={name: Part(loss, rows.weights[name]) for name, loss in rows.losses.items()},
            effective=rows.effective,
            regularizer=next(iter(rows.regularizers), None),
        )

    def begin(self, epoch: float, *, epochs: int) -> dict[str, Tensor]:
        """Set each lane's rates for a step at `epoch`; what they are."""
        rates = [lane.update.begin(epoch, epochs=epochs) for lane in self._lanes]
        return {name: torch.tensor([of_lane[name] for of_lane in rates], dtype=torch.float64) for name in rates[0]}

    def step(self, total_K: Tensor) -> dict[str, Tensor]:
        """As `Update.step` of each lane, with one backward pass."""
        for leaf in self._leaves.values():
            leaf.grad = None
        total_K.sum().backward()  # type: ignore[no-untyped-call]
        norms = {f"train/grad_norm_{part}": self._norms(leaves) for part, leaves in self._parts.items()}
        whole_K = torch.stack(list(norms.values())).norm(dim=0)
        limit_K = torch.tensor([lane.update.max_grad_norm for lane in self._lanes], device=whole_K.device)
        self._apply(scale_K=(limit_K / (whole_K + _EPSILON)).clamp(max=1.0))
        return norms | {"train/grad_norm": whole_K, "train/clipped_fraction": (whole_K > limit_K).float()}

    def snapshot(self) -> Sequence[Tensor]:
        """Copies of all parameters, for `ratio_since`."""
        return [leaf.detach().clone() for leaf in self._leaves.values()]

    def ratio_since(self, before: Sequence[Tensor]) -> Tensor:
        """For each lane the norm of the change since a snapshot over the norm of the snapshot."""
        pairs = zip(self._leaves.values(), before, strict=True)
        return lane_norms([now.detach() - then for now, then in pairs]) / lane_norms(before)

    def _norms(self, leaves: Sequence[Tensor]) -> Tensor:
        gradients = [leaf.grad for leaf in leaves if leaf.grad is not None]
        return lane_norms(gradients) if gradients else torch.zeros(len(self._lanes), device=leaves[0].device)

    def _apply(self, scale_K: Tensor) -> None:
        gradients: list[Sequence[Tensor | None]] = []
        for leaf in self._leaves.values():
            if leaf.grad is None:
                gradients.append([None] * len(self._lanes))
            else:
                gradients.append(leaf.grad.mul_(scale_K.to(leaf).view(-1, *[1] * (leaf.ndim - 1))).unbind(0))
        for lane, parameters, *rows in zip(self._lanes, self._parameters, *gradients, strict=True):
            for parameter, row in zip(parameters, rows, strict=True):
                parameter.grad = row
            lane.update.apply()

    def _of_lane(
        self,
        leaves: Mapping[str, Tensor],
        statistics: Mapping[str, Tensor],
        varied: Mapping[str, Tensor],
        batch: BatchT,
        moment: Moment,
    ) -> "_Rows":
        named = {f"model.{name}": tensor for name, tensor in (*leaves.items(), *statistics.items())}
        moment = replace(moment, scalars={**moment.scalars, **varied})
        loss: BatchLoss = torch.func.functional_call(self._loss, named, (batch, moment))
        return _Rows(
            losses={name: part.loss for name, part in loss.parts.items()},
            weights={name: _tensor(part.weight) for name, part in loss.parts.items()},
            effective={name: _tensor(value) for name, value in loss.effective.items()},
            regularizers=[] if loss.regularizer is None else [loss.regularizer],
        )

    @staticmethod
    def _check(models: Sequence[nn.Module]) -> None:
        shapes = [{name: p.shape for name, p in model.named_parameters()} for model in models]
        if any(of_model != shapes[0] for of_model in shapes):
            raise CannotFuse("their models differ in shape")


class _Rows(NamedTuple):
    """A batch's loss as `vmap` can return it: no numbers, and nothing that is None."""

    losses: dict[str, Tensor]
    weights: dict[str, Tensor]
    effective: dict[str, Tensor]
    regularizers: list[Tensor]


class _Loss(nn.Module, Generic[ModelT, BatchT]):
    """A task's loss as a module that has the model, so that a lane's parameters can be put in its place."""

    def __init__(self, task: Task[ModelT, BatchT], model: ModelT) -> None:
        super().__init__()
        self.task, self.model = task, model

    def forward(self, batch: BatchT, moment: Moment) -> BatchLoss:
        return self.task.loss(self.model, batch, moment)


def _stacked_statistics(models: Sequence[nn.Module]) -> dict[str, Tensor]:
    """What batch norms keep of what they have seen, a row of each model; each model sees its row.

    Under `vmap` a training step changes the rows in place. Other buffers are taken to be the same in each model.
    """
    stacked: dict[str, Tensor] = {}
    for path, norm in models[0].named_modules():
        if isinstance(norm, nn.modules.batchnorm._BatchNorm):
            for name, _ in norm.named_buffers():
                full = f"{path}.{name}" if path else name
                rows = [model.get_buffer(full) for model in models]
                stacked[full] = torch.stack(rows)
                for row, kept in zip(rows, stacked[full], strict=True):
                    row.data = kept
    return stacked


def _split(scalars: Sequence[Mapping[str, Scalar]], *, like: Tensor) -> tuple[dict[str, Tensor], dict[str, Scalar]]:
    """What differs between lanes, as a row of each, and what does not, as it is."""
    varied, same = dict[str, Tensor](), dict[str, Scalar]()
    for name, value in scalars[0].items():
        values = [of_lane[name] for of_lane in scalars]
        if all(isinstance(other, Tensor) for other in values):
            varied[name] = torch.stack([other for other in values if isinstance(other, Tensor)])
        elif all(other == value for other in values):
            same[name] = value
        else:
            varied[name] = torch.tensor(values, dtype=like.dtype, device=like.device)
    return varied, same


def _tensor(value: Scalar) -> Tensor:
    return value if isinstance(value, Tensor) else torch.tensor(value, dtype=torch.float64)
