"""Households on record: added, changed, shown, removed (domain.md sections 2 and 7)."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta

from node.context import Node
from node.database import Connection
from node.database import audit_log as audit_rows
from node.database import households as rows
from node.database.households import HouseholdRow
from node.domain import sealed_names
from node.domain.audit_chain import Detail
from node.domain.days import china_day
from node.domain.households import Household, change, fault, masked, pack_household
from node.domain.job_access import JobAccess
from node.domain.lookups import number_digests, person_digests
from node.errors import InvalidRequestError, NotFoundError, RefusedError
from node.jobs.records import Fault, digest_of, open_household, own_first

_LONGEST_AGO = timedelta(days=366)  # a change reported later than that is a mistyped day


@dataclass(frozen=True, slots=True)
class Stored:
    """What an import of households did; with faults it did nothing."""

    added: int = 0
    changed: int = 0
    known: int = 0
    faults: tuple[Fault, ...] = ()


@dataclass(frozen=True, slots=True, repr=False)
class ShownHousehold:
    """A household, masked unless it was asked for in full."""

    row: HouseholdRow
    household: Household


def put(
    node: Node,
    owner: str,
    households: Sequence[Household],
    *,
    replacing: bool = False,
    changed_on: date | None = None,
) -> Stored:
    """Add households, or replace known ones, all or none; the same one again changes nothing.

    Where other people are members now, the household counts as changed on `changed_on`, by default today.
    Raises InvalidRequestError for a day of change in the future, or more than a year ago.
    """
    today = china_day(node.clock())
    day = _check_day(changed_on, today)
    faults = _own_faults(households)
    digests = number_digests(node.keys.lookup_key, [one.number for one in households])

    def write(tx: Connection) -> Stored:
        known = {row.digest: row for row in rows.read_households(tx, [owner], digests)}
        found, new, changed = list(faults), list[HouseholdRow](), 0
        for place, (one, digest) in enumerate(zip(households, digests, strict=True)):
            before = known.get(digest)
            if before is None and replacing:
                found.append(
                    Fault(place, "household_no", "unknown_household", "no household has this number")
                )
                continue
            now_is = _as_of(node, before, one, day)
            if before is not None and open_household(node, before) == now_is:
                continue
            if before is not None and not replacing:
                message = "a household has this number; `heqiao households change` replaces it"
                found.append(Fault(place, "household_no", "duplicate_household", message))
                continue
            changed += before is not None
            new.append(_row(node, owner, digest, now_is, before))
        if found:
            return Stored(faults=tuple(sorted(found, key=lambda each: each.place)))
        _write(node, tx, owner, new, households, digests, changed)
        return Stored(len(new) - changed, changed, len(households) - len(new))

    return node.store.retry_write("store households", write)


def _check_day(changed_on: date | None, today: date) -> date:
    day = changed_on or today
    if not today - _LONGEST_AGO <= day <= today:
        raise InvalidRequestError("a household changed today or within the last year", "correct the day")
    return day


def _own_faults(households: Sequence[Household]) -> list[Fault]:
    found, seen = [], set()
    for place, one in enumerate(households):
        wrong = fault(one)
        if wrong is not None:
            found.append(Fault(place, *wrong))
        if one.number.upper() in seen:
            message = "the household number was seen before in this submission"
            found.append(Fault(place, "household_no", "duplicate_household", message))
        seen.add(one.number.upper())
    return found


def _as_of(node: Node, before: HouseholdRow | None, now_is: Household, day: date) -> Household:
    """With the day of its last change, which the node keeps and nobody submits."""
    if before is None:
        return replace(now_is, changed_on=None)
    return change(open_household(node, before), now_is, day)


def _row(
    node: Node, owner: str, digest: bytes, household: Household, before: HouseholdRow | None
) -> HouseholdRow:
    now = node.clock()
    return HouseholdRow(
        owner=owner,
        digest=digest,
        office=household.office,
        people=len(household.people),
        version=1 if before is None else before.version + 1,
        added_at=now if before is None else before.added_at,
        changed_at=now,
        sealed=node.keys.vault.seal(sealed_names.of_household(owner, digest), pack_household(household)),
    )


def _write(
    node: Node,
    tx: Connection,
    owner: str,
    new: Sequence[HouseholdRow],
    households: Sequence[Household],
    digests: Sequence[bytes],
    changed: int,
) -> None:
    by_digest = dict(zip(digests, households, strict=True))
    for row in new:
        values = [each for person in by_digest[row.digest].people for each in person.numbers]
        rows.put_household(tx, row, person_digests(node.keys.lookup_key, values))
    if new:
        details: dict[str, Detail] = {"owner": owner, "households": len(new), "changed": changed}
        audit_rows.append(tx, "households_stored", details, node.clock())


def show(node: Node, access: JobAccess, limit: int, office: str = "") -> list[ShownHousehold]:
    """Households that a caller may see, masked, the last changed first; of an office whose code begins so."""
    with node.store.transaction("list households") as tx:
        found = rows.list_households(tx, own_first(access), limit, office)
    return [ShownHousehold(row, masked(open_household(node, row))) for row in found]


def get(node: Node, access: JobAccess, number: str, *, full: bool) -> ShownHousehold:
    """One household. Shown in full, it is an audited event. Raises NotFoundError."""

    def write(tx: Connection) -> ShownHousehold:
        row = _require(node, tx, access, number)
        found = open_household(node, row)
        if full:
            details: dict[str, Detail] = {"by": access.owner, "owner": row.owner, "people": row.people}
            audit_rows.append(tx, "household_shown", details, node.clock())
        return ShownHousehold(row, found if full else masked(found))

    return node.store.retry_write("show household", write)


def open_for(node: Node, access: JobAccess, number: str) -> Household:
    """A household in full, for a caller that notes itself what it shows. Raises NotFoundError."""
    with node.store.transaction("read household") as tx:
        return open_household(node, _require(node, tx, access, number))


def remove(node: Node, access: JobAccess, number: str) -> None:
    """Remove a household; mandates of it stay, and permit nothing. Raises NotFoundError, RefusedError."""

    def write(tx: Connection) -> None:
        row = _require(node, tx, access, number)
        if not access.may_change(row.owner):
            raise RefusedError(
                "this household is another platform's", "that platform can remove it", {"rule": "owner"}
            )
        rows.remove_household(tx, row.owner, row.digest)
        audit_rows.append(tx, "household_removed", {"by": access.owner, "owner": row.owner}, node.clock())

    node.store.retry_write("remove household", write)


def _require(node: Node, tx: Connection, access: JobAccess, number: str) -> HouseholdRow:
    found = rows.find_household(tx, own_first(access), digest_of(node, number))
    if found is None:
        raise NotFoundError("there is no such household", "see `heqiao households list`")
    return found
