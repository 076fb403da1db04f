"""The adapters of a config, and the facts of the data that their shapes depend on.

`task` builds them to train, `trainables.exported` builds them again from an export, where there is no data.
"""

from collections.abc import Mapping

from trainables.config import StrictModel
from trainables.contract import Purpose
from trainables.data.embeddings.embeddings import EmbeddingData
from trainables.data.embeddings.load import load_embeddings
from trainables.data.errors import DataError
from trainables.models.adapters import (
    Adapter,
    AdapterModel,
    AdapterShape,
    MultiHeadAdapter,
    PlainAdapter,
    ResidualAdapter,
)
from trainables.tasks.adapter import config as settings
from trainables.tasks.adapter.config import AdapterKind, Config


class Facts(StrictModel):
    """What the model takes from the data.

    Attributes:
        inputs: dimensions of an input.
        targets: space to positions and dimensions of a target.
        class_names: by class number.
        mean, deviation: of the training inputs.
    """

    inputs: int
    targets: Mapping[str, tuple[int, int]]
    class_names: tuple[str, ...]
    mean: float
    deviation: float


def facts_of(data: EmbeddingData) -> Facts:
    """The facts of train."""
    inputs_NSI = data.train.inputs_NSI
    return Facts(
        inputs=inputs_NSI.shape[2],
        targets={space: (target.shape[1], target.shape[2]) for space, target in data.train.targets.items()},
        class_names=data.class_names,
        mean=float(inputs_NSI.mean()),
        deviation=max(float(inputs_NSI.std(correction=0)), 1e-6),
    )


def read_facts(config: Config, purpose: Purpose) -> Facts:
    """The facts of the data that a config names.

    Raises: DataError: it cannot be read.
    """
    return facts_of(load_embeddings(config.data, purpose))


def build_model(config: Config, facts: Facts) -> AdapterModel:
    """An adapter for each space, with random weights.

    Raises: DataError: one does not fit the data.
    """
    adapters = {space: _build_adapter(space, target.adapter, facts) for space, target in config.targets.items()}
    return AdapterModel(adapters, mean=facts.mean, deviation=facts.deviation)


def _build_adapter(space: str, adapter: settings.Adapter, facts: Facts) -> Adapter:
    positions, outputs = facts.targets[space]
    faults = adapter.faults(inputs=facts.inputs, outputs=outputs)
    if faults:
        raise DataError(f"{space}.adapter does not fit the data: {faults[0]}")
    shape = AdapterShape(
        inputs=facts.inputs,
        hidden=adapter.hidden,
        outputs=outputs,
        positions=positions,
        groups=adapter.num_groups,
        dropout=adapter.dropout if adapter.kind is not AdapterKind.MULTI_HEAD else 0.0,
        final_norm=adapter.final_norm,
    )
    match adapter.kind:
        case AdapterKind.PLAIN:
            return PlainAdapter(shape)
        case AdapterKind.MULTI_HEAD:
            return MultiHeadAdapter(shape, heads=adapter.heads)
        case AdapterKind.RESIDUAL:
            return ResidualAdapter(shape)
