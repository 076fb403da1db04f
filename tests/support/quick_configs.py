"""The smallest useful config of each registered trainable: seconds, not minutes."""

QUICK = {
    "adapter": {
        "epochs": 2,
        "batch_size": 8,
        "clip": {"adapter": {"hidden": 16}, "loss": {"contrastive_weight": 0.1}},
        "t5": {"adapter": {"kind": "multi_head", "hidden": 16, "heads": 2, "norm": "group", "groups": 4}},
        "data": {
            "source": "generated",
            "num_train": 24,
            "num_val": 16,
            "num_test": 16,
            "dims": 16,
            "clip": {"dims": 24},
            "t5": {"positions": 2, "dims": 16},
        },
    },
    "identification": {
        "epochs": 2,
        "batches_per_epoch": 3,
        "people_per_batch": 3,
        "records_per_person": 3,
        "loss": "triplet_batch_all",
        "negative_mining": "full_hard",
        "data": {"source": "simulated", "num_train": 6, "num_val": 5, "num_test": 5, "duration_s": 6.0},
        "sizes": {"width": 4, "embedding": 8},
    },
    "incremental": {
        "epochs_per_step": 2,
        "batch_size": 32,
        "stream": {"num_steps": 3},
        "memory": {"per_class": 2},
        "sizes": {"width": 4, "embedding": 8},
        "loss_weights": {"ant": 0.5, "gap": 0.5},
    },
    "multitask": {
        "epochs": 2,
        "batch_size": 8,
        "data": {"source": "angiogram", "num_train": 16, "num_val": 8, "num_test": 8, "num_frames": 2},
        "sizes": {"width": 16, "embedding": 8, "heads": 2},
        "evaluation": {"num_captions": 2, "caption_tokens": 4},
    },
    "toxicity": {
        "epochs": 2,
        "batch_size": 16,
        "batching": {"labels": "one_task", "run_length": 2},
        "sizes": {"width": 8, "heads": 2, "buckets": 256},
        "data": {"source": "generated", "num_train": 80, "num_val": 40, "num_test": 40},
    },
}
