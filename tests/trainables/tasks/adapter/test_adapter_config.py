import pytest
from pydantic import ValidationError

from trainables.tasks.adapter.config import METRICS, Config


def test_defaults_survive_a_dump():
    config = Config()
    assert Config.model_validate(config.model_dump(mode="json")) == config


def test_the_notes_fourth_solution_can_be_written():
    fields = {
        "clip": {"optimizer": {"lr": 1e-3, "weight_decay": 5e-5, "schedule": {"kind": "cosine", "end": 0.0}}},
        "t5": {"optimizer": {"lr": 1e-3, "weight_decay": 1e-4, "schedule": {"kind": "cosine", "end": 0.0}}},
    }
    targets = Config.model_validate(fields).targets
    assert (targets["clip"].optimizer.weight_decay, targets["t5"].optimizer.weight_decay) == (5e-5, 1e-4)


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"clip": {"adapter": {"heads": 2}}}, "heads is not read when kind is plain"),
        ({"clip": {"adapter": {"groups": 4}}}, "groups is not read when norm is layer"),
        ({"t5": {"adapter": {"kind": "multi_head", "dropout": 0.1}}}, "dropout is not read when kind is multi_head"),
        ({"clip": {"loss": {"temperature": 0.2}}}, "temperature is not read when contrastive_weight is 0"),
        (
            {"clip": {"loss": {"regression_weight": 0, "contrastive_weight": 1, "regression": "mse"}}},
            "regression is not read when regression_weight is 0",
        ),
        ({"clip": {"loss": {"regression_weight": 0}}}, "both 0: nothing would be learned"),
        ({"spaces": "clip", "t5": {"optimizer": {"lr": 0.1}}}, "t5 is not read when spaces is clip"),
        ({"t5": {"adapter": {"kind": "residual"}}}, "t5.adapter.kind is residual: .* not 768 and 64"),
        ({"clip": {"adapter": {"norm": "group", "groups": 7}}}, "groups is 7: it must divide hidden, 256"),
        (
            {"clip": {"adapter": {"norm": "group", "groups": 9, "hidden": 288}}},
            "groups is 9: it must divide the target's channels, 768",
        ),
        (
            {"epochs": 2, "t5": {"optimizer": {"schedule": {"warmup_epochs": 2}}}},
            "t5.optimizer.schedule.warmup_epochs is 2: it must be below epochs, 2",
        ),
        (
            {"batches": "homogeneous", "clip": {"loss": {"contrastive_weight": 0.5}}},
            "clip.loss.contrastive_weight is 0.5: batches of one class hold nothing to contrast",
        ),
        ({"batch_size": 1, "t5": {"loss": {"contrastive_weight": 1}}}, "t5.loss.* batches of one item hold nothing"),
        (
            {"data": {"source": "generated", "num_classes": 1}, "clip": {"loss": {"contrastive_weight": 1}}},
            "batches of the only class hold nothing",
        ),
    ],
)
def test_what_does_not_fit_is_refused(fields, message):
    with pytest.raises(ValidationError, match=message):
        Config.model_validate(fields)


def test_a_space_that_is_not_learned_is_not_checked_against_the_data():
    config = Config.model_validate({"spaces": "clip", "clip": {"adapter": {"kind": "residual"}}})
    assert list(config.targets) == ["clip"]
    assert "t5" not in config.model_dump()


def test_metrics_have_meanings():
    assert all(METRICS.values())
    assert {"val/r2", "val/r2_clip", "val/mse_t5_class_15", "train/grad_share_clip_contrastive"} <= set(METRICS)
