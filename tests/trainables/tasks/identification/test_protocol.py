"""Who may find whom: never the own record, and own records by day as the protocol says."""

import pytest

from tests.trainables.tasks.identification.conftest import build
from trainables.data.errors import DataError
from trainables.tasks.identification.choices import Protocol
from trainables.tasks.identification.config import Evaluation
from trainables.tasks.identification.embed import Records
from trainables.tasks.identification.protocol import protocol_masks

# Of person 0 the records 0 and 1 are of one day, 2 of another; 3 and 4 are of person 1; 5 is alone.
RELEVANT = {
    Protocol.ALL: {(0, 1), (0, 2), (1, 0), (1, 2), (2, 0), (2, 1), (3, 4), (4, 3)},
    Protocol.SAME_DAY: {(0, 1), (1, 0), (3, 4), (4, 3)},
    Protocol.CROSS_DAY: {(0, 2), (1, 2), (2, 0), (2, 1)},
}


@pytest.mark.parametrize("protocol", list(Protocol))
def test_what_should_be_found(records, strangers, protocol):
    masks = protocol_masks(records, strangers, Evaluation())[protocol]
    assert {tuple(pair) for pair in masks.relevant_QG.nonzero().tolist()} == RELEVANT[protocol]


@pytest.mark.parametrize("protocol", list(Protocol))
@pytest.mark.parametrize(("gallery", "size"), [("val", 6), ("all", 10)])
def test_everybody_else_is_in_the_gallery_and_the_own_record_never(records, strangers, protocol, gallery, size):
    masks = protocol_masks(records, strangers, Evaluation(gallery=gallery))[protocol]
    assert masks.gallery_QG.shape == (6, size)
    assert not masks.gallery_QG.diagonal().any()
    other = records.items.labels_N[:, None] != records.items.labels_N
    assert masks.gallery_QG[:, :6][other].all()
    assert masks.gallery_QG[:, 6:].all()
    assert not masks.relevant_QG[:, 6:].any()
    assert not (masks.relevant_QG & ~masks.gallery_QG).any()


def test_protocols_without_a_valid_query_are_left_out_and_cannot_be_asked_for(strangers):
    one_day = Records(build([0, 0, 1], [0, 0, 0]))
    assert protocol_masks(one_day, strangers, Evaluation()).keys() == {Protocol.ALL, Protocol.SAME_DAY}
    with pytest.raises(DataError, match="cross_day: no valid query, none of 2 people has records of two days"):
        protocol_masks(one_day, strangers, Evaluation(protocol="cross_day"))
    with pytest.raises(DataError, match="all: no valid query, none of 3 people has two records"):
        protocol_masks(Records(build([0, 1, 2], [0, 0, 0])), strangers, Evaluation())
