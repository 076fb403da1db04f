import subprocess
import sys

import pytest
from pydantic import ValidationError

from trainables.mining.strategies import (
    EffectiveMining,
    NegativeMining,
    PositiveMining,
    Stage,
    check_curriculum,
    strategy_at,
)

NOTE = (
    Stage(negative="random"),
    Stage(from_epoch=3, negative="semi_hard"),
    Stage(from_epoch=8, negative="hard", positive="hard"),
)


@pytest.mark.parametrize(
    ("epoch", "expected"),
    [(0, "random"), (2.99, "random"), (3, "semi_hard"), (7.5, "semi_hard"), (8, "hard"), (100, "hard")],
)
def test_the_stage_of_an_epoch(epoch, expected):
    assert strategy_at(NOTE, epoch).negative == expected
    assert strategy_at(NOTE, epoch).positive is (PositiveMining.HARD if expected == "hard" else PositiveMining.RANDOM)


@pytest.mark.parametrize("starts", [[], [1], [0, 3, 3], [0, 5, 2]])
def test_a_curriculum_without_a_beginning_or_out_of_order_is_refused(starts):
    stages = [Stage(from_epoch=start, negative="hard") for start in starts]
    for refuse in (check_curriculum, lambda stages: strategy_at(stages, 0)):
        with pytest.raises(ValueError, match="curriculum"):
            refuse(stages)


def test_an_unknown_strategy_is_refused():
    with pytest.raises(ValidationError, match="semi_hard"):
        Stage(negative="hardest")


def test_each_strategy_can_be_in_effect():
    assert {s.value for s in NegativeMining} < {s.value for s in EffectiveMining}


def test_configs_get_the_names_without_torch():
    code = "import sys, trainables.mining.strategies; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
