"""Shipped sweep files pass; those of a broken note, and a bad twin of each file, raise exactly the rules they should.

Domain rules only. Notes are advice without a verdict and stand in a table of their own.
"""

import pytest
import yaml

from orchestrator.sweeps.lint.domain import RULES
from tests.support.questions import ROOT, noted, raised, shipped

NAMES = sorted(path.stem for path in (ROOT / "search_spaces").glob("*.yaml"))
BROKEN = {
    # Temperature 5 to 20 divides, captioning above contrastive.
    "multitask_note002": {"ORC201", "ORC202", "ORC203", "ORC221"},
    # The margin only grows, and InfoNCE can be switched off beside ANT.
    "incremental_note003": {"ORC214", "ORC221"},
    # The nearest negative from the first step, among other ways of mining.
    "identification_note001": {"ORC231"},
}
SOFT = {"ORC201", "ORC202", "ORC203"}
"""A temperature far above 1: the wrong convention, above 1, and nothing to fall through."""
LOSS = "{contrastive_weight: 2.0, temperature: 10.0}"
COSINE = ["space.clip.loss.contrastive_weight.high=5.0", "space.clip.loss.similarity.choices=[cosine]"]
STEEP = "{type: float, low: 0.1, high: 5.0}"
HOT = "{type: float, low: 5.0, high: 20.0}"
TWINS = {
    "adapter": (
        [f"space.clip.loss.temperature={HOT}", *COSINE],
        SOFT | {"ORC221"},
    ),
    "adapter_files": (
        [f"space.clip.loss.contrastive_weight={STEEP}", "config.clip.optimizer.schedule={kind: one_cycle}"],
        {"ORC221", "ORC241"},
    ),
    "adapter_note000": ([f"config.clip.loss={LOSS}"], SOFT | {"ORC221"}),
    "adapter_note000_fixed": (
        ["space.clip.optimizer.schedule.kind.choices=[cosine, one_cycle]", "pruner={type: asha, min_epochs: 2}"],
        {"ORC241"},
    ),
    "identification": (
        ["space.margin.start.high=1.5", "config.records_per_person=6"],
        {"ORC213", "ORC232"},
    ),
    "identification_ecg_id": (
        [f"space.temperature.start={HOT}", "space.people_per_batch.choices=[16, 70]"],
        SOFT | {"ORC232"},
    ),
    "identification_note001": (["space.margin.start.choices=[0.5, 1.9]"], {"ORC213", "ORC231"}),
    "incremental": (
        ["space.loss_weights.ant.high=5.0", "space.margin.start.low=0.0", "space.hard_negative_ratio.low=0.01"],
        {"ORC215", "ORC221", "ORC231"},
    ),
    "incremental_note003": (["space.margin.start.high=1.5"], {"ORC215", "ORC221"}),
    "incremental_omniglot": (
        ["config.margin={kind: linear, end: 0.6, ramp_epochs: 12}", "space.loss_weights.ant.high=2.0"],
        {"ORC214", "ORC221", "ORC242"},
    ),
    "multitask": (
        [f"space.temperature.start={HOT}", "space.loss_weights.captioning.high=4.0", "constraints=[]"],
        SOFT | {"ORC221"},
    ),
    "multitask_note002": (
        [f"space.margin.start={STEEP}".replace("5.0", "1.9")],
        BROKEN["multitask_note002"] | {"ORC213"},
    ),
    "multitask_note002_fixed": (
        ["space={siglip.scale: {type: float, low: 0.07, high: 0.15}}", "config={contrastive: siglip}"],
        {"ORC201"},
    ),
    "multitask_omniglot": (
        ["space.loss_weights.captioning.high=5.0", "space.items_per_class.choices=[8, 32]"],
        {"ORC221", "ORC232"},
    ),
    "toxicity": (["config.optimizer.schedule.peak_at=0.75"], {"ORC241"}),
    "toxicity_note004": (["config.weighting.decay=0.1"], {"ORC223"}),
    "toxicity_tweets": (["config.optimizer.schedule.peak_at=0.6"], {"ORC241"}),
}
"""File to the overrides of its bad twin, and the rules that the twin raises."""


@pytest.mark.parametrize("name", NAMES)
def test_a_shipped_file_passes_unless_it_shows_what_a_note_got_wrong(name):
    assert raised(shipped(name)) == BROKEN.get(name, set())


NOTES = {
    "multitask": {"ORC204", "ORC222"},
    "multitask_note002": {"ORC204"},
    "multitask_note002_fixed": {"ORC204", "ORC222"},
    "multitask_omniglot": {"ORC204"},
    "identification": {"ORC204"},
    "identification_ecg_id": {"ORC204", "ORC233"},
    "incremental": {"ORC204"},
    "incremental_omniglot": {"ORC204"},
}


@pytest.mark.parametrize("name", NAMES)
def test_the_notes_on_a_shipped_file(name):
    assert noted(shipped(name)) == NOTES.get(name, set())


@pytest.mark.parametrize("name", NAMES)
def test_a_bad_twin_raises_the_rules_that_it_should(name):
    overrides, rules = TWINS[name]

    assert raised(shipped(name, *overrides)) == rules


def test_ids_are_in_order_and_pages_are_written():
    ids = [rule.id for rule in RULES]

    assert ids == sorted(set(ids))
    assert all(rule.id.startswith("ORC2") for rule in RULES)
    assert all(isinstance(yaml.safe_load(lines), dict) for rule in RULES for lines in (rule.bad, rule.good))
    assert all(rule.title[0].isupper() and rule.title.endswith(".") for rule in RULES)
    assert all(all((rule.title, rule.why, rule.fix, rule.bad, rule.good, rule.source, rule.check)) for rule in RULES)
