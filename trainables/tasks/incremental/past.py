"""What must be kept of the end of each step, so that a test can look back: the network and the classes' means then.

Average accuracy and forgetting compare what was right after each step. In a search those figures were measured on val
when the step ended; on test nobody measured them, so the networks of then are asked once more. The task keeps one each.
"""

import copy
from collections.abc import Mapping
from typing import cast

from torch import Tensor

from trainables.contract import State
from trainables.models.image import ImageModel


def kept(model: ImageModel, means_SD: Tensor) -> State:
    """The end of a step, as a state; copies."""
    return {
        "model": {name: value.detach().clone() for name, value in model.state_dict().items()},
        "means": means_SD.clone(),
    }


def revived(state: State, like: ImageModel) -> tuple[ImageModel, Tensor]:
    """The network of then, on the device of the present one, and the means of the classes."""
    model = copy.deepcopy(like)
    model.load_state_dict(cast(Mapping[str, Tensor], state["model"]))
    return model.eval(), cast(Tensor, state["means"])
