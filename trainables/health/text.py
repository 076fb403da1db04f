"""Generated texts that read well and leave out what matters."""

from trainables.health.check import Sign, check
from trainables.health.curves import trained_curve
from trainables.health.finding import History, Severity

READS_WELL = {"val/bleu": 40.0, "val/rouge_l": 0.6}
"""Leaving every number out of a report costs it about 40 points of BLEU, wrong numbers fewer."""
NUMBERS = 0.5
"""Recall of the numbers below which a report is not to be relied on."""


@check(
    meaning="Generated texts score well by words while the numbers in them are missing or wrong.",
    found_by=(
        f"val/bleu of {READS_WELL['val/bleu']:g} or more, or val/rouge_l of {READS_WELL['val/rouge_l']} or more, "
        f"with val/stenosis_recall below {NUMBERS}."
    ),
    cure=(
        "Choose models by val/stenosis_recall, give the video trunk more captioning weight or size, and check that "
        "the texts name the numbers that the videos show."
    ),
)
def numbers_missing(history: History) -> Sign | None:
    """Hold what is read against what is said."""
    recall = trained_curve(history, "val/stenosis_recall")
    scores = {name: trained_curve(history, name) for name in READS_WELL}
    if not recall or recall.last >= NUMBERS:
        return None
    good = {name: values.last for name, values in scores.items() if values and values.last >= READS_WELL[name]}
    if not good:
        return None
    return Sign(Severity.WARNING, recall.step, {recall.name: recall.last, **good})
