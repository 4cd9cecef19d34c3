"""One peer's part of a job: the connection to the peer, and how the part ends."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Generic, TypeVar

from keys import KeyringError
from matcher import MatcherError
from node.context import Node
from node.database import peers as peer_rows
from node.database.leases import Lease
from node.domain.jobs import WAITING, JobRow, PartRow
from node.errors import (
    CancelledError,
    DishonestPeerError,
    LeaseLostError,
    LimitError,
    NodeError,
    NotFoundError,
    UnavailableError,
)
from node.requester.checkpoint import StoredCheckpoint
from node.requester.context import LONGEST_WAIT, QueryContext, refusal_rule
from node.requester.point_cache import PointCache
from node.telemetry import log
from node.telemetry.request_id import in_new_request
from node.transport.idle_timeout import POINTS_A_SECOND
from node.transport.peer_client import PeerClient

START_S: Final = 600.0  # connecting, manifests, attempts and the waits between them
C = TypeVar("C", bound=StoredCheckpoint)


@dataclass(frozen=True, slots=True)
class PartRun(Generic[C]):
    """One peer's part of a job while it runs: what its kind is given. `points` are those of the whole job."""

    node: Node
    job: JobRow
    part: PartRow
    lease: Lease
    points: PointCache
    checkpoint: C

    @property
    def overdue(self) -> bool:
        """Whether the peer's time to answer is over."""
        return self.node.clock() >= self.job.due_at

    @contextmanager
    def connect(self) -> Iterator[tuple[QueryContext, PeerClient]]:
        """A connection to the peer, until the part stops or its time is over.

        Raises UnavailableError (also when the job is overdue), and NotFoundError for a peer that was removed.
        """
        node, limits = self.node, self.node.config.limits
        if self.overdue:
            raise UnavailableError("the due date has passed")
        with node.store.transaction("find peer") as tx:
            known = peer_rows.find_peer(tx, self.part.peer)
        if known is None:
            raise NotFoundError("this peer is no longer known")
        if known.paused:
            raise UnavailableError("this node has paused the peer")
        most = allowed_s(self.job.subjects)
        with PeerClient.open(node, known, self.checkpoint.count, self.lease.stopping.is_set, most) as link:
            deadline = min(self.job.due_at, node.clock() + timedelta(seconds=limits.part_timeout_s))
            yield QueryContext.of(node, known, link, self.checkpoint, self.points, deadline), link


def allowed_s(people: int) -> float:
    """Seconds for a part about so many people, besides what it fetches: its size says how long it may take.

    Two queries of two numbers a person, at the pace of a stream that is not ended for slowness.
    """
    return START_S + 2 * 2 * people / POINTS_A_SECOND


@in_new_request()
def run_part(run: PartRun[C], ask: Callable[[], None]) -> None:
    """Ask, and keep how it ended; an error is the state of this part only.

    The part stays open when the node stops, and where the peer is to be asked again later than in a minute:
    then it gives its worker back, and waits. Raises LeaseLostError, and UnavailableError where the database
    is unreachable.
    """
    began = time.monotonic()
    state, reason = "done", ""
    try:
        if run.part.state == WAITING:
            run.checkpoint.wait(0)  # its job may have been cancelled meanwhile
        ask()
    except LeaseLostError:
        raise
    except Exception as error:  # noqa: BLE001 - the other parts go on, and this one's secrets are erased
        if isinstance(error, CancelledError) and run.lease.stopping.is_set():
            run.checkpoint.pause(run.part.seconds + time.monotonic() - began)
            return
        retry_at = _retry_at(run, error)
        if retry_at is not None:
            run.checkpoint.park(retry_at, _reason(error), run.part.seconds + time.monotonic() - began)
            log.get_logger().info("part_waits", job=run.job.id, peer=run.part.peer, reason=_reason(error))
            return
        state, reason = _judge(run, error)
    run.checkpoint.end(state, reason, run.part.seconds + time.monotonic() - began)
    log.get_logger().info("part_ended", job=run.job.id, peer=run.part.peer, state=state, reason=reason)


def _retry_at(run: PartRun[C], error: Exception) -> datetime | None:
    """When a part goes on that the peer told to come back; None where it ends."""
    if not isinstance(error, LimitError) or error.retry_after is None or error.retry_after <= LONGEST_WAIT:
        return None
    retry_at = run.node.clock() + error.retry_after
    return retry_at if retry_at < run.job.due_at else None


def _reason(error: Exception) -> str:
    return refusal_rule(error) if isinstance(error, NodeError) else ""


def _judge(run: PartRun[C], error: Exception) -> tuple[str, str]:
    """State and reason of a part that ended by an error."""
    match error:
        case CancelledError():
            return "cancelled", ""
        case DishonestPeerError():
            return "distrusted", f"{error.code}:{error.details.get('check', '')}"
        case UnavailableError():
            return ("overdue", "due_date_passed") if run.overdue else ("unavailable", error.code)
        case NodeError():
            return "refused", refusal_rule(error)
        case MatcherError() | KeyringError():
            return "unavailable", error.code
    log.get_logger().error(
        "part_failed",
        job=run.job.id,
        peer=run.part.peer,
        kind=type(error).__name__,
        where=log.where(error),
    )
    return "unavailable", "internal"
