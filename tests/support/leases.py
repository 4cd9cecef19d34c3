"""Operations on leases for tests."""

from node.database import Store
from node.database import leases as lease_rows


def take(store: Store, name: str, seconds: float = 30) -> int | None:
    return store.retry_write("take", lambda tx: lease_rows.acquire(tx, name, seconds))


def expire(store: Store, name: str) -> None:
    """Let a lease expire, by changing its row: no test can move the database's clock."""
    with store.transaction("expire", write=True) as tx:
        tx.exec_driver_sql(f"UPDATE leases SET expires_at = 1 WHERE name = '{name}'")
