"""Roles of the tasks' configs: every one is about a key that there is, and says what the loss would do with it."""

from functools import cache
from itertools import product

import pytest
from pydantic import BaseModel, ValidationError

from trainables.registry import TRAINABLES, load_info
from trainables.roles import (
    AntMargin,
    Contrast,
    Convention,
    HardNegatives,
    ItemsPerClass,
    LossWeight,
    Margin,
    MarginKind,
    Measure,
    OneCycle,
    Role,
    ScheduleEnd,
    Sharpness,
    Temperature,
    UncertaintyDecay,
)

OMNIGLOT = {"source": "omniglot", "root": "somewhere"}
ECG_ID = {"source": "ecg_id", "root": "somewhere"}
ONE_CYCLE = {"schedule": {"kind": "one_cycle"}}
CHOICES = {
    "multitask": {
        "contrastive": ["clip", "siglip", "supcon", "gated_softmax"],
        "temperature": [{"kind": "linear", "end": 0.05}, {"kind": "learned"}],
        "margin": [{}, {"kind": "cosine", "end": 0.2}],
        "items_per_class": [1, 4],
        "data": [{"source": "angiogram"}, OMNIGLOT, {"source": "files", "root": "somewhere"}],
        "optimizer": [{}, ONE_CYCLE],
    },
    "identification": {
        "loss": ["supcon", "contrastive", "triplet_batch_all", "triplet_batch_hard", "multi_similarity"],
        "distance": ["cosine", "euclidean"],
        "negative_mining": ["all", "hard", "semi_hard", "full_hard"],
        "memory_size": [0, 256],
        "curriculum": [[], [{"negative": "random"}, {"from_epoch": 4, "negative": "hard"}]],
        "data": [{"source": "simulated"}, ECG_ID, {"source": "files", "root": "somewhere", "rate_hz": 500}],
    },
    "incremental": {
        "positives": ["classes", "views"],
        "loss_weights": [{}, {"ant": 1.0}, {"ant": 0.5, "gap": 0.5}],
        "margin": [
            {},
            {"kind": "linear", "ramp_epochs": 5},
            {"kind": "curriculum", "phases": [{"from_epoch": 0, "margin": 0.1}]},
        ],
        "ant": [{}, {"coverage": "both_views"}],
        "data": [{"source": "digits"}, OMNIGLOT, {"source": "files", "root": "somewhere"}],
    },
    "adapter": {
        "spaces": ["both", "clip", "t5"],
        "clip": [
            {},
            {"loss": {"contrastive_weight": 0.1}},
            {"loss": {"contrastive_weight": 1, "similarity": "distance"}},
        ],
        "t5": [{}, {"optimizer": ONE_CYCLE}],
        "data": [{"source": "generated"}, {"source": "files", "path": "somewhere.npz"}],
    },
    "toxicity": {
        "weighting": [
            {},
            {"decay": 0.1},
            {"kind": "equal"},
            {"kind": "fixed", "weights": {"toxic": 2}},
            {"kind": "fixed", "weights": {"toxic": 2, "sentiment": 1, "emotion": 1, "sarcastic": 1}},
        ],
        "optimizer": [{}, {"schedule": {"kind": "constant"}}],
    },
}


def config(name: str, **values: object) -> BaseModel:
    return load_info(name).config_type.model_validate(values)


@cache
def configs(name: str) -> list[BaseModel]:
    """Every combination of the choices that the Config takes; a key that is not read is left out of it."""
    found = []
    for values in product(*CHOICES[name].values()):
        chosen = dict(zip(CHOICES[name], values, strict=True))
        while chosen:
            try:
                found.append(config(name, **chosen))
                break
            except ValidationError as error:
                unread = [key for key in chosen if f"{key} is not read" in str(error)]
                if not unread:
                    break
                chosen.pop(unread[0])
    return found


def value_at(model: object, key: str) -> object:
    for part in key.split("."):
        model = model[part] if isinstance(model, dict) else getattr(model, part)
    return model


def roles(name: str, **values: object) -> dict[str, Role]:
    return dict(config(name, **values).roles())


@pytest.mark.parametrize("name", TRAINABLES)
def test_every_role_is_that_of_a_key_that_there_is(name):
    found = configs(name)

    assert len(found) > 8
    for one in found:
        for key, role in one.roles().items():
            assert isinstance(role, Role)
            value_at(one, key)


@pytest.mark.parametrize("name", TRAINABLES)
def test_no_role_is_that_of_a_key_that_is_not_read(name):
    for one in configs(name):
        top_level = {key.split(".")[0] for key in one.roles()}

        assert top_level.isdisjoint(one.unread())


def test_what_a_temperature_means_depends_on_the_loss():
    assert roles("multitask")["temperature.start"].loss is Contrast.CLIP
    siglip = roles("multitask", contrastive="siglip")
    assert siglip["siglip.scale"] == Temperature(Contrast.SIGLIP, Convention.MULTIPLIES)
    assert "temperature.start" not in siglip
    assert roles("incremental", positives="views")["temperature"] == Temperature(
        Contrast.NT_XENT, batch_size=128, items_per_class=2, one_modality=True
    )
    # Two digits come first: half of the 128 views of a batch are of the anchor's class.
    assert roles("incremental")["temperature"].items_per_class == 64


def test_an_end_that_is_not_read_has_no_role():
    moving = roles("multitask", temperature={"kind": "linear", "start": 0.1, "end": 0.05})

    assert moving["temperature.end"] == moving["temperature.start"]
    assert "temperature.end" not in roles("multitask")


def test_the_margin_of_a_loss_says_its_unit():
    triplet = roles("identification", loss="triplet_batch_hard", distance="euclidean")

    assert triplet["margin.start"] == Margin(MarginKind.TRIPLET, Measure.EUCLIDEAN, classes_per_batch=16)
    assert roles("identification", loss="contrastive")["margin.start"].kind is MarginKind.CONTRASTIVE_NEGATIVE
    assert not [role for role in roles("identification").values() if isinstance(role, Margin)]
    assert "margin" not in roles("incremental")
    ramp = {"kind": "linear", "start": 0.1, "end": 0.4, "ramp_epochs": 6}
    with_ant = roles("incremental", loss_weights={"ant": 1.0}, margin=ramp)
    assert with_ant["margin"] == AntMargin((0.1, 0.4))
    assert with_ant["margin.ramp_epochs"] == ScheduleEnd("the margin reaches its end", at=6, within=8)


def test_class_sizes_are_known_where_the_source_says_so():
    simulated, ecg_id = roles("identification"), roles("identification", data=ECG_ID)

    assert (simulated["records_per_person"].data.most, simulated["people_per_batch"].data.num) == (4, 40)
    assert (ecg_id["records_per_person"].data.typical, ecg_id["people_per_batch"].data.num) == (2, 60)
    turned = roles("multitask", data={**OMNIGLOT, "turned_classes": True}, items_per_class=2)["items_per_class"]
    assert isinstance(turned, ItemsPerClass)
    assert (turned.data.num, turned.data.most) == (4 * 96, 20)


def test_hard_negatives_count_what_the_first_step_keeps():
    assert roles("multitask", hard_negative_ratio=0.1)["hard_negative_ratio"] == HardNegatives(kept=4, available=31)
    mined = roles("identification", loss="contrastive", negative_mining="hard")
    assert mined["negative_mining"] == HardNegatives(kept=1, available=60)
    gentle = roles("identification", loss="contrastive", negative_mining="semi_hard")
    assert "negative_mining" not in gentle


def test_the_parts_of_a_loss_are_main_or_help():
    found = {key: role for key, role in roles("multitask").items() if isinstance(role, LossWeight)}

    assert [key for key, role in found.items() if role.is_main] == [
        "loss_weights.contrastive",
        "loss_weights.class_contrastive",
    ]
    assert len(found) == 5


def test_one_cycle_peaks_in_epochs():
    assert roles("toxicity")["optimizer.schedule.peak_at"] == OneCycle(peak=4, end=8)
    assert "optimizer.schedule.peak_at" not in roles("multitask")


def test_what_belongs_to_one_choice_is_silent_under_another():
    assert isinstance(roles("toxicity")["weighting.decay"], UncertaintyDecay)
    assert "weighting.decay" not in roles("toxicity", weighting={"kind": "equal"})
    assert isinstance(roles("identification", loss="multi_similarity")["multi_similarity.beta"], Sharpness)
    assert "clip.loss.temperature" not in roles("adapter")
