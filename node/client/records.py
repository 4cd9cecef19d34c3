"""A platform's mandates, households and reports about one person, kept by its own node.

with Platform.open(home) as platform:
    records = Records(platform)
    done = records.add_mandates(mandates)
    job, missing = records.verify(HouseholdChoice(numbers=("1001",), items=("C21",), peers=("44",), ...))
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from heqiao.platform.v1 import households_pb2, households_pb2_grpc, mandates_pb2, mandates_pb2_grpc

from matcher.types import Identity
from node.client.platform import Platform
from node.domain.declared import DeclaredHousehold
from node.domain.households import Household
from node.domain.new_ids import new_id
from node.domain.stored_mandates import StoredMandate
from node.domain.subject_report import SubjectReport
from node.wire import households as households_wire
from node.wire import mandates as wire
from node.wire.declared import declared_message
from node.wire.households import NotAskedPerson, StoredHouseholds, moment
from node.wire.mandates import AddedMandates


@dataclass(frozen=True, slots=True)
class HouseholdChoice:
    """Which households on record are asked about, and what; `office` chooses all whose code begins so.

    `declared` is what some of them say of themselves, to stand beside the answers. With `reuse` valid answers
    of earlier jobs are used again instead of asking.
    """

    items: tuple[str, ...]
    peers: tuple[str, ...]
    purpose: str
    legal_basis: str = ""
    numbers: tuple[str, ...] = ()
    office: str = ""
    matter: str = ""
    urgent: bool = False
    declared: tuple[DeclaredHousehold, ...] = ()
    reuse: bool = False


@dataclass(frozen=True, slots=True, repr=False)
class RecordedMandate:
    """A mandate as the node shows it. `state` is why it ended or does not count, or empty."""

    stored: StoredMandate
    owner: str
    added_at: datetime
    ended_at: datetime | None
    state: str
    has_form: bool


@dataclass(frozen=True, slots=True)
class OpenUrgentCheck:
    """A person of an urgent check whose mandate has not come."""

    job: str
    ref: str
    owner: str
    opened_at: datetime
    due_on: date
    overdue: bool


@dataclass(frozen=True, slots=True, repr=False)
class RecordedHousehold:
    """A household as the node shows it."""

    household: Household
    owner: str
    version: int
    added_at: datetime
    changed_at: datetime


class Records:
    """The services of mandates and households on a platform's connection. Methods raise NodeError kinds."""

    def __init__(self, platform: Platform) -> None:
        self._platform = platform
        self._mandates = mandates_pb2_grpc.MandateServiceStub
        self._households = households_pb2_grpc.HouseholdServiceStub

    def add_mandates(self, mandates: Sequence[StoredMandate]) -> AddedMandates:
        """Store mandates, all or none: faults say which ones cannot be stored, and why."""
        done = self._platform.call(self._mandates, "AddMandates", wire.add_requests(mandates))
        return AddedMandates(done.added, done.known, done.urgent_closed, wire.read_faults(done.faults))

    def mandates(self, limit: int = 50) -> tuple[list[RecordedMandate], list[OpenUrgentCheck]]:
        """Mandates without their people, the last added first; urgent checks that wait for theirs."""
        request = mandates_pb2.ListMandatesRequest(limit=limit)
        found = self._platform.call(self._mandates, "ListMandates", request)
        return list(map(_mandate, found.mandates)), list(map(_urgent, found.urgent))

    def mandate(self, number: str, *, full: bool = False) -> RecordedMandate:
        """One mandate; with `full` names and numbers are not masked, and the node notes it."""
        request = mandates_pb2.GetMandateRequest(mandate_no=number, full=full)
        return _mandate(self._platform.call(self._mandates, "GetMandate", request).mandate, masked=not full)

    def end_mandates(self, numbers: Sequence[str], reason: str = "withdrawn") -> int:
        """End mandates for good; returns how many had not ended before."""
        ended = 0
        for at in range(0, len(numbers), 1_000):
            request = mandates_pb2.EndMandateRequest(mandate_nos=numbers[at : at + 1_000], reason=reason)
            ended += self._platform.call(self._mandates, "EndMandate", request).ended
        return ended

    def check(self, choice: HouseholdChoice) -> tuple[int, tuple[NotAskedPerson, ...]]:
        """How many people the households have, and who may not be asked about. Asks nobody."""
        question = households_wire.question_message(choice)
        request = mandates_pb2.CheckMandatesRequest(question=question)
        found = self._platform.call(self._mandates, "CheckMandates", request)
        return found.people, households_wire.read_not_asked(found.not_asked)

    def add_form(self, number: str, content: bytes) -> str:
        """Store the scanned form of a mandate; returns its type."""
        done = self._platform.call(self._mandates, "AddForm", wire.form_requests(number, content))
        return str(done.type)

    def form(self, number: str) -> bytes:
        """The scanned form of a mandate; the node notes it."""
        request = mandates_pb2.GetFormRequest(mandate_no=number)
        return b"".join(one.chunk for one in self._platform.stream(self._mandates, "GetForm", request))

    def put_households(
        self, households: Sequence[Household], *, replace: bool = False, changed_on: date | None = None
    ) -> StoredHouseholds:
        """Add households, or replace known ones, all or none."""
        messages = households_wire.put_requests(households, replace=replace, changed_on=changed_on)
        done = self._platform.call(self._households, "PutHouseholds", messages)
        return StoredHouseholds(done.added, done.changed, done.known, wire.read_faults(done.faults))

    def households(self, limit: int = 50, office: str = "") -> list[RecordedHousehold]:
        """Households, masked, the last changed first."""
        request = households_pb2.ListHouseholdsRequest(limit=limit, office=office)
        found = self._platform.call(self._households, "ListHouseholds", request)
        return [_household(one, masked=True) for one in found.households]

    def household(self, number: str, *, full: bool = False) -> RecordedHousehold:
        """One household; with `full` names and numbers are not masked, and the node notes it."""
        request = households_pb2.GetHouseholdRequest(household_no=number, full=full)
        found = self._platform.call(self._households, "GetHousehold", request)
        return _household(found.household, masked=not full)

    def remove_household(self, number: str) -> None:
        """Remove a household."""
        request = households_pb2.RemoveHouseholdRequest(household_no=number)
        self._platform.call(self._households, "RemoveHousehold", request)

    def verify(
        self, choice: HouseholdChoice, job: str | None = None, draft: str = "", version: int = 0
    ) -> tuple[str, int, tuple[NotAskedPerson, ...]]:
        """Submit a verification of households on record: job id, how many people, who is not asked.

        A person gives a draft and its version, which another one approves.
        """
        request = households_pb2.VerifyHouseholdsRequest(
            job_id=job or new_id("v"),
            question=households_wire.question_message(choice),
            declared=declared_message(choice.declared) if choice.declared else None,
            draft_id=draft,
            draft_version=version,
        )
        done = self._platform.call(self._households, "VerifyHouseholds", request)
        return str(done.job_id), done.people, households_wire.read_not_asked(done.not_asked)

    def report_subject(self, identities: Sequence[Identity]) -> SubjectReport:
        """Everything that the caller may see of what the node asked about one person; the node notes it."""
        request = households_wire.subject_request(identities)
        found = self._platform.call(self._households, "ReportSubject", request)
        return households_wire.read_subject_report(found)


def _mandate(message: mandates_pb2.MandateState, *, masked: bool = True) -> RecordedMandate:
    return RecordedMandate(
        wire.read_mandate(message.mandate, masked=masked),
        message.owner,
        moment(message.added_at),
        moment(message.ended_at) if message.HasField("ended_at") else None,
        message.state,
        message.has_form,
    )


def _urgent(message: mandates_pb2.UrgentCheck) -> OpenUrgentCheck:
    return OpenUrgentCheck(
        message.job_id,
        message.ref,
        message.owner,
        moment(message.opened_at),
        date.fromisoformat(message.due_on),
        message.overdue,
    )


def _household(message: households_pb2.HouseholdState, *, masked: bool) -> RecordedHousehold:
    return RecordedHousehold(
        households_wire.read_household(message.household, masked=masked),
        message.owner,
        message.version,
        moment(message.added_at),
        moment(message.changed_at),
    )
