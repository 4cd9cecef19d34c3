"""Messages about households on record and about one person, as both sides send them."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

from heqiao.platform.v1 import households_pb2 as pb
from heqiao.platform.v1 import mandates_pb2

from matcher import identity
from matcher.errors import IdentityError
from matcher.names import normalise_name
from matcher.types import Identity
from node.domain.findings import Finding
from node.domain.households import Household, Person
from node.domain.subject_report import AskedAbout, HouseholdAbout, MandateAbout, SubjectReport
from node.domain.subjects import hold_identities
from node.errors import InvalidRequestError
from node.wire.common import require, timestamp
from node.wire.mandates import MAX_TEXT, RecordFault, check_number, read_day
from node.wire.platform import ID_TYPES, answer_message, read_answer

CHUNK = 200  # households in a message
MAX_PEOPLE = 50
MAX_NUMBERS = 8
MAX_CHOSEN = 1_000  # households named in one question
_TYPES: dict[int, str] = {number: name for name, number in ID_TYPES.items()}


@dataclass(frozen=True, slots=True)
class StoredHouseholds:
    """What the node did with households; with faults it stored none."""

    added: int
    changed: int
    known: int
    faults: tuple[RecordFault, ...]


@dataclass(frozen=True, slots=True)
class NotAskedPerson:
    """A person who is not asked about, by reference, and why."""

    ref: str
    reason: str
    item: str
    region: str


def household_message(household: Household) -> pb.Household:
    """A household with its people."""
    return pb.Household(
        household_no=household.number,
        application_no=household.application_no,
        office=household.office,
        people=map(_person_message, household.people),
        changed_on=_text(household.changed_on),
    )


def _person_message(person: Person) -> pb.HouseholdPerson:
    return pb.HouseholdPerson(
        member_no=person.member_no,
        name=person.name,
        numbers=[one.value for one in person.identities],
        types=[ID_TYPES[one.id_type] for one in person.identities],
        role=person.role,
        relation=person.relation,
        province=person.province,
        guardian=person.guardian,
        born=_text(person.born),
    )


def read_household(message: pb.Household, *, masked: bool = False) -> Household:
    """A household; the identity numbers of a masked one stay as they are. Raises InvalidRequestError."""
    texts = [message.household_no, message.application_no, message.office]
    for one in message.people:
        texts += [one.member_no, one.name, one.role, one.relation, one.province, one.guardian]
    require(all(len(text) <= MAX_TEXT for text in texts), "a text of a household is too long")
    require(bool(message.household_no), "a household has no number")
    require(not hold_identities(texts), "an identity number must not stand in a field of text")
    require(0 < len(message.people) <= MAX_PEOPLE, f"a household has 1 to {MAX_PEOPLE} people")
    people = tuple(_person(one, masked=masked) for one in message.people)
    return Household(
        message.household_no, message.application_no, message.office, people, read_day(message.changed_on)
    )


def _person(message: pb.HouseholdPerson, *, masked: bool) -> Person:
    return Person(
        member_no=message.member_no,
        name=message.name if masked else normalise_name(message.name),
        identities=_identities(message.numbers, message.types, masked=masked),
        role=message.role,
        relation=message.relation,
        province=message.province,
        guardian=message.guardian,
        born=read_day(message.born),
    )


def _identities(numbers: Sequence[str], types: Sequence[int], *, masked: bool) -> tuple[Identity, ...]:
    require(0 < len(numbers) <= MAX_NUMBERS, f"a person has 1 to {MAX_NUMBERS} identity numbers")
    require(len(types) in (0, len(numbers)), "the document types are not as many as the identities")
    stated = [_TYPES.get(code) for code in types] or [None] * len(numbers)
    if masked:
        return tuple(Identity(kind or "", value) for kind, value in zip(stated, numbers, strict=True))
    found = (_identity(value, kind) for kind, value in zip(stated, numbers, strict=True))
    return tuple(dict.fromkeys(found))


def _identity(value: str, kind: str | None) -> Identity:
    try:
        return identity.parse(value[:MAX_TEXT], kind)
    except IdentityError as error:
        raise InvalidRequestError(f"an identity is not valid: {error}", "check the list first") from None


def put_requests(
    households: Sequence[Household], *, replace: bool, changed_on: date | None
) -> Iterator[pb.PutHouseholdsRequest]:
    """The messages that submit households."""
    for at in range(0, len(households), CHUNK):
        yield pb.PutHouseholdsRequest(
            households=map(household_message, households[at : at + CHUNK]),
            replace=replace,
            changed_on=_text(changed_on),
        )


def read_put(
    requests: Iterable[pb.PutHouseholdsRequest], most: int
) -> tuple[list[Household], bool, date | None]:
    """Households of a stream, whether they replace known ones, and since when. Raises InvalidRequestError.

    At most `most` people.
    """
    found: list[Household] = []
    replace, changed_on, people = False, None, 0
    for place, request in enumerate(requests):
        if place == 0:
            replace, changed_on = request.replace, read_day(request.changed_on)
        people += sum(len(one.people) for one in request.households)
        require(people <= most, "more people than one call may hold")
        found += map(read_household, request.households)
    require(bool(found), "no household is given")
    return found, replace, changed_on


def question_message(question: Any) -> mandates_pb2.HouseholdQuestion:
    """A question about households (`node.jobs.household_verification.HouseholdQuestion`)."""
    names = ("office", "items", "peers", "purpose", "legal_basis", "matter", "urgent", "reuse")
    return mandates_pb2.HouseholdQuestion(
        household_nos=question.numbers, **{name: getattr(question, name) for name in names}
    )


def read_question(message: mandates_pb2.HouseholdQuestion) -> dict[str, Any]:
    """Its fields. Raises InvalidRequestError."""
    require(len(message.household_nos) <= MAX_CHOSEN, f"at most {MAX_CHOSEN:,} households are named")
    require(len(message.items) <= MAX_CHOSEN and len(message.peers) <= MAX_CHOSEN, "too many items or peers")
    require(
        message.office == "" or (message.office.isascii() and message.office.isdigit()), "no office's code"
    )
    return {
        "numbers": tuple(map(check_number, message.household_nos)),
        "office": message.office[:MAX_TEXT],
        "items": tuple(message.items),
        "peers": tuple(message.peers),
        "purpose": message.purpose,
        "legal_basis": message.legal_basis,
        "matter": message.matter,
        "urgent": message.urgent,
        "reuse": message.reuse,
    }


def not_asked_messages(people: Iterable[Any]) -> list[mandates_pb2.NotAsked]:
    """People who are not asked about, which have `ref`, `reason`, `item` and `region`."""
    return [
        mandates_pb2.NotAsked(ref=one.ref, reason=one.reason, item=one.item, region=one.region)
        for one in people
    ]


def read_not_asked(messages: Iterable[mandates_pb2.NotAsked]) -> tuple[NotAskedPerson, ...]:
    """The same as the node says it."""
    return tuple(NotAskedPerson(one.ref, one.reason, one.item, one.region) for one in messages)


# ---- one person


def subject_request(identities: Sequence[Identity]) -> pb.ReportSubjectRequest:
    """The request for everything that was asked about one person."""
    return pb.ReportSubjectRequest(
        numbers=[one.value for one in identities], types=[ID_TYPES[one.id_type] for one in identities]
    )


def read_subject(request: pb.ReportSubjectRequest) -> tuple[Identity, ...]:
    """The person's numbers. Raises InvalidRequestError."""
    return _identities(request.numbers, request.types, masked=False)


def subject_report_message(report: SubjectReport) -> pb.ReportSubjectResponse:
    """The report about one person."""
    return pb.ReportSubjectResponse(
        requester=report.requester,
        requester_name=report.requester_name,
        made_at=timestamp(report.made_at),
        kept_days=report.kept_days,
        jobs=map(_asked_message, report.jobs),
        mandates=map(_mandate_message, report.mandates),
        households=map(_household_message, report.households),
        code_names=[
            pb.CodeName(code=code, name_zh=zh, name_en=en) for code, (zh, en) in report.code_names.items()
        ],
    )


def _asked_message(one: AskedAbout) -> pb.AskedAbout:
    names = ("kind", "owner", "state", "purpose", "legal_basis", "matter", "items", "peers", "people", "refs")
    return pb.AskedAbout(
        job_id=one.job,
        asked_at=timestamp(one.asked_at),
        answers=map(answer_message, one.findings),
        **{name: getattr(one, name) for name in names},
    )


def _mandate_message(one: MandateAbout) -> pb.MandateAbout:
    return pb.MandateAbout(
        mandate_no=one.number,
        owner=one.owner,
        office=one.office,
        matter=one.matter,
        valid_from=_text(one.valid_from),
        valid_to=_text(one.valid_to),
        event=one.event,
        ended=one.ended,
        added_at=timestamp(one.added_at),
    )


def _household_message(one: HouseholdAbout) -> pb.HouseholdAbout:
    return pb.HouseholdAbout(
        household_no=one.number,
        application_no=one.application_no,
        owner=one.owner,
        office=one.office,
        role=one.role,
        changed_at=timestamp(one.changed_at),
    )


def read_subject_report(message: pb.ReportSubjectResponse) -> SubjectReport:
    """The report as the node sent it."""
    return SubjectReport(
        requester=message.requester,
        requester_name=message.requester_name,
        made_at=moment(message.made_at),
        kept_days=message.kept_days,
        jobs=tuple(map(_asked, message.jobs)),
        mandates=tuple(map(_mandate, message.mandates)),
        households=tuple(map(_household, message.households)),
        code_names={one.code: (one.name_zh, one.name_en) for one in message.code_names},
    )


def _asked(message: pb.AskedAbout) -> AskedAbout:
    findings: tuple[Finding, ...] = tuple(map(read_answer, message.answers))
    texts = {
        name: getattr(message, name)
        for name in ("kind", "owner", "state", "purpose", "legal_basis", "matter")
    }
    return AskedAbout(
        job=message.job_id,
        items=tuple(message.items),
        peers=tuple(message.peers),
        refs=tuple(message.refs),
        people=message.people,
        asked_at=moment(message.asked_at),
        findings=findings,
        **texts,
    )


def _mandate(message: pb.MandateAbout) -> MandateAbout:
    first = read_day(message.valid_from)
    if first is None:
        raise InvalidRequestError("a mandate has no first day")
    return MandateAbout(
        number=message.mandate_no,
        owner=message.owner,
        office=message.office,
        matter=message.matter,
        valid_from=first,
        valid_to=read_day(message.valid_to),
        event=message.event,
        ended=message.ended,
        added_at=moment(message.added_at),
    )


def _household(message: pb.HouseholdAbout) -> HouseholdAbout:
    return HouseholdAbout(
        message.household_no,
        message.application_no,
        message.owner,
        message.office,
        message.role,
        moment(message.changed_at),
    )


def moment(stamp: Any) -> datetime:
    """A timestamp as an aware time in UTC."""
    found: datetime = stamp.ToDatetime(tzinfo=UTC)
    return found


def _text(day: date | None) -> str:
    return "" if day is None else day.isoformat()
