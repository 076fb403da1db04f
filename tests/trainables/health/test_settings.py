"""Keys that do nothing."""

from tests.support.histories import history
from trainables.health.settings import key_without_effect


def test_unread_keys_are_named():
    found = key_without_effect(history(val_a=[1.0], unread=("siglip.scale", "margin.end")))
    assert "margin.end, siglip.scale" in found.meaning
    assert key_without_effect(history(val_a=[1.0])) is None
