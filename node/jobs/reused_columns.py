"""Earlier answers in the columns of a report: in the places of those for whom the peer was not asked."""

from collections.abc import Sequence
from datetime import timedelta

import numpy as np
from numpy.typing import NDArray

from node.context import Node
from node.domain.days import FIRST_DAY
from node.domain.findings import Finding
from node.domain.jobs import PartRow
from node.domain.reuse import ReusedAnswer, unpack_reused
from node.domain.sealed_names import of_part

Places = NDArray[np.uint32]
Column = tuple[Sequence[Finding], Places]  # findings without a subject, and which of them each subject has
Again = tuple[list[ReusedAnswer], dict[str, tuple[Places, Places]]]


def open_reused(node: Node, part: PartRow, sealed: bytes | None) -> Again | None:
    """The earlier answers that a part uses; none of a peer whose answers are wrong."""
    if sealed is None or part.state == "distrusted":
        return None
    return unpack_reused(node.keys.vault.unseal(of_part(part.job, part.peer, "reused"), sealed))


def use_again(column: Column, item: str, again: Again | None) -> Column:
    """A peer's answers about an item, with the earlier ones that are used again."""
    if again is None or item not in again[1]:
        return column
    answers, (subjects, numbers) = again[0], again[1][item]
    different, places = list(column[0]), np.array(column[1], dtype=np.uint32)
    peer = different[0].peer
    places[subjects] = numbers + np.uint32(len(different))
    for one in answers:
        as_of = None if one.as_of is None else FIRST_DAY + timedelta(days=one.as_of)
        different.append(Finding("", item, peer, one.outcome, one.value, as_of, "", one.source))
    return different, places
