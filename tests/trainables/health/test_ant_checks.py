"""The ANT term."""

from tests.support.histories import history
from trainables.health.ant import ant_at_floor, ant_gamed, gap_idle, violation_rate_out_of_range


def test_note_003s_constant_is_the_count_floor():
    assert ant_at_floor(history(train_ant_loss=[None, 4.784], train_ant_floor=[None, 4.783]))
    assert ant_at_floor(history(train_ant_loss=[None, 4.9], train_ant_floor=[None, 4.783])) is None
    small = {"train_ant_floor": [None, 3.9], "train_margin": [None, 0.3]}
    assert ant_at_floor(history(train_ant_excess=[None, 0.01], **small))
    assert ant_at_floor(history(train_ant_excess=[None, 0.04], **small)) is None
    assert ant_at_floor(history(train_ant_excess=[None, 0.0], train_ant_floor=[None, 0.0])) is None


def test_violation_rates():
    assert violation_rate_out_of_range(history(train_violation_rate=[None, 0.05]))
    assert violation_rate_out_of_range(history(train_violation_rate=[None, 0.95]))
    assert violation_rate_out_of_range(history(train_violation_rate=[None, 0.5])) is None


def test_fewer_violations_by_a_nearer_hardest_negative_are_gaming():
    fewer = {"train_violation_rate": [None, 0.67, 0.3, 0.1, 0.03]}
    assert ant_gamed(history(train_hardest_negative_cosine=[None, 0.41, 0.6, 0.7, 0.73], **fewer))
    assert ant_gamed(history(train_hardest_gap=[None, -0.14, -0.3, -0.5, -0.6], **fewer))
    assert ant_gamed(history(train_hardest_negative_cosine=[None, 0.9, 0.6, 0.5, 0.4], **fewer)) is None
    later = {"train_step": [None, 1.0, 1.0, 1.0, 2.0], "train_hardest_gap": [None, -0.1, 0.0, 0.1, -0.6]}
    assert ant_gamed(history(**fewer, **later)) is None
    level = {"train_violation_rate": [None, 0.3, 0.3, 0.3]}
    assert ant_gamed(history(train_hardest_negative_cosine=[None, 0.4, 0.6, 0.7], **level)) is None


def test_an_idle_gap_term():
    assert gap_idle(history(train_gap_loss=[None, 0.0, 0.0, 0.0], train_gap=[None, *[0.88] * 3]))
    assert gap_idle(history(train_gap_loss=[None, 0.1, 0.1, 0.1])) is None
