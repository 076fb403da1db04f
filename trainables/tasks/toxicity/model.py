"""The networks of a config, and the facts of the data that their shapes depend on.

`task` builds them to train, `trainables.exported` builds them again from an export, where there is no data.
"""

from collections.abc import Mapping

from torch import nn

from trainables.config import StrictModel
from trainables.contract import Purpose
from trainables.data.texts.load import load_texts
from trainables.data.texts.texts import TextData
from trainables.losses.uncertainty import TaskUncertainties
from trainables.models.labelled_text import LabelledTextModel, TextSizes
from trainables.tasks.toxicity.config import Config, TaskWeighting


class ToxicityModel(nn.Module):
    """The networks, and the learned task weights where there are any."""

    def __init__(self, texts: LabelledTextModel, uncertainties: TaskUncertainties) -> None:
        super().__init__()
        self.texts, self.uncertainties = texts, uncertainties


class Facts(StrictModel):
    """What the model takes from the data. Attributes: classes: of each task, in the order of the logits."""

    classes: Mapping[str, tuple[str, ...]]


def facts_of(data: TextData) -> Facts:
    """The tasks."""
    return Facts(classes={task.name: task.classes for task in data.tasks})


def read_facts(config: Config, purpose: Purpose) -> Facts:
    """The facts of the data that a config names.

    Raises: DataError: it cannot be read.
    """
    return facts_of(load_texts(config.data, purpose))


def build_model(config: Config, facts: Facts) -> ToxicityModel:
    """The networks, with random weights."""
    sizes = TextSizes(**config.sizes.model_dump())
    texts = LabelledTextModel(sizes, {name: len(classes) for name, classes in facts.classes.items()})
    learned = list(facts.classes) if config.weighting.kind is TaskWeighting.KENDALL else []
    return ToxicityModel(texts, TaskUncertainties(learned, start=config.weighting.start))
