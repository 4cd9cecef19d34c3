"""Messages about mandates on record, as both sides send them; all from outside is checked here."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from heqiao.platform.v1 import mandates_pb2 as pb

from matcher import identity
from matcher.errors import IdentityError
from node.domain.mandate import PROGRAMMES, Mandate
from node.domain.stored_mandates import StoredMandate
from node.domain.subjects import hold_identities
from node.errors import InvalidRequestError
from node.wire.common import require, timestamp

CHUNK = 200  # mandates in a message: below 1 MiB with the longest texts that are usual
MAX_TEXT = 200
MAX_LIST = 100
MAX_DOCUMENT = 4_096  # bytes of an office's certificate
FORM_CHUNK = 256 * 1024
_NO_IDENTITY = "an identity number must not stand in a field of text"


@dataclass(frozen=True, slots=True)
class RecordFault:
    """Why a record cannot be stored, as the node says it."""

    place: int
    field: str
    reason: str
    message: str


@dataclass(frozen=True, slots=True)
class AddedMandates:
    """What the node did with mandates; with faults it stored none."""

    added: int
    known: int
    urgent_closed: int
    faults: tuple[RecordFault, ...]


def mandate_message(one: StoredMandate) -> pb.StoredMandate:
    """A mandate with its people."""
    mandate = one.mandate
    return pb.StoredMandate(
        mandate_no=mandate.number,
        household_no=one.household_no,
        application_no=one.application_no,
        template_id=mandate.template_id,
        office=mandate.office,
        people=sorted(mandate.people),
        programme=mandate.programme,
        matter=mandate.matter,
        items=sorted(mandate.items),
        regions=sorted(mandate.regions),
        valid_from=mandate.valid_from.isoformat(),
        valid_to=_text(mandate.valid_to),
        event=mandate.event,
        revoked_at=_text(mandate.revoked_at),
        signers=mandate.signers,
        agents=mandate.agents,
        guardians=one.guardians,
        sig_type=mandate.sig_type,
        doc_hash=mandate.doc_hash,
        signature=one.signature,
        certificate=one.certificate,
    )


def read_mandate(message: pb.StoredMandate, *, masked: bool = False) -> StoredMandate:
    """A mandate; the identity numbers of a masked one stay as they are. Raises InvalidRequestError."""
    _check_texts(message)
    first = read_day(message.valid_from)
    if first is None:
        raise InvalidRequestError("a mandate has no first day")
    people = tuple(message.people) if masked else tuple(map(_canonical, message.people))
    mandate = Mandate(
        number=message.mandate_no,
        programme=message.programme,
        items=frozenset(message.items),
        regions=frozenset(message.regions),
        valid_from=first,
        valid_to=read_day(message.valid_to),
        revoked_at=read_day(message.revoked_at),
        event=message.event,
        office=message.office,
        template_id=message.template_id,
        sig_type=message.sig_type,
        matter=message.matter,
        signers=tuple(message.signers),
        agents=tuple(message.agents),
        people=frozenset(people),
        doc_hash=message.doc_hash.lower(),
    )
    return StoredMandate(
        mandate,
        message.household_no,
        message.application_no,
        tuple(message.guardians),
        message.signature,
        message.certificate,
    )


def _check_texts(message: pb.StoredMandate) -> None:
    texts = (
        message.mandate_no,
        message.household_no,
        message.application_no,
        message.template_id,
        message.office,
        message.event,
        message.sig_type,
        message.doc_hash,
        message.matter,
        *message.items,
        *message.regions,
    )
    names = (*message.signers, *message.agents, *message.guardians)
    require(all(len(text) <= MAX_TEXT for text in (*texts, *names)), "a text of a mandate is too long")
    require(bool(message.mandate_no), "a mandate has no number")
    require(not hold_identities([*texts[:6], *names]), _NO_IDENTITY)
    require(message.programme in (*PROGRAMMES, "*"), "a mandate's programme is not a known one")
    lists = (
        message.people,
        message.items,
        message.regions,
        message.signers,
        message.agents,
        message.guardians,
    )
    require(all(len(one) <= MAX_LIST for one in lists), "a list of a mandate is too long")
    require(len(message.signature) in (0, 64), "an office's signature is 64 bytes")
    require(len(message.certificate) <= MAX_DOCUMENT, "an office's certificate is too long")


def _canonical(value: str) -> str:
    try:
        return identity.parse(value[:MAX_TEXT]).value
    except IdentityError as error:
        raise InvalidRequestError(f"an identity is not valid: {error}", "check the list first") from None


def add_requests(mandates: Sequence[StoredMandate]) -> Iterator[pb.AddMandatesRequest]:
    """The messages that submit mandates."""
    for at in range(0, len(mandates), CHUNK):
        yield pb.AddMandatesRequest(mandates=map(mandate_message, mandates[at : at + CHUNK]))


def read_added(requests: Iterable[pb.AddMandatesRequest], most: int) -> list[StoredMandate]:
    """The mandates of a stream. Raises InvalidRequestError."""
    found: list[StoredMandate] = []
    for request in requests:
        require(len(found) + len(request.mandates) <= most, "more mandates than one call may hold")
        found += map(read_mandate, request.mandates)
    require(bool(found), "no mandate is given")
    return found


def fault_messages(faults: Iterable[object]) -> list[pb.RecordFault]:
    """Faults, which have `place`, `field`, `reason` and `message`."""
    names = ("place", "field", "reason", "message")
    return [pb.RecordFault(**{name: getattr(one, name) for name in names}) for one in faults]


def read_faults(messages: Iterable[pb.RecordFault]) -> tuple[RecordFault, ...]:
    """Faults as the node says them."""
    return tuple(RecordFault(one.place, one.field, one.reason, one.message) for one in messages)


def state_message(
    one: StoredMandate,
    owner: str,
    added_at: datetime,
    ended_at: datetime | None,
    state: str,
    *,
    has_form: bool,
) -> pb.MandateState:
    """A mandate and how it stands."""
    return pb.MandateState(
        mandate=mandate_message(one),
        owner=owner,
        added_at=timestamp(added_at),
        ended_at=timestamp(ended_at) if ended_at else None,
        state=state,
        has_form=has_form,
    )


def read_day(text: str) -> date | None:
    """A day written as YYYY-MM-DD; None for nothing. Raises InvalidRequestError."""
    try:
        return date.fromisoformat(text) if text else None
    except ValueError:
        raise InvalidRequestError("a day is not written as 2026-06-30") from None


def form_requests(number: str, content: bytes) -> Iterator[pb.AddFormRequest]:
    """The messages that submit a scanned form."""
    yield pb.AddFormRequest(mandate_no=number)
    for at in range(0, len(content), FORM_CHUNK):
        yield pb.AddFormRequest(chunk=content[at : at + FORM_CHUNK])


def read_form(requests: Iterable[pb.AddFormRequest], most: int) -> tuple[str, bytes]:
    """Number and form of a stream, of at most `most` bytes. Raises InvalidRequestError."""
    messages = iter(requests)
    first = next(messages, None)
    if first is None or first.WhichOneof("message") != "mandate_no":
        raise InvalidRequestError("the first message must be the mandate's number")
    content = bytearray()
    for message in messages:
        require(message.WhichOneof("message") == "chunk", "after the number only chunks may follow")
        require(len(content) + len(message.chunk) <= most, "the scanned form is too large")
        content += message.chunk
    return check_number(first.mandate_no), bytes(content)


def form_responses(content: bytes) -> Iterator[pb.GetFormResponse]:
    """A scanned form in chunks."""
    for at in range(0, len(content), FORM_CHUNK):
        yield pb.GetFormResponse(chunk=content[at : at + FORM_CHUNK])


def check_number(number: str) -> str:
    """A number of a mandate or household. Raises InvalidRequestError."""
    require(0 < len(number) <= MAX_TEXT, "a number is empty or too long")
    require(not hold_identities([number]), "an identity number must not serve as a reference")
    return number


def _text(day: date | None) -> str:
    return "" if day is None else day.isoformat()
