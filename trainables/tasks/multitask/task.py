"""The multitask task: contrastive learning, captioning and masked modelling of videos and texts on one trunk.

The loop drives `MultitaskTask`; `contrast` holds the contrastive losses, `evaluate` what is measured on val.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

import torch
from torch import Tensor, nn

from trainables.contract import LaneSteps, Measurement, TrialContext
from trainables.data.augment import warp
from trainables.data.errors import DataError
from trainables.data.pairs.load import load_pairs
from trainables.data.pairs.pairs import PairedData, Pairs
from trainables.loop import BatchLoss, Moment, Part, Task, run_lanes, run_trial
from trainables.losses.similarity import Scalar
from trainables.losses.supcon import sup_con
from trainables.metrics.resampling import Resamplable
from trainables.models.paired import PairedModel
from trainables.tasks.multitask import classes, evaluate
from trainables.tasks.multitask.batches import Batching, build_batching
from trainables.tasks.multitask.config import Config, ContrastiveKind
from trainables.tasks.multitask.contrast import Contrasting, batch_recall, contrasting, scalars_at
from trainables.tasks.multitask.model import build_model, facts_of

_VAL_BATCHES_SEED = 21


def train(config: Config, context: TrialContext) -> Iterator[Measurement]:
    """Train on the configured source.

    Raises: DataError: the source's files are missing, damaged, or do not fit the model.
    """
    task = MultitaskTask(config, load_pairs(config.data, context.purpose), device=context.device)
    yield from run_trial(task, optimizer=config.optimizer, epochs=config.epochs, context=context)


def train_lanes(configs: Sequence[Config], contexts: Sequence[TrialContext]) -> LaneSteps:
    """What `train` yields for each of several configs, from one computation.

    Raises: CannotFuse, DataError.
    """
    data = load_pairs(configs[0].data, contexts[0].purpose)
    tasks = [MultitaskTask(config, data, device=contexts[0].device) for config in configs]
    optimizers = [config.optimizer for config in configs]
    yield from run_lanes(tasks, optimizers=optimizers, epochs=configs[0].epochs, contexts=contexts)


class MultitaskTask(Task[PairedModel, Tensor]):
    """What the loop needs to know; a batch is a tensor of places in the training split."""

    def __init__(self, config: Config, data: PairedData, *, device: str) -> None:
        """Raises: DataError: the videos or the classes do not fit the model and the batches."""
        self.config, self.data, self.device = config, data, device
        self.facts = facts_of(data)
        self.batching = build_batching(data.train, config, split="train")
        generator = torch.Generator().manual_seed(_VAL_BATCHES_SEED)
        self.val_batches = list(_val_batching(data.val, config, size=self.batching.size).draw(generator))

    def build_model(self) -> PairedModel:
        """The networks, sized for the data."""
        return build_model(self.config, self.facts)

    def parameter_groups(self, model: PairedModel) -> Mapping[str, nn.Module]:
        """The video trunk, the text encoder, and the rest."""
        heads = (model.video_head, model.patch_head, model.pixel_head, model.contrast)
        return {"video": model.trunk, "text": model.text, "decoder": model.decoder, "heads": nn.ModuleList(heads)}

    def trunk(self, model: PairedModel) -> nn.Module:
        """The video trunk: all tasks learn through it."""
        return model.trunk

    def num_batches(self, moment: Moment) -> int:
        """Full batches only: contrastive losses depend on the size."""
        return self.batching.num_batches

    def batches(self, moment: Moment) -> Iterator[Tensor]:
        """Places in the training split."""
        return self.batching.draw(moment.generator)

    def begin_epoch(self, model: PairedModel, moment: Moment) -> Mapping[str, float]:
        """What no batch will hold, where batches go by class."""
        return {} if self.batching.labels_N is None else {"num_excluded_items": float(self.batching.num_excluded)}

    def scalars(self, moment: Moment) -> Mapping[str, float]:
        """The weights, and the numbers of the contrastive loss."""
        return scalars_at(self.config, moment) | dict(self.config.loss_weights)

    def loss(self, model: PairedModel, batch: Tensor, moment: Moment) -> BatchLoss:
        """The parts that have a weight, on one batch."""
        weights = self.config.loss_weights
        words_BL = self.data.train.tokens_NL[batch].to(self.device)
        words_BL = words_BL[:, : int((words_BL != self.data.tokenizer.PAD).sum(dim=1).max())]
        standard_BTHW = model.standardize(self._training_videos(batch, moment))
        tokens_BNC = model.trunk(standard_BTHW)
        contrast = contrasting(self.config, model.contrast, moment)
        losses, effective = self._contrastive(model, tokens_BNC, words_BL, batch=batch, contrast=contrast)
        if weights.captioning:
            losses["captioning"] = evaluate.caption_loss(model, words_BL, tokens_BNC)
        if weights.masked_modeling:
            losses["masked_modeling"] = self._masked_modeling(model, standard_BTHW, moment)
        in_effect = [name for name, weight in weights if weight]
        parts = {name: Part(loss=losses[name], weight=moment.scalars[name]) for name in in_effect}
        return BatchLoss(parts=parts, effective=effective)

    def _contrastive(
        self, model: PairedModel, tokens_BNC: Tensor, words_BL: Tensor, *, batch: Tensor, contrast: Contrasting
    ) -> tuple[dict[str, Tensor], dict[str, Scalar]]:
        """The parts that compare embeddings, and what is to be reported of them."""
        weights, labels_N = self.config.loss_weights, self.data.train.labels_N
        losses: dict[str, Tensor] = {}
        effective = contrast.effective()
        video_BD = model.video_head(tokens_BNC)
        if weights.contrastive or weights.patch_contrastive:
            text_BD = model.text(words_BL, pad=self.data.tokenizer.PAD)
            same_BB = self._same(self.data.train, batch).to(self.device)
        if weights.contrastive:
            losses["contrastive"] = contrast.loss(video_BD, text_BD, same_BB=same_BB)
            same_text_BB = self.data.train.same_text(batch).to(self.device)
            effective["batch_recall_at_1"] = batch_recall(video_BD, text_BD, same_text_BB)
        if weights.patch_contrastive:
            patches_BD = nn.functional.normalize(model.patch_head(tokens_BNC.mean(dim=1)), dim=-1)
            losses["patch_contrastive"] = contrast.loss(patches_BD, text_BD, same_BB=same_BB)
        if weights.class_contrastive and labels_N is not None:
            labels_B = labels_N[batch].to(self.device)
            losses["class_contrastive"] = sup_con(video_BD, labels_B, temperature=contrast.fixed_temperature)
            effective |= classes.batch_make(labels_B)
        return losses, effective

    def _training_videos(self, batch: Tensor, moment: Moment) -> Tensor:
        videos_BTHW = self.data.train.videos_NTHW[batch].to(self.device)
        if not self.config.warp:
            return videos_BTHW
        return warp(videos_BTHW, amount=self.config.warp, generator=moment.generator)

    def _masked_modeling(self, model: PairedModel, standard_BTHW: Tensor, moment: Moment) -> Tensor:
        """On the first items of the batch only: it costs a second pass through the trunk."""
        masking = self.config.masking
        some_BTHW = standard_BTHW[: math.ceil(masking.batch_fraction * len(standard_BTHW))]
        hidden_BN = evaluate.draw_hidden(len(some_BTHW), model, ratio=masking.ratio, generator=moment.generator)
        return evaluate.mask_loss(model, some_BTHW, hidden_BN.to(self.device))

    def evaluate(self, model: PairedModel, moment: Moment) -> Mapping[str, float]:
        """Everything on val; empty when embeddings are not finite."""
        val = self.data.val
        outputs = evaluate.run_model(model, val, config=self.config, device=self.device)
        if not outputs.are_finite():
            return {}
        same_text_NN = val.same_text(outputs.order_N)
        contrast = contrasting(self.config, model.contrast, moment)
        batches = [outputs.place_N[batch] for batch in self.val_batches]
        same_NN = self._same(val, outputs.order_N)
        values = {
            **evaluate.retrieval(outputs, same_text_NN),
            **evaluate.batch_retrieval(outputs, same_text_NN, batches=batches),
            **evaluate.geometry(outputs, same_text_NN),
            **evaluate.contrastive(outputs, same_NN, contrast=contrast, batches=batches),
            **evaluate.captions(model, outputs, self.data, config=self.config),
            "val/captioning_loss": outputs.captioning,
            "val/captioning_chance": math.log(len(self.data.tokenizer)),
            "val/masked_modeling_loss": outputs.masked_modeling,
            "val/masked_modeling_chance": 1.0,
        }
        if val.labels_N is not None:
            labels_N = val.labels_N[outputs.order_N]
            values |= classes.recall(outputs.video_ND, labels_N)
            values |= classes.contrast(
                outputs.video_ND, labels_N, batches=batches, temperature=float(contrast.fixed_temperature)
            )
            if moment.epoch == 0:
                values["val/raw_pixel_recall_at_1"] = classes.class_recall(val.videos_NTHW.flatten(1), val.labels_N)
        return values

    def resamplable(self, model: PairedModel, moment: Moment) -> Mapping[str, Resamplable]:
        """The recalls. What is drawn is a class where there are classes, and otherwise a text with all its videos."""
        val = self.data.val
        outputs = evaluate.run_model(model, val, config=self.config, device=self.device)
        same_text_NN = val.same_text(outputs.order_N)
        if val.labels_N is None:
            return evaluate.resamplable(outputs, same_text_NN, unit_N=val.groups_N[outputs.order_N])
        labels_N = val.labels_N[outputs.order_N]
        recalls = evaluate.resamplable(outputs, same_text_NN, unit_N=labels_N)
        return recalls | classes.resamplable(outputs.video_ND, labels_N)

    def _same(self, pairs: Pairs, chosen_B: Tensor) -> Tensor:
        """What the contrastive loss takes for the same: equal texts, and for supcon equal classes too; bool (B, B)."""
        same_BB = pairs.same_text(chosen_B)
        if self.config.contrastive is ContrastiveKind.SUPCON and pairs.labels_N is not None:
            labels_B = pairs.labels_N[chosen_B]
            same_BB = same_BB | (labels_B[:, None] == labels_B)
        return same_BB


def _val_batching(val: Pairs, config: Config, *, size: int) -> Batching:
    """Val in batches of the training's size and make, as far as it has the items."""
    if val.labels_N is not None and not classes.has_pairs(val.labels_N):
        raise DataError(f"val of data.source {config.data.source}: no two items are of one class; nothing can be found")
    batching = build_batching(val, config, split="val")
    return replace(batching, size=min(batching.size, size))
