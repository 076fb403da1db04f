"""The names that the config chooses from."""

from trainables.mining.strategies import NegativeMining
from trainables.tasks.identification.choices import CHOOSING_LOSSES, MARGIN_LOSSES, LossKind, Negatives


def test_every_way_of_mining_can_be_asked_for_and_all_pairs_too():
    assert {name.value for name in Negatives} == {name.value for name in NegativeMining} | {"all"}


def test_losses_that_choose_and_losses_with_a_margin():
    assert set(CHOOSING_LOSSES) | set(MARGIN_LOSSES) == set(LossKind) - {LossKind.SUPCON}
