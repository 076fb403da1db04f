"""A trained model in a folder of its own, without the data that it was trained on: written by `orch export`.

`load_model(folder)` is for whoever uses the model. The folder holds `model.safetensors` (weights), `config.yaml` (the
whole config) and `model.json` (the trainable, and the facts of the data that the shapes depend on).
"""

import importlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import cast

import safetensors.torch
import torch
import yaml
from pydantic import BaseModel, ValidationError
from safetensors import SafetensorError
from torch import Tensor, nn

from trainables.contract import Purpose, State
from trainables.registry import TRAINABLES, TrainableError, load_info

FORMAT = 1
WEIGHTS_FILE = "model.safetensors"
CONFIG_FILE = "config.yaml"
MODEL_FILE = "model.json"


class ExportError(ValueError):
    """A state that holds no weights, or a folder that does not hold a whole export."""


@dataclass(frozen=True, slots=True)
class Exported:
    """A model that is ready to use.

    Attributes:
        model: in eval mode, on the device that was asked for.
        config: of the trainable.
        facts: what the model took from its data, such as the words of its tokenizer or the names of its classes.
    """

    model: nn.Module
    trainable: str
    config: BaseModel
    facts: BaseModel


def write_model(folder: Path, *, trainable: str, config: BaseModel, state: State, purpose: Purpose) -> None:
    """Write the weights of a state, the config, and for a registered trainable the facts of its data, which is read.

    Args: purpose: what the state was trained for: its facts are those of the data that it learned from.
    Raises: ExportError: the state holds no tensors. DataError: the data cannot be read.
    """
    facts = None
    if trainable in TRAINABLES:
        facts = _module(trainable).read_facts(config, purpose).model_dump(mode="json")
    folder.mkdir(parents=True, exist_ok=True)
    safetensors.torch.save_file(weights_of(state), folder / WEIGHTS_FILE, metadata={"format": "pt"})
    whole = config.model_dump(mode="json")
    (folder / CONFIG_FILE).write_text(yaml.safe_dump(whole, sort_keys=False, allow_unicode=True), encoding="utf-8")
    described = {"format": FORMAT, "trainable": trainable, "trained_for": purpose.value, "facts": facts}
    (folder / MODEL_FILE).write_text(json.dumps(described, indent=2), encoding="utf-8")


def weights_of(state: State) -> dict[str, Tensor]:
    """The tensors of the state's `model`, or of a person's own state that has none, all of them by dotted path.

    Raises: ExportError: there are none.
    """
    model = state.get("model")
    weights = _tensors(cast(Mapping[str, object], model)) if isinstance(model, Mapping) else _tensors(state)
    if not weights:
        raise ExportError("the checkpoint holds no tensors, so there are no weights to export")
    return weights


def load_model(folder: str | Path, *, device: str = "cpu") -> Exported:
    """Build the model of an export and give it its weights; no data is needed, and nothing in the files is run.

    Raises: ExportError: a file is missing, damaged or of another version, or the trainable is a person's own.
    """
    folder = Path(folder)
    described = _read_description(folder / MODEL_FILE)
    trainable = str(described.get("trainable"))
    if trainable not in TRAINABLES:
        raise ExportError(
            f"{folder}: {trainable} is a trainable of your own: build its model yourself and load the weights with "
            f"safetensors.torch.load_file('{folder / WEIGHTS_FILE}')"
        )
    module = _module(trainable)
    try:
        config = load_info(trainable).config_type.model_validate(
            yaml.safe_load((folder / CONFIG_FILE).read_text(encoding="utf-8"))
        )
        facts = cast(type[BaseModel], module.Facts).model_validate(described.get("facts"))
        with torch.random.fork_rng(devices=[]):
            model = cast(nn.Module, module.build_model(config, facts))
        model.load_state_dict(safetensors.torch.load_file(folder / WEIGHTS_FILE))
    except (OSError, yaml.YAMLError, ValidationError, TrainableError, SafetensorError, RuntimeError) as error:
        raise ExportError(f"{folder}: not a whole export of this version: {error}") from error
    return Exported(model.to(device).eval(), trainable, config, facts)


def _read_description(path: Path) -> Mapping[str, object]:
    try:
        described = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ExportError(f"{path}: cannot be read: {error}") from error
    if not isinstance(described, dict) or described.get("format") != FORMAT:
        raise ExportError(f"{path}: not an export that this version reads; expected format {FORMAT}")
    return described


def _module(trainable: str) -> ModuleType:
    """The task's `model.py`: `Facts`, `read_facts` and `build_model`."""
    return importlib.import_module(f"{TRAINABLES[trainable]}.model")


def _tensors(tree: Mapping[str, object], prefix: str = "") -> dict[str, Tensor]:
    found: dict[str, Tensor] = {}
    for key, value in tree.items():
        if isinstance(value, Tensor):
            # A copy: safetensors refuses views and tensors that share memory.
            found[f"{prefix}{key}"] = value.detach().to("cpu", copy=True).contiguous()
        elif isinstance(value, Mapping):
            found |= _tensors(value, f"{prefix}{key}.")
    return found
