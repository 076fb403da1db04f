"""The smallest useful config of each registered trainable: seconds, not minutes."""

QUICK = {
    "multitask": {
        "epochs": 2,
        "batch_size": 8,
        "data": {"source": "angiogram", "num_train": 16, "num_val": 8, "num_test": 8, "num_frames": 2},
        "sizes": {"width": 16, "embedding": 8, "heads": 2},
        "evaluation": {"num_captions": 2, "caption_tokens": 4},
    },
}
