"""Messages of corrections: what is proved, and everything that a peer must not send."""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from heqiao.peer.v1 import correction_pb2 as pb

from matcher.correction import correction_key, prove
from node.domain.corrections import Basis, Fault, Receipt, Request, State, Told
from node.errors import DishonestPeerError, InvalidRequestError
from node.wire import corrections as wire
from tests.support.paths import VECTORS

NOW = datetime(2026, 7, 1, 8, tzinfo=UTC)
REQUEST = Request(
    bytes(16), "C21", "45", 3, 8_191, b"t" * 10, Fault.OUTDATED, Basis.MANDATE, "case-7", b"p" * 32
)
CASES = json.loads((VECTORS / "corrections.json").read_text())


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["fault"])
def test_the_proof_is_that_of_the_reference(case: dict[str, Any]) -> None:
    request = Request(
        bytes.fromhex(case["id"]),
        case["item"],
        case["origin"],
        case["epoch"],
        case["place"],
        bytes.fromhex(case["tag"]),
        Fault(case["fault"]),
        Basis(case["basis"]),
        case["reference"],
    )
    key = correction_key(bytes.fromhex(case["label_key"]))
    assert key.hex() == case["key"]
    assert prove(key, request.message(case["requester"], case["responder"])).hex() == case["proof"]
    assert prove(key, request.message(case["responder"], case["requester"])).hex() != case["proof"]


def test_round_trips() -> None:
    assert wire.parse_request(wire.request_message(REQUEST)) == REQUEST
    receipt = Receipt(NOW, NOW + timedelta(days=14))
    assert wire.parse_receipt(wire.receipt_message(receipt), NOW) == receipt
    told = (
        Told(b"a" * 16, State.CORRECTED, "record_moved", NOW),
        Told(b"b" * 16, None),
        Told(b"c" * 16, State.RECEIVED),
    )
    ids = [one.id for one in told]
    assert wire.parse_ids(wire.ids_message(ids)) == tuple(ids)
    assert wire.parse_told(wire.told_message(told), ids) == told


BAD_REQUESTS: dict[str, dict[str, Any]] = {
    "short_id": {"correction_id": b"1"},
    "short_tag": {"tag": b"1"},
    "long_proof": {"proof": bytes(33)},
    "place_of_14_bits": {"place": 1 << 13},
    "no_fault": {"fault": pb.CORRECTION_FAULT_UNSPECIFIED},
    "unknown_fault": {"fault": 99},
    "no_basis": {"basis": pb.CORRECTION_BASIS_UNSPECIFIED},
    "no_reference": {"case_reference": ""},
    "text_as_reference": {"case_reference": "<b>张三</b>"},
    "identity_as_reference": {"case_reference": "449999190001010034"},
    "long_item": {"item": "C" * 65},
}


@pytest.mark.parametrize("name", BAD_REQUESTS)
def test_requests_that_are_refused(name: str) -> None:
    message = wire.request_message(REQUEST)
    for field, value in BAD_REQUESTS[name].items():
        setattr(message, field, value)
    with pytest.raises(InvalidRequestError):
        wire.parse_request(message)


def test_a_question_is_about_a_bounded_number() -> None:
    for ids in ([], [bytes(16)] * 101, [bytes(15)]):
        with pytest.raises(InvalidRequestError):
            wire.parse_ids(pb.GetCorrectionsRequest(correction_ids=ids))


def answered(**fields: Any) -> pb.GetCorrectionsResponse:
    status = pb.CorrectionStatus(correction_id=bytes(16), **fields)
    return pb.GetCorrectionsResponse(corrections=[status])


STAMP = wire.timestamp(NOW)
BAD_ANSWERS: dict[str, Callable[[], pb.GetCorrectionsResponse]] = {
    "none": pb.GetCorrectionsResponse,
    "no_state": lambda: answered(answered_at=STAMP),
    "unknown_state": lambda: answered(state=77),
    "corrected_for_the_reason_of_upheld": lambda: answered(
        state=pb.CORRECTION_STATE_CORRECTED, reason=pb.CORRECTION_REASON_NO_EVIDENCE, answered_at=STAMP
    ),
    "upheld_without_a_reason": lambda: answered(state=pb.CORRECTION_STATE_UPHELD, answered_at=STAMP),
    "upheld_at_no_time": lambda: answered(
        state=pb.CORRECTION_STATE_UPHELD, reason=pb.CORRECTION_REASON_RECORD_GONE
    ),
    "received_with_a_reason": lambda: answered(
        state=pb.CORRECTION_STATE_RECEIVED, reason=pb.CORRECTION_REASON_RECORD_GONE
    ),
    "time_before_years": lambda: answered(
        state=pb.CORRECTION_STATE_UPHELD,
        reason=pb.CORRECTION_REASON_RECORD_GONE,
        answered_at={"seconds": -(2**60)},
    ),
}


@pytest.mark.parametrize("name", BAD_ANSWERS)
def test_answers_that_are_none(name: str) -> None:
    with pytest.raises(DishonestPeerError) as caught:
        wire.parse_told(BAD_ANSWERS[name](), [bytes(16)])
    assert caught.value.details["check"].startswith("correction_")


@pytest.mark.parametrize("days", [-1, 61, 40_000])
def test_receipts_with_impossible_times(days: int) -> None:
    with pytest.raises(DishonestPeerError):
        wire.parse_receipt(wire.receipt_message(Receipt(NOW, NOW + timedelta(days=days))), NOW)


def test_a_receipt_of_tomorrow() -> None:
    later = NOW + timedelta(days=3)
    with pytest.raises(DishonestPeerError):
        wire.parse_receipt(wire.receipt_message(Receipt(later, later)), NOW)
