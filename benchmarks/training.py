"""Where an epoch's time goes, for every shipped trainable with the fixed values of its search space.

CPU seconds, the median of the epochs after the first: in training steps, in drawing batches and preparing the epoch
(mining too), in evaluation. Then Recall@k over large sets of embeddings beside a plain product and `topk`.

`--compile` compiles every part of the model, `--bf16` trains under autocast: neither is a setting of the product.
"""

import argparse
import contextlib
import importlib
import resource
import statistics
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import torch
from torch.nn import functional as F

from orchestrator.spec.loading import load
from trainables.contract import TrialContext
from trainables.loop import run_trial
from trainables.metrics.retrieval import recall_at_k
from trainables.metrics.rows import Rows, products
from trainables.registry import TRAINABLES, load_info

ROOT = Path(__file__).resolve().parent.parent
PHASES = ("batches", "evaluation")
_K = 10
_PLAIN_ROWS = 335


class Clock:
    """CPU seconds by phase since the last look."""

    def __init__(self) -> None:
        self.spent = dict.fromkeys(PHASES, 0.0)

    def timed(self, phase: str, function: Callable) -> Callable:
        """The same function, its time counted."""

        def call(*arguments: object, **settings: object) -> object:
            with self.counting(phase):
                return function(*arguments, **settings)

        return call

    def timed_iteration(self, phase: str, function: Callable) -> Callable:
        """The same for what makes an iterator: the time that each item takes, and not what is done with it."""

        def iterate(*arguments: object) -> Iterator[object]:
            items = iter(function(*arguments))
            while True:
                with self.counting(phase):
                    item = next(items, None)
                if item is None:
                    return
                yield item

        return iterate

    @contextlib.contextmanager
    def counting(self, phase: str) -> Iterator[None]:
        """Count what happens inside."""
        before_s = time.process_time()
        yield
        self.spent[phase] += time.process_time() - before_s

    def look(self, whole_s: float) -> dict[str, float]:
        """Seconds by phase of an epoch that took so long; the steps are the rest of it."""
        epoch = {"steps": whole_s - sum(self.spent.values()), **self.spent}
        self.spent = dict.fromkeys(PHASES, 0.0)
        return epoch


def epochs_of(name: str, *, num: int, compiled: bool, bf16: bool) -> list[dict[str, float]]:
    """Seconds by phase of each of the first epochs, step 0 (evaluation only) before them."""
    module, clock = importlib.import_module(f"{TRAINABLES[name]}.task"), Clock()

    def run_timed(task: object, **settings: object) -> Iterator:
        task.evaluate = clock.timed("evaluation", task.evaluate)
        task.begin_epoch = clock.timed("batches", task.begin_epoch)
        task.batches = clock.timed_iteration("batches", task.batches)
        if compiled:
            task.build_model = _compiling(task.build_model)
        return run_trial(task, **settings)

    fixed = load(ROOT / "search_spaces" / f"{name}.yaml").spec.config
    module.run_trial = run_timed
    trial = module.train(load_info(name).config_type.model_validate(fixed), TrialContext())
    epochs = []
    for _ in range(num + 1):
        before_s = time.process_time()
        with torch.autocast("cpu", dtype=torch.bfloat16, enabled=bf16):
            next(trial)
        epochs.append(clock.look(time.process_time() - before_s))
    trial.close()
    return epochs


def _compiling(build: Callable) -> Callable:
    """Compile the model and each of its parts: some tasks call parts alone."""
    # The gradients of the parts are compared on one graph, which must outlive the first of them.
    importlib.import_module("torch._functorch.config").donated_buffer = False

    def build_compiled() -> torch.nn.Module:
        model = build()
        for part in (model, *model.children()):
            part.compile()
        return model

    return build_compiled


def report_epochs(options: argparse.Namespace) -> None:
    """A line a trainable."""
    print(f"{'trainable':<15}{'epoch':>8}{'steps':>8}{'batches':>9}{'evaluation':>12}{'share':>7}{'first':>8}   CPU s")
    for name in options.trainables:
        epochs = epochs_of(name, num=options.epochs, compiled=options.compile, bf16=options.bf16)
        wholes = [sum(epoch.values()) for epoch in epochs[1:]]
        median: Mapping[str, float] = {
            phase: statistics.median(epoch[phase] for epoch in epochs[2:]) for phase in epochs[0]
        }
        whole = sum(median.values())
        print(
            f"{name:<15}{whole:>8.3f}{median['steps']:>8.3f}{median['batches']:>9.3f}{median['evaluation']:>12.3f}"
            f"{median['evaluation'] / whole:>7.0%}{wholes[0]:>8.3f}",
            flush=True,
        )


def time_recall(num: int) -> tuple[float, float, float]:
    """Recall@10 of `num` x 512 in classes of five: its CPU seconds, those of product and `topk`, and the recall."""
    generator = torch.Generator().manual_seed(0)
    gallery_GD = F.normalize(torch.randn(num, 512, generator=generator), dim=1)
    query_QD = F.normalize(gallery_GD + 0.3 * torch.randn(num, 512, generator=generator), dim=1)
    label_N = (torch.arange(num) // 5)[torch.randperm(num, generator=generator)]
    relevant = Rows((num, num), lambda rows: label_N[rows, None] == label_N)
    before_s = time.process_time()
    for query_CD in query_QD.split(_PLAIN_ROWS):
        (query_CD @ gallery_GD.T).topk(_K)
    plain_s = time.process_time() - before_s
    recall = recall_at_k(products(query_QD, gallery_GD), relevant, ks=(_K,))[_K]
    return time.process_time() - before_s - plain_s, plain_s, recall


def report_recall(num: int) -> None:
    """A line of Recall@10 beside what it cannot do without."""
    ours_s, plain_s, recall = time_recall(num)
    peak_gb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    print(
        f"Recall@{_K} of {num:,} x 512: {ours_s:.1f} CPU s, product and topk {plain_s:.1f},"
        f" ratio {ours_s / plain_s:.2f}, recall {recall:.3f}, peak memory {peak_gb:.2f} GB,"
        f" of which embeddings {2 * num * 512 * 4 / 2**30:.2f}"
    )


def main() -> None:
    """Parse the command line and print the figures."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("trainables", nargs="*", default=list(TRAINABLES))
    parser.add_argument("--epochs", type=int, default=4, help="of each trainable, two at least")
    parser.add_argument("--recall-items", type=int, default=100_000, help="0 leaves Recall@k out")
    parser.add_argument("--compile", action="store_true")
    parser.add_argument("--bf16", action="store_true")
    options = parser.parse_args()
    if options.recall_items:
        report_recall(options.recall_items)
    report_epochs(options)


if __name__ == "__main__":
    main()
