"""The healthy trainings, and for each finding the fault that is planted in one of them."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from tests.faults.planted import toy_reports, toy_vectors
from tests.faults.planted.runs import Nested, Twin
from trainables.health import History


@dataclass(frozen=True)
class Plant:
    """One fault.

    Attributes:
        check: the finding that must name it.
        twin: the healthy training that it is planted in; all else stays as it is.
        fault: changes to the twin's config; shared with other plants where one fault makes two illnesses.
        objective: what trials are chosen by, where that is the fault.
    """

    check: str
    twin: str
    fault: Nested = field(default_factory=dict)
    objective: str | None = None

    def of(self, trained: History) -> History:
        """The history of a training with the fault, as the doctor gets it."""
        return trained if self.objective is None else replace(trained, objective=self.objective)


TWINS: Mapping[str, Twin] = {
    "multitask": Twin(
        "multitask",
        {
            "epochs": 8,
            "batch_size": 16,
            "data": {"source": "angiogram", "num_train": 256, "num_val": 64, "num_test": 8, "num_frames": 2, "seed": 0},
            "sizes": {"width": 32, "embedding": 32, "heads": 2},
            "temperature": {"start": 0.1},
            "optimizer": {"lr": 4e-3, "schedule": {"kind": "one_cycle"}},
            "evaluation": {"num_captions": 0},
        },
        objective="val/recall_at_1",
    ),
    "identification": Twin(
        "identification",
        {
            "epochs": 6,
            "batches_per_epoch": 10,
            "people_per_batch": 8,
            "records_per_person": 4,
            "data": {
                "source": "simulated",
                "num_train": 24,
                "num_val": 20,
                "num_test": 2,
                "duration_s": 6.0,
                "seed": 0,
            },
            "sizes": {"width": 8, "embedding": 32},
        },
        objective="val/rank_at_1",
    ),
    "mined in the batch": Twin(
        "identification",
        {
            "epochs": 16,
            "batches_per_epoch": 12,
            "people_per_batch": 8,
            "records_per_person": 4,
            "loss": "contrastive",
            "margin": {"start": 0.6},
            "negative_mining": "hard",
            "mining_embeddings": "batch",
            "optimizer": {"lr": 3e-3, "max_grad_norm": 10.0, "schedule": {"kind": "cosine", "end": 0.0}},
            "data": {
                "source": "simulated",
                "num_train": 48,
                "num_val": 40,
                "num_test": 2,
                "duration_s": 6.0,
                "seed": 0,
            },
            "sizes": {"width": 8, "embedding": 32},
        },
        objective="val/rank_at_1",
    ),
    "mined by epoch": Twin(
        "identification",
        {
            "epochs": 6,
            "batches_per_epoch": 20,
            "people_per_batch": 8,
            "records_per_person": 4,
            "loss": "contrastive",
            "margin": {"start": 0.6},
            "negative_mining": "hard",
            "mining_embeddings": "epoch",
            "mining_refresh_epochs": 1,
            "optimizer": {"lr": 1e-3, "max_grad_norm": 10.0, "schedule": {"kind": "constant"}},
            "data": {
                "source": "simulated",
                "num_train": 48,
                "num_val": 40,
                "num_test": 2,
                "duration_s": 6.0,
                "seed": 0,
            },
            "sizes": {"width": 8, "embedding": 32},
        },
        objective="val/rank_at_1",
    ),
    "adapter": Twin(
        "adapter",
        {
            "epochs": 16,
            "batch_size": 16,
            "spaces": "clip",
            "clip": {"adapter": {"hidden": 64}, "optimizer": {"lr": 1e-3}},
            "data": {
                "source": "generated",
                "num_classes": 4,
                "num_train": 256,
                "num_val": 64,
                "num_test": 8,
                "dims": 32,
                "positions": 1,
                "clip": {"dims": 64, "distance_low": 3.0, "distance_high": 4.0, "mean_norm": 7.0},
                "seed": 0,
            },
        },
        objective="val/r2",
    ),
    "incremental": Twin(
        "incremental",
        {
            "epochs_per_step": 3,
            "batch_size": 64,
            "loss_weights": {"nce": 1.0, "ant": 1.0},
            "margin": {"start": 0.3},
            "stream": {"num_steps": 2},
            "data": {"source": "digits", "seed": 0},
            "sizes": {"width": 8, "embedding": 32},
        },
        objective="val/stream_accuracy",
    ),
    "gap": Twin(
        "incremental",
        {
            "epochs_per_step": 4,
            "batch_size": 64,
            "margin": {"start": 0.3},
            "loss_weights": {"nce": 1.0, "ant": 1.0, "gap": 0.5},
            "gap_target": 0.9,
            "stream": {"num_steps": 1},
            "data": {"source": "digits", "seed": 0},
            "sizes": {"width": 8, "embedding": 32},
        },
        objective="val/stream_accuracy",
    ),
    "toxicity": Twin(
        "toxicity",
        {
            "epochs": 6,
            "batch_size": 32,
            "data": {"source": "generated", "num_train": 800, "num_val": 300, "num_test": 40, "seed": 0},
            "sizes": {"width": 32, "heads": 2, "buckets": 2048},
        },
        objective="val/macro_f1",
    ),
    "tasks in turn": Twin(
        "toxicity",
        {
            "epochs": 6,
            "batch_size": 32,
            "batching": {"labels": "one_task", "run_length": 8},
            "uncertainty": {"lr": 6e-2, "schedule": {"kind": "one_cycle", "peak_at": 0.5}},
            "data": {
                "source": "generated",
                "num_train": 1200,
                "num_val": 200,
                "num_test": 40,
                "rare_fraction": 0.15,
                "seed": 0,
            },
            "sizes": {"width": 32, "heads": 2, "buckets": 2048},
        },
        objective="val/macro_f1",
    ),
    "toy vectors": Twin(
        (toy_vectors.train, toy_vectors.Config),
        {"epochs": 10, "optimizer": {"lr": 1e-2, "weight_decay": 1.0}, "data": {"seed": 0}},
        objective="val/rank_at_1",
    ),
    "toy reports": Twin(
        (toy_reports.train, toy_reports.Config), {"epochs": 6, "data": {"seed": 0}}, objective="val/stenosis_recall"
    ),
}
"""Sensible configs, small enough for a CPU, that learn: none may give a warning."""

QUICK_TWINS = {"adapter", "toy vectors", "toy reports"}
"""Trained in about a second."""

_TOO_WARM: Nested = {"temperature": {"start": 10.0}}
_FAR_TOO_FAST: Nested = {"optimizer": {"lr": 0.5}}
_FARTHEST: Nested = {"negative_mining": "farthest"}
_PHANTOM: Nested = {"weighting": {"absent": "phantom"}}

PLANTS: tuple[Plant, ...] = (
    Plant("point_collapse", "multitask", _FAR_TOO_FAST),
    Plant("dimensional_collapse", "toy vectors", {"fault": "narrow"}),
    Plant("non_finite", "toy vectors", {"fault": "poisoned"}),
    Plant("exploding_gradients", "toy vectors", {"temperature": 2e-4}),
    Plant("lr_too_high", "multitask", _FAR_TOO_FAST),
    Plant("lr_too_high", "adapter", {"clip": {"optimizer": {"lr": 0.5}}}),
    Plant("lr_too_low", "adapter", {"clip": {"optimizer": {"lr": 1e-6}}}),
    Plant("overfitting", "multitask", {"epochs": 30, "data": {"num_train": 32}}),
    Plant("loss_pinned", "multitask", _FAR_TOO_FAST),
    Plant("loss_squeezed", "multitask", _TOO_WARM),
    Plant("temperature_out_of_range", "multitask", _TOO_WARM),
    Plant("negative_alignment", "toy vectors", {"fault": "opposed"}),
    Plant(
        "unmatched_cosine_high",
        "multitask",
        {"contrastive": "siglip", "siglip": {"scale": 0.1}, "temperature": None},
    ),
    Plant(
        "auxiliary_dominates",
        "multitask",
        {"loss_weights": {"contrastive": 0.8, "captioning": 1.2, "masked_modeling": 0.5}},
    ),
    Plant("conflicting_gradients", "toy vectors", {"fault": "rivals"}),
    Plant("mining_fallback", "mined in the batch", {"mining_embeddings": "none"}),
    Plant("farthest_negatives", "mined in the batch", _FARTHEST),
    Plant("stale_embeddings", "mined by epoch", {"mining_refresh_epochs": 6}),
    Plant("too_few_positives", "toy vectors", {"fault": "shuffled"}),
    Plant("duplicate_positives", "identification", {"sampling": "with_replacement", "records_per_person": 8}),
    Plant("worse_than_untrained", "mined in the batch", _FARTHEST),
    Plant("ranking_falls", "mined in the batch", _FARTHEST),
    Plant("invalid_queries_counted", "toy vectors", {"fault": "lone_queries"}),
    Plant("wrong_selection_metric", "identification", objective="val/calinski_harabasz"),
    Plant("wrong_selection_metric", "adapter", objective="val/mse_clip"),
    Plant("class_blind", "adapter", {"data": {"separation": 0.0}}),
    Plant("ant_at_floor", "incremental", {"margin": {"start": 0.01}}),
    Plant("violation_rate_out_of_range", "incremental", {"margin": {"start": 0.01}}),
    Plant("violation_rate_out_of_range", "incremental", {"margin": {"start": 1.5}}),
    Plant(
        "ant_gamed",
        "incremental",
        {"loss_weights": {"nce": 0.0, "ant": 1.0}, "ant": {"connected": True}, "margin": {"start": 0.5}},
    ),
    Plant("gap_idle", "gap", {"gap_target": 0.1}),
    Plant("phantom_gradient", "tasks in turn", _PHANTOM),
    Plant("phantom_gradient", "tasks in turn", {"weighting": {"absent": "masked"}}),
    Plant("precision_shock", "tasks in turn", _PHANTOM),
    Plant("rare_class_ignored", "toxicity", {"focal": {"alpha": {"toxic": (1.0, 0.02)}}}),
    Plant("numbers_missing", "toy reports", {"names_numbers": False}),
    Plant("key_without_effect", "toy vectors", {"contrastive_loss_type": "siglip"}),
)
"""At least one for each check."""
