"""One peer's part of a job: the connection to the peer, and how the part ends."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final, Generic, TypeVar

from keys import KeyringError
from matcher import MatcherError
from node.context import Node
from node.database import peers as peer_rows
from node.database.leases import Lease
from node.domain.jobs import WAITING, JobRow, PartRow
from node.domain.peers import PeerRow
from node.errors import (
    CancelledError,
    DishonestPeerError,
    LeaseLostError,
    LimitError,
    NodeError,
    NotFoundError,
    UnavailableError,
)
from node.jobs.job_catalogue import require_same_catalogue
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
        return self.part.is_over(self.node.clock())

    @contextmanager
    def connect(self) -> Iterator[tuple[QueryContext, PeerClient]]:
        """A connection to the peer, until the part stops or its time is over.

        Raises UnavailableError (also when the job is overdue), NotFoundError for a peer that was removed, and
        PreconditionError where this node's catalogue has changed since the job was submitted.
        """
        node, limits = self.node, self.node.config.limits
        if self.overdue:
            raise UnavailableError("the day on which the part is closed has passed")
        require_same_catalogue(node, self.job.id, self.job.items)
        with node.store.transaction("find peer") as tx:
            known = peer_rows.find_peer(tx, self.part.peer)
        if known is None:
            raise NotFoundError("this peer is no longer known")
        if known.paused:
            raise UnavailableError("this node has paused the peer")
        most = allowed_s(self.job.subjects)
        with PeerClient.open(node, known, self.checkpoint.count, self.lease.stopping.is_set, most) as link:
            deadline = node.clock() + timedelta(seconds=limits.part_timeout_s)
            if self.part.closes_at is not None and not self.part.close_estimated:
                deadline = min(self.part.closes_at, deadline)
            yield self._context(known, link, deadline), link

    def _context(self, known: PeerRow, link: PeerClient, deadline: datetime) -> QueryContext:
        context = QueryContext.of(self.node, known, link, self.checkpoint, self.points, deadline)
        if not self.part.is_away:
            return context
        # A peer that was away is tried once: there may be thousands of jobs that wait for it.
        return replace(context, settings=context.settings.model_copy(update={"retry_attempts": 1}))


def allowed_s(people: int) -> float:
    """Seconds for a part about so many people, besides what it fetches: its size says how long it may take.

    Two queries of two numbers a person, at the pace of a stream that is not ended for slowness.
    """
    return START_S + 2 * 2 * people / POINTS_A_SECOND


@in_new_request()
def run_part(run: PartRun[C], ask: Callable[[], None]) -> None:
    """Ask, and keep how it ended; an error is the state of this part only.

    The part stays open when the node stops, where the peer is to be asked again later than in a minute, and
    where it is away: then it gives its worker back, and waits. Raises LeaseLostError, and UnavailableError
    where the database is unreachable.
    """
    began = time.monotonic()
    state, reason = "done", ""
    try:
        if run.part.state == WAITING:
            run.checkpoint.wait(0)  # its job may have been cancelled meanwhile
            run.checkpoint.go_on()
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
    """When a part goes on that the peer told to come back, or whose peer is away; None where it ends."""
    now, part = run.node.clock(), run.part
    if isinstance(error, UnavailableError):
        wait = _wait_away(run, now)
    elif isinstance(error, LimitError) and error.retry_after is not None:
        wait = error.retry_after if error.retry_after > LONGEST_WAIT else None
    else:
        wait = None
    if wait is None or part.is_over(now):
        return None
    ends = None if part.close_estimated else part.closes_at
    if ends is None or now + wait < ends:
        return now + wait
    # A peer that is away may still come back: then the part ends at its time. A quota cannot.
    return ends if isinstance(error, UnavailableError) else None


def _wait_away(run: PartRun[C], now: datetime) -> timedelta | None:
    """As long as the peer is asked already, within bounds; so nothing has to be kept to let the waits
    grow.
    """
    settings, asked_at = run.node.config.deadlines, run.part.asked_at
    if not settings.retry_min_s or asked_at is None:
        return None
    shortest, longest = (timedelta(seconds=one) for one in (settings.retry_min_s, settings.retry_max_s))
    return min(max(now - asked_at, shortest), longest)


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
