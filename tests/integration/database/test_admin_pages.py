"""Pages of queries of peers and of audit events, in a real database."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import insert

from node.database import Store, audit_log, audit_pages, incoming, open_store
from node.database.audit_pages import EventChoice
from node.database.queries import QueryFields, QueryRow, add_query
from node.database.tables import sum_alerts, sum_queries

NOW = datetime(2026, 7, 1, tzinfo=UTC)


@pytest.fixture
def store(tmp_path) -> Iterator[Store]:
    found = open_store(f"sqlite:///{tmp_path}/heqiao.db")
    yield found
    found.dispose()


def test_both_kinds_in_one_list_newest_first(store: Store) -> None:
    fields = QueryFields("ordinary", 1, ("C21", "C22"), "review", "SA-1", bytes(32), b"m" * 32, 100)
    with store.transaction("ask", write=True) as tx:
        for number in range(3):
            at = NOW + timedelta(hours=number)
            row = QueryRow(fields, 100, 1, None, "open", at, None)
            add_query(tx, "45", bytes([number]) * 16, row, bytes(32))
        asked = {"peer": "46", "query_id": bytes(16), "item": "B11", "epoch": 1, "cohort_digest": bytes(32)}
        asked |= {"at": NOW + timedelta(minutes=30), "points": 50, "epsilon_milli": 0}
        asked |= {"blind_commitment": bytes(32), "mandate_root": b"s" * 32}
        tx.execute(insert(sum_queries).values(**asked))
        alert = {"peer": "46", "query_id": bytes(16), "item": "B11", "rule": "guard", "at": NOW}
        tx.execute(insert(sum_alerts).values(**alert))
    with store.transaction("read") as tx:
        found, total = incoming.list_incoming(tx, "", 3, 0)
        assert total == 4
        assert [one.kind for one in found] == ["verification", "verification", "sum"]
        assert found[0].items == ("C21", "C22")
        assert found[0].mandate_root == b"m" * 32
        assert (found[2].items, found[2].rule, found[2].state) == (("B11",), "guard", "charged")
        assert found[2].at == NOW + timedelta(minutes=30)
        assert [one.at for one in incoming.list_incoming(tx, "", 3, 3)[0]] == [NOW]
        assert incoming.list_incoming(tx, "46", 10, 0)[1] == 1
        assert incoming.list_incoming(tx, "99", 10, 0) == ([], 0)


def test_events_are_chosen_exactly(store: Store) -> None:
    """No letter of an account is a wildcard, and a peer is no other field of the same value."""
    rows = (
        ("signed_in", {"user": "a_b"}), ("signed_in", {"user": "axb"}), ("signed_in", {"user": "a_b2"}),
        ("quota_set", {"peer": "45"}), ("quota_set", {"peer": "46", "note": "45"}),
    )  # fmt: skip
    for number, (event, details) in enumerate(rows):
        with store.transaction("append", write=True) as tx:
            audit_log.append(tx, event, details, NOW + timedelta(days=number))

    def seqs(choice: EventChoice) -> list[int]:
        with store.transaction("read") as tx:
            found, total = audit_pages.page(tx, choice, 10, 0)
            assert total == len(found)
            assert [one.seq for one in audit_pages.in_order(tx, choice, 10)] == sorted(
                one.seq for one in found
            )
        return [one.seq for one in found]

    assert seqs(EventChoice()) == [5, 4, 3, 2, 1]
    assert seqs(EventChoice(user="a_b")) == [1]
    assert seqs(EventChoice(user="%")) == []
    assert seqs(EventChoice(peer="45")) == [4]
    assert seqs(EventChoice(event="quota_set")) == [5, 4]
    assert seqs(EventChoice(since=NOW + timedelta(days=1), until=NOW + timedelta(days=3))) == [3, 2]
    with store.transaction("read") as tx:
        assert audit_pages.last_at(tx, "quota_set") == NOW + timedelta(days=4)
        assert audit_pages.last_at(tx, "never") is None
