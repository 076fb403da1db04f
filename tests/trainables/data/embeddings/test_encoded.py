"""An encoder that notes each batch that it sees, to count how often anything is computed."""

import subprocess
import sys

import numpy as np
import pytest

from trainables.contract import TrialContext
from trainables.data.embeddings.encoded import encode
from trainables.data.embeddings.files import read_whole_file
from trainables.data.embeddings.sources import EmbeddingFile
from trainables.data.errors import DataError
from trainables.tasks.adapter.config import Config
from trainables.tasks.adapter.task import train

ENCODER = """
from pathlib import Path
import torch
from torch import nn

class Pooled(nn.Module):
    def __init__(self):
        super().__init__()
        self.project = nn.Linear(3, 5)

    def forward(self, x):
        with (Path(__file__).parent / "seen").open("a") as file:
            file.write(f"{len(x)} {self.training}\\n")
        return self.project(x.float().mean(dim=(1, 2)))

def build():
    return Pooled()

def build_other():
    torch.manual_seed(1)
    return Pooled()

def build_nothing():
    return 3

def build_flat():
    return nn.Flatten(0)
"""


@pytest.fixture
def encoders(tmp_path, monkeypatch):
    """A folder with the module `my_encoders_<n>`, whose name this gives."""
    name = f"my_encoders_{abs(hash(tmp_path))}"
    (tmp_path / f"{name}.py").write_text(ENCODER)
    monkeypatch.syspath_prepend(str(tmp_path))
    return name


@pytest.fixture
def images():
    return np.random.default_rng(0).normal(size=(10, 4, 4, 3)).astype(np.float32)


def seen(folder):
    path = folder / "seen"
    return path.read_text().splitlines() if path.exists() else []


def test_what_was_computed_is_read_the_next_time(tmp_path, encoders, images):
    arguments = {"encoder": f"{encoders}:build", "batch_size": 4, "folder": tmp_path / "kept" / "here"}
    first = encode(images, **arguments)
    assert seen(tmp_path) == ["4 False", "4 False", "2 False"], "in batches, and not in training"
    np.testing.assert_array_equal(encode(images, **arguments), first)
    assert (first.shape, first.dtype, len(seen(tmp_path))) == ((10, 5), np.float32, 3)


def test_other_processes_wait_for_the_first_and_find_it(tmp_path, encoders, images):
    np.save(tmp_path / "images.npy", images)
    script = (
        "import sys, numpy as np; from pathlib import Path; from trainables.data.embeddings.encoded import encode;"
        f"sys.path.insert(0, {str(tmp_path)!r});"
        f"encode(np.load({str(tmp_path / 'images.npy')!r}), encoder='{encoders}:build', batch_size=10,"
        f" folder=Path({str(tmp_path / 'kept')!r}))"
    )
    together = [subprocess.Popen([sys.executable, "-c", script]) for _ in range(3)]
    assert [process.wait(timeout=240) for process in together] == [0, 0, 0]
    assert seen(tmp_path) == ["10 False"], "random weights are the same in each process"


def test_other_items_weights_or_code_are_computed_anew(tmp_path, encoders, images):
    arguments = {"batch_size": 10, "folder": tmp_path / "kept"}
    encode(images, encoder=f"{encoders}:build", **arguments)
    encode(images + 1, encoder=f"{encoders}:build", **arguments)
    encode(images, encoder=f"{encoders}:build_other", **arguments)
    assert len(seen(tmp_path)) == 3
    (tmp_path / f"{encoders}.py").write_text(ENCODER + "# changed\n")
    encode(images, encoder=f"{encoders}:build", **arguments)
    assert len(seen(tmp_path)) == 4


@pytest.mark.parametrize("damage", [b"", b"not a file of tensors", "flip"])
def test_what_is_damaged_is_computed_anew(tmp_path, encoders, images, damage):
    arguments = {"encoder": f"{encoders}:build", "batch_size": 10, "folder": tmp_path / "kept"}
    first = encode(images, **arguments)
    (kept,) = (tmp_path / "kept").glob("*.safetensors")
    content = kept.read_bytes()
    kept.write_bytes(content[:-1] + bytes([content[-1] ^ 1]) if damage == "flip" else damage)
    np.testing.assert_array_equal(encode(images, **arguments), first)
    assert len(seen(tmp_path)) == 2


@pytest.mark.parametrize(
    ("function", "message"),
    [
        ("missing", "cannot be built: AttributeError"),
        ("build_nothing", "returned int; expected a torch module"),
        ("build_flat", r"returned the shape \(480,\); expected \(10, channels\)"),
    ],
)
def test_an_encoder_that_does_not_fit_is_a_fault_of_the_data(tmp_path, encoders, images, function, message):
    with pytest.raises(DataError, match=message):
        encode(images, encoder=f"{encoders}:{function}", batch_size=10, folder=tmp_path / "kept")


def test_one_that_fails_says_how_and_leaves_nothing(tmp_path, encoders, images):
    with pytest.raises(DataError, match="failed: RuntimeError"):
        encode(images[..., :2], encoder=f"{encoders}:build", batch_size=10, folder=tmp_path / "kept")
    assert not list((tmp_path / "kept").glob("*.safetensors"))


def test_words_are_not_numbers(tmp_path):
    with pytest.raises(DataError, match="the inputs are <U3; expected numbers"):
        encode(np.array(["dog", "cat"]), encoder="nobody:build", batch_size=1, folder=tmp_path)


def test_adapters_over_an_encoder_share_its_embeddings(tmp_path, encoders, images):
    targets = np.random.default_rng(1).normal(size=(10, 7)).astype(np.float32)
    split = np.array(["train"] * 6 + ["val"] * 4)
    np.savez(tmp_path / "items.npz", inputs=images, targets_clip=targets, classes=np.arange(10) % 2, split=split)
    data = {"source": "files", "path": str(tmp_path / "items.npz"), "encoder": f"{encoders}:build"}
    data["cache"] = str(tmp_path / "kept")
    for lr in (1e-3, 1e-2):
        read_whole_file.cache_clear()  # as another worker
        config = Config.model_validate(
            {"epochs": 1, "spaces": "clip", "data": data, "clip": {"optimizer": {"lr": lr}, "adapter": {"hidden": 8}}}
        )
        assert len(list(train(config, TrialContext()))) == 2
    assert seen(tmp_path) == ["10 False"]


def test_without_an_encoder_its_settings_would_not_be_read():
    assert EmbeddingFile(source="files", path="x.npz").unread().keys() == {"encoder_batch_size", "cache"}
    assert EmbeddingFile(source="files", path="x.npz", encoder="a.b:c").unread() == {}
