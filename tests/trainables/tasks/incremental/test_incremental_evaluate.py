"""What is measured on val, against small cases by hand."""

import pytest
import torch

from trainables.data.images.images import ImageData, Images
from trainables.models.image import ImageModel, ImageShape, ImageTrunk
from trainables.tasks.incremental import evaluate
from trainables.tasks.incremental.config import Classifier, Config, Stream
from trainables.tasks.incremental.stream import build_stream


def model(num_classes=0):
    torch.manual_seed(0)
    trunk = ImageTrunk(ImageShape(1, 8, 8), width=4)
    return ImageModel(trunk, embedding=6, num_classes=num_classes, mean=0.5, deviation=0.3).eval()


def images(num=12, num_classes=4):
    generator = torch.Generator().manual_seed(0)
    return Images(torch.rand(num, 1, 8, 8, generator=generator), torch.arange(num) % num_classes)


def test_accuracies_are_by_task():
    stream = build_stream(Stream(num_steps=2), num_classes=4)
    labels = torch.tensor([0, 1, 2, 3, 3])
    assert evaluate.accuracies(torch.tensor([0, 2, 2, 3, 0]), labels, stream, step=1) == pytest.approx([1 / 2, 2 / 3])


def test_classes_not_yet_seen_count_as_wrong_in_the_objective_alone():
    values = evaluate.over_tasks([[0.8], [0.5, 0.9]], [10, 30, 60], num_classes=4)
    assert values["val/last_accuracy"] == pytest.approx((5 + 27) / 40)
    assert values["val/stream_accuracy"] == pytest.approx((5 + 27) / 100)
    assert values["val/average_accuracy"] == pytest.approx((0.8 + 0.8) / 2)
    assert (values["val/accuracy_task_1"], values["val/accuracy_task_2"]) == (0.5, 0.9)
    assert values["val/forgetting"] == pytest.approx(0.3) and values["val/chance_accuracy"] == 0.25


def test_at_the_end_the_objective_is_last():
    values = evaluate.over_tasks([[0.8], [0.5, 0.9]], [10, 30], num_classes=4)
    assert values["val/stream_accuracy"] == values["val/last_accuracy"]


def test_a_single_task_reports_no_forgetting():
    assert "val/forgetting" not in evaluate.over_tasks([[0.8]], [10, 30], num_classes=2)


def test_both_classifiers_answer_for_the_classes_seen():
    z = torch.nn.functional.normalize(torch.randn(5, 6), dim=1)
    linear = evaluate.Rule(model(num_classes=4), Classifier.LINEAR, means_SD=torch.zeros(2, 6))
    assert set(linear.classify(z).tolist()) <= {0, 1}
    nearest = evaluate.Rule(model(), Classifier.NEAREST_MEAN, means_SD=z[:3])
    assert nearest.classify(z)[:3].tolist() == [0, 1, 2]


def test_raw_pixels_of_one_colour_are_told_apart():
    pixels = torch.zeros(4, 1, 8, 8)
    pixels[::2, :, :4] = pixels[1::2, :, 4:] = 1.0
    same = Images(pixels, torch.tensor([0, 1, 0, 1]))
    assert evaluate.raw_accuracy(ImageData(train=same, val=same, classes=("a", "b"))) == 1.0


def test_contrast_draws_the_same_views_each_time():
    config = Config(batch_size=8)
    first, again = (evaluate.contrast(model(), images(), config=config, device="cpu") for _ in range(2))
    assert first == again
    assert first["val/nce_floor"] < first["val/nce_chance"]
    assert first["val/gap"] == pytest.approx(first["val/positive_cosine"] - first["val/negative_cosine"])


def test_contrast_of_one_class_is_left_out():
    assert evaluate.contrast(model(), images(num_classes=1), config=Config(), device="cpu") == {}


def test_geometry_of_a_point():
    values = evaluate.geometry(torch.ones(5, 4) / 2)
    assert values["val/resultant_length"] == pytest.approx(1.0) and values["val/embedding_size"] == 4
