"""Collapse to a point and to few directions."""

from tests.support.histories import history
from trainables.health import Severity
from trainables.health.collapse import dimensional_collapse, point_collapse


def severity(finding):
    return finding and finding.severity


def test_one_point_is_ill_and_nearly_one_a_warning():
    assert severity(point_collapse(history(val_resultant_length=[0.5, 0.99, 0.995, 0.995]))) is Severity.ILL
    assert severity(point_collapse(history(val_resultant_length=[0.5, 0.96, 0.96, 0.96]))) is Severity.WARNING
    assert point_collapse(history(val_resultant_length=[0.5, 0.94, 0.94, 0.94])) is None


def test_a_network_on_its_way_out_of_a_narrow_cone_is_not_collapsed():
    assert point_collapse(history(val_resultant_length=[0.98, 0.99, 0.98, 0.96])) is None


def test_nothing_is_said_before_the_third_epoch():
    assert point_collapse(history(val_resultant_length=[0.999, 0.999, 0.999])) is None


def test_the_mean_cosine_stands_in():
    assert severity(point_collapse(history(val_mean_cosine=[0.2, 0.99, 0.99, 0.99]))) is Severity.ILL
    assert point_collapse(history(val_mean_cosine=[0.2, 0.89, 0.89, 0.89])) is None


def test_few_directions_are_told_relative_to_size_and_start():
    size = {"val_embedding_size": [64.0] * 4}
    found = dimensional_collapse(history(val_effective_rank_centred=[40.0, 20.0, 6.0, 4.0], **size))
    assert severity(found) is Severity.WARNING
    assert found.evidence["untrained"] == 40.0
    assert severity(dimensional_collapse(history(val_effective_rank=[40.0, 9.0, 3.0, 1.5], **size))) is Severity.ILL
    assert dimensional_collapse(history(val_effective_rank_centred=[5.0, 4.5, 4.2, 4.0], **size)) is None
    assert dimensional_collapse(history(val_effective_rank_centred=[40.0, 20.0, 10.0, 7.0], **size)) is None


def test_one_axis_is_told_by_its_share():
    assert severity(dimensional_collapse(history(val_top_variance_fraction=[0.1, 0.2, 0.3, 0.6]))) is None
    assert severity(dimensional_collapse(history(val_top_variance_fraction=[0.1, 0.5, 0.5, 0.6]))) is Severity.WARNING
    assert dimensional_collapse(history(val_top_variance_fraction=[0.5, 0.9, 0.9, 0.9])) is None


def test_two_classes_may_lie_on_one_axis():
    axis = {"val_top_variance_fraction": [0.1, 0.9, 0.9, 0.9]}
    assert dimensional_collapse(history(val_num_classes_seen=[2.0] * 4, **axis)) is None
    assert dimensional_collapse(history(val_num_classes_seen=[10.0] * 4, **axis))


def test_six_classes_need_five_directions():
    ranks = {"val_effective_rank_centred": [40.0, 20.0, 6.0, 3.0], "val_embedding_size": [64.0] * 4}
    assert dimensional_collapse(history(val_num_classes_seen=[6.0] * 4, **ranks)) is None
    assert dimensional_collapse(history(val_num_classes_seen=[100.0] * 4, **ranks))
