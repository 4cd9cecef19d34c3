"""A verification of households on record: its people, and the mandate of each (domain.md section 7)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from node.context import Node
from node.database import Connection, offices
from node.database import households as rows
from node.domain.days import china_day
from node.domain.declared import DeclaredHousehold
from node.domain.declared_records import add_records
from node.domain.households import Household
from node.domain.job_access import JobAccess
from node.domain.mandate import Mandate
from node.domain.mandate_checks import KeptMandate, Use, choose_mandate, judge_use
from node.domain.subjects import Subject
from node.domain.verification import Verification
from node.errors import InvalidRequestError, NotFoundError
from node.jobs.records import digest_of, keep, open_household, used_by


@dataclass(frozen=True, slots=True)
class HouseholdQuestion:
    """Which households are to be verified, and what of them; `office` chooses all of an office's.

    `declared` are figures that stand beside the answers of some of them (docs/import.md); the number of the
    application and who is a relative are on record. With `reuse` valid answers of earlier jobs are used.
    """

    numbers: tuple[str, ...]
    office: str
    items: tuple[str, ...]
    peers: tuple[str, ...]
    purpose: str
    legal_basis: str
    matter: str = ""
    urgent: bool = False
    declared: tuple[DeclaredHousehold, ...] = ()
    reuse: bool = False


@dataclass(frozen=True, slots=True)
class NotAsked:
    """A person, by reference, who is not asked about, and why; item and province where only these are not."""

    ref: str
    reason: str
    item: str = ""
    region: str = ""


def prepare(
    node: Node, access: JobAccess, asked: HouseholdQuestion
) -> tuple[Verification, tuple[NotAsked, ...]]:
    """The verification of some households, and who is not asked about by what is known now.

    Raises NotFoundError for a household that is not on record, InvalidRequestError for none or too many.
    """
    today = china_day(node.clock())
    with node.store.transaction("read households") as tx:
        households = _find(node, tx, access, asked)
        kept = _mandates(node, tx, access.owner, households)
    subjects: list[Subject] = []
    mandates: dict[str, Mandate] = {}
    missing: list[NotAsked] = []
    use = Use(asked.items, asked.peers, asked.purpose, asked.matter, today)
    for household in households:
        for subject, chosen, reason in _people(household, kept.get(household.number, ()), today):
            subjects.append(subject)
            if chosen is not None:
                mandates[chosen.stored.mandate.number] = chosen.stored.mandate
            missing += _not_asked(subject.ref, chosen, reason, use, urgent=asked.urgent)
    verification = Verification(
        items=asked.items,
        peers=asked.peers,
        purpose=asked.purpose,
        legal_basis=asked.legal_basis,
        subjects=subjects,
        mandates=mandates,
        matter=asked.matter,
        urgent=asked.urgent,
        declared=add_records(asked.declared, households),
        reuse=asked.reuse,
    )
    return verification, tuple(missing)


def _find(node: Node, tx: Connection, access: JobAccess, asked: HouseholdQuestion) -> list[Household]:
    most = node.config.limits.max_subjects_per_job
    owners, found = used_by(access.owner), list[Household]()  # a reader sees more, and asks about no more
    if asked.office:
        found += [
            open_household(node, row) for row in rows.list_households(tx, owners, most + 1, asked.office)
        ]
    for number in dict.fromkeys(asked.numbers):
        row = rows.find_household(tx, owners, digest_of(node, number))
        if row is None:
            raise NotFoundError("a household that is named is not on record", "see `heqiao households list`")
        found.append(open_household(node, row))
    unique = {one.number: one for one in found}
    if not unique:
        raise InvalidRequestError("no household is chosen", "name some, or an office that has some")
    if sum(len(one.people) for one in unique.values()) > most:
        raise InvalidRequestError("more people than one job may hold", "choose fewer households")
    return list(unique.values())


def _mandates(
    node: Node, tx: Connection, owner: str, households: Sequence[Household]
) -> dict[str, list[KeptMandate]]:
    by_digest = {digest_of(node, one.number): one.number for one in households}
    revoked = offices.revoked_numbers(tx)
    found: dict[str, list[KeptMandate]] = {}
    for row in rows.mandates_of(tx, used_by(owner), list(by_digest)):
        found.setdefault(by_digest[row.household], []).append(keep(node, row, revoked))
    return found


def _people(
    household: Household, known: Sequence[KeptMandate], today: date
) -> list[tuple[Subject, KeptMandate | None, str | None]]:
    found = []
    for person in household.people:
        chosen, reason = choose_mandate(known, household, person, today)
        number = chosen.stored.mandate.number if chosen else ""
        ref = f"{household.number}/{person.member_no}"
        subject = Subject(ref, household.number, person.name, person.identities, number)
        found.append((subject, chosen, reason))
    return found


def _not_asked(
    ref: str, chosen: KeptMandate | None, reason: str | None, use: Use, *, urgent: bool
) -> list[NotAsked]:
    if reason == "no_mandate" and urgent:
        return []
    if reason is not None or chosen is None:
        return [NotAsked(ref, reason or "no_mandate")]
    return [NotAsked(ref, why, item, region) for (item, region), why in judge_use(chosen, use).items()]
