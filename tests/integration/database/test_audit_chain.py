"""The chain of audit rows in a real database."""

from datetime import UTC, datetime

from node.database import audit_log, open_store
from node.domain.audit_chain import first_broken

NOW = datetime(2026, 7, 1, tzinfo=UTC)


def test_the_stored_chain(tmp_path):
    store = open_store(f"sqlite:///{tmp_path}/heqiao.db")
    for number in range(3):
        with store.transaction("append", write=True) as tx:
            audit_log.append(tx, "item_imported", {"item": "C21", "read": number}, NOW)
    with store.transaction("read") as tx:
        events = list(audit_log.events(tx))
        assert [event.seq for event in audit_log.events(tx, after=2)] == [3]
    assert first_broken(events) is None
    with store.transaction("tamper", write=True) as tx:
        tx.exec_driver_sql("UPDATE audit SET details = '{}' WHERE seq = 2")
    with store.transaction("read") as tx:
        assert first_broken(audit_log.events(tx)) == 2
    store.dispose()
