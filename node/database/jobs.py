"""Jobs, their parts, and the checkpoint from which a killed requester resumes (design.md section 8).

All data that could identify a person (the request, the session with its seed, tokens, answers) is sealed
before it is passed to this module.
"""

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from functools import cache

from sqlalchemy import (
    BindParameter,
    Connection,
    Row,
    Select,
    Table,
    and_,
    bindparam,
    delete,
    exists,
    false,
    insert,
    literal,
    or_,
    select,
    update,
)

from node.database.case_tables import matched_entries
from node.database.job_statistics import change_part
from node.database.leases import is_held, job_lease
from node.database.tables import answers, jobs, parts, sum_products, tokens
from node.domain.days import china_day, month_number
from node.domain.jobs import OPEN_PARTS, OPEN_STATES, WAITING, JobRow, PartClock, PartRow

_COUNTED = ("month", "hours", "owner", "subjects")  # of parts; of jobs only the month is no field of a row
_JOB = tuple(column for column in jobs.c if column.name not in ("request_sealed", "month", "answered"))
PART_COLUMNS = tuple(one for one in parts.c if not one.name.endswith("_sealed") and one.name not in _COUNTED)

# Built once: it takes longer to build a statement than to run it, and the smallest job runs nearly all of
# these. What an update sets, and an insert stores, are the columns among the parameters.
_THIS: BindParameter[str] = bindparam("of_job")
_THAT: BindParameter[str] = bindparam("of_peer")
_FIND_JOB = select(*_JOB).where(jobs.c.id == _THIS)
_REQUEST = select(jobs.c.request_sealed).where(jobs.c.id == _THIS)
_CANCELLED = select(jobs.c.cancel_requested).where(jobs.c.id == _THIS)
_COUNTED_WITH = select(jobs.c.month, jobs.c.owner, jobs.c.subjects).where(jobs.c.id == _THIS)
_HAS_ANSWER = exists().where(parts.c.job == _THIS, parts.c.state == "done")
_CHANGE_JOB = update(jobs).where(jobs.c.id == _THIS).values(answered=_HAS_ANSWER)
_LIST_PARTS = select(*PART_COLUMNS).where(parts.c.job == _THIS).order_by(parts.c.peer)
_PARTS_OF = (
    select(*PART_COLUMNS)
    .where(parts.c.job.in_(bindparam("chosen", expanding=True)))
    .order_by(parts.c.job, parts.c.peer)
)
_CLOSE_PARTS = update(parts).where(parts.c.job == _THIS).values(session_sealed=None)
_SEALED = {
    name: select(parts.c[name]).where(parts.c.job == _THIS, parts.c.peer == _THAT)
    for name in ("session_sealed", "refusals_sealed", "reused_sealed")
}
_READ_TOKENS = (
    select(tokens.c.first_point, tokens.c.sealed)
    .where(tokens.c.job == _THIS, tokens.c.peer == _THAT)
    .order_by(tokens.c.first_point)
)
_ADD = {table: insert(table) for table in (jobs, parts, tokens, answers, sum_products)}
_ERASE = {
    table: delete(table).where(table.c.job == _THIS, table.c.peer == _THAT)
    for table in (tokens, sum_products, answers, matched_entries)
}
_ERASE_ITEMS = {
    table: _ERASE[table].where(table.c.item.in_(bindparam("items", expanding=True)))
    for table in (answers, matched_entries)
}
_ERASE_ALL = {table: delete(table).where(table.c.job == _THIS) for table in (tokens, sum_products)}
_BY_ITEM = {
    table: select(table.c.item, table.c.sealed).where(table.c.job == _THIS, table.c.peer == _THAT)
    for table in (answers, sum_products)
}


def add_job(
    tx: Connection, job: JobRow, request_sealed: bytes, peers: Sequence[str], clock: PartClock | None = None
) -> None:
    """Store a new job and a pending part for each peer, with its deadlines. A known id raises
    ConflictError.
    """
    tx.execute(
        _ADD[jobs],
        {
            "id": job.id,
            "kind": job.kind,
            "owner": job.owner,
            "state": job.state,
            "request_digest": job.request_digest,
            "request_sealed": request_sealed,
            "subjects": job.subjects,
            "items": json.dumps(job.items),
            "purpose": job.purpose,
            "legal_basis": job.legal_basis,
            "created_at": job.created_at,
            "month": month_number(china_day(job.created_at)),
            "due_at": job.due_at,
            "due_estimated": job.due_estimated,
            "report_by": job.report_by,
            "auto_peers": job.auto_peers,
            "finished_at": None,
            "fetched_at": None,
            "files_issued": 0,
            "mandates": job.mandates,
            "answered": False,
            "cancel_requested": False,
            "error": "",
        },
    )
    add_parts(tx, job.id, peers, clock or PartClock(job.created_at, job.due_at, job.due_at))


def add_parts(tx: Connection, job: str, peers: Sequence[str], clock: PartClock) -> None:
    """Store a pending part for each peer."""
    if peers:
        counted = tx.execute(_COUNTED_WITH, {"of_job": job}).mappings().one()
        tx.execute(_ADD[parts], [{**_new_part(job, peer), **counted, **asdict(clock)} for peer in peers])


def _new_part(job: str, peer: str) -> dict[str, object]:
    counts = dict.fromkeys(("done", "total", "epoch", "points", "bytes_up", "bytes_down"), 0)
    texts = dict.fromkeys(("reason", "plan", "plan_reason"), "")
    sealed = dict.fromkeys(("session_sealed", "refusals_sealed", "reused_sealed"))
    begun = {"job": job, "peer": peer, "state": "pending", "seconds": 0.0, "definitions": "{}"}
    return {**begun, **counts, **texts, **sealed}


def find_job(tx: Connection, job: str) -> JobRow | None:
    """One job."""
    row = tx.execute(_FIND_JOB, {"of_job": job}).one_or_none()
    return None if row is None else _job(row)


def list_jobs(
    tx: Connection,
    limit: int,
    owners: Collection[str] | None = None,
    states: Collection[str] = (),
    after: tuple[datetime, str] | None = None,
) -> list[JobRow]:
    """Newest first, of some owners or all, in some states or all; those that follow the job that was created
    at a time under an id.
    """
    order = (jobs.c.created_at.desc(), jobs.c.id.desc())
    chosen = select(jobs.c.id).order_by(*order).limit(limit)
    if owners is not None:
        chosen = chosen.where(jobs.c.owner.in_(owners))
    if states:
        chosen = chosen.where(jobs.c.state.in_(states))
    if after is not None:
        at, job = after
        chosen = chosen.where(jobs.c.created_at <= at, or_(jobs.c.created_at < at, jobs.c.id < job))
    # The rows themselves are wide: only those of the page are read.
    found = chosen.subquery()
    page = select(*_JOB).join(found, found.c.id == jobs.c.id).order_by(*order)
    return [_job(row) for row in tx.execute(page)]


def open_jobs(tx: Connection, now: datetime) -> list[str]:
    """Jobs that have not ended, that no process holds, and that need not wait for a peer, oldest first."""
    return [row.id for row in tx.execute(_open_jobs(), {"now": now})]


@cache  # read every second
def _open_jobs() -> Select[tuple[str]]:
    now = bindparam("now", type_=parts.c.retry_at.type)
    held = is_held(literal(job_lease("")) + jobs.c.id)
    waiting = exists().where(parts.c.job == jobs.c.id, parts.c.state == WAITING)
    due = exists().where(parts.c.job == jobs.c.id, parts.c.state == WAITING, parts.c.retry_at <= now)
    running = exists().where(parts.c.job == jobs.c.id, parts.c.state.in_(OPEN_PARTS))
    over = and_(parts.c.closes_at <= now, parts.c.close_estimated == false())
    closed = exists().where(parts.c.job == jobs.c.id, parts.c.state == WAITING, over)
    can_run = or_(running, ~waiting, due, jobs.c.cancel_requested, closed)
    return select(jobs.c.id).where(jobs.c.state.in_(OPEN_STATES), ~held, can_run).order_by(jobs.c.created_at)


def open_requests(tx: Connection, kind: str) -> dict[str, bytes]:
    """The sealed requests of the jobs of a kind that have not ended."""
    mine = (jobs.c.kind == kind, jobs.c.state.in_(OPEN_STATES))
    return {row.id: bytes(row.request_sealed) for row in tx.execute(select(jobs).where(*mine))}


def read_request(tx: Connection, job: str) -> bytes:
    """The sealed request."""
    return bytes(tx.execute(_REQUEST, {"of_job": job}).scalar_one())


def set_job_state(
    tx: Connection, job: str, state: str, finished_at: datetime | None = None, error: str = ""
) -> None:
    """Set the state of a job, and with it whether a peer has answered."""
    changed = {"state": state, "finished_at": finished_at, "error": error}
    tx.execute(_CHANGE_JOB, {"of_job": job, **changed})


def request_cancel(tx: Connection, job: str) -> bool:
    """Request that a job stops; False when it has ended already."""
    done = tx.execute(
        update(jobs).where(jobs.c.id == job, jobs.c.state.in_(OPEN_STATES)).values(cancel_requested=True)
    )
    return done.rowcount > 0


def cancel_requested(tx: Connection, job: str) -> bool:
    """Whether the job was requested to stop."""
    return bool(tx.scalar(_CANCELLED, {"of_job": job}))


def list_parts(tx: Connection, job: str) -> list[PartRow]:
    """The parts of a job by peer."""
    return [_part(row) for row in tx.execute(_LIST_PARTS, {"of_job": job})]


def parts_of(tx: Connection, chosen: Sequence[str]) -> Mapping[str, list[PartRow]]:
    """The parts of some jobs by job, in the order of their peers."""
    found: dict[str, list[PartRow]] = {job: [] for job in chosen}
    for row in tx.execute(_PARTS_OF, {"chosen": list(chosen)}):
        found[row.job].append(_part(row))
    return found


def update_part(tx: Connection, job: str, peer: str, values: Mapping[str, object]) -> None:
    """Change some columns of a part."""
    change_part(tx, job, peer, values)


def read_session(tx: Connection, job: str, peer: str) -> bytes | None:
    """The sealed session of a part, None before it begins and after it ends."""
    return _read_sealed(tx, "session_sealed", job, peer)


def begin_query(tx: Connection, job: str, peer: str, items: Sequence[str], session_sealed: bytes) -> None:
    """Begin a query of a part about some items: delete what is left of an earlier one, store the session.

    Answers about other items are kept: they are of the query of another class.
    """
    mine = {"of_job": job, "of_peer": peer}
    for table in (tokens, sum_products):
        tx.execute(_ERASE[table], mine)
    tx.execute(_ERASE_ITEMS[answers], {**mine, "items": list(items)})
    update_part(tx, job, peer, {"session_sealed": session_sealed, "done": 0, "total": 0})


def close_part(tx: Connection, job: str, peer: str, changed: Mapping[str, object] | None = None) -> None:
    """Erase the data that only a running query needs (its seed, its tokens, its sums), and change columns."""
    for table in (tokens, sum_products):
        tx.execute(_ERASE[table], {"of_job": job, "of_peer": peer})
    update_part(tx, job, peer, {**(changed or {}), "session_sealed": None})


def forget_run(tx: Connection, job: str, peer: str, items: Collection[str] | None = None) -> None:
    """Erase what an earlier run of a part left, its answers too: of some items or all."""
    close_part(tx, job, peer)
    for table in (answers, matched_entries):
        mine = {"of_job": job, "of_peer": peer}
        if items is None:
            tx.execute(_ERASE[table], mine)
        else:
            tx.execute(_ERASE_ITEMS[table], {**mine, "items": list(items)})
    update_part(tx, job, peer, {"done": 0, "total": 0})


def close_parts(tx: Connection, job: str) -> None:
    """Erase the same of all parts of a job."""
    for table in (tokens, sum_products):
        tx.execute(_ERASE_ALL[table], {"of_job": job})
    tx.execute(_CLOSE_PARTS, {"of_job": job})


def read_refusals(tx: Connection, job: str, peer: str) -> bytes | None:
    """The sealed refusals of a part, None before it has run."""
    return _read_sealed(tx, "refusals_sealed", job, peer)


def read_reused(tx: Connection, job: str, peer: str) -> bytes | None:
    """The sealed answers of earlier jobs that a part uses again."""
    return _read_sealed(tx, "reused_sealed", job, peer)


def _read_sealed(tx: Connection, column: str, job: str, peer: str) -> bytes | None:
    found = tx.scalar(_SEALED[column], {"of_job": job, "of_peer": peer})
    return None if found is None else bytes(found)


def add_tokens(tx: Connection, job: str, peer: str, first_point: int, sealed: bytes) -> None:
    """Store the sealed tokens of one chunk."""
    tx.execute(_ADD[tokens], {"job": job, "peer": peer, "first_point": first_point, "sealed": sealed})


def read_tokens(tx: Connection, job: str, peer: str) -> list[tuple[int, bytes]]:
    """Sealed token chunks in order of their first point."""
    rows = tx.execute(_READ_TOKENS, {"of_job": job, "of_peer": peer})
    return [(row.first_point, bytes(row.sealed)) for row in rows]


def add_product(tx: Connection, job: str, peer: str, item: str, sealed: bytes) -> None:
    """Store the sealed sum of one item until it is opened."""
    tx.execute(_ADD[sum_products], {"job": job, "peer": peer, "item": item, "sealed": sealed})


def read_products(tx: Connection, job: str, peer: str) -> dict[str, bytes]:
    """Sealed sums that are not opened yet, by item."""
    return _by_item(tx, sum_products, job, peer)


def add_answers(tx: Connection, job: str, peer: str, item: str, sealed: bytes) -> None:
    """Store the sealed answers of one item."""
    tx.execute(_ADD[answers], {"job": job, "peer": peer, "item": item, "sealed": sealed})


def read_answers(tx: Connection, job: str, peer: str) -> dict[str, bytes]:
    """Sealed answers by item."""
    return _by_item(tx, answers, job, peer)


def _by_item(tx: Connection, table: Table, job: str, peer: str) -> dict[str, bytes]:
    rows = tx.execute(_BY_ITEM[table], {"of_job": job, "of_peer": peer})
    return {row.item: bytes(row.sealed) for row in rows}


def _job(row: Row[tuple[object, ...]]) -> JobRow:
    values = dict(row._mapping)  # noqa: SLF001 - SQLAlchemy's documented name
    values["items"] = tuple(json.loads(values["items"]))
    values["request_digest"] = bytes(values["request_digest"])
    return JobRow(**values)


def _part(row: Row[tuple[object, ...]]) -> PartRow:
    return PartRow(**row._mapping)  # noqa: SLF001
