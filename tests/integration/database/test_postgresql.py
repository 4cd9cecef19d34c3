"""The same node on PostgreSQL: store functions, a whole import and verification, migrations."""

import threading
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import create_engine, text

from keys.signing_chain import sign
from keys.types import EpochKey, KeyState
from matcher import identity
from node.context import Node
from node.database import audit_log as audit_rows
from node.database import jobs as job_rows
from node.database import key_epochs, open_store, schema, signing_keys, sum_epoch_switch, sum_tables
from node.database import partitions as index_rows
from node.database.tables import metadata
from node.domain import audit_chain
from node.domain import jobs as jobs_module
from node.errors import ConflictError, JobConflictError, UnavailableError
from node.jobs import engine as jobs
from node.registers.importer import import_item
from node.registers.sources import Query
from tests.support.cluster import (
    EVERYTHING,
    World,
    findings_of,
    import_registers,
    know,
    open_home,
    read_verification,
    run_job,
    serve_all,
)
from tests.support.federation import set_config
from tests.support.postgresql import PostgreSQL
from tests.support.renumbered import renumbered

ITEMS = ("C21", "Z59b", "C23")


def test_the_migrated_schema_is_that_of_the_code(empty_url: str) -> None:
    store = open_store(empty_url)
    with store.transaction("compare") as tx:
        found = compare_metadata(MigrationContext.configure(tx, opts={"compare_type": True}), metadata)
    store.dispose()
    assert found == []


def test_migrating_again_changes_nothing(empty_url: str) -> None:
    assert schema.migrate_url(empty_url)[0] == ""
    before, after = schema.migrate_url(empty_url)
    assert before == after != ""


NOW = datetime(2026, 11, 20, 9, 30, 15, 123456, tzinfo=UTC)


def a_job(identifier: str = "j") -> jobs_module.JobRow:
    return jobs_module.JobRow(
        identifier, "queued", bytes(32), 2, ("C21",), "review", "", NOW, NOW, None, False, ""
    )


def test_jobs_and_their_stored_data(url: str) -> None:
    store = open_store(url)
    with store.transaction("add", write=True) as tx:
        job_rows.add_job(tx, a_job(), b"sealed\x00request", ("44", "33"))
    with pytest.raises(ConflictError), store.transaction("again", write=True) as tx:
        job_rows.add_job(tx, a_job(), b"other", ("44",))
    with store.transaction("work", write=True) as tx:
        assert job_rows.find_job(tx, "j") == a_job()
        assert job_rows.find_job(tx, "k") is None
        assert job_rows.read_request(tx, "j") == b"sealed\x00request"
        assert [part.peer for part in job_rows.list_parts(tx, "j")] == ["33", "44"]
        job_rows.begin_query(tx, "j", "44", ("C21",), b"session")
        for first in (16, 0, 32):
            job_rows.add_tokens(tx, "j", "44", first, bytes([first]))
        job_rows.add_answers(tx, "j", "44", "C21", b"answers")
        job_rows.update_part(tx, "j", "44", {"bytes_up": 2**40, "seconds": 0.25, "state": "fetch"})
    with store.transaction("read") as tx:
        assert job_rows.read_session(tx, "j", "44") == b"session"
        assert job_rows.read_session(tx, "j", "33") is None
        assert job_rows.read_tokens(tx, "j", "44") == [(0, b"\0"), (16, b"\x10"), (32, b" ")]
        assert job_rows.read_answers(tx, "j", "44") == {"C21": b"answers"}
        assert job_rows.open_jobs(tx, NOW) == ["j"]
        part = next(part for part in job_rows.list_parts(tx, "j") if part.peer == "44")
        assert (part.bytes_up, part.seconds, part.state) == (2**40, 0.25, "fetch")
    with store.transaction("end", write=True) as tx:
        job_rows.close_part(tx, "j", "44")
        assert job_rows.request_cancel(tx, "j")
        assert job_rows.cancel_requested(tx, "j")
        job_rows.set_job_state(tx, "j", "cancelled", NOW)
        assert not job_rows.request_cancel(tx, "j")
        assert job_rows.read_tokens(tx, "j", "44") == []
        assert job_rows.read_session(tx, "j", "44") is None
        assert job_rows.read_answers(tx, "j", "44") == {"C21": b"answers"}
        assert job_rows.open_jobs(tx, NOW) == []
    store.dispose()


def test_audit_chain_with_many_writers(url: str) -> None:
    store = open_store(url)
    failed: list[Exception] = []

    def write(writer: int) -> None:
        for number in range(5):
            try:
                store.retry_write(
                    "audit", lambda tx, n=number: audit_rows.append(tx, "tested", {"w": writer, "n": n}, NOW)
                )
            except ConflictError as error:
                failed.append(error)

    threads = [threading.Thread(target=write, args=(writer,)) for writer in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with store.transaction("read") as tx:
        events = list(audit_rows.events(tx))
    store.dispose()
    assert audit_chain.first_broken(events) is None
    assert len(events) + len(failed) == 15
    assert failed == []


def test_sums_and_signing_keys_of_another_epoch(url: str) -> None:
    """SQL of a rotation: prepared, outdated and removed partitions; and the chain that peers receive."""
    store, now = open_store(url), datetime(2026, 7, 1, tzinfo=UTC)

    def write(version: int, epoch: int, prefix: str, *, publish: bool) -> None:
        with store.transaction("write", write=True) as tx:
            group = sum_tables.open_group(tx, sum_tables.NewGroup("B11", prefix, epoch, bytes(32), version))
            sum_tables.add_blocks(
                tx, group, [sum_tables.NewBlock(0, bytes(32), bytes(4), bytes(8), bytes(8))]
            )
            sum_tables.finish_group(tx, group, 1, bytes(32), (1, 2))
            if publish:
                sum_tables.publish(tx, "B11", epoch, [group], whole=False, now=now)

    for prefix in ("44", "45"):
        write(3, 1, prefix, publish=True)
    write(3, 2, "44", publish=False)
    write(2, 2, "45", publish=False)
    with store.transaction("look") as tx:
        missing, outdated = sum_epoch_switch.split_prepared(tx, 1, 2, {"B11": bytes(32)})
    assert ([group.prefix for group in missing], len(outdated)) == (["45"], 1)
    with store.transaction("drop", write=True) as tx:
        sum_tables.remove(tx, outdated)
        stored = [sum_tables.StoredAlias(bytes([at]) * 16, bytes(16), bytes(9)) for at in range(5)]
        sum_tables.add_aliases(tx, "B11", 1, stored)
    write(3, 2, "45", publish=False)
    with store.transaction("publish", write=True) as tx:
        assert sum_epoch_switch.publish_epoch(tx, 1, 2, {"B11": bytes(32)}, now) == (2, 2)
        assert len(sum_epoch_switch.read_aliases(tx, "B11", 1, bytes([1]) * 16, 2)) == 2
    sum_epoch_switch.forget_epoch(store, 1)
    with store.transaction("chain", write=True) as tx:
        assert sum_epoch_switch.current_groups(tx, 1, ["B11"]) == []
        assert sum_epoch_switch.read_aliases(tx, "B11", 1, b"", 9) == []
        assert len(sum_epoch_switch.current_groups(tx, 2, ["B11"])) == 2
        until = now + timedelta(days=1)
        old = EpochKey("signing", 1, KeyState.GRACE, "0" * 16, now, grace_until=until)
        key_epochs.add_epoch(tx, old, now)
        statement = sign("44", 2, bytes(32), bytes([1]) * 32, now, until)
        signing_keys.add_statement(tx, statement, 1, now)
        assert signing_keys.served_statements(tx, "44", now) == (statement,)
        assert signing_keys.served_statements(tx, "44", until + timedelta(seconds=1)) == ()
    store.dispose()


def test_one_job_for_many_submitters(world: World, postgres: PostgreSQL, tmp_path: Path) -> None:
    """On PostgreSQL writers do not wait for each other: the second one must find the first one's job."""
    home = world.copy(tmp_path, "45")["45"]
    set_config(home, "store", url=postgres.create("submitters"))
    node = open_home(home)
    know(node, world.folder / "44", 0)
    asked = read_verification(world.data, ("C21",), ("44",), most=5)
    added: list[bool] = []
    threads = [
        threading.Thread(target=lambda n=n: added.append(jobs.submit(node, f"job-{n % 2}", asked)))
        for n in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with pytest.raises(JobConflictError):
        jobs.submit(node, "job-0", read_verification(world.data, ("C21",), ("44",), most=6))
    node.store.dispose()
    assert sorted(added) == [False] * 6 + [True] * 2


def test_import_and_verify(world: World, served, postgres: PostgreSQL, tmp_path: Path) -> None:
    asked = read_verification(world.data, ITEMS)
    homes = world.copy(tmp_path)
    for code in ("45", "44"):
        set_config(homes[code], "store", url=postgres.create(f"node_{code}"))
    provider, requester = open_home(homes["44"]), open_home(homes["45"])
    import_registers(provider, world.data)
    know(provider, homes["45"], 0, EVERYTHING)
    for code in ("44", "33"):
        know(requester, homes[code], 0)
    provider.store.dispose()
    requester.store.dispose()
    with serve_all(homes) as provinces:
        report = run_job(provinces["45"], "on-postgres", asked)
        path = next(p for p in (world.data / "44" / "registers").iterdir() if "_C21_" in p.name)
        node = provinces["44"].node
        before = versions(node)
        for other in (1, 2, 3, 3):  # another record key gives other bytes, the same one no new version
            import_item(renumbered(node, other), "C21", [path])
        again = run_job(provinces["45"], "on-postgres-again", asked)
        after = versions(provinces["44"].node)
        with provinces["44"].node.store.transaction("look") as tx:
            assert audit_chain.first_broken(audit_rows.events(tx)) is None
    assert report.state == again.state == "done"
    assert findings_of(again) == findings_of(report) == findings_of(run_job(served["45"], "on-sqlite", asked))
    assert {item for item, version in after.items() if version != before[item]} == {"C21"}
    assert after["C21"] > before["C21"]


def versions(node: Node) -> dict[str, int]:
    """The version of each item's partition of origin 45."""
    with node.store.transaction("look") as tx:
        return {part.item: part.version for part in index_rows.offered_partitions(tx, 1, ("45",))}


def source(postgres: PostgreSQL, folder: Path, rows: int) -> Query:
    """A table of another department with a number of rows, and the query that reads it."""
    url = postgres.create(f"source_{rows}")
    engine = create_engine(url)
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE cars (id_no text, plate text)"))
        people = [{"i": number(at), "p": f"a{at}"} for at in range(rows)]
        connection.execute(text("INSERT INTO cars VALUES (:i, :p)"), people)
    engine.dispose()
    file = folder / "source.url"
    file.write_text(url, encoding="utf-8")
    file.chmod(0o600)
    return Query(file, "SELECT id_no, plate AS record_no FROM cars ORDER BY id_no")


def number(order: int) -> str:
    body = f"4499991990{1 + order // 1000 % 12:02}{1 + order // 12000 % 28:02}{order % 1000:03}"
    return body + identity.check_digit(body)


def test_a_query_on_postgresql_is_a_source(world: World, postgres: PostgreSQL, tmp_path: Path) -> None:
    node = open_home(world.copy(tmp_path)["44"])
    done = import_item(node, "C21", source(postgres, tmp_path, 3_000), workers=0)
    node.store.dispose()
    assert (done.tally.read, done.tally.accepted, done.tally.entries) == (3_000, 3_000, 3_000)
    assert done.origins == {"44": 3_000}


def test_a_query_reaches_postgresql_as_it_is(world: World, postgres: PostgreSQL, tmp_path: Path) -> None:
    """A per cent sign is no placeholder: LIKE, modulo, and two of them in a text."""
    node = open_home(world.copy(tmp_path)["44"])
    plain = source(postgres, tmp_path, 60)
    text = "SELECT id_no, plate || '%s %%' AS record_no FROM cars"
    text += " WHERE plate LIKE 'a%' AND length(plate) % 2 = 0"
    done = import_item(node, "C21", replace(plain, query=text), workers=0)
    node.store.dispose()
    assert done.tally.read == 10  # a0 to a9


def test_a_source_that_drops_the_connection(world: World, postgres: PostgreSQL, tmp_path: Path) -> None:
    """Cut in the middle of the rows, so they are streamed: the earlier version is still served."""
    node = open_home(world.copy(tmp_path)["44"])
    query, reported = source(postgres, tmp_path, 40_000), list[int]()
    import_item(node, "C21", source(postgres, tmp_path, 100), workers=0)
    query.url_file.write_text(postgres.url("source_40000"), encoding="utf-8")
    admin = create_engine(postgres.url("postgres"), isolation_level="AUTOCOMMIT")

    def drop(_stage: str, done: int, _total: int) -> None:
        reported.append(done)
        with admin.connect() as connection:
            connection.execute(
                text("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = 'source_40000'")
            )

    with node.store.transaction("look") as tx:
        before = index_rows.offered_partitions(tx, 1, ("44",))
    with pytest.raises(UnavailableError, match=r"source database failed after \d+ rows") as caught:
        import_item(node, "C21", query, workers=0, progress=drop)
    with node.store.transaction("look") as tx:
        assert index_rows.offered_partitions(tx, 1, ("44",)) == before
    admin.dispose()
    node.store.dispose()
    assert 0 < reported[0] < 40_000
    assert "127.0.0.1" not in str(caught.value)
