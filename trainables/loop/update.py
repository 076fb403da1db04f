"""One optimizer for a trial: AdamW over parameter groups, each with its own settings, and what a step does."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, TypeAlias, cast

import torch
from torch import Tensor, nn

from trainables.config import GroupOptimizer, Optimizer
from trainables.metrics.gradients import gradient_norm, norm

StateDict: TypeAlias = dict[str, Any]
"""What torch calls one; what is in it is torch's own affair."""

REST = ""
"""The key of the parameters that no group of their own claims."""


class Update:
    """Sets learning rates, clips gradients, steps, and measures what the step was."""

    def __init__(
        self, model: nn.Module, parts: Mapping[str, nn.Module], optimizer: Optimizer, own: Mapping[str, GroupOptimizer]
    ) -> None:
        """Args: parts: the model's parts by name. own: settings of the parts that do not follow `optimizer`.

        Raises: ValueError: a parameter of the model is in no part, or in two; `own` names no part.
        """
        self._config = optimizer
        self._settings: dict[str, GroupOptimizer] = {REST: optimizer, **own}
        self._parts = {name: list(part.parameters()) for name, part in parts.items()}
        grouped = [id(parameter) for part in self._parts.values() for parameter in part]
        if sorted(grouped) != sorted(id(parameter) for parameter in model.parameters()):
            raise ValueError("parameter_groups must name each parameter of the model exactly once")
        if not own.keys() <= parts.keys():
            raise ValueError(f"there is no parameter group {', '.join(own.keys() - parts.keys())}")
        self._optimizer = torch.optim.AdamW(self._groups(), lr=optimizer.lr, betas=optimizer.betas, fused=True)

    def begin(self, epoch: float, *, epochs: int) -> dict[str, float]:
        """Set the rates for a step at `epoch`; what they are."""
        for group in self._optimizer.param_groups:
            setting = self._settings[group["name"]]
            group["lr"] = setting.lr * setting.schedule.at(epoch, epochs=epochs)
            beta = setting.schedule.beta1_at(epoch, epochs=epochs)
            if beta is not None:
                group["betas"] = (beta, group["betas"][1])
        rates = {group["name"]: float(group["lr"]) for group in self._optimizer.param_groups}
        return {f"train/lr_{name}" if name else "train/lr": rate for name, rate in rates.items()}

    def step(self, total: Tensor) -> dict[str, Tensor]:
        """Backward, clip, update. A parameter that is not in the graph is left exactly as it is.

        Returns: the gradient norms before clipping, and whether they were clipped.
        """
        self._optimizer.zero_grad()
        total.backward()  # type: ignore[no-untyped-call]
        norms = {f"train/grad_norm_{name}": gradient_norm(part) for name, part in self._parts.items()}
        whole = nn.utils.clip_grad_norm_(self._parameters(), self.max_grad_norm)
        self.apply()
        return norms | {"train/grad_norm": whole, "train/clipped_fraction": (whole > self.max_grad_norm).float()}

    def apply(self) -> None:
        """Change the parameters by the gradients that they have.

        The kernel of `AdamW.step` to the bit, without its way there, which costs twice the kernel for a small model.
        """
        state, groups = self._optimizer.state, self._optimizer.param_groups
        moving = [[p for p in group["params"] if p.grad is not None] for group in groups]
        if not all(parameter in state for parameters in moving for parameter in parameters):
            self._optimizer.step()  # and makes the state
            return
        for group, parameters in zip(groups, moving, strict=True):
            if parameters:
                _adamw(group, parameters, [state[parameter] for parameter in parameters])

    @property
    def max_grad_norm(self) -> float:
        """What gradients are scaled down to."""
        return self._config.max_grad_norm

    def snapshot(self) -> Sequence[Tensor]:
        """Copies of all parameters, for `ratio_since`."""
        return [parameter.detach().clone() for parameter in self._parameters()]

    def ratio_since(self, before: Sequence[Tensor]) -> Tensor:
        """The norm of the change since a snapshot over the norm of the snapshot, 0-d; NaN where that is 0."""
        return norm([now.detach() - then for now, then in zip(self._parameters(), before, strict=True)]) / norm(before)

    def state(self) -> StateDict:
        """A copy of the optimizer's state."""
        return cast(StateDict, _copied(self._optimizer.state_dict()))

    def restore(self, state: StateDict) -> None:
        """Take back what `state` gave; the settings stay the config's, which may be another than the state's."""
        self._optimizer.load_state_dict(cast(StateDict, _copied(state)))
        for group, configured in zip(self._optimizer.param_groups, self._groups(), strict=True):
            group |= {"weight_decay": configured["weight_decay"], "betas": self._config.betas}

    def _parameters(self) -> list[nn.Parameter]:
        return [parameter for part in self._parts.values() for parameter in part]

    def _groups(self) -> list[dict[str, object]]:
        """For each setting one group with and one without weight decay."""
        groups: list[dict[str, object]] = []
        for name, setting in self._settings.items():
            parts = [part for key, part in self._parts.items() if (key if key in self._settings else REST) == name]
            matrices, others = _split(parameter for part in parts for parameter in part)
            groups.append({"name": name, "params": matrices, "weight_decay": setting.weight_decay})
            groups.append({"name": name, "params": others, "weight_decay": 0.0})
        return groups


@torch.no_grad()
def _adamw(group: StateDict, parameters: list[Tensor], states: Sequence[StateDict]) -> None:
    steps = [state["step"] for state in states]
    torch._foreach_add_(steps, 1)
    torch._fused_adamw_(
        parameters,
        [parameter.grad for parameter in parameters if parameter.grad is not None],
        [state["exp_avg"] for state in states],
        [state["exp_avg_sq"] for state in states],
        [],
        steps,
        lr=group["lr"],
        beta1=group["betas"][0],
        beta2=group["betas"][1],
        weight_decay=group["weight_decay"],
        eps=group["eps"],
        amsgrad=False,
        maximize=False,
    )


def _split(parameters: Iterable[nn.Parameter]) -> tuple[list[nn.Parameter], list[nn.Parameter]]:
    """Matrices, which decay, and biases, norms and scalars, which do not."""
    both = list(parameters)
    return [p for p in both if p.ndim >= 2], [p for p in both if p.ndim < 2]


def _copied(value: object) -> object:
    """A copy of nested dicts and lists with their tensors."""
    if isinstance(value, Tensor):
        return value.detach().clone()
    if isinstance(value, dict):
        return {key: _copied(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return type(value)(_copied(item) for item in value)
    return value
