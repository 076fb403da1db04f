"""What is measured on val: retrieval, geometry, the losses with their bounds, generated texts. `task` calls it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from trainables.data.pairs.pairs import PairedData, Pairs
from trainables.data.pairs.tokenizer import Tokenizer
from trainables.losses.captioning import captioning_loss
from trainables.losses.masked import masked_modeling_loss
from trainables.metrics.collapse import effective_rank, resultant_length, top_variance_fraction
from trainables.metrics.cosines import mean_cosines
from trainables.metrics.resampling import Resamplable, weighted_mean
from trainables.metrics.retrieval import chance_recall_at_k, count_queries, hits_at_k, recall_at_k
from trainables.metrics.rows import Matrix, products
from trainables.metrics.stenosis import stenosis_scores
from trainables.metrics.text import bleu, rouge_l
from trainables.models.paired import PairedModel
from trainables.tasks.multitask.config import Config
from trainables.tasks.multitask.contrast import Contrasting, batch_recall

_KS = (1, 5, 10)
_CHUNK = 128
_ORDER_SEED = 20


@dataclass(frozen=True, slots=True)
class Outputs:
    """What the model makes of the val items, in one fixed shuffled order: `order_N` says which item a row is."""

    order_N: Tensor
    video_ND: Tensor
    text_ND: Tensor
    tokens: tuple[Tensor, ...]
    captioning: float
    masked_modeling: float

    @property
    def place_N(self) -> Tensor:
        """Which row an item is."""
        return self.order_N.argsort()

    def are_finite(self) -> bool:
        """Whether anything can be measured on them."""
        return bool(self.video_ND.isfinite().all() and self.text_ND.isfinite().all())


def run_model(model: PairedModel, pairs: Pairs, *, config: Config, device: str) -> Outputs:
    """One pass over all val items. The order and the hidden boxes are the same at each call."""
    generator = torch.Generator().manual_seed(_ORDER_SEED)
    order_N = torch.randperm(len(pairs), generator=generator)
    videos, texts, tokens, captioning, masked = [], [], [], 0.0, 0.0
    for chosen in torch.split(order_N, _CHUNK):
        words_BL = pairs.tokens_NL[chosen].to(device)
        standard_BTHW = model.standardize(pairs.videos_NTHW[chosen].to(device))
        tokens_BNC = model.trunk(standard_BTHW)
        videos.append(model.video_head(tokens_BNC).cpu())
        texts.append(model.text(words_BL, pad=Tokenizer.PAD).cpu())
        tokens.append(tokens_BNC)
        captioning += len(chosen) * float(caption_loss(model, words_BL, tokens_BNC))
        hidden_BN = draw_hidden(len(chosen), model, ratio=config.masking.ratio, generator=generator).to(device)
        masked += len(chosen) * float(mask_loss(model, standard_BTHW, hidden_BN))
    return Outputs(
        order_N=order_N,
        video_ND=torch.cat(videos),
        text_ND=torch.cat(texts),
        tokens=tuple(tokens),
        captioning=captioning / len(pairs),
        masked_modeling=masked / len(pairs),
    )


def caption_loss(model: PairedModel, words_BL: Tensor, tokens_BNC: Tensor) -> Tensor:
    """Predict each word from the words before it and from the video."""
    return captioning_loss(model.decoder(words_BL[:, :-1], tokens_BNC), words_BL[:, 1:], pad=Tokenizer.PAD)


def mask_loss(model: PairedModel, standard_BTHW: Tensor, hidden_BN: Tensor) -> Tensor:
    """Reconstruct hidden boxes."""
    return masked_modeling_loss(
        model.reconstruct(standard_BTHW, hidden_BN), model.trunk.boxes(standard_BTHW), hidden_BN
    )


def draw_hidden(num: int, model: PairedModel, *, ratio: float, generator: torch.Generator) -> Tensor:
    """Which boxes are hidden, bool (num, boxes); as many in each video, one at least."""
    num_boxes = model.trunk.shape.num_boxes
    num_hidden = min(max(1, round(ratio * num_boxes)), num_boxes)
    order = torch.rand(num, num_boxes, generator=generator).argsort(dim=1)
    return order < num_hidden


def retrieval(outputs: Outputs, same_NN: Matrix) -> dict[str, float]:
    """Recall in both directions, beside the recall of a random ranking. Args: same_NN: symmetric, here as below."""
    to_text = recall_at_k(products(outputs.video_ND, outputs.text_ND), same_NN, ks=_KS)
    to_video = recall_at_k(products(outputs.text_ND, outputs.video_ND), same_NN, ks=_KS)
    counts = count_queries(same_NN)
    values = {
        "val/chance_recall_at_1": chance_recall_at_k(same_NN, ks=(1,))[1],
        "val/num_queries": float(counts.valid),
        "val/num_excluded_queries": float(counts.excluded),
    }
    for k in _KS:
        values[f"val/recall_at_{k}"] = (to_text[k] + to_video[k]) / 2
        values[f"val/recall_at_{k}_video_to_text"] = to_text[k]
        values[f"val/recall_at_{k}_text_to_video"] = to_video[k]
    return values


def resamplable(outputs: Outputs, same_NN: Matrix, *, unit_N: Tensor) -> dict[str, Resamplable]:
    """The recalls, query by query. Args: unit_N: texts or classes, whose queries are drawn together."""
    to_text = hits_at_k(products(outputs.video_ND, outputs.text_ND), same_NN, ks=_KS)
    to_video = hits_at_k(products(outputs.text_ND, outputs.video_ND), same_NN, ks=_KS)
    hits = {}
    for k in _KS:
        hits[f"val/recall_at_{k}"] = (to_text[k] + to_video[k]) / 2
        hits[f"val/recall_at_{k}_video_to_text"] = to_text[k]
        hits[f"val/recall_at_{k}_text_to_video"] = to_video[k]
    return {name: Resamplable(unit_N, weighted_mean(hit_N)) for name, hit_N in hits.items()}


def geometry(outputs: Outputs, same_NN: Matrix) -> dict[str, float]:
    """Cosines of what belongs together and what does not, and signs of collapse."""
    cosines = mean_cosines(outputs.video_ND, outputs.text_ND, equivalent_BB=same_NN)
    towers = (outputs.video_ND, outputs.text_ND)
    num = len(same_NN)
    longest = max(resultant_length(z) for z in towers)
    values = {
        "val/matched_cosine": cosines.matched,
        # Of unit vectors the mean cosine of two different ones follows from the length of their mean.
        "val/mean_cosine": (num * longest**2 - 1) / (num - 1),
        "val/resultant_length": longest,
        "val/effective_rank": min(effective_rank(z, centred=False) for z in towers),
        "val/effective_rank_centred": min(effective_rank(z, centred=True) for z in towers),
        "val/top_variance_fraction": max(top_variance_fraction(z) for z in towers),
        "val/embedding_size": float(outputs.video_ND.shape[1]),
    }
    if cosines.unmatched is not None:
        values["val/unmatched_cosine"] = cosines.unmatched
    return values


def contrastive(
    outputs: Outputs, same_NN: Matrix, *, contrast: Contrasting, batches: Sequence[Tensor]
) -> dict[str, float]:
    """The contrastive loss in batches of the training's size and make, which its chance level and floor depend on.

    Args: batches: rows of `outputs`.
    """
    size = len(batches[0])
    losses, positives = [], []
    for rows in batches:
        same_BB = same_NN[rows][:, rows]
        losses.append(float(contrast.loss(outputs.video_ND[rows], outputs.text_ND[rows], same_BB=same_BB)))
        positives.append(float(same_BB.sum()) / size)
    loss = sum(losses) / len(losses)
    values = {"val/contrastive_loss": loss}
    mean_positives = sum(positives) / len(positives)
    # A batch in which all texts are equal has no negatives, and so no bounds.
    if mean_positives < size:
        bounds = contrast.bounds(size, positives=mean_positives)
        values |= {
            "val/contrastive_chance": bounds.chance,
            "val/contrastive_floor": bounds.floor,
            "val/contrastive_position": bounds.position(loss),
        }
    return values


def batch_retrieval(outputs: Outputs, same_NN: Matrix, *, batches: Sequence[Tensor]) -> dict[str, float]:
    """Recall at 1 within batches, to be compared with the same of training batches."""
    recalls = [
        float(batch_recall(outputs.video_ND[rows], outputs.text_ND[rows], same_NN[rows][:, rows])) for rows in batches
    ]
    return {"val/batch_recall_at_1": sum(recalls) / len(recalls)}


def captions(model: PairedModel, outputs: Outputs, data: PairedData, *, config: Config) -> dict[str, float]:
    """Generate texts for the first items of the fixed order, and compare them with the true ones."""
    chosen = outputs.order_N[: config.evaluation.num_captions]
    if not len(chosen):
        return {}
    written: list[str] = []
    for tokens_BNC in torch.split(torch.cat(outputs.tokens)[: len(chosen)], _CHUNK):
        ids_BL = model.decoder.generate(
            tokens_BNC,
            begin=data.tokenizer.BEGIN,
            end=data.tokenizer.END,
            max_tokens=config.evaluation.caption_tokens,
        )
        written += data.tokenizer.decode(ids_BL)
    truth = data.tokenizer.decode(data.val.tokens_NL[chosen])
    values = {"val/bleu": bleu(truth, written), "val/rouge_l": rouge_l(truth, written)}
    if data.segments:
        scores = stenosis_scores(truth, written, segments=data.segments)
        values |= _defined(
            {
                "val/stenosis_recall": scores.recall,
                "val/stenosis_precision": scores.precision,
                "val/stenosis_mae": scores.mean_absolute_error,
                "val/stenosis_segment_recall": _share(scores.num_common, scores.num_references),
            }
        )
    return values


def _share(part: int, whole: int) -> float | None:
    return part / whole if whole else None


def _defined(values: Mapping[str, float | None]) -> dict[str, float]:
    return {name: value for name, value in values.items() if value is not None}
