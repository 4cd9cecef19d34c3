"""Whether a stored mandate permits a query about a person, with the reason where it does not (domain.md
section 7). Pure.

What a mandate covers (item, province, programme, matter, day) is judged by `node.domain.mandate.covers` when
a part of a job begins; here it is judged who signed, for whom, and whether the office may.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Final

from matcher.names import normalise_name
from node.domain.households import MEMBER, RELATIVE, Household, Person
from node.domain.mandate import REASONS, covers
from node.domain.matters import wording_of
from node.domain.stored_mandates import StoredMandate


class Reason(StrEnum):
    """Why a person is not asked about although there is a mandate, besides `node.domain.mandate.REASONS`."""

    NOT_SIGNED = "not_signed"
    NOT_ALL_SIGNED = "not_all_signed"
    RELATIVE_WITHOUT_CONSENT = "relative_without_consent"
    MINOR_WITHOUT_GUARDIAN = "minor_without_guardian"
    HOUSEHOLD_CHANGED = "household_changed"
    HOUSEHOLD_UNKNOWN = "household_unknown"
    NOT_IN_HOUSEHOLD = "not_in_household"
    LAPSED = "lapsed"
    DIFFERS_FROM_STORED = "differs_from_stored"
    UNSIGNED_BY_OFFICE = "unsigned_by_office"
    OFFICE_UNKNOWN = "office_unknown"
    OFFICE_OF_OTHER_PROVINCE = "office_of_other_province"
    OFFICE_REVOKED = "office_revoked"
    OFFICE_EXPIRED = "office_expired"
    OFFICE_DIFFERS = "office_differs"
    BAD_SIGNATURE = "bad_signature"
    URGENT_OVERDUE = "urgent_overdue"


ALL_REASONS: Final = (*REASONS, *Reason)


@dataclass(frozen=True, slots=True)
class Use:
    """What a query is for: items, provinces, programme (the purpose), matter, the day on which it begins."""

    items: tuple[str, ...]
    regions: tuple[str, ...]
    programme: str
    matter: str
    today: date


@dataclass(frozen=True, slots=True, repr=False)
class KeptMandate:
    """A stored mandate and how it stands: why it ended, or what is wrong with its office; empty where nothing
    is.
    """

    stored: StoredMandate
    ended: str = ""
    office: str = ""


def judge_person(kept: KeptMandate, household: Household | None, person: Person, today: date) -> str | None:
    """Why nobody may be asked about a person under a mandate; None where nothing is wrong.

    Of several reasons it is the first in the order of a form: the mandate, its office, the household, who
    signed.
    """
    if household is None:
        return _judge_mandate(kept) or _judge_alone(kept.stored, person, today)
    return judge_people(kept, household, today)[household.people.index(person)]


def judge_people(kept: KeptMandate, household: Household, today: date) -> list[str | None]:
    """The same of everybody in a household, in order."""
    whole = _judge_mandate(kept)
    if whole is not None:
        return [whole] * len(household.people)
    form = _Signatures.of(kept.stored)
    own = [form.judge(person, today) for person in household.people]
    roles = [person.role for person in household.people]
    unsigned = any(why is not None for why, role in zip(own, roles, strict=True) if role == MEMBER)
    # Two people of one name need two signatures.
    needed = Counter(normalise_name(one.name) for one in household.members if _signs(one, today))
    missing = Reason.NOT_ALL_SIGNED if unsigned or needed - form.signers else None
    changed = _judge_change(kept.stored, household, today)
    found: list[str | None] = []
    for person, why in zip(household.people, own, strict=True):
        if person.role == RELATIVE or why == "person_not_named":
            found.append(why)
        else:
            found.append(changed or why or missing)
    return found


def standing(kept: KeptMandate, household: Household | None, today: date) -> str:
    """Why a mandate that has not ended permits nothing on a day, whoever it is about; empty where it may."""
    mandate = kept.stored.mandate
    if kept.office:
        return kept.office
    if mandate.revoked_at is not None and today >= mandate.revoked_at:
        return "revoked"
    if today < mandate.valid_from:
        return "not_yet_valid"
    if mandate.valid_to is not None and today > mandate.valid_to:
        return "expired"
    return "" if household is None else _judge_change(kept.stored, household, today) or ""


def _judge_mandate(kept: KeptMandate) -> str | None:
    """What is wrong for everybody."""
    if kept.ended:
        return Reason.LAPSED if kept.ended == "check_failed" else "revoked"
    return kept.office or None


def _judge_alone(stored: StoredMandate, person: Person, today: date) -> str | None:
    if stored.household_no and person.numbers <= stored.mandate.people:
        return Reason.HOUSEHOLD_UNKNOWN
    return _Signatures.of(stored).judge(person, today)


def _judge_change(stored: StoredMandate, household: Household, today: date) -> str | None:
    """Whether the form must be signed again by all members."""
    changed = household.changed_on
    resigned = wording_of(stored.mandate.template_id).resigned_on_change
    if resigned and changed is not None and changed <= today and stored.mandate.valid_from < changed:
        return Reason.HOUSEHOLD_CHANGED
    return None


@dataclass(frozen=True, slots=True, repr=False)
class _Signatures:
    """Whom a form names, and who signed it, for themselves or for others; names normalised."""

    people: frozenset[str]
    signers: Counter[str]
    others: frozenset[str]

    @classmethod
    def of(cls, stored: StoredMandate) -> "_Signatures":
        mandate = stored.mandate
        others = frozenset(map(normalise_name, stored.all_names()))
        return cls(mandate.people, Counter(map(normalise_name, mandate.signers)), others)

    def judge(self, person: Person, today: date) -> str | None:
        """Whether one person consented: by an own signature, a child by a guardian's."""
        if not person.numbers <= self.people:
            return "person_not_named"
        if person.role == MEMBER and not _signs(person, today):
            wanted = normalise_name(person.guardian)
            consents = wanted in self.others if wanted else bool(self.others)
            return None if consents else Reason.MINOR_WITHOUT_GUARDIAN
        if normalise_name(person.name) in self.signers:
            return None
        # Art. 41: only by their own consent; nobody signs for them.
        return Reason.RELATIVE_WITHOUT_CONSENT if person.role == RELATIVE else Reason.NOT_SIGNED


def _signs(person: Person, today: date) -> bool:
    return not person.guardian and not person.is_minor(today)


def choose_mandate(
    known: Iterable[KeptMandate], household: Household, person: Person, today: date
) -> tuple[KeptMandate | None, str | None]:
    """The mandate under which a person is asked about, and why not; the newest good one, else the newest.

    A mandate that does not name the person is none of this person.
    """
    newest = sorted(known, key=lambda one: one.stored.mandate.valid_from, reverse=True)
    named = [one for one in newest if not person.numbers.isdisjoint(one.stored.mandate.people)]
    judged: Sequence[tuple[KeptMandate, str | None]] = [
        (one, judge_person(one, household, person, today) or _over(one, today)) for one in named
    ]
    good = next((pair for pair in judged if pair[1] is None), None)
    if good is not None:
        return good
    if judged:
        return judged[0]
    missing = Reason.RELATIVE_WITHOUT_CONSENT if person.role == RELATIVE else "no_mandate"
    return None, missing


def _over(kept: KeptMandate, today: date) -> str | None:
    mandate = kept.stored.mandate
    if today < mandate.valid_from:
        return "not_yet_valid"
    if mandate.valid_to is not None and today > mandate.valid_to:
        return "expired"
    return "revoked" if mandate.revoked_at is not None and today >= mandate.revoked_at else None


def judge_use(kept: KeptMandate, use: Use) -> dict[tuple[str, str], str]:
    """What a mandate does not cover: (item, province) -> reason."""
    found = {}
    for item in use.items:
        for region in use.regions:
            why = covers(kept.stored.mandate, item, region, use.programme, use.today, use.matter)
            if why is not None:
                found[item, region] = why
    return found
