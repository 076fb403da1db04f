"""The model card: what it says of a trial that was not confirmed, of findings, and of one's own trainable."""

from dataclasses import replace

from orchestrator.study import SweepRecord
from orchestrator.sweeps.choosing import Choice
from orchestrator.sweeps.findings import Since
from orchestrator.sweeps.model_card import CardFacts, model_card
from orchestrator.trial import Segment, TrialRecord, TrialState
from tests.support.specs import toy_spec
from trainables.health.finding import Finding, Severity

RECORD = SweepRecord(name="toy-1", id="id", spec=toy_spec(), created_ms=0)
TRIAL = TrialRecord(
    number=4,
    state=TrialState.COMPLETE,
    params={"x": 0.25},
    value=0.875,
    best_step=3,
    values={"val/score": 0.875, "val/speed": 2.0},
)
FINDING = Finding("overfitting", Severity.WARNING, step=4, evidence={}, meaning="It has learned by heart.", cure="-")


def card(**fields):
    facts = {
        "config": {"epochs": 4, "data": {"source": "digits"}},
        "meaning": "1 is perfect",
        "seed": 7,
        "epoch": 3,
        "findings": (),
        "versions": {"torch": "9.9"},
        "retrained": False,
        "is_registered": True,
    }
    return model_card(Choice(RECORD, RECORD, TRIAL), CardFacts(**{**facts, **fields}))


def test_it_says_what_it_is_how_it_was_chosen_and_how_to_load_it():
    page = card()
    assert page.startswith("# tests.support.toys:train: model of toy-1 trial 4\n")
    assert "the weights are those after epoch 3, its best" in page
    assert "| objective | val/score, maximize: 1 is perfect |" in page and "| `x` | 0.25 |" in page
    assert "```yaml\nsource: digits\n```" in page
    assert "val/score of toy-1 trial 4: 0.875 at epoch 3" in page and "likely too good" in page
    assert "val/speed at the same epoch: 2." in page
    assert "Not confirmed" in page and "`orch confirm toy-1`" in page
    assert "None.\n\n## Load" in page and "load_model" in page and "| torch | 9.9 |" in page


def test_findings_are_told():
    page = card(findings=[Since(FINDING, 2)])
    assert "- warning, `overfitting`, since epoch 2: It has learned by heart." in page


def test_ones_own_weights_are_loaded_by_hand():
    page = card(is_registered=False)
    assert "load_file" in page and "load_model" not in page


def test_a_retrained_model_has_no_figures_of_its_own():
    page = card(retrained=True)
    assert page.startswith("# tests.support.toys:train: configuration of toy-1 trial 4\n")
    assert "val says nothing of it, and test was not read for it" in page


def test_a_training_whose_parameters_changed_says_so():
    stretch = Choice(RECORD, RECORD, replace(TRIAL, segment=Segment(member=0, parent=2, until=3)))
    facts = {"config": {}, "meaning": None, "seed": 0, "epoch": 3, "findings": (), "versions": {}}
    page = model_card(stretch, CardFacts(**facts, retrained=False, is_registered=True))
    assert "Parameters changed during this training; those above are of its last stretch." in page
    assert "## Data" not in page and "| objective | val/score, maximize |" in page
