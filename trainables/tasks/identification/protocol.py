"""Who may find whom: which records of the gallery a query is compared with, and which of them it should find.

A query never meets its own record, and so none of its own windows.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from trainables.data.errors import DataError
from trainables.tasks.identification.choices import Gallery, Protocol
from trainables.tasks.identification.config import Evaluation
from trainables.tasks.identification.embed import Records


@dataclass(frozen=True, slots=True)
class Masks:
    """Bool (Q, G): what may be found at all, and what should be."""

    gallery_QG: Tensor
    relevant_QG: Tensor


def protocol_masks(val: Records, train: Records, evaluation: Evaluation) -> Mapping[Protocol, Masks]:
    """The masks of each protocol in which some query has something to find; the gallery is val, then perhaps train.

    Raises: DataError: no query has in the protocol that is asked for.
    """
    others = len(train) if evaluation.gallery is Gallery.ALL else 0
    every = {protocol: _masks(val, protocol, others=others) for protocol in Protocol}
    asked = evaluation.protocol
    if not bool(every[asked].relevant_QG.any()):
        what = {
            Protocol.ALL: "two records",
            Protocol.SAME_DAY: "two records of one day",
            Protocol.CROSS_DAY: "records of two days",
        }[asked]
        num_people = len(set(val.items.labels_N.tolist()))
        raise DataError(f"evaluation.protocol {asked.value}: no valid query, none of {num_people} people has {what}")
    return {protocol: masks for protocol, masks in every.items() if bool(masks.relevant_QG.any())}


def _masks(val: Records, protocol: Protocol, *, others: int) -> Masks:
    person_R, day_R = val.records.person_R, val.records.day_R
    same_RR = person_R[:, None] == person_R
    same_day_RR = same_RR & (day_R[:, None] == day_R)
    own_RR = torch.eye(len(val), dtype=torch.bool)
    match protocol:
        case Protocol.ALL:
            kept_out_RR = own_RR
        case Protocol.SAME_DAY:
            kept_out_RR = own_RR | (same_RR & ~same_day_RR)
        case Protocol.CROSS_DAY:
            kept_out_RR = own_RR | same_day_RR
    strangers_RO = torch.ones(len(val), others, dtype=torch.bool)
    return Masks(
        gallery_QG=torch.cat([~kept_out_RR, strangers_RO], dim=1),
        relevant_QG=torch.cat([same_RR & ~kept_out_RR, ~strangers_RO], dim=1),
    )
