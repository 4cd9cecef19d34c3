"""Why people of a verification are not asked about, by their mandates and households on record."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from node.context import Node
from node.database import Connection, asked
from node.database import households as rows
from node.domain.days import FIRST_DAY
from node.domain.households import RELATIVE, Household, Person
from node.domain.lookups import person_digests
from node.domain.mandate_checks import KeptMandate, Reason, judge_people, judge_person
from node.domain.subjects import Subject, Subjects
from node.domain.verification import Verification
from node.jobs.records import open_household, read_households, read_kept, used_by

_AT_ONCE = 500


@dataclass(frozen=True, slots=True)
class _Known:
    """What is on record about the mandates of a verification, by their numbers."""

    kept: Mapping[str, KeptMandate]
    households: Mapping[str, Household]


def recorded_reasons(node: Node, owner: str, request: Verification, today: date) -> dict[int, str]:
    """Rows of people about whom nobody may be asked, with the reason, whatever their list says.

    A mandate on record counts as it is there, with its household; where [mandates] signed_offices is set, no
    other counts. A relative outside a household on record is not asked about without an own mandate, in an
    urgent check neither.
    """
    subjects = Subjects.of(request.subjects)
    signed = node.config.mandates.signed_offices
    with node.store.transaction("read mandates") as tx:
        any_mandates = rows.any_mandates(tx, used_by(owner))
        known = _read(node, tx, owner, request) if any_mandates else _Known({}, {})
        found = _without_mandate(node, tx, owner, request, subjects, today)
    if not known.kept and not signed:
        return found
    of_number: dict[str, Mapping[str, str | None]] = {}
    for row, number in enumerate(subjects.mandates):
        if number not in request.mandates:
            continue
        kept = known.kept.get(number)
        if kept is None:
            why = str(Reason.UNSIGNED_BY_OFFICE) if signed else None
        elif kept.stored.mandate != request.mandates[number]:
            why = Reason.DIFFERS_FROM_STORED
        elif number in known.households:
            if number not in of_number:
                of_number[number] = _by_value(kept, known.households[number], today)
            # Every number counts: one of them could be another person's.
            values = subjects.id_values[subjects.starts[row] : subjects.starts[row + 1]]
            judged = (of_number[number].get(value, Reason.NOT_IN_HOUSEHOLD) for value in values)
            why = next(filter(None, judged), None)
        else:
            why = _judge_alone(kept, subjects[row], today)
        if why is not None:
            found[row] = why
    return found


def _by_value(kept: KeptMandate, household: Household, today: date) -> dict[str, str | None]:
    """What is wrong about each person of a household, by each number."""
    judged = zip(household.people, judge_people(kept, household, today), strict=True)
    return {value: why for person, why in judged for value in person.numbers}


def _judge_alone(kept: KeptMandate, subject: Subject, today: date) -> str | None:
    """Under a mandate of no household on record."""
    why = judge_person(kept, None, Person("", subject.name, subject.identities), today)
    # A list without names does not say who has to have signed.
    is_unsigned = why in (Reason.NOT_SIGNED, Reason.MINOR_WITHOUT_GUARDIAN)
    return None if not subject.name and is_unsigned else why


def _read(node: Node, tx: Connection, owner: str, request: Verification) -> _Known:
    owners = used_by(owner)
    found = read_kept(node, tx, owners, request.mandates)
    homes = read_households(node, tx, owners, [row.household for row, _ in found.values()])
    return _Known(
        {number: kept for number, (_, kept) in found.items()},
        {number: homes[row.household] for number, (row, _) in found.items() if row.household in homes},
    )


def _without_mandate(
    node: Node, tx: Connection, owner: str, request: Verification, subjects: Subjects, today: date
) -> dict[int, str]:
    """Reasons of people without a mandate, besides that."""
    bare = [row for row, number in enumerate(subjects.mandates) if number not in request.mandates]
    if not bare:
        return {}
    if not request.urgent and not rows.any_households(tx, used_by(owner)):
        return {}
    of_row = {
        row: person_digests(node.keys.lookup_key, [one.value for one in subjects.identities(row)])
        for row in bare
    }
    relatives = _relatives(node, tx, owner, [one for found in of_row.values() for one in found])
    late = frozenset[bytes]()
    if request.urgent:
        late = asked.overdue_people(tx, owner, (today - FIRST_DAY).days)
    found = {}
    for row, digests in of_row.items():
        if not relatives.isdisjoint(digests):
            found[row] = str(Reason.RELATIVE_WITHOUT_CONSENT)
        elif not late.isdisjoint(digests):
            found[row] = str(Reason.URGENT_OVERDUE)
    return found


def _relatives(node: Node, tx: Connection, owner: str, people: Sequence[bytes]) -> frozenset[bytes]:
    """Which of some people are relatives outside a household on record, and members of none."""
    owners = used_by(owner)
    places = [
        one
        for at in range(0, len(people), _AT_ONCE)
        for one in rows.records_of(tx, rows.HOUSEHOLD, people[at : at + _AT_ONCE])
    ]
    roles: dict[bytes, set[str]] = {}
    wanted = list(dict.fromkeys(each for of, each in places if of in owners))
    for row in rows.read_households(tx, owners, wanted):
        for person in open_household(node, row).people:
            for each in person_digests(node.keys.lookup_key, person.numbers):
                roles.setdefault(each, set()).add(person.role)
    return frozenset(each for each, found in roles.items() if found == {RELATIVE})
