"""Requests to correct a record of another province (校核, 政务数据共享条例 art. 26), and their answers. Pure.

Only codes cross between provinces: a fault, a basis, an answer with its reason, and the requester's reference
of the case. docs/objections.md has the words; ADR 0032 says who learns what.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

ID_SIZE: Final = 16
DAY: Final = timedelta(days=1)
HOUR: Final = timedelta(hours=1)
MOST_ASKED: Final = 100  # requests in one question about their state


class Fault(StrEnum):
    """What is said to be wrong with a record."""

    NOT_MINE = "not_mine"
    WRONG_VALUE = "wrong_value"
    OUTDATED = "outdated"
    DUPLICATE = "duplicate"
    OTHER = "other"


class Basis(StrEnum):
    """Why the person may be disclosed to the answering province: one of the two, never neither."""

    MANDATE = "mandate"
    PERSON_REQUEST = "person_request"


class State(StrEnum):
    """Of a request: `sent` has no receipt yet, `refused` was not taken by the other node."""

    SENT = "sent"
    RECEIVED = "received"
    CORRECTED = "corrected"
    UPHELD = "upheld"
    REFUSED = "refused"


CLOSED: Final = (State.CORRECTED, State.UPHELD, State.REFUSED)
# The reasons of each answer.
REASONS: Final[Mapping[State, tuple[str, ...]]] = {
    State.CORRECTED: ("value_corrected", "record_removed", "record_moved", "date_updated"),
    State.UPHELD: ("record_confirmed", "person_differs", "no_evidence", "other_department", "record_gone"),
}


@dataclass(frozen=True, slots=True)
class Request:
    """What one province sends to another.

    `origin`, `epoch`, `place` (the first 13 bits of the placing digest) and `tag` name the entry. `key` is
    what the proof is made with; it never leaves the node.
    """

    id: bytes
    item: str
    origin: str
    epoch: int
    place: int
    tag: bytes = field(repr=False)
    fault: Fault
    basis: Basis
    reference: str
    proof: bytes = field(default=b"", repr=False)

    def message(self, requester: str, responder: str) -> bytes:
        """The bytes that are proved: every field, and who sends it to whom."""
        texts = (requester, responder, self.item, self.origin, self.fault, self.basis, self.reference)
        numbers = self.epoch.to_bytes(4, "big") + self.place.to_bytes(2, "big")
        return b"".join((self.id, numbers, self.tag, *(one.encode() + b"\x00" for one in texts)))


@dataclass(frozen=True, slots=True)
class Receipt:
    """When the other node took a request, and until when it is to be answered: `due_estimated`, counted with
    days of a year whose holidays it does not know.
    """

    received_at: datetime
    due_at: datetime
    due_estimated: bool = False


@dataclass(frozen=True, slots=True)
class Told:
    """What the other node says about a request: its state, None for one that it does not know."""

    id: bytes
    state: State | None
    reason: str = ""
    answered_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class SentCorrection:
    """A row of this node's own requests, without what is sealed."""

    id: bytes
    owner: str
    job: str
    peer: str
    item: str
    fault: Fault
    basis: Basis
    reference: str
    state: State
    reason: str
    created_at: datetime
    received_at: datetime | None
    due_at: datetime
    answered_at: datetime | None
    due_estimated: bool = False

    def is_overdue(self, now: datetime) -> bool:
        """Whether the other province should have answered; never by an estimated date."""
        return self.state not in CLOSED and not self.due_estimated and now > self.due_at


@dataclass(frozen=True, slots=True)
class ReceivedCorrection:
    """A row of the requests of peers, without what is sealed; `number` is this node's own."""

    number: int
    peer: str
    id: bytes
    item: str
    fault: Fault
    basis: Basis
    reference: str
    state: State
    reason: str
    received_at: datetime
    due_at: datetime
    answered_at: datetime | None
    due_estimated: bool = False

    def is_overdue(self, now: datetime) -> bool:
        """Whether this province should have answered; never by an estimated date."""
        return self.state is State.RECEIVED and not self.due_estimated and now > self.due_at


@dataclass(frozen=True, slots=True)
class Named:
    """What this node finds behind the tag of a request: kept sealed.

    `digest` is the placing digest of the identity (16 bytes), `value` what the label disclosed, `day` its
    date (days since 1970-01-01; 0: that of the partition). No identity number.
    """

    digest: bytes = field(repr=False)
    salt_version: int
    value: int = field(repr=False)
    day: int


def is_answer(state: State | None, reason: str) -> bool:
    """Whether an answer is one of REASONS."""
    return state is not None and reason in REASONS.get(state, ())
