"""The checkpoint of a running part: sealed in the node's database, or in memory for a caller without one."""

import json
import time
import zlib
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from node.context import Node
from node.database import Connection
from node.database import corrections as correction_rows
from node.database import deadlines as deadline_rows
from node.database import jobs as job_rows
from node.database.leases import Lease
from node.domain import sealed_names as names
from node.domain.findings import Outcome
from node.domain.jobs import AWAY, WAITING, PartRow
from node.domain.packed import add_version, strip_version
from node.domain.refusals import Refusals, pack_refusals
from node.errors import CancelledError, PreconditionError
from node.requester.context import Session
from node.requester.match_query import Answer
from node.requester.padding import SEED_SIZE
from node.wire.common import DIGEST_SIZE, QUERY_ID_SIZE

WRITE_EVERY_S = 0.5  # progress is shown to people; more often only costs the database
T = TypeVar("T")
Place = Callable[[str, str, str], str]
SESSION_VERSION = 3
ANSWERS_VERSION = 1
_SESSION_SIZES = (QUERY_ID_SIZE, SEED_SIZE, DIGEST_SIZE, 64)  # the last: a signature


class StoredCheckpoint:
    """The checkpoint of a part in the database; survives a kill at any point.

    Every write needs the job's lease, and raises LeaseLostError when another process took the job over.
    """

    def __init__(self, node: Node, job: str, part: PartRow, lease: Lease) -> None:
        self._node, self._job, self._peer, self._lease = node, job, part.peer, lease
        self._up, self._down, self._points = part.bytes_up, part.bytes_down, part.points
        self._written, self._state = 0.0, ""
        self._progress: dict[str, object] = {}

    def count(self, up: int, down: int) -> None:
        """Add to the bytes sent and received."""
        self._up += up
        self._down += down

    def count_points(self, points: int) -> None:
        """See node.requester.context.Checkpoint."""
        self._points += points

    def session(self) -> Session | None:
        """See node.requester.context.Checkpoint."""
        with self._node.store.transaction("read session") as tx:
            sealed = job_rows.read_session(tx, self._job, self._peer)
        if sealed is None:
            return None
        try:
            return unpack_session(self._unseal("session", sealed))
        except PreconditionError:
            return None  # of another release: the query starts again

    def begin(self, session: Session) -> None:
        """See node.requester.context.Checkpoint."""
        sealed = self._seal("session", pack_session(session))
        self._write(
            "begin query", lambda tx: job_rows.begin_query(tx, self._job, self._peer, session.items, sealed)
        )

    def renew(self, session: Session) -> None:
        """See node.requester.context.Checkpoint."""
        sealed = self._seal("session", pack_session(session))
        self._write(
            "renew session",
            lambda tx: job_rows.update_part(tx, self._job, self._peer, {"session_sealed": sealed}),
        )

    def tokens(self) -> bytes:
        """See node.requester.context.Checkpoint."""
        with self._node.store.transaction("read tokens") as tx:
            chunks = job_rows.read_tokens(tx, self._job, self._peer)
        return b"".join(self._unseal(f"tokens {first}", sealed) for first, sealed in chunks)

    def add_tokens(self, first_point: int, tokens: bytes) -> None:
        """See node.requester.context.Checkpoint."""
        sealed = self._seal(f"tokens {first_point}", tokens)
        self._write(
            "keep tokens", lambda tx: job_rows.add_tokens(tx, self._job, self._peer, first_point, sealed)
        )

    def answers(self) -> dict[str, list[Answer]]:
        """See node.requester.context.Checkpoint."""
        with self._node.store.transaction("read answers") as tx:
            sealed = job_rows.read_answers(tx, self._job, self._peer)
        return {
            item: unpack_answers(self._unseal(item, data, names.of_answers)) for item, data in sealed.items()
        }

    def add_answers(self, item: str, answers: Sequence[Answer], entries: bytes | None = None) -> None:
        """See node.requester.context.Checkpoint."""
        sealed = self._seal(item, pack_answers(answers), names.of_answers)
        opened = self._seal(item, entries, names.of_matched_entries) if entries else b""

        def write(tx: Connection) -> None:
            if entries is not None:
                correction_rows.keep_entries(tx, self._job, self._peer, item, opened)
            job_rows.add_answers(tx, self._job, self._peer, item, sealed)

        self._write("keep answers", write)

    def progress(self, state: str, done: int, total: int, epoch: int = 0) -> None:
        """See node.requester.context.Checkpoint; also where a stop or a cancellation takes effect."""
        if self._lease.stopping.is_set():
            raise CancelledError("the node is stopping")
        self._progress = {"state": state, "done": done, "total": total}
        if epoch:
            self._progress["epoch"] = epoch
        if state == self._state and time.monotonic() - self._written < WRITE_EVERY_S:
            return
        self._state, self._written = state, time.monotonic()
        if self._write("show progress", self._update_and_ask):
            raise CancelledError("the job was cancelled")

    def wait(self, seconds: float) -> None:
        """See node.requester.context.Checkpoint."""
        end = time.monotonic() + seconds
        while True:
            with self._node.store.transaction("ask for cancellation") as tx:
                cancelled = job_rows.cancel_requested(tx, self._job)
            if cancelled:
                raise CancelledError("the job was cancelled")
            left = end - time.monotonic()
            if self._lease.stopping.wait(min(max(left, 0.0), 1.0)):
                raise CancelledError("the node is stopping")
            if left <= 0:
                return

    def refuse(
        self, refusals: Sequence[Refusals], definitions: str = "{}", reused: bytes | None = None
    ) -> None:
        """Keep which items the peer is not asked about each subject, and why, for the report; with what the
        items mean, and the answers that are used again instead (`node.domain.reuse`).

        Where they differ from those that an earlier run of the part kept, because a mandate was revoked or
        ended since then, that run's query and answers are erased: the part begins again, without the person.
        """
        plain = pack_refusals(refusals)
        again = None if reused is None else self._seal("reused", reused)
        values = {
            "refusals_sealed": self._seal("refusals", plain),
            "reused_sealed": again,
            "definitions": definitions,
        }
        with self._node.store.transaction("read refusals") as tx:
            kept = job_rows.read_refusals(tx, self._job, self._peer)
        differ = kept is not None and self._unseal("refusals", kept) != plain

        def write(tx: Connection) -> None:
            if differ:
                job_rows.forget_run(tx, self._job, self._peer)
            job_rows.update_part(tx, self._job, self._peer, values)

        self._write("keep refusals", write)

    def pause(self, seconds: float) -> None:
        """Keep the counts of a part that a stopping node leaves open."""
        values = {**self._progress, **self._counts(), "seconds": seconds}
        self._write("pause part", lambda tx: job_rows.update_part(tx, self._job, self._peer, values))

    def park(self, retry_at: datetime, reason: str, seconds: float) -> None:
        """Leave a part open until the peer can be asked again; what it has is kept.

        Where the peer is away, no other part that waits for it asks earlier.
        """
        values = {**self._progress, "state": WAITING, "reason": reason[:64], "retry_at": retry_at}
        values |= {**self._counts(), "seconds": seconds}

        def write(tx: Connection) -> None:
            job_rows.update_part(tx, self._job, self._peer, values)
            if reason in AWAY:
                deadline_rows.defer_away(tx, self._peer, retry_at)

        self._write("park part", write)

    def go_on(self) -> None:
        """A part that waited runs again: it waits for no time any more."""
        values = {"state": "manifest", "reason": "", "retry_at": None}
        self._write("go on", lambda tx: job_rows.update_part(tx, self._job, self._peer, values))

    def end(self, state: str, reason: str, seconds: float) -> None:
        """Close the part: keep its counts, erase its seed and its tokens."""
        values = {
            **self._progress,
            "state": state,
            "reason": reason[:64],
            "retry_at": None,
            "ended_at": self._node.clock(),
            **self._counts(),
            "seconds": seconds,
        }

        def write(tx: Connection) -> None:
            job_rows.close_part(tx, self._job, self._peer, values)
            if state == "done":
                deadline_rows.wake_away(tx, self._peer, self._node.clock())

        self._write("end part", write)

    def plan(self, plan: str, reason: str) -> None:
        """Keep which retrieval plan was chosen, and why."""
        values = {"plan": plan, "plan_reason": reason}
        self._write("keep plan", lambda tx: job_rows.update_part(tx, self._job, self._peer, values))

    def _update_and_ask(self, tx: Connection) -> bool:
        job_rows.update_part(tx, self._job, self._peer, {**self._progress, **self._counts()})
        return job_rows.cancel_requested(tx, self._job)

    def _counts(self) -> dict[str, int]:
        return {"points": self._points, "bytes_up": self._up, "bytes_down": self._down}

    def _write(self, name: str, work: Callable[[Connection], T]) -> T:
        return self._lease.write(name, work)

    def _seal(self, what: str, plain: bytes, place: Place = names.of_part) -> bytes:
        return self._node.keys.vault.seal(place(self._job, self._peer, what), plain)

    def _unseal(self, what: str, sealed: bytes, place: Place = names.of_part) -> bytes:
        return self._node.keys.vault.unseal(place(self._job, self._peer, what), sealed)


class MemoryCheckpoint:
    """The checkpoint of a part in memory; nothing is left when the process ends."""

    def __init__(self) -> None:
        self._session: Session | None = None
        self._tokens = bytearray()
        self._answers: dict[str, list[Answer]] = {}
        self.bytes_up = self.bytes_down = 0
        self.epoch = self.points = 0

    def count(self, up: int, down: int) -> None:
        """Add to the bytes sent and received."""
        self.bytes_up += up
        self.bytes_down += down

    def session(self) -> Session | None:
        """See node.requester.context.Checkpoint."""
        return self._session

    def begin(self, session: Session) -> None:
        """See node.requester.context.Checkpoint."""
        self._session = session
        self._tokens.clear()
        for item in session.items:
            self._answers.pop(item, None)

    def renew(self, session: Session) -> None:
        """See node.requester.context.Checkpoint."""
        self._session = session

    def tokens(self) -> bytes:
        """See node.requester.context.Checkpoint."""
        return bytes(self._tokens)

    def add_tokens(self, first_point: int, tokens: bytes) -> None:  # noqa: ARG002 - chunks come in order
        """See node.requester.context.Checkpoint."""
        self._tokens += tokens

    def answers(self) -> dict[str, list[Answer]]:
        """See node.requester.context.Checkpoint."""
        return dict(self._answers)

    def add_answers(self, item: str, answers: Sequence[Answer], entries: bytes | None = None) -> None:  # noqa: ARG002
        """See node.requester.context.Checkpoint: without a node nothing is asked for later."""
        self._answers[item] = list(answers)

    def progress(self, state: str, done: int, total: int, epoch: int = 0) -> None:  # noqa: ARG002
        """See node.requester.context.Checkpoint."""
        if epoch:
            self.epoch = epoch

    def count_points(self, points: int) -> None:
        """See node.requester.context.Checkpoint."""
        self.points += points

    def wait(self, seconds: float) -> None:
        """See node.requester.context.Checkpoint."""
        time.sleep(seconds)

    def plan(self, plan: str, reason: str) -> None:
        """See node.requester.context.Checkpoint."""


def pack_answers(answers: Sequence[Answer]) -> bytes:
    """The different answers as JSON and which of them each subject has, compressed: most are NOT_FOUND."""
    # Most subjects share one object, so that few answers are hashed.
    ids = list(map(id, answers))
    number: dict[Answer, int] = {}
    place_of = {
        key: number.setdefault(answer, len(number))
        for key, answer in dict(zip(ids, answers, strict=True)).items()
    }
    rows = [[a.outcome.value, a.value, a.as_of, a.reason] for a in number]
    text = json.dumps(rows, separators=(",", ":")).encode()
    places = np.array([place_of[key] for key in ids], dtype="<u4").tobytes()
    packed = zlib.compress(len(text).to_bytes(4, "big") + text + places, 1)
    return add_version(ANSWERS_VERSION, packed)


def unpack_answers(packed: bytes) -> list[Answer]:
    """What pack_answers made; raises as `split_answers` does."""
    different, places = split_answers(packed)
    return [different[place] for place in places.tolist()]


def split_answers(packed: bytes) -> tuple[list[Answer], NDArray[np.uint32]]:
    """What pack_answers made, as the different answers and the index of each subject's.

    Its input was sealed under this node's own key. Raises PreconditionError for that of another release.
    """
    plain = zlib.decompress(strip_version(ANSWERS_VERSION, packed))
    end = 4 + int.from_bytes(plain[:4], "big")
    different = [
        Answer(Outcome(outcome), value, as_of, reason)
        for outcome, value, as_of, reason in json.loads(plain[4:end])
    ]
    return different, np.frombuffer(plain, dtype="<u4", offset=end)


def pack_session(session: Session) -> bytes:
    """Version, fixed fields, codes of the items and first manifest with their lengths, second manifest."""
    items = " ".join(session.items).encode()
    fields = (
        session.query_id,
        session.seed,
        session.catalogue,
        session.signature,
        len(items).to_bytes(4, "big"),
        items,
        len(session.manifest).to_bytes(4, "big"),
        session.manifest,
        session.layout,
    )
    return add_version(SESSION_VERSION, b"".join(fields))


def unpack_session(packed: bytes) -> Session:
    """What pack_session made. Raises PreconditionError for that of another release."""
    packed = strip_version(SESSION_VERSION, packed)
    at, fields = 0, []
    for size in _SESSION_SIZES:
        fields.append(packed[at : at + size])
        at += size
    for _ in ("items", "manifest"):
        size = int.from_bytes(packed[at : at + 4], "big")
        fields.append(packed[at + 4 : at + 4 + size])
        at += 4 + size
    query_id, seed, catalogue, signature, items, manifest = fields
    return Session(query_id, seed, manifest, signature, packed[at:], tuple(items.decode().split()), catalogue)
