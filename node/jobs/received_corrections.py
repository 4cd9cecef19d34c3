"""Requests of peers to correct a record of this province: taken, looked at, answered (ADR 0032).

The index holds no identity. What is kept of a request is the placing digest behind its tag, sealed; an
officer who has a list of people, such as an extract of the register, lets the node say which one it is.
"""

import hmac
import json
import threading
from collections import deque
from collections.abc import Sequence
from datetime import datetime
from typing import Final

import numpy as np
from blake3 import blake3

from matcher import Identity, batch
from matcher.correction import correction_key, prove
from matcher.suites.suite import CURRENT
from node.config.limits import LimitsSection
from node.context import Node
from node.database import Connection
from node.database import audit_log as audit_rows
from node.database import corrections as rows
from node.database import peers as peer_rows
from node.domain.audit_chain import Detail
from node.domain.corrections import (
    DAY,
    HOUR,
    Named,
    Receipt,
    ReceivedCorrection,
    Request,
    State,
    Told,
    is_answer,
)
from node.domain.peers import PeerRow
from node.domain.sealed_names import of_received_correction
from node.errors import (
    InvalidRequestError,
    ItemNotOfferedError,
    LimitError,
    NotFoundError,
    PreconditionError,
    RefusedError,
    SaltError,
    UnknownCallerError,
)
from node.index.entry_lookup import FoundEntry, find_entry
from node.jobs.case_clock import due_after
from node.responder.epochs import require_epoch, require_granted

_UNKNOWN: Final = "there is no such correction"


class Failures:
    """Requests of each peer in the last hour that proved no entry: more are refused before any work.

    In memory: each process of a province counts its own, and forgets with its end.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._lock, self._times = threading.Lock(), dict[str, deque[datetime]]()

    def require_few(self, peer: str, now: datetime) -> None:
        """Raises LimitError with the time to wait."""
        with self._lock:
            times = self._recent(peer, now)
            if len(times) >= self._most:
                raise _limit("corrections.failed", "too many requests prove no entry", times[0] + HOUR, now)

    def note(self, peer: str, now: datetime) -> None:
        """One more."""
        with self._lock:
            self._recent(peer, now).append(now)

    def _recent(self, peer: str, now: datetime) -> "deque[datetime]":
        times = self._times.setdefault(peer, deque(maxlen=self._most))
        while times and times[0] <= now - HOUR:
            times.popleft()
        return times


def receive(node: Node, peer: PeerRow, request: Request, caller: str, failures: Failures) -> Receipt:
    """Take a request of a peer; the same request again is given the same receipt.

    Raises ItemNotOfferedError, RefusedError (no grant, an id used before), EpochError, LimitError,
    NotFoundError where the request proves no entry, UnknownCallerError.
    """
    if request.item not in node.catalogue.codes:
        raise ItemNotOfferedError("an item is not in this node's catalogue")
    require_granted(peer, node.catalogue.item(request.item), request.origin)
    now = node.clock()
    digest = blake3(request.message(peer.code, node.code) + request.proof, key=node.keys.digest_key).digest()
    with node.store.transaction("find correction") as tx:
        known = rows.find_received(tx, peer.code, request.id)
    if known is not None:
        return _same(known, digest)
    failures.require_few(peer.code, now)
    require_epoch(node, request.epoch)
    found = find_entry(node, request.item, request.origin, request.epoch, request.place, request.tag)
    if found is None or not _is_proved(node, peer, request, found):
        failures.note(peer.code, now)
        _note_failed(node, peer, request, caller, now)
        # One refusal for a tag of nobody, of a pad and of somebody: none of them is told from another.
        raise NotFoundError("the request proves no entry of this node", "run the query again, then ask again")
    return _store(node, peer, request, caller, found, digest, now)


def _is_proved(node: Node, peer: PeerRow, request: Request, found: FoundEntry) -> bool:
    proof = prove(correction_key(found.label_key), request.message(peer.code, node.code))
    return hmac.compare_digest(proof, request.proof)


def _same(known: tuple[ReceivedCorrection, bytes], digest: bytes) -> Receipt:
    row, kept = known
    if not hmac.compare_digest(kept, digest):
        raise RefusedError(
            "this id was used for another request", details={"rule": "correction_id"}
        )  # fmt: skip
    return Receipt(row.received_at, row.due_at, row.due_estimated)


def _store(
    node: Node,
    peer: PeerRow,
    request: Request,
    caller: str,
    found: FoundEntry,
    digest: bytes,
    now: datetime,
) -> Receipt:
    due = due_after(node, now, node.config.deadlines.correction_days)
    receipt = Receipt(now, due.at, due.estimated)
    row = ReceivedCorrection(
        number=0,
        peer=peer.code,
        id=request.id,
        item=request.item,
        fault=request.fault,
        basis=request.basis,
        reference=request.reference,
        state=State.RECEIVED,
        reason="",
        received_at=receipt.received_at,
        due_at=receipt.due_at,
        due_estimated=receipt.due_estimated,
        answered_at=None,
    )
    salt = node.keys.salt_version_of(request.epoch, now) or 0
    plain = pack_named(Named(found.digest, salt, found.value, found.day))
    sealed = node.keys.vault.seal(of_received_correction(peer.code, request.id), plain)

    def write(tx: Connection) -> Receipt:
        if not peer_rows.lock_peer(tx, peer.code):
            raise UnknownCallerError("this node does not serve the caller")
        known = rows.find_received(tx, peer.code, request.id)
        if known is not None:
            return _same(known, digest)
        _require_room(tx, node.config.limits, peer.code, now)
        rows.add_received(tx, row, digest, request.epoch, sealed)
        audit_rows.append(tx, "correction_received", _audited(peer, request, caller), now)
        return receipt

    return node.store.retry_write("receive correction", write)


def _require_room(tx: Connection, limits: LimitsSection, peer: str, now: datetime) -> None:
    waiting, today = rows.count_received(tx, peer, now - DAY)
    if waiting >= limits.corrections_open:
        raise _limit("corrections.open", "too many corrections of this peer wait for an answer")
    if today >= limits.corrections_a_day:
        raise _limit("corrections.day", "too many corrections of this peer in a day", now + HOUR, now)


def _limit(rule: str, message: str, until: datetime | None = None, now: datetime | None = None) -> LimitError:
    wait = until - now if until and now else None
    return LimitError(message, "ask again later", {"rule": rule}, retry_after=wait)


def _note_failed(node: Node, peer: PeerRow, request: Request, caller: str, now: datetime) -> None:
    details: dict[str, Detail] = {"peer": peer.code, "caller": caller, "item": request.item}
    node.store.retry_write(
        "note correction", lambda tx: audit_rows.append(tx, "correction_not_proved", details, now)
    )


def _audited(peer: PeerRow, request: Request, caller: str) -> dict[str, Detail]:
    return {
        "peer": peer.code,
        "caller": caller,
        "correction": request.id.hex(),
        "item": request.item,
        "fault": request.fault.value,
        "basis": request.basis.value,
        "reference": request.reference,
    }


def tell(node: Node, peer: str, ids: Sequence[bytes]) -> tuple[Told, ...]:
    """The state of a peer's own requests; one of another peer is unknown, as one that never was."""
    found = []
    with node.store.transaction("read corrections") as tx:
        for one in ids:
            known = rows.find_received(tx, peer, one)
            if known is None:
                found.append(Told(one, None))
                continue
            row = known[0]
            found.append(Told(one, row.state, row.reason, row.answered_at))
    return tuple(found)


def list_received(node: Node, *, waiting: bool) -> list[ReceivedCorrection]:
    """Requests of peers, newest first; only unanswered ones where `waiting`, the most urgent first."""
    with node.store.transaction("list corrections") as tx:
        return rows.list_received(tx, waiting=waiting)


def read_received(node: Node, number: int) -> tuple[ReceivedCorrection, Named]:
    """A request, and what this node finds behind its tag. Raises NotFoundError."""
    with node.store.transaction("read correction") as tx:
        found = rows.read_received(tx, number)
    if found is None:
        raise NotFoundError(_UNKNOWN, "see `heqiao corrections list`")
    row, _, sealed = found
    return row, unpack_named(node.keys.vault.unseal(of_received_correction(row.peer, row.id), sealed))


def find_person(node: Node, number: int, people: Sequence[Sequence[Identity]]) -> list[int]:
    """Which of some people a request is about: their places in the list, none where it is none of them.

    Audited with counts: the looking up of a person is a look at the person. Raises NotFoundError, SaltError
    where the salt of the request's epoch is gone.
    """
    row, named = read_received(node, number)
    salt = node.keys.salts.get(named.salt_version)
    if salt is None:
        raise SaltError(
            "the salt under which the record was placed is no longer held",
            "answer record_gone: the other province asks again under the current salt",
        )
    owners = [place for place, identities in enumerate(people) for _ in identities]
    every = [identity for identities in people for identity in identities]
    found: list[int] = []
    if every:
        types, values = batch.pack_identities([(one.id_type, one.value) for one in every])
        digests = CURRENT.digests(salt, types, values)
        same = (digests == np.frombuffer(named.digest, dtype=np.uint8)).all(axis=1)
        found = sorted({owners[at] for at in np.flatnonzero(same).tolist()})
    details: dict[str, Detail] = {"correction": row.id.hex(), "peer": row.peer, "people": len(people)}
    now = node.clock()
    node.store.retry_write(
        "note look-up",
        lambda tx: audit_rows.append(tx, "correction_looked_up", {**details, "found": len(found)}, now),
    )
    return found


def answer(node: Node, number: int, state: State, reason: str) -> ReceivedCorrection:
    """Answer a request, for good. Raises InvalidRequestError, NotFoundError, PreconditionError."""
    if not is_answer(state, reason):
        raise InvalidRequestError("this reason does not belong to this answer")
    row, _ = read_received(node, number)
    now = node.clock()

    def write(tx: Connection) -> bool:
        changed = rows.answer_received(tx, number, state, reason, now)
        if changed:
            details: dict[str, Detail] = {"peer": row.peer, "correction": row.id.hex(), "item": row.item}
            details |= {"answer": state.value, "reason": reason}
            audit_rows.append(tx, "correction_answered", details, now)
        return changed

    if not node.store.retry_write("answer correction", write):
        raise PreconditionError("this correction has an answer already", "see `heqiao corrections show`")
    return read_received(node, number)[0]


def pack_named(named: Named) -> bytes:
    """What is kept of the record behind a tag."""
    plain = [named.digest.hex(), named.salt_version, named.value, named.day]
    return json.dumps(plain, separators=(",", ":")).encode()


def unpack_named(packed: bytes) -> Named:
    """Undoes `pack_named`."""
    digest, salt_version, value, day = json.loads(packed)
    return Named(bytes.fromhex(digest), salt_version, value, day)
