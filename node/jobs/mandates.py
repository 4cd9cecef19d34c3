"""Mandates on record, and revoked ones: parts of jobs that begin later ask about nobody under these
(design.md 7).
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

from node.context import Node
from node.database import Connection, asked, offices
from node.database import audit_log as audit_rows
from node.database import households as records
from node.database import revoked_mandates as rows
from node.database.households import NO_HOUSEHOLD, MandateRow
from node.domain import sealed_names
from node.domain.audit_chain import Detail
from node.domain.days import FIRST_DAY, china_day
from node.domain.job_access import NODE, JobAccess
from node.domain.lookups import number_digests, person_digests
from node.domain.mandate import number_digest
from node.domain.mandate_checks import standing
from node.domain.mandate_words import reason_text
from node.domain.scanned_forms import fits, form_type
from node.domain.stored_mandates import StoredMandate, end_fault, fault, pack_mandate
from node.errors import InvalidRequestError, NotFoundError, RefusedError
from node.jobs.office_signatures import judge_office
from node.jobs.records import (
    Fault,
    digest_of,
    keep,
    open_mandate,
    own_first,
    read_households,
    used_by,
)


@dataclass(frozen=True, slots=True)
class Added:
    """What an import of mandates did; with faults it did nothing. `closed` counts urgent checks."""

    added: int = 0
    known: int = 0
    closed: int = 0
    faults: tuple[Fault, ...] = ()


def revoke(node: Node, numbers: Collection[str], owner: str = NODE, reason: str = "withdrawn") -> int:
    """Revoke mandates by their numbers; returns how many were not revoked before.

    The node revokes them for all jobs, a platform for its own, so that none can stop another's. What is
    revoked stays so; one on record ends with the reason. The audit event has counts: a mandate's number
    identifies a person. Raises InvalidRequestError where the wording of one does not end for that reason.
    """
    digests = sorted({number_digest(number) for number in numbers})
    lookups = number_digests(node.keys.lookup_key, numbers)

    def write(tx: Connection) -> int:
        now = node.clock()
        _require_end(node, tx, None if owner == NODE else [owner], lookups, reason)
        added = rows.add(tx, owner, digests, now)
        ended = records.end_mandates(tx, None if owner == NODE else owner, lookups, reason, now)
        details: dict[str, Detail] = {
            "owner": owner,
            "mandates": len(digests),
            "new": added,
            "ended": ended,
            "reason": reason,
        }
        audit_rows.append(tx, "mandates_revoked", details, now)
        return added

    return node.store.retry_write("revoke mandates", write)


def _require_end(
    node: Node, tx: Connection, owners: Sequence[str] | None, digests: Sequence[bytes], reason: str
) -> None:
    for row in records.read_mandates(tx, owners, digests):
        wrong = end_fault(open_mandate(node, row), reason)
        if wrong:
            raise InvalidRequestError(wrong, "docs/mandates.md says what ends which wording")


def revoked_numbers(node: Node, owner: str, numbers: Collection[str]) -> frozenset[str]:
    """Which of some mandates are revoked for the jobs of an owner."""
    few = list(map(number_digest, numbers)) if len(numbers) <= rows.MOST_READ else None
    with node.store.transaction("read revoked mandates") as tx:
        known = rows.read(tx, {owner, NODE}, few)
    return frozenset(number for number in numbers if number_digest(number) in known) if known else frozenset()


def add(node: Node, owner: str, mandates: Sequence[StoredMandate]) -> Added:
    """Store mandates, all or none; the same one again changes nothing.

    Every fault is returned with the place of its mandate. Those that name people of open urgent checks close
    these.
    """
    faults = _own_faults(mandates)
    digests = number_digests(node.keys.lookup_key, [one.mandate.number for one in mandates])

    def write(tx: Connection) -> Added:
        revoked, gone = offices.revoked_numbers(tx), rows.read(tx, {owner, NODE})
        known = {row.digest: row for row in records.read_mandates(tx, [owner], digests)}
        found, new = list(faults), []
        for place, (one, digest) in enumerate(zip(mandates, digests, strict=True)):
            before = known.get(digest)
            if before is not None and open_mandate(node, before) == one:
                continue
            number, wrong = judge_office(node, one, revoked)
            if before is not None:
                found.append(
                    Fault(place, "mandate_no", "duplicate_mandate", "another mandate has this number")
                )
            elif number_digest(one.mandate.number) in gone:
                found.append(Fault(place, "mandate_no", "revoked", "a mandate of this number was revoked"))
            elif wrong:
                found.append(Fault(place, "signature", wrong, reason_text(wrong, "en")))
            else:
                new.append(_new_row(node, owner, digest, one, number))
        if found:
            return Added(faults=tuple(sorted(found, key=lambda each: each.place)))
        return _store(node, tx, owner, new, len(mandates) - len(new))

    return node.store.retry_write("add mandates", write)


def _own_faults(mandates: Sequence[StoredMandate]) -> list[Fault]:
    found, seen = [], set()
    for place, one in enumerate(mandates):
        wrong = fault(one)
        if wrong is not None:
            found.append(Fault(place, *wrong))
        number = one.mandate.number.upper()
        if number in seen:
            message = "the mandate number was seen on an earlier row"
            found.append(Fault(place, "mandate_no", "duplicate_mandate", message))
        seen.add(number)
    return found


def _new_row(
    node: Node, owner: str, digest: bytes, one: StoredMandate, certificate: str
) -> tuple[MandateRow, list[bytes]]:
    sealed = node.keys.vault.seal(sealed_names.of_mandate(owner, digest), pack_mandate(one))
    row = MandateRow(
        owner=owner,
        digest=digest,
        household=digest_of(node, one.household_no) if one.household_no else NO_HOUSEHOLD,
        certificate=certificate,
        valid_to=(one.mandate.valid_to - FIRST_DAY).days if one.mandate.valid_to else None,
        added_at=node.clock(),
        ended_at=None,
        ended="",
        sealed=sealed,
    )
    return row, person_digests(node.keys.lookup_key, one.mandate.people)


def _store(
    node: Node, tx: Connection, owner: str, new: Sequence[tuple[MandateRow, list[bytes]]], known: int
) -> Added:
    now, people = node.clock(), set[bytes]()
    for row, named in new:
        records.add_mandate(tx, row, named)
        people.update(named)
    closed = asked.close_urgent(tx, owner, people, now) if people else 0
    if new:
        details: dict[str, Detail] = {"owner": owner, "mandates": len(new), "urgent_closed": closed}
        audit_rows.append(tx, "mandates_added", details, now)
    return Added(len(new), known, closed)


@dataclass(frozen=True, slots=True, repr=False)
class ShownMandate:
    """A mandate as it is shown, and how it stands: what ended it, or else why it does not count today: its
    office, its days, or that the household must sign again. Empty for one in force.
    """

    row: MandateRow
    stored: StoredMandate
    state: str


def show(node: Node, access: JobAccess, limit: int) -> list[ShownMandate]:
    """The mandates that a caller may see, the last added first."""
    with node.store.transaction("list mandates") as tx:
        return _shown(node, tx, records.list_mandates(tx, own_first(access), limit))


def _shown(node: Node, tx: Connection, rows_found: Sequence[MandateRow]) -> list[ShownMandate]:
    revoked, today = offices.revoked_numbers(tx), china_day(node.clock())
    households = {
        owner: read_households(
            node, tx, used_by(owner), [row.household for row in rows_found if row.owner == owner]
        )
        for owner in {row.owner for row in rows_found}
    }
    shown = []
    for row in rows_found:
        kept = keep(node, row, revoked)
        household = households[row.owner].get(row.household)
        shown.append(ShownMandate(row, kept.stored, kept.ended or standing(kept, household, today)))
    return shown


def get(node: Node, access: JobAccess, number: str, *, full: bool) -> ShownMandate:
    """One mandate. Shown in full, it is an audited event. Raises NotFoundError."""

    def write(tx: Connection) -> ShownMandate:
        row = require_mandate(node, tx, access, number)
        if full:
            audit_rows.append(tx, "mandate_shown", {"by": access.owner, "owner": row.owner}, node.clock())
        return _shown(node, tx, [row])[0]

    return node.store.retry_write("show mandate", write)


def require_mandate(
    node: Node, tx: Connection, access: JobAccess, number: str, *, change: bool = False
) -> MandateRow:
    """A mandate that the caller may see. Raises NotFoundError, and RefusedError for one it may not change."""
    found = records.read_mandates(tx, own_first(access), [digest_of(node, number)])
    if not found:
        raise NotFoundError("there is no such mandate", "see `heqiao mandates list`")
    if change and not access.may_change(found[0].owner):
        raise RefusedError(
            "this mandate is another platform's", "that platform can change it", {"rule": "owner"}
        )
    return found[0]


def put_form(node: Node, access: JobAccess, number: str, content: bytes) -> str:
    """Store the scanned form of a mandate; returns its type (pdf, png, jpeg).

    Raises InvalidRequestError for another type, too many bytes, or another digest than the mandate names.
    """
    kind = form_type(content)
    if kind is None:
        raise InvalidRequestError(
            "a scanned form is a PDF, PNG or JPEG file", "scan it again as one of these"
        )
    if len(content) > node.config.mandates.form_kib * 1024:
        raise InvalidRequestError(
            "the scanned form is too large", "[mandates] form_kib says how large it may be"
        )

    def write(tx: Connection) -> None:
        row = require_mandate(node, tx, access, number, change=True)
        if not fits(open_mandate(node, row).mandate.doc_hash, content):
            raise InvalidRequestError(
                "the digest of the scanned form is not the one in the mandate",
                "send the form that was signed",
            )
        sealed = node.keys.vault.seal(sealed_names.of_mandate(row.owner, row.digest, "form"), content)
        records.put_form(tx, row.owner, row.digest, sealed)
        audit_rows.append(tx, "mandate_form_added", {"owner": row.owner, "bytes": len(content)}, node.clock())

    node.store.retry_write("add form", write)
    return kind


def get_form(node: Node, access: JobAccess, number: str) -> bytes:
    """The scanned form of a mandate; an audited event. Raises NotFoundError."""

    def write(tx: Connection) -> bytes:
        row = require_mandate(node, tx, access, number)
        sealed = records.read_form(tx, row.owner, row.digest)
        if sealed is None:
            raise NotFoundError("this mandate has no scanned form on record", "add it with --form")
        audit_rows.append(tx, "mandate_form_shown", {"by": access.owner, "owner": row.owner}, node.clock())
        return node.keys.vault.unseal(sealed_names.of_mandate(row.owner, row.digest, "form"), sealed)

    return node.store.retry_write("show form", write)


def without_people(shown: ShownMandate) -> ShownMandate:
    """The same with nobody's names or numbers, for lists."""
    mandate = replace(shown.stored.mandate, signers=(), agents=(), people=frozenset())
    return replace(shown, stored=replace(shown.stored, mandate=mandate, guardians=()))
