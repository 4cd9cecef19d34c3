"""Notices and their delivery (node/domain/notices.py)."""

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Row, delete, func, insert, or_, select, update

from node.database.tables import jobs, parts
from node.database.watch_tables import notice_deliveries, notices, watch_looks, watches
from node.domain.days import FIRST_DAY
from node.domain.notices import Level, Notice, NoticeKind, NoticeRow


def list_notices(
    tx: Connection, after: int = 0, limit: int | None = None, *, open_only: bool = False
) -> list[NoticeRow]:
    """Notices behind a number, in order."""
    wanted = select(notices).where(notices.c.seq > after).order_by(notices.c.seq).limit(limit)
    if open_only:
        wanted = wanted.where(notices.c.cleared_at.is_(None))
    return [_notice(row) for row in tx.execute(wanted)]


def add_notice(tx: Connection, new: Notice, channels: Collection[str], now: datetime) -> int:
    """Add a notice that is to go through some channels; its number.

    Two transactions that take the same number conflict, so that a reader of all numbers up to one has missed
    none. Raises ConflictError.
    """
    seq = int(tx.scalar(select(func.coalesce(func.max(notices.c.seq), 0))) or 0) + 1
    tx.execute(
        insert(notices).values(
            seq=seq,
            kind=new.kind.value,
            subject=new.subject,
            owner=new.owner,
            level=new.level.value,
            amount=new.count,
            due_on=None if new.due_on is None else (new.due_on - FIRST_DAY).days,
            raised_at=now,
        )
    )
    for channel in channels:
        tx.execute(insert(notice_deliveries).values(seq=seq, channel=channel, tries=0, retry_at=now))
    return seq


def clear_notices(tx: Connection, seqs: Sequence[int], now: datetime) -> None:
    """Note that some no longer hold."""
    mine = (notices.c.seq.in_(seqs), notices.c.cleared_at.is_(None))
    tx.execute(update(notices).where(*mine).values(cleared_at=now))


def waiting(tx: Connection, channel: str, now: datetime, limit: int) -> list[NoticeRow]:
    """Notices that are still to go through a channel, and whose time has come, in order."""
    wanted = (
        select(notices)
        .join(notice_deliveries, notice_deliveries.c.seq == notices.c.seq)
        .where(
            notice_deliveries.c.channel == channel,
            notice_deliveries.c.delivered_at.is_(None),
            notice_deliveries.c.retry_at <= now,
        )
        .order_by(notices.c.seq)
        .limit(limit)
    )
    return [_notice(row) for row in tx.execute(wanted)]


def count_waiting(tx: Connection, channel: str) -> int:
    """How many are still to go through a channel."""
    mine = (notice_deliveries.c.channel == channel, notice_deliveries.c.delivered_at.is_(None))
    return int(tx.scalar(select(func.count()).select_from(notice_deliveries).where(*mine)) or 0)


def note_delivered(tx: Connection, channel: str, seqs: Sequence[int], now: datetime) -> None:
    """They went through a channel."""
    mine = (notice_deliveries.c.channel == channel, notice_deliveries.c.seq.in_(seqs))
    tx.execute(update(notice_deliveries).where(*mine).values(delivered_at=now))


def note_failed(tx: Connection, channel: str, seqs: Sequence[int], now: datetime, longest: timedelta) -> None:
    """They did not: tried again after a minute, two, four and so on, up to the longest wait."""
    mine = (notice_deliveries.c.channel == channel, notice_deliveries.c.seq.in_(seqs))
    for row in list(tx.execute(select(notice_deliveries).where(*mine))):
        wait = min(timedelta(minutes=1) * 2 ** min(row.tries, 20), longest)
        one = (notice_deliveries.c.channel == channel, notice_deliveries.c.seq == row.seq)
        tx.execute(update(notice_deliveries).where(*one).values(tries=row.tries + 1, retry_at=now + wait))


def count_old(tx: Connection, before: datetime) -> int:
    """How many were cleared before a moment."""
    return int(tx.scalar(select(func.count()).select_from(notices).where(_old(before))) or 0)


def erase_old(tx: Connection, before: datetime) -> int:
    """Erase them but the last of all, whose number the next one follows; how many."""
    last = int(tx.scalar(select(func.coalesce(func.max(notices.c.seq), 0))) or 0)
    return tx.execute(delete(notices).where(_old(before), notices.c.seq < last)).rowcount


def overdue_parts(tx: Connection, since: datetime) -> dict[tuple[str, str], int]:
    """How many parts ended as overdue in jobs that ended since a moment, by owner and peer."""
    wanted = (
        select(jobs.c.owner, parts.c.peer, func.count().label("number"))
        .join(jobs, jobs.c.id == parts.c.job)
        .where(parts.c.state == "overdue", or_(jobs.c.finished_at.is_(None), jobs.c.finished_at >= since))
        .group_by(jobs.c.owner, parts.c.peer)
    )
    return {(row.owner, row.peer): int(row.number) for row in tx.execute(wanted)}


def distrusted_parts(tx: Connection, since: datetime) -> dict[str, int]:
    """How many answers of each peer were not trusted, in jobs that ended since a moment."""
    wanted = (
        select(parts.c.peer, func.count().label("number"))
        .join(jobs, jobs.c.id == parts.c.job)
        .where(parts.c.state == "distrusted", or_(jobs.c.finished_at.is_(None), jobs.c.finished_at >= since))
        .group_by(parts.c.peer)
    )
    return {row.peer: int(row.number) for row in tx.execute(wanted)}


def failed_looks(tx: Connection) -> dict[tuple[str, str], int]:
    """At how many peers the last look of a list did not end well, by owner and list."""
    wanted = (
        select(watches.c.owner, watches.c.id, func.count().label("number"))
        .join(watch_looks, watch_looks.c.watch == watches.c.id)
        .where(watch_looks.c.reason != "")
        .group_by(watches.c.owner, watches.c.id)
    )
    return {(row.owner, row.id): int(row.number) for row in tx.execute(wanted)}


def count_watches(tx: Connection) -> int:
    """How many watch lists there are."""
    return int(tx.scalar(select(func.count()).select_from(watches)) or 0)


def _old(before: datetime) -> Any:
    return notices.c.cleared_at < before


def _notice(row: Row[Any]) -> NoticeRow:
    due = None if row.due_on is None else FIRST_DAY + timedelta(days=row.due_on)
    found = Notice(NoticeKind(row.kind), Level(row.level), row.subject, row.owner, row.amount, due)
    return NoticeRow(row.seq, found, row.raised_at, row.cleared_at)
