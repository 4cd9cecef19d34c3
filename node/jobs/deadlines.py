"""Deadlines of parts: counted when a peer is asked, watched while the node serves (domain.md section 2)."""

from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Final

from node.context import Node
from node.database import Connection
from node.database import audit_log as audit_rows
from node.database import deadlines as rows
from node.domain.answer_times import AnswerTimes, summarise_times
from node.domain.days import china_day
from node.domain.jobs import PartClock, PartRow
from node.jobs.calendar import working_days
from node.telemetry import log

MOST_ATTEMPTS: Final = 10_000  # of which the times of a peer are counted, the newest
EVERY: Final = timedelta(minutes=10)  # deadlines are days: nothing depends on a minute
OPEN, WARNED, DUE, HELD = "open", "warned", "due", "held"  # how far the clock of a part is
Write = Callable[[str, Callable[[Connection], bool]], bool]


@dataclass(frozen=True, slots=True)
class PartDeadline:
    """A part that has not ended, of whose job, and how far its clock is: OPEN, WARNED, DUE, or HELD: it would
    be closed, but its date is estimated.
    """

    owner: str
    part: PartRow
    stage: str


def clock_of(node: Node, asked_at: datetime) -> PartClock:
    """The deadlines of a part whose peer is asked now. Raises ConfigError without the table of days."""
    days, settings = working_days(node), node.config.deadlines
    due, closes = (days.add(asked_at, count) for count in (settings.due_days, settings.close_days))
    return PartClock(asked_at, due.at, closes.at, due.estimated, closes.estimated)


def report_by(node: Node, asked_at: datetime) -> datetime:
    """When the report of a job is to be issued: calendar days later."""
    return asked_at + timedelta(days=node.config.deadlines.report_days)


def list_deadlines(node: Node, owners: Collection[str] | None = None) -> list[PartDeadline]:
    """The parts that have not ended, of some owners' jobs or all; the first due first."""
    with node.store.transaction("list deadlines") as tx:
        found = rows.open_parts(tx, owners)
    now = node.clock()
    return [PartDeadline(owner, part, stage_of(part, now)) for owner, part in found]


def peer_times(node: Node, peer: str, owners: Collection[str] | None = None) -> AnswerTimes:
    """How long a peer takes to answer, by some owners' jobs that are stored, or all."""
    with node.store.transaction("read attempts") as tx:
        found = list(rows.ended_attempts(tx, peer, MOST_ATTEMPTS, owners))
    return summarise_times(found, node.config.deadlines.report_days)


def stage_of(part: PartRow, now: datetime) -> str:
    """How far the clock of a part that has not ended is."""
    if part.closes_at is not None and part.closes_at <= now and part.close_estimated:
        return HELD
    if part.due_at is not None and part.due_at <= now:
        return DUE
    return WARNED if part.warned_at is not None else OPEN


def watch_deadlines(
    node: Node, write: Write | None = None, stopping: Callable[[], bool] = lambda: False
) -> tuple[int, int]:
    """Warn of parts that have no answer for some days, and count estimated deadlines anew where a table is
    there by now. Returns how many parts were warned of, and how many deadlines changed.

    Parts whose time is over are closed by their jobs, which run again then (`node.jobs.engine`). Raises
    ConfigError without the table of days, and as `write` does.
    """
    write = write or node.store.retry_write
    warned = moved = 0
    for one in list_deadlines(node):
        if stopping():
            break
        part = one.part
        if part.asked_at is None:
            continue
        if part.close_estimated and (clock := clock_of(node, part.asked_at)) != _clock(part):
            write("count deadline", partial(_move, part=part, clock=clock))
            moved += 1
        due = working_days(node).add(part.asked_at, node.config.deadlines.warn_days)
        if part.warned_at is None and due.at <= node.clock():
            warned += write("warn of part", partial(_warn, node, part))
    return warned, moved


def _clock(part: PartRow) -> PartClock | None:
    if part.asked_at is None or part.due_at is None or part.closes_at is None:
        return None
    return PartClock(part.asked_at, part.due_at, part.closes_at, part.due_estimated, part.close_estimated)


def _move(tx: Connection, part: PartRow, clock: PartClock) -> bool:
    rows.set_clock(tx, part, clock)
    return True


def _warn(node: Node, part: PartRow, tx: Connection) -> bool:
    now = node.clock()
    if not rows.note_warned(tx, part, now):
        return False
    audit_rows.append(tx, "part_warned", {"job": part.job, "peer": part.peer}, now)
    due = "" if part.due_at is None else china_day(part.due_at).isoformat()
    mark = " (estimated)" if part.due_estimated else ""
    log.get_logger().warning("part_unanswered", job=part.job, peer=part.peer, reason=f"due {due}{mark}")
    return True
