"""The database on SQLite: transactions, races, schema versions, publishing. PostgreSQL has its own file."""

import shutil
import sqlite3
import threading
from contextlib import closing
from dataclasses import replace
from datetime import UTC, timedelta, timezone

import pytest
from alembic.script import ScriptDirectory
from sqlalchemy import select, text

from matcher.types import TokenClass
from node.database import audit_log, imports, jobs, open_store, partition_versions, partitions, peers, schema
from node.database.schema import migrate_url
from node.database.tables import metadata
from node.domain.jobs import JobRow
from node.domain.peers import PeerRow, read_grants
from node.errors import ConfigError, ConflictError, PreconditionError, UnavailableError
from tests.support.partition_versions import NOW, Part, publish

PEER = PeerRow("44", "广东", "gd.example.cn:7443", b"k" * 32, False, read_grants(("00", "45", "C23:45")))


@pytest.fixture
def url(tmp_path):
    return f"sqlite:///{tmp_path}/heqiao.db"


@pytest.fixture
def store(url):
    store = open_store(url)
    yield store
    store.dispose()


def job(name="one", **values):
    row = JobRow(
        id=name, state="queued", request_digest=b"d" * 32, subjects=3, items=("C21", "C23"), purpose="review",
        legal_basis="L1", created_at=NOW, due_at=NOW + timedelta(days=7), finished_at=None,
        cancel_requested=False, error="",
    )  # fmt: skip
    return replace(row, **values)


# ---- transactions


def test_a_failed_transaction_leaves_nothing(store):
    def fail(tx):
        peers.put_peer(tx, PEER, NOW)
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError), store.transaction("fail", write=True) as tx:
        fail(tx)
    with store.transaction("look") as tx:
        assert peers.list_peers(tx) == []


def test_readers_see_the_old_state_until_the_commit(store):
    with store.transaction("write", write=True) as tx:
        peers.put_peer(tx, PEER, NOW)
        with store.transaction("look") as other:
            assert peers.list_peers(other) == []
    with store.transaction("look") as tx:
        assert peers.list_peers(tx) == [PEER]


def test_a_reader_keeps_its_view_while_others_write(store):
    with store.transaction("look") as reading:
        assert peers.find_peer(reading, "44") is None
        with store.transaction("write", write=True) as tx:
            peers.put_peer(tx, PEER, NOW)
        assert peers.find_peer(reading, "44") is None


def test_writers_wait_for_each_other(store):
    """Eight threads append to one chain, each with a lock from the start: no conflict, no lost event."""

    def write():
        for _ in range(10):
            with store.transaction("append", write=True) as tx:
                audit_log.append(tx, "event", {}, NOW)

    threads = [threading.Thread(target=write) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with store.transaction("look") as tx:
        assert [event.seq for event in audit_log.events(tx)] == list(range(1, 81))


def test_a_conflict_is_retried_and_then_raised(store):
    with store.transaction("add", write=True) as tx:
        jobs.add_job(tx, job(), b"sealed", ("44",))
    tries = []

    def add_again(tx):
        tries.append(1)
        jobs.add_job(tx, job("two" if len(tries) > 2 else "one"), b"sealed", ("44",))
        return "added"

    assert store.retry_write("add", add_again) == "added"
    assert len(tries) == 3

    tries.clear()
    with pytest.raises(ConflictError, match=r"another writer was first \(add\)"):
        store.retry_write("add", lambda tx: tries.append(1) or jobs.add_job(tx, job(), b"s", ("44",)))
    assert len(tries) == 5


def test_other_errors_are_not_retried(store):
    tries = []

    def fail(_tx):
        tries.append(1)
        raise PreconditionError("no")

    with pytest.raises(PreconditionError):
        store.retry_write("fail", fail)
    assert len(tries) == 1


def test_no_parameter_of_a_failed_statement_is_in_the_error(store):
    secret = "459999199001010010"
    with pytest.raises(UnavailableError) as caught, store.transaction("odd") as tx:
        tx.execute(text("SELECT * FROM nowhere WHERE number = :number"), {"number": secret})
    assert secret not in repr(caught.value) + str(caught.value) + caught.value.hint
    assert caught.value.__cause__ is None
    assert "odd" in str(caught.value)


def test_foreign_keys_hold(store):
    with pytest.raises(ConflictError), store.transaction("orphan", write=True) as tx:
        jobs.add_tokens(tx, "no-job", "44", 0, b"sealed")


# ---- schema


def test_an_empty_database_gets_the_schema_of_the_tables(store, tmp_path):
    with closing(sqlite3.connect(tmp_path / "heqiao.db")) as raw:
        made = {row[0] for row in raw.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
        for name, table in metadata.tables.items():
            columns = {row[1]: bool(row[3]) for row in raw.execute(f"PRAGMA table_info({name})")}
            assert columns == {column.name: not column.nullable for column in table.columns}, name
    assert made == {*metadata.tables, "alembic_version"}


def test_a_database_of_a_newer_version_is_refused(url, tmp_path):
    open_store(url).dispose()
    with closing(sqlite3.connect(tmp_path / "heqiao.db")) as raw:
        raw.execute("UPDATE alembic_version SET version_num = '9999'")
        raw.commit()
    for opening in (open_store, migrate_url):
        with pytest.raises(PreconditionError, match="newer version") as caught:
            opening(url)
        assert "install" in caught.value.hint


NEXT = """
revision = "9000"
down_revision = "{head}"
branch_labels = depends_on = None


def upgrade():
    from alembic import op

    op.execute("CREATE TABLE added (id INTEGER)")
"""


def test_a_database_of_an_older_version_is_migrated_on_request_only(url, tmp_path, monkeypatch):
    head = migrate_url(url)[1]
    later = tmp_path / "migrations"
    shutil.copytree(schema.MIGRATIONS, later)
    (later / "versions/9000_next.py").write_text(NEXT.format(head=head))
    monkeypatch.setattr(schema, "MIGRATIONS", later)
    with pytest.raises(PreconditionError, match="older schema") as caught:
        open_store(url)
    assert "heqiao migrate" in caught.value.hint
    assert migrate_url(url) == (head, "9000")
    with open_store(url).transaction("look") as tx:
        assert tx.exec_driver_sql("SELECT count(*) FROM added").scalar_one() == 0


def test_the_names_of_the_migrations_are_their_revisions_in_order():
    """A node compares names alone when it opens a database, without loading Alembic."""
    steps = ScriptDirectory(str(schema.MIGRATIONS)).walk_revisions()
    named = [path.name.partition("_")[0] for path in sorted(schema.MIGRATIONS.glob("versions/[0-9]*.py"))]
    assert named == [step.revision for step in steps][::-1]


def test_migrate_says_from_where_to_where(url):
    before, after = migrate_url(url)
    assert (before, bool(after)) == ("", True)
    assert migrate_url(url) == (after, after)
    open_store(url).dispose()


@pytest.mark.parametrize("bad", ["nonsense", "oracle://host/db", "sqlite+none:///x.db"])
def test_urls_that_cannot_be_used(bad):
    with pytest.raises(ConfigError, match=r"\[store\] url"):
        open_store(bad)


def test_a_folder_that_is_not_there(tmp_path):
    with pytest.raises(UnavailableError, match="did not answer"):
        open_store(f"sqlite:///{tmp_path}/none/heqiao.db")


def test_a_file_that_is_no_database(url, tmp_path):
    (tmp_path / "heqiao.db").write_bytes(
        b"this is no database, though it is long enough to be read as one" * 99
    )
    with pytest.raises(UnavailableError):
        open_store(url)


# ---- publishing


def test_publishing_replaces_all_partitions_or_none(store):
    def broken():
        yield Part("44", b"new!" * 17)
        raise ZeroDivisionError

    with store.transaction("publish", write=True) as tx:
        publish(tx, 1, [Part("44"), Part("45")])
    with pytest.raises(ZeroDivisionError), store.transaction("publish", write=True) as tx:
        publish(tx, 1, broken())
    with store.transaction("look") as tx:
        found = partitions.offered_partitions(tx, 1, ["44", "45"])
        assert [(part.origin, part.version) for part in found] == [("44", 1), ("45", 1)]
        assert partitions.read_buckets(tx, found[0].id, [0]) == [(0, b"e" * 68)]


def test_the_version_before_is_kept_for_running_queries(store):
    for number in range(1, 4):
        with store.transaction("publish", write=True) as tx:
            publish(tx, 1, [Part(entries=bytes([number]) * 68)])
        partition_versions.retire(store, "C21", 1)
    with store.transaction("look") as tx:
        assert partitions.offered_version(tx, "C21", "45", 1) == 3
        assert partitions.find_partition(tx, "C21", "45", 1, 1) is None
        old = partitions.find_partition(tx, "C21", "45", 1, 2)
        assert (old.version, old.is_current) == (2, False)
        assert partitions.read_buckets(tx, old.id, [0]) == [(0, bytes([2]) * 68)]
        (current,) = partitions.offered_partitions(tx, 1, ["45"])
        assert (current.version, current.planted, current.root) == (3, (("hit-0", 1),), b"r" * 32)
        # The buckets of a removed version are removed too.
        assert len(tx.execute(select(metadata.tables["buckets"])).all()) == 2


def test_a_partition_belongs_to_its_epoch_and_origin(store):
    with store.transaction("publish", write=True) as tx:
        publish(tx, 1, [Part("44")])
        publish(tx, 2, [Part("45")])
    with store.transaction("look") as tx:
        assert partitions.current_items(tx, 1) == {"C21": TokenClass.ORDINARY}
        assert partitions.current_items(tx, 3) == {}
        assert partitions.offered_partitions(tx, 1, ["45"]) == []
        assert partitions.offered_partitions(tx, 1, []) == []
        assert partitions.totals(tx, 2) == [("C21", 1, 0, 20_000)]


def test_the_last_import_of_an_item(store):
    with store.transaction("record", write=True) as tx:
        assert partitions.last_import(tx, "C21") is None
        imports.record_import(tx, "C21", "full", {"accepted": 3}, b"", NOW, held=3)
        imports.record_import(tx, "C21", "full", {"accepted": 2}, b"", NOW, held=2)
        imports.record_import(tx, "C22", "full", {"accepted": 9}, b"", NOW, held=9)
        imports.record_import(tx, "C21", "upsert", {"accepted": 1}, b"", NOW, held=1)
        assert partitions.last_import(tx, "C21") == {"accepted": 2}


# ---- peers and jobs


def test_a_peer_is_replaced_whole(store):
    with store.transaction("put", write=True) as tx:
        peers.put_peer(tx, PEER, NOW)
        peers.put_peer(tx, replace(PEER, address="other:1", grants=()), NOW)
        assert peers.find_peer(tx, "44") == replace(PEER, address="other:1", grants=())
        assert peers.find_peer(tx, "33") is None
        assert (peers.remove_peer(tx, "44"), peers.remove_peer(tx, "44")) == (True, False)


def test_a_job_is_read_as_it_was_stored(store):
    beijing = timezone(timedelta(hours=8))
    stored = job(created_at=NOW.astimezone(beijing))
    with store.transaction("add", write=True) as tx:
        jobs.add_job(tx, stored, b"sealed", ("44", "33"))
        found = jobs.find_job(tx, "one")
        assert found == stored
        assert found.created_at.tzinfo is UTC
        assert jobs.read_request(tx, "one") == b"sealed"
        assert [part.peer for part in jobs.list_parts(tx, "one")] == ["33", "44"]
        assert jobs.find_job(tx, "two") is None


def test_the_life_of_a_part(store):
    with store.transaction("part", write=True) as tx:
        jobs.add_job(tx, job(), b"sealed", ("44",))
        assert jobs.read_session(tx, "one", "44") is None
        jobs.begin_query(tx, "one", "44", ("C21",), b"session 1")
        jobs.add_tokens(tx, "one", "44", 4096, b"later")
        jobs.add_tokens(tx, "one", "44", 0, b"first")
        assert jobs.read_tokens(tx, "one", "44") == [(0, b"first"), (4096, b"later")]
        jobs.add_answers(tx, "one", "44", "C21", b"answers")
        jobs.add_answers(tx, "one", "44", "C23", b"of the query of another class")
        # A new epoch: no result of the old query counts, that of the other class does.
        jobs.begin_query(tx, "one", "44", ("C21",), b"session 2")
        assert jobs.read_tokens(tx, "one", "44") == []
        assert jobs.read_answers(tx, "one", "44") == {"C23": b"of the query of another class"}
        jobs.begin_query(tx, "one", "44", ("C23",), b"session 3")
        assert jobs.read_answers(tx, "one", "44") == {}
        jobs.add_tokens(tx, "one", "44", 0, b"first")
        jobs.add_answers(tx, "one", "44", "C21", b"answers")
        jobs.close_part(tx, "one", "44")  # blind and tokens are erased, answers stay
        assert jobs.read_session(tx, "one", "44") is None
        assert jobs.read_tokens(tx, "one", "44") == []
        assert jobs.read_answers(tx, "one", "44") == {"C21": b"answers"}


def test_open_jobs_and_cancelling(store):
    with store.transaction("jobs", write=True) as tx:
        for number, state in enumerate(("queued", "running", "done", "failed", "cancelled")):
            jobs.add_job(tx, job(state, state=state, created_at=NOW - timedelta(hours=number)), b"s", ("44",))
        assert jobs.open_jobs(tx, NOW) == ["running", "queued"]
        assert [row.id for row in jobs.list_jobs(tx, 2)] == ["queued", "running"]
        assert (jobs.request_cancel(tx, "running"), jobs.request_cancel(tx, "done")) == (True, False)
        assert (jobs.cancel_requested(tx, "running"), jobs.cancel_requested(tx, "done")) == (True, False)
        jobs.set_job_state(tx, "running", "cancelled", NOW)
        assert jobs.find_job(tx, "running").finished_at == NOW
