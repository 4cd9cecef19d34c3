"""Messages of platform/v1/cases.proto about objections and corrections, as both sides read and write them."""

from collections.abc import Iterable
from datetime import UTC, date, datetime
from typing import Any, TypeVar

from heqiao.platform.v1 import cases_pb2 as pb

from node.domain.corrections import Basis, Fault, ReceivedCorrection, SentCorrection, State
from node.domain.objections import (
    MOST_GROUNDS,
    MOST_NAME,
    NewObjection,
    ObjectionContent,
    ObjectionRow,
    Target,
)
from node.errors import InvalidRequestError
from node.wire.common import require, timestamp

W = TypeVar("W", Fault, Basis, State)
_HOUSEHOLDS = 2_000  # in a message
_LONGEST = 200  # characters of a reference or code

# ---- objections


def read_objection(message: pb.AddObjectionRequest) -> NewObjection:
    """An objection that a platform records; node/jobs/objections.py judges it. Raises InvalidRequestError."""
    references = (
        message.job_id, message.report_number, message.household, message.person, message.item, message.peer
    )  # fmt: skip
    require(max(map(len, references)) <= _LONGEST, "a reference is too long")
    require(len(message.raised_by) <= MOST_NAME, f"who objects is named with 1 to {MOST_NAME} characters")
    require(len(message.grounds) <= MOST_GROUNDS, f"grounds have 1 to {MOST_GROUNDS} characters")
    return NewObjection(
        job=message.job_id,
        report_number=message.report_number,
        target=Target(message.household, message.person, message.item, message.peer),
        raised_by=message.raised_by,
        grounds=message.grounds,
        received=_day(message.received_on),
        raised=_day(message.raised_on),
    )


def objection_request(new: NewObjection) -> pb.AddObjectionRequest:
    """The message that records an objection."""
    return pb.AddObjectionRequest(
        job_id=new.job,
        report_number=new.report_number,
        household=new.target.household,
        person=new.target.person,
        item=new.target.item,
        peer=new.target.peer,
        raised_by=new.raised_by,
        grounds=new.grounds,
        received_on=new.received.isoformat(),
        raised_on=new.raised.isoformat(),
    )


def objection_message(
    row: ObjectionRow, last_day: date, content: ObjectionContent | None = None
) -> pb.Objection:
    """An objection, with what is sealed of it where that was asked for."""
    message = pb.Objection(
        id=row.id,
        job_id=row.job,
        report_number=row.report_number,
        item=row.item,
        peer=row.peer,
        received_on=row.received.isoformat(),
        raised_on=row.raised.isoformat(),
        last_day=last_day.isoformat(),
        state=row.state,
        result=row.result,
        recheck_job=row.recheck_job,
        due_at=timestamp(row.due_at),
        due_estimated=row.due_estimated,
        created_at=timestamp(row.created_at),
        closed_at=timestamp(row.closed_at) if row.closed_at else None,
    )
    if content is not None:
        message.household, message.person = content.household, content.person
        message.raised_by, message.grounds = content.raised_by, content.grounds
    return message


def plain_objection(message: pb.Objection) -> dict[str, Any]:
    """An objection as plain JSON values, for people and programs."""
    found: dict[str, Any] = {
        field.name: getattr(message, field.name)
        for field in message.DESCRIPTOR.fields
        if field.message_type is None
    }
    return found | _times(message, ("due_at", "created_at", "closed_at"))


# ---- corrections


def fault_of(text: str) -> Fault:
    """Raises InvalidRequestError."""
    return _word(Fault, text, "fault")


def basis_of(text: str) -> Basis:
    """Raises InvalidRequestError."""
    return _word(Basis, text, "basis")


def state_of(text: str) -> State:
    """Raises InvalidRequestError."""
    return _word(State, text, "answer")


def sent_message(row: SentCorrection) -> pb.SentCorrection:
    """A request of this node."""
    return pb.SentCorrection(
        id=row.id,
        job_id=row.job,
        peer=row.peer,
        item=row.item,
        fault=row.fault.value,
        basis=row.basis.value,
        reference=row.reference,
        state=row.state.value,
        reason=row.reason,
        created_at=timestamp(row.created_at),
        received_at=timestamp(row.received_at) if row.received_at else None,
        due_at=timestamp(row.due_at),
        due_estimated=row.due_estimated,
        answered_at=timestamp(row.answered_at) if row.answered_at else None,
    )


def read_sent(message: pb.SentCorrection) -> SentCorrection:
    """A request of the own node, as its platform reads it."""
    return SentCorrection(
        id=message.id,
        owner="",
        job=message.job_id,
        peer=message.peer,
        item=message.item,
        fault=Fault(message.fault),
        basis=Basis(message.basis),
        reference=message.reference,
        state=State(message.state),
        reason=message.reason,
        created_at=message.created_at.ToDatetime(tzinfo=UTC),
        received_at=_moment(message, "received_at"),
        due_at=message.due_at.ToDatetime(tzinfo=UTC),
        due_estimated=message.due_estimated,
        answered_at=_moment(message, "answered_at"),
    )


def received_message(row: ReceivedCorrection) -> pb.ReceivedCorrection:
    """A request of a peer."""
    return pb.ReceivedCorrection(
        number=row.number,
        peer=row.peer,
        id=row.id,
        item=row.item,
        fault=row.fault.value,
        basis=row.basis.value,
        reference=row.reference,
        state=row.state.value,
        reason=row.reason,
        received_at=timestamp(row.received_at),
        due_at=timestamp(row.due_at),
        due_estimated=row.due_estimated,
        answered_at=timestamp(row.answered_at) if row.answered_at else None,
    )


def read_received(message: pb.ReceivedCorrection) -> ReceivedCorrection:
    """A request of a peer, as the own platform reads it."""
    return ReceivedCorrection(
        number=message.number,
        peer=message.peer,
        id=message.id,
        item=message.item,
        fault=Fault(message.fault),
        basis=Basis(message.basis),
        reference=message.reference,
        state=State(message.state),
        reason=message.reason,
        received_at=message.received_at.ToDatetime(tzinfo=UTC),
        due_at=message.due_at.ToDatetime(tzinfo=UTC),
        due_estimated=message.due_estimated,
        answered_at=_moment(message, "answered_at"),
    )


def _word(kind: type[W], text: str, name: str) -> W:
    try:
        return kind(text)
    except ValueError:
        raise InvalidRequestError(
            f"unknown {name}", f"one of {', '.join(one.value for one in kind)}"
        ) from None


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise InvalidRequestError("a day of an objection is not written as 2026-06-30") from None


def _moment(message: Any, name: str) -> datetime | None:
    return getattr(message, name).ToDatetime(tzinfo=UTC) if message.HasField(name) else None


def _times(message: Any, names: Iterable[str]) -> dict[str, str | None]:
    found = {name: _moment(message, name) for name in names}
    return {name: moment.isoformat() if moment else None for name, moment in found.items()}
