"""Households and mandates as they are stored, opened; what all modules about them have in common."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from node.context import Node
from node.database import Connection, offices
from node.database import households as rows
from node.database.households import HouseholdRow, MandateRow
from node.domain import sealed_names
from node.domain.households import Household, unpack_household
from node.domain.job_access import NODE, JobAccess
from node.domain.lookups import number_digest, number_digests
from node.domain.mandate_checks import KeptMandate, Reason
from node.domain.stored_mandates import StoredMandate, unpack_mandate


@dataclass(frozen=True, slots=True)
class Fault:
    """Why a record cannot be stored: its place in what was submitted, from 0, never what was found."""

    place: int
    field: str
    reason: str
    message: str


def own_first(access: JobAccess) -> Sequence[str] | None:
    """The owners whose records a caller may see, its own first; None for all."""
    if access.seen is None:
        return None
    return (access.owner, *sorted(access.seen - {access.owner}))


def used_by(owner: str) -> tuple[str, ...]:
    """The owners whose records count for jobs of an owner: its own, then the node's."""
    return tuple(dict.fromkeys((owner, NODE)))


def digest_of(node: Node, number: str) -> bytes:
    """By which a number of a household or mandate is found."""
    return number_digest(node.keys.lookup_key, number)


def open_household(node: Node, row: HouseholdRow) -> Household:
    """Raises StoreDamagedError for a value that does not open."""
    return unpack_household(
        node.keys.vault.unseal(sealed_names.of_household(row.owner, row.digest), row.sealed)
    )


def open_mandate(node: Node, row: MandateRow) -> StoredMandate:
    """Raises StoreDamagedError for a value that does not open."""
    return unpack_mandate(node.keys.vault.unseal(sealed_names.of_mandate(row.owner, row.digest), row.sealed))


def keep(node: Node, row: MandateRow, revoked: frozenset[str]) -> KeptMandate:
    """A mandate and how it stands; `revoked` are the numbers of revoked certificates of offices."""
    office = ""
    if row.certificate in revoked:
        office = str(Reason.OFFICE_REVOKED)
    elif not row.certificate and node.config.mandates.signed_offices:
        office = str(Reason.UNSIGNED_BY_OFFICE)
    return KeptMandate(open_mandate(node, row), row.ended, office)


def read_kept(
    node: Node, tx: Connection, owners: Sequence[str] | None, numbers: Iterable[str]
) -> dict[str, tuple[MandateRow, KeptMandate]]:
    """The mandates on record among some numbers."""
    known = list(dict.fromkeys(numbers))
    by_digest = dict(zip(number_digests(node.keys.lookup_key, known), known, strict=True))
    revoked = offices.revoked_numbers(tx)
    found = rows.read_mandates(tx, owners, list(by_digest))
    return {by_digest[row.digest]: (row, keep(node, row, revoked)) for row in found}


def read_households(
    node: Node, tx: Connection, owners: Sequence[str] | None, digests: Iterable[bytes]
) -> Mapping[bytes, Household]:
    """Households by the digests of their numbers."""
    wanted = [one for one in dict.fromkeys(digests) if one != rows.NO_HOUSEHOLD]
    return {row.digest: open_household(node, row) for row in rows.read_households(tx, owners, wanted)}
