"""The audit chain of a home: events added by commands, read, checked."""

from collections.abc import Iterator, Mapping

from node.clock import utc_now
from node.config import Config
from node.database import Store, audit_log, database_url, open_store
from node.domain.audit_chain import START, AuditEvent, Detail, first_broken
from node.errors import AuditBrokenError
from node.governance.stores import opened


def record(config: Config, event: str, details: Mapping[str, Detail]) -> None:
    """Add an event that changes nothing else in the database. Raises UnavailableError, ConflictError."""
    with open_store(database_url(config)).transaction(f"audit {event}", write=True) as tx:
        audit_log.append(tx, event, details, utc_now())


def read_events(config: Config, after: int, store: Store | None = None) -> Iterator[AuditEvent]:
    """Events in order, those after a number."""
    with opened(config, store).transaction("read audit") as tx:
        yield from audit_log.events(tx, after)


def find_broken(config: Config, store: Store | None = None) -> tuple[int, int, bytes]:
    """How many events there are, the number of the first that was changed or follows a removed one (0 where
    the chain is whole), and the digest of the last.
    """
    count, head = 0, START

    def counted() -> Iterator[AuditEvent]:
        nonlocal count, head
        for event in read_events(config, 0, store):
            count, head = count + 1, event.digest
            yield event

    found = counted()
    broken = first_broken(found)
    for _ in found:
        pass  # the rest is counted
    return count, broken or 0, head


def check_chain(config: Config) -> int:
    """How many events there are, none of which was changed or removed. Raises AuditBrokenError."""
    count, broken, _ = find_broken(config)
    if broken:
        raise AuditBrokenError(
            f"the audit chain is broken at event {broken} of {count}",
            "somebody changed the database outside Heqiao; keep it as it is and compare it with a backup",
        )
    return count
