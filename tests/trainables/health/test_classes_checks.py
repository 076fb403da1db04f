"""The rare class."""

from tests.support.histories import history
from trainables.health.classes import rare_class_ignored


def test_a_rare_class_that_is_never_found():
    found = rare_class_ignored(
        history(val_rare_recall_toxic=[1.0, 0.0, 0.0, 0.02], val_rare_prevalence_toxic=[0.05] * 4)
    )
    assert found.evidence["val/rare_prevalence_toxic"] == 0.05
    assert rare_class_ignored(history(val_rare_recall_toxic=[1.0, 0.0, 0.0, 0.4])) is None
    assert rare_class_ignored(history(val_rare_recall=[1.0, 0.0, 0.0])) is None
