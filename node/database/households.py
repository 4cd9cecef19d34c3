"""Households and mandates that the node keeps, sealed before they are passed to this module."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, and_, bindparam, delete, func, insert, or_, select, update

from node.database.household_tables import DIGEST, households, mandates, record_people

_AT_ONCE = 500
HOUSEHOLD, MANDATE = "household", "mandate"
# Built once: it takes longer to build a statement than to run it, and each part of a job asks both.
_ANY_MANDATE, _ANY_HOUSEHOLD = (
    select(table.c.digest).where(table.c.owner.in_(bindparam("owners", expanding=True))).limit(1)
    for table in (mandates, households)
)


@dataclass(frozen=True, slots=True, repr=False)
class HouseholdRow:
    """A household as it is stored."""

    owner: str
    digest: bytes
    office: str
    people: int
    version: int
    added_at: datetime
    changed_at: datetime
    sealed: bytes


@dataclass(frozen=True, slots=True, repr=False)
class MandateRow:
    """A mandate as it is stored; `has_form` says whether its scanned form is there."""

    owner: str
    digest: bytes
    household: bytes
    certificate: str
    valid_to: int | None
    added_at: datetime
    ended_at: datetime | None
    ended: str
    sealed: bytes
    has_form: bool = False


def put_household(tx: Connection, row: HouseholdRow, people: Collection[bytes]) -> None:
    """Store a household in the place of an earlier version of it."""
    place = and_(households.c.owner == row.owner, households.c.digest == row.digest)
    tx.execute(delete(households).where(place))
    tx.execute(insert(households).values(**{name: getattr(row, name) for name in row.__slots__}))
    _put_people(tx, row.owner, HOUSEHOLD, row.digest, people)


def find_household(tx: Connection, owners: Sequence[str] | None, digest: bytes) -> HouseholdRow | None:
    """A household of the first of some owners that has it; of anybody where none are given."""
    return next(iter(read_households(tx, owners, [digest])), None)


def read_households(
    tx: Connection, owners: Sequence[str] | None, digests: Sequence[bytes]
) -> list[HouseholdRow]:
    """Households by digests of their numbers, those of the first owner first."""
    found: list[HouseholdRow] = []
    for part in _parts(digests):
        asked = select(households).where(households.c.digest.in_(part))
        found += map(_household, tx.execute(_owned(asked, households.c.owner, owners)))
    return _first_owners(found, owners)


def list_households(
    tx: Connection, owners: Collection[str] | None, limit: int, office: str = ""
) -> list[HouseholdRow]:
    """Households, the last changed first; only those of an office whose code begins so."""
    asked = select(households).order_by(households.c.changed_at.desc(), households.c.digest).limit(limit)
    if office:
        asked = asked.where(households.c.office.startswith(office, autoescape=True))
    return list(map(_household, tx.execute(_owned(asked, households.c.owner, owners))))


def remove_household(tx: Connection, owner: str, digest: bytes) -> bool:
    """Remove a household; False where there is none."""
    _put_people(tx, owner, HOUSEHOLD, digest, ())
    place = and_(households.c.owner == owner, households.c.digest == digest)
    return tx.execute(delete(households).where(place)).rowcount == 1


def add_mandate(tx: Connection, row: MandateRow, people: Collection[bytes]) -> None:
    """Store a new mandate. Raises ConflictError in a race."""
    values = {name: getattr(row, name) for name in row.__slots__ if name != "has_form"}
    tx.execute(insert(mandates).values(**values, form_sealed=None))
    _put_people(tx, row.owner, MANDATE, row.digest, people)


def any_mandates(tx: Connection, owners: Collection[str]) -> bool:
    """Whether some owners have any mandate on record."""
    return tx.execute(_ANY_MANDATE, {"owners": list(owners)}).first() is not None


def any_households(tx: Connection, owners: Collection[str]) -> bool:
    """Whether some owners have any household on record."""
    return tx.execute(_ANY_HOUSEHOLD, {"owners": list(owners)}).first() is not None


def read_mandates(tx: Connection, owners: Sequence[str] | None, digests: Sequence[bytes]) -> list[MandateRow]:
    """Mandates by digests of their numbers, of the first owner that has each."""
    found: list[MandateRow] = []
    for part in _parts(digests):
        asked = select(*_mandate_columns()).where(mandates.c.digest.in_(part))
        found += map(_mandate, tx.execute(_owned(asked, mandates.c.owner, owners)))
    return _first_owners(found, owners)


def mandates_of(tx: Connection, owners: Sequence[str], digests: Sequence[bytes]) -> list[MandateRow]:
    """Mandates of some households, by the digests of their numbers."""
    found: list[MandateRow] = []
    for part in _parts(digests):
        asked = select(*_mandate_columns()).where(mandates.c.household.in_(part))
        found += map(_mandate, tx.execute(asked.where(mandates.c.owner.in_(owners))))
    return found


def list_mandates(tx: Connection, owners: Collection[str] | None, limit: int) -> list[MandateRow]:
    """Mandates, the last added first."""
    asked = select(*_mandate_columns()).order_by(mandates.c.added_at.desc(), mandates.c.digest).limit(limit)
    return list(map(_mandate, tx.execute(_owned(asked, mandates.c.owner, owners))))


def end_mandates(
    tx: Connection, owner: str | None, digests: Collection[bytes], reason: str, now: datetime
) -> int:
    """Note that mandates ended, those of an owner or of all; returns how many had not ended before."""
    ended = 0
    for part in _parts(list(digests)):
        place = and_(mandates.c.digest.in_(part), mandates.c.ended_at.is_(None))
        if owner is not None:
            place = and_(place, mandates.c.owner == owner)
        ended += tx.execute(update(mandates).where(place).values(ended_at=now, ended=reason)).rowcount
    return ended


def put_form(tx: Connection, owner: str, digest: bytes, sealed: bytes) -> bool:
    """Store the scanned form of a mandate; False where there is no such mandate."""
    place = and_(mandates.c.owner == owner, mandates.c.digest == digest)
    return tx.execute(update(mandates).where(place).values(form_sealed=sealed)).rowcount == 1


def read_form(tx: Connection, owner: str, digest: bytes) -> bytes | None:
    """The sealed form of a mandate; None where there is none."""
    found = tx.scalar(
        select(mandates.c.form_sealed).where(mandates.c.owner == owner, mandates.c.digest == digest)
    )
    return None if found is None else bytes(found)


def records_of(tx: Connection, kind: str, people: Collection[bytes]) -> list[tuple[str, bytes]]:
    """Owner and digest of the households or mandates that have any of some people."""
    asked = select(record_people.c.owner, record_people.c.digest).where(
        record_people.c.kind == kind, record_people.c.person.in_(people)
    )
    return sorted({(row.owner, bytes(row.digest)) for row in tx.execute(asked)})


def due_mandates(
    tx: Connection, ended: datetime, day: int, most: int | None = None
) -> list[tuple[str, bytes]]:
    """Mandates that ended before a moment, or whose last day is before a day."""
    over = or_(mandates.c.ended_at < ended, mandates.c.valid_to < day)
    asked = select(mandates.c.owner, mandates.c.digest).where(over).limit(most)
    return [(row.owner, bytes(row.digest)) for row in tx.execute(asked)]


def due_households(tx: Connection, changed: datetime, most: int | None = None) -> list[tuple[str, bytes]]:
    """Households that did not change since a moment and have no mandate on record."""
    has = (
        select(mandates.c.digest)
        .where(mandates.c.owner == households.c.owner, mandates.c.household == households.c.digest)
        .exists()
    )
    asked = select(households.c.owner, households.c.digest).where(households.c.changed_at < changed, ~has)
    return [(row.owner, bytes(row.digest)) for row in tx.execute(asked.limit(most))]


def remove_mandate(tx: Connection, owner: str, digest: bytes) -> None:
    """Erase a mandate, its form and its people."""
    _put_people(tx, owner, MANDATE, digest, ())
    tx.execute(delete(mandates).where(mandates.c.owner == owner, mandates.c.digest == digest))


def count(tx: Connection) -> Mapping[str, int]:
    """How many households and mandates there are, and how many mandates an office signed."""
    signed = select(func.count()).select_from(mandates).where(mandates.c.certificate != "")
    return {
        "households": tx.scalar(select(func.count()).select_from(households)) or 0,
        "mandates": tx.scalar(select(func.count()).select_from(mandates)) or 0,
        "signed": tx.scalar(signed) or 0,
    }


def _put_people(tx: Connection, owner: str, kind: str, digest: bytes, people: Iterable[bytes]) -> None:
    place = (record_people.c.owner == owner, record_people.c.kind == kind, record_people.c.digest == digest)
    tx.execute(delete(record_people).where(*place))
    rows = [{"owner": owner, "kind": kind, "digest": digest, "person": one} for one in sorted(set(people))]
    if rows:
        tx.execute(insert(record_people), rows)


def _parts(digests: Sequence[bytes]) -> Iterator[Sequence[bytes]]:
    return (digests[at : at + _AT_ONCE] for at in range(0, len(digests), _AT_ONCE))


def _owned(asked: Any, column: Any, owners: Collection[str] | None) -> Any:
    return asked if owners is None else asked.where(column.in_(owners))


def _first_owners(found: list[Any], owners: Sequence[str] | None) -> list[Any]:
    order = {owner: place for place, owner in enumerate(owners or ())}
    kept: dict[bytes, Any] = {}
    for row in sorted(found, key=lambda one: (order.get(one.owner, 0), one.owner)):
        kept.setdefault(row.digest, row)
    return list(kept.values())


def _mandate_columns() -> list[Any]:
    plain = [column for column in mandates.c if column.name != "form_sealed"]
    return [*plain, mandates.c.form_sealed.is_not(None).label("has_form")]


def _household(row: Row[Any]) -> HouseholdRow:
    return HouseholdRow(**_plain(row))


def _mandate(row: Row[Any]) -> MandateRow:
    return MandateRow(**_plain(row))


def _plain(row: Row[Any]) -> dict[str, Any]:
    values = dict(row._mapping)  # noqa: SLF001 - SQLAlchemy's documented name
    return {name: bytes(value) if isinstance(value, memoryview) else value for name, value in values.items()}


NO_HOUSEHOLD = bytes(DIGEST)
