"""Every metric has a name of the shared form and a meaning."""

import re

from trainables.health.vocabulary import describe
from trainables.tasks.identification.reported import METRICS


def test_names_and_meanings():
    assert all(re.fullmatch(r"(train|val)/[a-z0-9_]+", name) for name in METRICS)
    assert all(meaning and meaning == meaning.strip() for meaning in METRICS.values())


def test_the_doctor_knows_the_ones_that_it_judges():
    judged = ("val/rank_at_1", "val/rank_at_1_cross_day", "val/map_at_r", "val/auc", "val/supcon_position")
    assert all(describe(name).text for name in judged)
    assert ("chance", "val/chance_rank_at_1") in {
        (reference.role, reference.metric) for reference in describe("val/rank_at_1").references
    }
