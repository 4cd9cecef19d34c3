"""What households declare, as messages of platform/v1/declared.proto."""

from collections.abc import Iterable

from heqiao.platform.v1 import declared_pb2 as pb

from node.domain.declared import (
    MOST_CAUSES,
    MOST_HOUSEHOLDS,
    MOST_ITEMS,
    MOST_RELATIVES,
    DeclaredHousehold,
)
from node.wire.common import require

_LONGEST = 200  # characters of a text


def declared_message(found: Iterable[DeclaredHousehold]) -> pb.DeclaredHouseholds:
    """Declared figures as they are submitted."""
    return pb.DeclaredHouseholds(households=map(_household_message, found))


def _household_message(one: DeclaredHousehold) -> pb.DeclaredHousehold:
    return pb.DeclaredHousehold(
        household=one.household,
        income=one.income,
        assets=one.assets,
        spending=one.spending,
        items=[pb.DeclaredItem(item=item, amount=amount) for item, amount in sorted(one.items.items())],
        causes=one.causes,
        application_no=one.application_no,
        acceptance_no=one.acceptance_no,
        applicant=one.applicant,
        applicant_id_type=one.applicant_id_type,
        relatives=one.relatives,
    )


def read_declared(message: pb.DeclaredHouseholds) -> tuple[DeclaredHousehold, ...]:
    """Declared figures that a platform submits; `node.domain.declared.fault` judges them.

    Raises InvalidRequestError for more than a message may hold.
    """
    require(len(message.households) <= MOST_HOUSEHOLDS, f"at most {MOST_HOUSEHOLDS:,} households declare")
    return tuple(map(_household, message.households))


def _household(one: pb.DeclaredHousehold) -> DeclaredHousehold:
    counts = (
        (one.items, MOST_ITEMS, "items"),
        (one.causes, MOST_CAUSES, "causes"),
        (one.relatives, MOST_RELATIVES, "relatives"),
    )
    for found, most, name in counts:
        require(len(found) <= most, f"a household declares at most {most} {name}")
    texts = (one.household, one.application_no, one.acceptance_no, one.applicant, one.applicant_id_type)
    every = (*texts, *one.causes, *one.relatives, *(item.item for item in one.items))
    require(max(map(len, every), default=0) <= _LONGEST, "a text of a declared household is too long")
    items = {item.item: item.amount for item in one.items}
    require(len(items) == len(one.items), "a household declares an item twice")
    return DeclaredHousehold(
        household=one.household,
        income=one.income if one.HasField("income") else None,
        assets=one.assets if one.HasField("assets") else None,
        spending=one.spending if one.HasField("spending") else None,
        items=items,
        causes=tuple(one.causes),
        application_no=one.application_no,
        acceptance_no=one.acceptance_no,
        applicant=one.applicant,
        applicant_id_type=one.applicant_id_type,
        relatives=tuple(one.relatives),
    )
