"""What this node asked is kept for a time and then erased (design.md section 7; domain.md section 9, R11).

The audit chain, which holds no person, is never cut: records of what was given to others are kept for three
years at least (R7). Erasing is an audited event with counts.
"""

from collections.abc import Callable
from dataclasses import asdict
from datetime import datetime, timedelta
from functools import partial
from typing import Final, TypeVar

from node.context import Node
from node.database import Connection
from node.database import alerts as alert_rows
from node.database import audit_log as audit_rows
from node.database import corrections as correction_rows
from node.database import drafts as draft_rows
from node.database import notices as notice_rows
from node.database import objections as objection_rows
from node.database import record_retention as record_rows
from node.database import retention as rows
from node.domain.days import FIRST_DAY, china_day
from node.domain.retention import Erased

AT_ONCE: Final = 50  # jobs in one transaction: others write in between
T = TypeVar("T")
Write = Callable[[str, Callable[[Connection], T]], T]
Show = Callable[[int, int], None]


def read_due(node: Node) -> Erased:
    """What a run would erase now."""
    with node.store.transaction("look what is due") as tx:
        due = rows.due_jobs(tx, *_moments(node))
        found = Erased(
            secrets=rows.leftover_secrets(tx),
            alerts=alert_rows.count_old(tx, *_moments(node)),
            notices=notice_rows.count_old(tx, _moments(node)[1]),
            drafts=len(draft_rows.old_drafts(tx, _moments(node)[1])),
            cases=_count_cases(tx, _moments(node)[1]),
        )
        for at in range(0, len(due), AT_ONCE):
            found += rows.count(tx, due[at : at + AT_ONCE])
        return found + Erased(records=record_rows.count_due(tx, *_record_moments(node)))


def count_due(node: Node) -> tuple[int, int]:
    """How many jobs a run would erase now, and how many secrets that they left."""
    with node.store.transaction("count what is due") as tx:
        return rows.count_due(tx, *_moments(node)), rows.leftover_secrets(tx)


def erase_due(
    node: Node,
    write: Write[Erased] | None = None,
    show: Show = lambda _done, _total: None,
    stopping: Callable[[], bool] = lambda: False,
) -> tuple[Erased, bool]:
    """Erase what is due. Returns how much, and whether its bytes are gone from the log of an SQLite file too.

    Jobs that wait or run are never touched. A run that is stopped or killed is complete up to there; the next
    goes on. `write` is `Lease.write` for the scheduler. Raises NodeError kinds.
    """
    write = write or node.store.retry_write
    with node.store.transaction("look what is due") as tx:
        due = rows.due_jobs(tx, *_moments(node))
    erased = write("erase secrets", partial(_erase, node, ()))
    erased += write("erase alerts", partial(_erase_alerts, node))
    for at in range(0, len(due), AT_ONCE):
        if stopping():
            break
        show(at, len(due))
        erased += write("erase jobs", partial(_erase, node, due[at : at + AT_ONCE]))
    show(len(due), len(due))
    while not stopping():
        more = write("erase records", partial(_erase_records, node))
        if more == Erased():
            break
        erased += more
    return erased, erased == Erased() or node.store.clear_log()


def _erase(node: Node, chosen: tuple[str, ...] | list[str], tx: Connection) -> Erased:
    if chosen:
        erased = rows.erase(tx, chosen, *_moments(node))
    else:
        before = _moments(node)[1]
        cases = correction_rows.erase_due(tx, before) + objection_rows.erase_due(tx, before)
        erased = Erased(secrets=rows.erase_secrets(tx), cases=cases)
    if erased != Erased():
        audit_rows.append(tx, "retention_erased", asdict(erased), node.clock())
    return erased


def _erase_records(node: Node, tx: Connection) -> Erased:
    """Some of the records whose time is over: mandates that ended, households without one, who was asked."""
    erased = Erased(records=record_rows.erase_some(tx, AT_ONCE, *_record_moments(node)))
    if erased != Erased():
        audit_rows.append(tx, "retention_erased", asdict(erased), node.clock())
    return erased


def _erase_alerts(node: Node, tx: Connection) -> Erased:
    """Alerts some time after a person has seen them, or when they are as old as answers may be; notices, and
    drafts that nobody changed.
    """
    moments = _moments(node)
    erased = Erased(
        alerts=alert_rows.erase_old(tx, *moments),
        notices=notice_rows.erase_old(tx, moments[1]),
        drafts=draft_rows.erase_old(tx, moments[1]),
    )
    if erased != Erased():
        audit_rows.append(tx, "retention_erased", asdict(erased), node.clock())
    return erased


def _count_cases(tx: Connection, before: datetime) -> int:
    """Objections and corrections that ended, or should have, before a moment."""
    return correction_rows.count_due(tx, before) + objection_rows.count_due(tx, before)


def _record_moments(node: Node) -> tuple[datetime, int]:
    """Before when records are due; the same as a day since 1970-01-01."""
    before = node.clock() - timedelta(days=node.config.retention.records_days)
    return before, (china_day(before) - FIRST_DAY).days


def _moments(node: Node) -> tuple[datetime, datetime]:
    """What was fetched before the first, or ended before the second, is due."""
    now, settings = node.clock(), node.config.retention
    return now - timedelta(days=settings.fetched_days), now - timedelta(days=settings.kept_days)
