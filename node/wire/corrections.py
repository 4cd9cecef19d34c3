"""Messages of peer/v1/correction.proto (docs/protocol.md). Codes only: no text of a peer is shown."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Final

from google.protobuf.timestamp_pb2 import Timestamp
from heqiao.peer.v1 import correction_pb2 as pb

from matcher.correction import PLACE_BITS, PROOF_SIZE
from matcher.suites.tokens import TAG_SIZE
from node.domain.corrections import (
    ID_SIZE,
    MOST_ASKED,
    REASONS,
    Basis,
    Fault,
    Receipt,
    Request,
    State,
    Told,
    is_answer,
)
from node.domain.mandate import CODE
from node.wire.common import malformed, require, require_short, timestamp

FAULTS: Final = {one: getattr(pb, f"CORRECTION_FAULT_{one.name}") for one in Fault}
BASES: Final = {one: getattr(pb, f"CORRECTION_BASIS_{one.name}") for one in Basis}
STATES: Final = {
    one: getattr(pb, f"CORRECTION_STATE_{one.name}") for one in (State.RECEIVED, *REASONS)
}  # fmt: skip
REASON_NUMBERS: Final = {
    name: getattr(pb, f"CORRECTION_REASON_{name.upper()}") for names in REASONS.values() for name in names
}
_FAULT_NAMES = {number: one for one, number in FAULTS.items()}
_BASIS_NAMES = {number: one for one, number in BASES.items()}
_STATE_NAMES = {number: one for one, number in STATES.items()}
_REASON_NAMES = {number: name for name, number in REASON_NUMBERS.items()}
_LONGEST = timedelta(days=60)  # thirty working days are less, whatever the holidays
_SKEW = timedelta(days=1)


def request_message(request: Request) -> pb.SubmitCorrectionRequest:
    """A request as it is sent."""
    return pb.SubmitCorrectionRequest(
        correction_id=request.id,
        item=request.item,
        origin=request.origin,
        epoch=request.epoch,
        place=request.place,
        tag=request.tag,
        fault=FAULTS[request.fault],
        basis=BASES[request.basis],
        case_reference=request.reference,
        proof=request.proof,
    )


def parse_request(message: pb.SubmitCorrectionRequest) -> Request:
    """A peer's request. Raises InvalidRequestError."""
    require(len(message.correction_id) == ID_SIZE, f"correction_id must be {ID_SIZE} bytes")
    require(len(message.tag) == TAG_SIZE, f"tag must be {TAG_SIZE} bytes")
    require(len(message.proof) == PROOF_SIZE, f"proof must be {PROOF_SIZE} bytes")
    require(message.place < 1 << PLACE_BITS, f"place has {PLACE_BITS} bits")
    require_short(message.item, message.origin)
    require(message.fault in _FAULT_NAMES, "fault is not a known one")
    require(message.basis in _BASIS_NAMES, "basis is not a known one")
    require(bool(CODE.fullmatch(message.case_reference)), "case_reference is not a code")
    return Request(
        id=message.correction_id,
        item=message.item,
        origin=message.origin,
        epoch=message.epoch,
        place=message.place,
        tag=message.tag,
        fault=_FAULT_NAMES[message.fault],
        basis=_BASIS_NAMES[message.basis],
        reference=message.case_reference,
        proof=message.proof,
    )


def receipt_message(receipt: Receipt) -> pb.SubmitCorrectionResponse:
    """The answer to a request that was taken."""
    return pb.SubmitCorrectionResponse(
        received_at=timestamp(receipt.received_at),
        due_at=timestamp(receipt.due_at),
        due_estimated=receipt.due_estimated,
    )


def parse_receipt(message: pb.SubmitCorrectionResponse, now: datetime) -> Receipt:
    """A peer's receipt. Raises DishonestPeerError for times that cannot be."""
    received, due = _moment(message.received_at), _moment(message.due_at)
    if received is None or due is None or not received <= due <= received + _LONGEST:
        raise malformed("the peer's receipt has no proper times", "correction_receipt")
    if received > now + _SKEW:
        raise malformed("the peer's receipt is of a later day", "correction_receipt")
    return Receipt(received, due, message.due_estimated)


def ids_message(ids: Sequence[bytes]) -> pb.GetCorrectionsRequest:
    """The question about the state of some requests."""
    return pb.GetCorrectionsRequest(correction_ids=ids)


def parse_ids(message: pb.GetCorrectionsRequest) -> tuple[bytes, ...]:
    """Which requests a peer asks about. Raises InvalidRequestError."""
    ids = tuple(message.correction_ids)
    require(0 < len(ids) <= MOST_ASKED, f"a question is about 1 to {MOST_ASKED} corrections")
    require(all(len(one) == ID_SIZE for one in ids), f"correction_ids must be {ID_SIZE} bytes each")
    return ids


def told_message(found: Sequence[Told]) -> pb.GetCorrectionsResponse:
    """The states of some requests."""
    return pb.GetCorrectionsResponse(
        corrections=[
            pb.CorrectionStatus(
                correction_id=one.id,
                state=pb.CORRECTION_STATE_UNKNOWN if one.state is None else STATES[one.state],
                reason=REASON_NUMBERS.get(one.reason, pb.CORRECTION_REASON_UNSPECIFIED),
                answered_at=timestamp(one.answered_at) if one.answered_at else None,
            )
            for one in found
        ]
    )


def parse_told(message: pb.GetCorrectionsResponse, asked: Sequence[bytes]) -> tuple[Told, ...]:
    """A peer's states of the requests asked about. Raises DishonestPeerError for anything but codes."""
    if [one.correction_id for one in message.corrections] != list(asked):
        raise malformed("the peer answers about other corrections than were asked", "correction_ids")
    return tuple(map(_told, message.corrections))


def _told(message: pb.CorrectionStatus) -> Told:
    if message.state == pb.CORRECTION_STATE_UNKNOWN:
        return Told(message.correction_id, None)
    state, reason = _STATE_NAMES.get(message.state), _REASON_NAMES.get(message.reason, "")
    answered = _moment(message.answered_at) if message.HasField("answered_at") else None
    waits = (
        state is State.RECEIVED and message.reason == pb.CORRECTION_REASON_UNSPECIFIED and answered is None
    )
    if not waits and not (is_answer(state, reason) and answered is not None):
        raise malformed("the peer's answer about a correction is none of the known ones", "correction_state")
    return Told(message.correction_id, state, reason, answered)


def _moment(stamp: Timestamp) -> datetime | None:
    try:
        return stamp.ToDatetime(tzinfo=UTC) if stamp.seconds > 0 else None
    except (ValueError, OverflowError):
        return None
