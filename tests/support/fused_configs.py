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
    "identification": [
        {"loss": "supcon", "negative_mining": "all", "optimizer.lr": lr, "temperature": temperature}
        for lr, temperature in [
            (1e-3, {"start": 0.1}),
            (1e-2, {"kind": "cosine", "start": 0.5, "end": 0.05}),
            (3e-4, {"start": 0.3}),
        ]
    ],
    "incremental": [
        {"optimizer.lr": 1e-3, "temperature": 0.2, "margin.start": 0.3},
        {"optimizer": {"lr": 1e-2, "max_grad_norm": 0.5}, "loss_weights.gap": 1.0, "gap_target": 1.5},
        {"optimizer.weight_decay": 0.5, "loss_weights.ant": 1.0, "hard_negative_ratio": 0.5},
    ],
    "multitask": [
        {"hard_negative_ratio": 0.5, "optimizer.lr": 1e-3, "loss_weights.captioning": 0.2},
        {"hard_negative_ratio": 1.0, "optimizer.lr": 1e-2, "margin": {"kind": "linear", "start": 0.1, "end": 0.4}},
        {"temperature": {"start": 0.3}, "optimizer.weight_decay": 0.1, "loss_weights.masked_modeling": 0.5},
    ],
    "toxicity": [
        {"weighting.absent": "phantom", "optimizer.lr": 1e-3, "focal.gamma": 0.0, "weighting.clamp": 0.01},
        {
            "weighting.absent": "phantom",
            "optimizer": {"lr": 1e-2, "max_grad_norm": 0.1, "betas": (0.8, 0.9)},
            "uncertainty": {"lr": 0.1, "schedule": {"kind": "constant"}},
            "focal": {"gamma": 1.5, "alpha": {"toxic": (0.2, 0.8)}},
            "weighting.start": 0.7,
        },
        {"weighting.absent": "phantom", "optimizer.weight_decay": 0.5, "focal.balance": 1.0, "weighting.decay": 0.1},
    ],
}
