"""Alerts as their readers see them: listed, acknowledged, erased when their time is over."""

from collections.abc import Sequence
from functools import partial

from node.context import Node
from node.database import Connection
from node.database import alerts as rows
from node.database import audit_log as audit_rows
from node.domain.alerts import Alert
from node.domain.job_access import NODE_ACCESS, JobAccess
from node.domain.sealed_names import of_alert
from node.errors import NotFoundError, RefusedError
from node.jobs.watch_store import open_alert


def list_alerts(
    node: Node,
    access: JobAccess = NODE_ACCESS,
    after: int = 0,
    limit: int | None = None,
    watch: str | None = None,
    *,
    open_only: bool = False,
    before: int = 0,
    newest_first: bool = False,
) -> list[Alert]:
    """The alerts that a caller may see, between two numbers, in order or the newest first."""
    with node.store.transaction("list alerts") as tx:
        found = rows.list_alerts(
            tx,
            access.seen,
            after,
            limit,
            watch,
            open_only=open_only,
            before=before,
            newest_first=newest_first,
        )
    return [open_alert(node, row) for row in found]


def acknowledge(node: Node, alerts: Sequence[str], note: str, access: JobAccess = NODE_ACCESS) -> int:
    """Note that a person has looked at alerts; how many were not acknowledged before.

    All or none. It changes nothing about the person (社会救助法 art. 48). Raises NotFoundError, RefusedError.
    """
    return node.store.retry_write("acknowledge alerts", partial(_acknowledge, node, alerts, note, access))


def _acknowledge(node: Node, alerts: Sequence[str], note: str, access: JobAccess, tx: Connection) -> int:
    now, done = node.clock(), 0
    watches = set()
    for alert in alerts:
        row = rows.find_alert(tx, alert)
        if row is None or not access.may_see(row.owner):
            raise NotFoundError("there is no such alert", "see `heqiao watch alerts list`")
        if not access.may_change(row.owner):
            raise RefusedError(
                "this alert belongs to another platform",
                "that platform can acknowledge it",
                {"rule": "job_owner"},
            )
        sealed = node.keys.vault.seal(of_alert(alert, "note"), note.encode()) if note else None
        done += rows.acknowledge(tx, alert, access.owner, sealed, now)
        watches.add(row.watch)
    if done:
        details: dict[str, str | int | list[str]] = {
            "alerts": done,
            "by": access.owner,
            "watches": sorted(watches),
        }
        audit_rows.append(tx, "alerts_acknowledged", details, now)
    return done
