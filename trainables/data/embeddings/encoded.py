"""Embeddings of a frozen encoder, computed once for all trials that train heads over it and kept in a folder.

`files` calls `encode` where a source names an encoder. What is kept is found by its content: the encoder's weights, its
structure, the source file of the function that builds it, and the items. Nothing ever has to be cleared by hand.
"""

import hashlib
import importlib
import inspect
import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import safetensors.torch
import torch
from filelock import FileLock
from numpy.typing import NDArray
from safetensors import SafetensorError
from torch import Tensor, nn

from trainables.data.errors import DataError

_NAME = "embeddings"


def encode(items: NDArray[np.generic], *, encoder: str, batch_size: int, folder: Path) -> NDArray[np.generic]:
    """The encoder's outputs, row by row, as floats.

    Whoever comes first computes them; others on the same machine wait and read.

    Args:
        items: (N, ...), what the encoder takes a batch of.
        encoder: `my_pkg.my_module:build`, a function without parameters that returns a module.
        folder: where embeddings are kept; made when missing.

    Raises: DataError: the encoder cannot be built, fails, or returns something else than floats, a row for each item.
    """
    if items.dtype.kind not in "biuf":
        raise DataError(f"data.encoder {encoder!r}: the inputs are {items.dtype}; expected numbers")
    module, source = _build(encoder)
    items_N = torch.from_numpy(items)
    path = folder / f"{_key(module, source, items_N)}.safetensors"
    folder.mkdir(parents=True, exist_ok=True)
    with FileLock(path.with_suffix(".lock")):
        known = _read(path)
        if known is None:
            known = _outputs(module, items_N, batch_size=batch_size, encoder=encoder)
            _write(path, known)
    return np.asarray(known)


def _build(encoder: str) -> tuple[nn.Module, bytes]:
    """The module, frozen, and the text of the file that builds it."""
    name, _, attribute = encoder.partition(":")
    try:
        build: Callable[[], object] = getattr(importlib.import_module(name), attribute)
        # Random weights are the same in every process, or nothing would ever be found again.
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(0)
            module = build()
        source = Path(inspect.getfile(build)).read_bytes()
    # A person's function may fail in any way.
    except Exception as error:
        raise DataError(f"data.encoder {encoder!r} cannot be built: {type(error).__name__}: {error}") from error
    if not isinstance(module, nn.Module):
        raise DataError(f"data.encoder {encoder!r} returned {type(module).__name__}; expected a torch module")
    return module.eval().requires_grad_(False), source


def _key(module: nn.Module, source: bytes, items_N: Tensor) -> str:
    found = hashlib.sha256(source)
    found.update(f"{type(module).__qualname__} {module!r} {torch.__version__}".encode())
    for name, value in [*sorted(module.state_dict().items()), ("", items_N)]:
        found.update(f"{name} {value.dtype} {tuple(value.shape)}".encode())
        found.update(value.detach().cpu().contiguous().flatten().view(torch.uint8).numpy().data)
    return found.hexdigest()


@torch.inference_mode()
def _outputs(module: nn.Module, items_N: Tensor, *, batch_size: int, encoder: str) -> Tensor:
    device = "cuda" if torch.cuda.is_available() else "cpu"
    try:
        module.to(device)
        rows = [module(batch.to(device)) for batch in torch.split(items_N, batch_size)]
        outputs: Tensor = torch.cat([row.float().cpu() for row in rows])
    # A person's encoder may fail in any way.
    except Exception as error:
        raise DataError(f"data.encoder {encoder!r} failed: {type(error).__name__}: {error}") from error
    if outputs.ndim < 2 or len(outputs) != len(items_N):
        shapes = f"({len(items_N)}, channels) or ({len(items_N)}, positions, channels)"
        raise DataError(f"data.encoder {encoder!r} returned the shape {tuple(outputs.shape)}; expected {shapes}")
    return outputs.contiguous()


def _read(path: Path) -> Tensor | None:
    """What is kept; None where nothing is, or it is damaged."""
    try:
        with safetensors.safe_open(path, framework="pt") as kept:
            outputs: Tensor = kept.get_tensor(_NAME)
            return outputs if (kept.metadata() or {}).get("sha256") == _digest(outputs) else None
    except (OSError, SafetensorError):
        return None


def _write(path: Path, outputs: Tensor) -> None:
    draft = path.with_suffix(".draft")
    safetensors.torch.save_file({_NAME: outputs}, draft, metadata={"sha256": _digest(outputs)})
    os.replace(draft, path)


def _digest(outputs: Tensor) -> str:
    return hashlib.sha256(outputs.numpy().data).hexdigest()
