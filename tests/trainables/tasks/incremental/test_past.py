"""What is kept of the end of a step: the figures on test are those that a test after each step would have measured."""

import pytest
import torch

from tests.support.quick_configs import QUICK
from trainables.contract import Purpose, TrialContext
from trainables.models.image import ImageModel, ImageShape, ImageTrunk
from trainables.tasks.incremental.config import Config
from trainables.tasks.incremental.past import kept, revived
from trainables.tasks.incremental.task import train


@pytest.fixture(scope="module", params=["nearest_mean", "linear"])
def tested(request):
    """A test after each epoch of a stream of three steps of two epochs; position is the epoch."""
    config = Config.model_validate({**QUICK["incremental"], "classifier": request.param, "memory": {"per_class": 2}})
    states = []
    list(train(config, TrialContext(save=lambda state: states.append(state()))))
    found = []
    for state in states:
        found += train(config, TrialContext(purpose=Purpose.TEST, resume=state))
    return found


def test_average_accuracy_and_forgetting_look_back_with_the_networks_of_then(tested):
    ends = [tested[epoch].metrics for epoch in (2, 4, 6)]
    last = [end["test/last_accuracy"] for end in ends]
    for step, end in enumerate(ends):
        assert end["test/average_accuracy"] == pytest.approx(sum(last[: step + 1]) / (step + 1))
    best = [max(end[f"test/accuracy_task_{j}"] for end in ends[j - 1 : 2]) for j in (1, 2)]
    lost = [best[j - 1] - ends[2][f"test/accuracy_task_{j}"] for j in (1, 2)]
    assert ends[2]["test/forgetting"] == pytest.approx(sum(lost) / 2)


def test_classes_that_have_not_come_are_wrong_in_resamples_too(tested):
    for measurement in tested:
        for name, values in measurement.resamples.items():
            assert sum(values) / len(values) == pytest.approx(measurement.metrics[name], abs=0.01)
    assert max(tested[2].resamples["test/stream_accuracy"]) < min(tested[2].resamples["test/last_accuracy"])


def test_a_network_comes_back_as_it_was():
    model = ImageModel(ImageTrunk(ImageShape(1, 8, 8), width=4), embedding=3, num_classes=0, mean=0.0, deviation=1.0)
    pixels, means = torch.rand(5, 1, 8, 8), torch.rand(2, 3)
    model.eval()
    before = model(pixels)
    state = kept(model, means)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(1.0)
    then, means_then = revived(state, model.train())
    assert torch.equal(then(pixels), before) and torch.equal(means_then, means)
    assert not torch.equal(model.eval()(pixels), before)
