"""Note 002: a contrastive loss that was "stuck" at 2.9, and five fixes that were only tried together.

Generated angiograms, batches of 20, ten epochs, three seeds, the same number of steps for every setting.
"""

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import mean, stdev

import torch

from benchmarks.reproductions.claim import Claim
from trainables.contract import TrialContext
from trainables.data.errors import Split
from trainables.data.pairs.angiogram import read_angiograms
from trainables.data.pairs.sources import AngiogramSource
from trainables.data.pairs.vessel_tree import SEGMENTS
from trainables.losses.bounds import clip_bounds
from trainables.losses.gated_softmax import gated_softmax_bounds
from trainables.metrics.stenosis import stenosis_scores
from trainables.metrics.text import bleu, rouge_l
from trainables.tasks.multitask.config import Config
from trainables.tasks.multitask.task import train

SEEDS, EPOCHS, BATCH = (0, 1, 2), 10, 20
OLD_WEIGHTS = {"contrastive": 0.8, "captioning": 1.2, "masked_modeling": 0.5}
NEW_WEIGHTS = {"contrastive": 2.0, "captioning": 0.3, "masked_modeling": 0.1}
PATCH = 0.8 * 0.4
"""The patch term's own weight of .4 stood inside the contrastive part, which has .8."""


@dataclass(frozen=True, slots=True)
class Setting:
    """What the five fixes change; the defaults are the note's first state."""

    weights: Mapping[str, float]
    temperature: float = 10.0
    patch: float = PATCH
    clip: float = 0.5
    contrastive: str = "clip"

    def config(self) -> Config:
        """The task's config."""
        return Config.model_validate(
            {
                "epochs": EPOCHS,
                "batch_size": BATCH,
                "contrastive": self.contrastive,
                "temperature": {"start": self.temperature},
                "loss_weights": {**self.weights, "patch_contrastive": self.patch},
                "optimizer": {"lr": 1e-3, "max_grad_norm": self.clip},
                "evaluation": {"num_captions": 0},
            }
        )


SETTINGS = {
    "broken": Setting(OLD_WEIGHTS),
    "patch term removed": Setting(OLD_WEIGHTS, patch=0.0),
    "weights 2.0/.3/.1": Setting(NEW_WEIGHTS),
    "temperature .1": Setting(OLD_WEIGHTS, temperature=0.1),
    "clipping at 1.0": Setting(OLD_WEIGHTS, clip=1.0),
    "all": Setting(NEW_WEIGHTS, temperature=0.1, patch=0.0, clip=1.0),
    "gated": Setting(OLD_WEIGHTS, contrastive="gated_softmax"),
}


class Runs:
    """Every setting with every seed: the metrics of all epochs, the untrained model first."""

    def __init__(self) -> None:
        self._curves = {
            name: [[m.metrics for m in train(setting.config(), TrialContext(seed=seed))] for seed in SEEDS]
            for name, setting in SETTINGS.items()
        }

    def at(self, setting: str, metric: str, epoch: int = -1) -> list[float]:
        """The metric after an epoch, the last one unless said; one value for each seed."""
        return [curve[epoch][metric] for curve in self._curves[setting]]

    def shown(self, setting: str, metric: str, epoch: int = -1) -> str:
        """Mean and deviation over seeds."""
        return spread(self.at(setting, metric, epoch))

    def gain(self, setting: str) -> list[float]:
        """Recall@1 above the broken setting, seed by seed."""
        pairs = zip(self.at(setting, "val/recall_at_1"), self.at("broken", "val/recall_at_1"), strict=True)
        return [ours - theirs for ours, theirs in pairs]


def spread(values: Sequence[float]) -> str:
    """`.512 +- .013`."""
    return f"{mean(values):.3f} +- {stdev(values):.3f}"


def reproduce() -> list[Claim]:
    """About two and a half minutes."""
    runs = Runs()
    return [*plateau(runs), *fixes(runs), *shares(runs), *targets(runs), *numbers(), initialisation()]


def plateau(runs: Runs) -> list[Claim]:
    """Where the loss was stuck, and what it could have been."""
    claims = []
    kinds = {
        "broken": ("CLIP's loss", clip_bounds(BATCH, 10.0)),
        "gated": ("the project's own loss, s * sigmoid(s) under a softmax", gated_softmax_bounds(BATCH, 10.0)),
    }
    for setting, (loss, bounds) in kinds.items():
        first, last = (runs.shown(setting, "val/contrastive_loss", epoch) for epoch in (0, EPOCHS))
        claims.append(
            Claim(
                what=f"{loss} at T = 10, B = {BATCH}: before and after {EPOCHS} epochs",
                note="3.0, 2.9, 2.9: stuck",
                ours=f"{first}, {last}; possible: {bounds.floor:.3f} to {bounds.chance:.3f}",
                verdict="reproduced: that is its whole range",
            )
        )
    lowest = min(runs.at("broken", "val/matched_cosine", 3))
    matched = runs.shown("broken", "val/matched_cosine", 3)
    verdict = "not negative here" if lowest > 0 else "negative for some seed"
    claims.append(Claim("alignment at T = 10 after 3 epochs", "-.1", matched, verdict))
    recall = ", ".join(runs.shown("broken", "val/recall_at_1", epoch) for epoch in (1, 2, 3))
    chance = runs.at("broken", "val/chance_recall_at_1", 0)[0]
    gained = mean(runs.at("broken", "val/recall_at_1")) - mean(runs.at("broken", "val/recall_at_1", 3))
    verdict = "slow, not stuck" if gained > 0.02 else "stuck"
    what = "Recall@1 at T = 10 after 1, 2, 3 epochs"
    claims.append(Claim(what, ".05, .06, .07", f"{recall}; chance {chance:.3f}", verdict))
    return claims


def fixes(runs: Runs) -> list[Claim]:
    """Each fix alone."""
    alone = ["patch term removed", "weights 2.0/.3/.1", "temperature .1", "clipping at 1.0"]
    claims = [Claim("Recall@1, broken", ".05 to .07", runs.shown("broken", "val/recall_at_1"), "-")]
    for number, name in zip((1, 2, 3, 5), alone, strict=True):
        claims.append(
            Claim(f"Recall@1, fix {number} alone: {name}", "a cause", _gained(runs, name), _effect(runs.gain(name)))
        )
    claims.append(Claim("Recall@1, all five fixes", "above .4", _gained(runs, "all"), _effect(runs.gain("all"))))
    pairs = zip(runs.at("all", "val/recall_at_1"), runs.at("temperature .1", "val/recall_at_1"), strict=True)
    rest = [everything - temperature for everything, temperature in pairs]
    claims.append(Claim("what the other four add to the temperature", "three causes", spread(rest), _effect(rest)))
    cosines = runs.at("broken", "train/grad_cosine_contrastive_patch_contrastive")
    what = "cosine of the gradients of the patch term and the contrastive loss"
    verdict = "inverted: they agree" if min(cosines) > 0 else "mixed"
    claims.append(Claim(what, "conflicting", spread(cosines), verdict))
    return claims


def _gained(runs: Runs, name: str) -> str:
    return f"{runs.shown(name, 'val/recall_at_1')} ({mean(runs.gain(name)):+.3f} +- {stdev(runs.gain(name)):.3f})"


def _effect(gains: Sequence[float]) -> str:
    """Whether the gain is beyond the noise of three seeds: the 95 % interval of a paired t test, t = 4.30."""
    half = 4.303 * stdev(gains) / math.sqrt(len(gains))
    if mean(gains) > half:
        return "helps"
    return "hurts" if mean(gains) < -half else "no effect beyond the seeds"


def shares(runs: Runs) -> list[Claim]:
    """What the weights amount to."""
    tasks = ("contrastive", "captioning", "masked_modeling")
    claims = []
    for name, setting, note in (("old", OLD_WEIGHTS, "31 / 46 / -"), ("new", NEW_WEIGHTS, "67 / 10 / -")):
        total = sum(setting.values())
        ours = " / ".join(f"{100 * setting[task] / total:.1f}" for task in tasks)
        claims.append(
            Claim(f"shares of the {name} weights in %, without the patch term", note, ours, "the note's sums are off")
        )
    for name in ("broken", "all"):
        loss, gradient = (
            " / ".join(f"{100 * mean(runs.at(name, f'train/{kind}_share_{task}')):.0f}" for task in tasks)
            for kind in ("loss", "grad")
        )
        first = max(tasks, key=lambda task: mean(runs.at(name, f"train/grad_share_{task}")))
        ours = f"loss {loss}; gradient on the trunk {gradient}"
        claims.append(Claim(f"shares in % after {EPOCHS} epochs, {name}", "not measured", ours, f"{first} leads"))
    return claims


def targets(runs: Runs) -> list[Claim]:
    """The note's targets, with the batch size and the temperature that they silently assume."""
    claims = []
    for epoch, goals in ((1, (2.5, 0.15, 0.20)), (2, (2.0, 0.30, 0.35)), (3, (1.7, 0.42, 0.48))):
        metrics = ("val/contrastive_loss", "val/matched_cosine", "val/recall_at_1")
        values = [mean(runs.at("all", metric, epoch)) for metric in metrics]
        met = [values[0] <= goals[0], values[1] >= goals[1], values[2] >= goals[2]]
        names = [name for name, ok in zip(("loss", "alignment", "Recall@1"), met, strict=True) if ok]
        claims.append(
            Claim(
                what=f"loss, alignment, Recall@1 after epoch {epoch}, all fixes",
                note=", ".join(f"{goal:.2f}" for goal in goals),
                ours=", ".join(runs.shown("all", metric, epoch) for metric in metrics),
                verdict=f"met: {', '.join(names) or 'none'}",
            )
        )
    loss = runs.shown("all", "val/contrastive_loss")
    places = [
        f"{clip_bounds(b, t).position(1.5):.2f} at B = {b}, T = {t}" for b, t in ((20, 0.1), (128, 0.1), (128, 1.0))
    ]
    claims.append(
        Claim(
            "loss by epoch 10",
            "below 1.5",
            f"{loss}; 1.5 is position {', '.join(places)}",
            "says nothing without B and T",
        )
    )
    contrastive = mean(2.0 * loss for loss in runs.at("all", "train/contrastive_loss"))
    captioning = mean(0.3 * loss for loss in runs.at("all", "train/captioning_loss"))
    verdict = "holds" if contrastive > captioning else "fails while Recall@1 is at its best"
    claims.append(
        Claim("2.0 * contrastive against 0.3 * captioning", "larger", f"{contrastive:.2f}, {captioning:.2f}", verdict)
    )
    groups = ("train/grad_norm_video", "train/grad_norm_text")
    means = [mean(runs.at("all", group)) for group in groups]
    norms = ", ".join(runs.shown("all", group) for group in groups)
    claims.append(
        Claim(
            "gradient norms, video and text, all fixes",
            ".1 to 1.0",
            norms,
            "inside" if all(0.1 <= norm <= 1 for norm in means) else "outside, and harmless: AdamW does not care",
        )
    )
    return claims


def numbers() -> list[Claim]:
    """What BLEU and ROUGE make of a report whose numbers are wrong or missing."""
    truth = list(read_angiograms(AngiogramSource(), Split.VAL).texts)
    changed = {
        "all numbers missing": [re.sub(r"\d+% ?", "", text) for text in truth],
        "all numbers wrong": [re.sub(r"\d+", lambda m: str(30 + (int(m.group()) - 20) % 70), text) for text in truth],
    }
    claims = []
    for name, texts in changed.items():
        recall = stenosis_scores(truth, texts, segments=SEGMENTS).recall
        ours = f"BLEU {bleu(truth, texts):.1f}, ROUGE-L {rouge_l(truth, texts):.3f}, numbers found {recall:.2f}"
        claims.append(Claim(f"reports with {name}", "BLEU and ROUGE above .6", ours, "reproduced: they do not notice"))
    return claims


def initialisation() -> Claim:
    """Fix 4."""
    old = torch.tensor([torch.log(torch.tensor(0.0998))])
    new = torch.log(torch.tensor([0.0998]))
    verdict = "no effect" if torch.equal(old, new) else "a different value"
    return Claim(
        "fix 4: the temperature's start written differently", "misleading", f"{old.item()} and {new.item()}", verdict
    )
