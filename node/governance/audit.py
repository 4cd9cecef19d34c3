"""The audit chain of a home: events added by commands, read, checked."""

from collections.abc import Iterator, Mapping

from node.clock import utc_now
from node.config import Config
from node.database import audit_log, database_url, open_store
from node.domain.audit_chain import AuditEvent, Detail, first_broken
from node.errors import AuditBrokenError


def record(config: Config, event: str, details: Mapping[str, Detail]) -> None:
    """Add an event that changes nothing else in the database. Raises UnavailableError, ConflictError."""
    with open_store(database_url(config)).transaction(f"audit {event}", write=True) as tx:
        audit_log.append(tx, event, details, utc_now())


def read_events(config: Config, after: int) -> Iterator[AuditEvent]:
    """Events in order, those after a number."""
    with open_store(database_url(config)).transaction("read audit") as tx:
        yield from audit_log.events(tx, after)


def check_chain(config: Config) -> int:
    """How many events there are, none of which was changed or removed. Raises AuditBrokenError."""
    events = list(read_events(config, 0))
    count, broken = len(events), first_broken(events)
    if broken is not None:
        raise AuditBrokenError(
            f"the audit chain is broken at event {broken} of {count}",
            "somebody changed the database outside Heqiao; keep it as it is and compare it with a backup",
        )
    return count
