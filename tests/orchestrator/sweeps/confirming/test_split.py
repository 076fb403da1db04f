"""Which sweeps read the same test split, and what is said of earlier reads."""

import pytest

from orchestrator.errors import UsageError
from orchestrator.study.confirmations import SplitRead
from orchestrator.sweeps.confirming.split import fingerprint, refuse

FIXED = {"data.source": "angiogram", "data.num_test": 40, "data.interval_s": 1, "epochs": 10}


def test_the_split_is_the_trainable_and_what_the_config_says_of_test_data():
    same = fingerprint("multitask", FIXED)
    assert fingerprint("multitask", {**FIXED, "epochs": 3, "data.num_train": 8, "data.val_files": "x"}) == same
    others = [("adapter", FIXED), ("multitask", {**FIXED, "data.num_test": 41}), ("multitask", {"epochs": 3})]
    others.append(("multitask", {**FIXED, "data.interval_s": 2}))
    assert same not in [fingerprint(trainable, fixed) for trainable, fixed in others]


def read(number, ended_ms=2):
    return SplitRead("abc", "mira@node7", f"orch confirm {number}", f"toy-{number}-confirm-1", (), 1, ended_ms)


def test_a_second_read_is_refused_with_who_when_why_and_what_can_be_done():
    refuse([])
    with pytest.raises(UsageError) as refused:
        refuse([read(1), read(2, ended_ms=None)])
    text = str(refused.value)
    assert text.startswith("test has been read 2 times before: by mira@node7 at ")
    assert "for toy-1-confirm-1 (orch confirm 1); " in text
    assert "(orch confirm 2, interrupted). Its figures are no longer unseen." in text
    assert "--again" in text
    assert "--no-test" in text
