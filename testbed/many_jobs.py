"""Many finished jobs in a home's database, for what must stay quick however many there are."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import insert

from node.database import Store, jobs
from node.database.tables import jobs as job_table
from node.database.tables import parts as part_table
from node.domain.days import china_day, month_number
from node.domain.jobs import JobRow, PartClock

_AT_ONCE: Final = 5_000
_STEP: Final = timedelta(minutes=3)
_DUE: Final = timedelta(days=10)
_POINTS: Final = 1_024


def add_many(store: Store, count: int, owners: Sequence[str], peers: Sequence[str], now: datetime) -> None:
    """`count` jobs that are done, one every three minutes until now, of each owner in turn. They hold no
    request: nothing but their list and their pages can be opened.

    The first is made as every job is; the others are its rows with other ids, owners and times.
    """
    first = _id(0)
    with store.transaction("add a job", write=True) as tx:
        jobs.add_job(tx, _row(first, owners[0], now), b"", peers, PartClock(now, now + _DUE, now + _DUE))
        jobs.set_job_state(tx, first, "done", now)
        for peer in peers:
            jobs.update_part(tx, first, peer, {"state": "done", "points": _POINTS, "ended_at": now})
        job = dict(tx.execute(job_table.select().where(job_table.c.id == first)).mappings().one())
        parts = [*tx.execute(part_table.select().where(part_table.c.job == first)).mappings()]
    for begin in range(1, count, _AT_ONCE):
        made = range(begin, min(begin + _AT_ONCE, count))
        with store.transaction("add many jobs", write=True) as tx:
            own = {one: {"month": _month(now, one), "owner": owners[one % len(owners)]} for one in made}
            tx.execute(insert(job_table), [{**_moved(job, one), "id": _id(one), **own[one]} for one in made])
            of_peers = [{**_moved(part, one), "job": _id(one), **own[one]} for one in made for part in parts]
            if of_peers:
                tx.execute(insert(part_table), of_peers)


def _id(number: int) -> str:
    return f"many-{number:07}"


def _month(now: datetime, number: int) -> int:
    return month_number(china_day(now - number * _STEP))


def _moved(row: Mapping[str, Any], number: int) -> dict[str, Any]:
    """The same, so many steps earlier."""
    return {k: v - number * _STEP if isinstance(v, datetime) else v for k, v in row.items()}


def _row(job: str, owner: str, at: datetime) -> JobRow:
    return JobRow(
        id=job,
        state="queued",
        request_digest=bytes(32),
        subjects=3,
        items=("C21", "C23"),
        purpose="review",
        legal_basis="SA-2026-41",
        created_at=at,
        due_at=at + _DUE,
        finished_at=None,
        cancel_requested=False,
        error="",
        owner=owner,
    )
