"""For each trainable that can be fused, configs of lanes that differ in all that its FUSING lets vary."""

FUSED = {
    "adapter": [
        {
            "clip.optimizer.lr": 1e-3,
            "clip.loss.contrastive_weight": 0.1,
            "t5.optimizer.lr": 3e-3,
        },
        {
            "clip.optimizer.lr": 1e-2,
            "clip.optimizer.weight_decay": 0.5,
            "clip.optimizer.schedule": {"kind": "cosine", "end": 0.0},
            "clip.loss.contrastive_weight": 0.5,
            "clip.loss.regression_weight": 2.0,
            "clip.loss.temperature": 0.5,
            "max_grad_norm": 0.1,
        },
        {
            "clip.optimizer.lr": 3e-4,
            "clip.loss.temperature": 0.07,
            "t5.optimizer.lr": 1e-4,
            "betas": (0.8, 0.9),
        },
    ],
}
