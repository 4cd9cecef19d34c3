"""What is deleted from SQLite is in no file of the database afterwards."""

import sqlite3

from sqlalchemy import text

from node.database import open_store

MARK = b"459999199001010010-erased"  # a text that can be searched for; long rows fill pages of their own
ROWS = [MARK * size for size in (1, 40, 400, 4_000)]


def files_with_mark(folder):
    return sorted(path.name for path in folder.iterdir() if MARK in path.read_bytes())


def fill(execute):
    execute("CREATE TABLE erased (id INTEGER PRIMARY KEY, content BLOB)")
    execute("CREATE INDEX by_content ON erased (substr(content, 1, 40))")
    for number, row in enumerate(ROWS):
        execute(f"INSERT INTO erased VALUES ({number}, x'{row.hex()}')")


def test_deleted_and_replaced_bytes_are_gone(tmp_path):
    store = open_store(f"sqlite:///{tmp_path}/heqiao.db")

    def execute(statement):
        with store.transaction("test", write=True) as tx:
            tx.execute(text(statement))

    fill(execute)
    assert files_with_mark(tmp_path)
    execute("UPDATE erased SET content = x'00' WHERE id = 2")
    execute("DELETE FROM erased WHERE id != 2")
    with store.session("checkpoint") as connection:
        assert connection.exec_driver_sql("PRAGMA secure_delete").scalar() == 1
        # (busy, pages in the log, pages of them written): all of them are in the file.
        busy, written, done = connection.exec_driver_sql("PRAGMA wal_checkpoint(RESTART)").one()
        assert (busy, written) == (0, done)
    execute("UPDATE erased SET content = x'01' WHERE id = 2")  # the log begins anew, and is cut off
    assert files_with_mark(tmp_path) == []
    store.dispose()
    assert files_with_mark(tmp_path) == []


def test_without_it_they_are_still_there(tmp_path):
    """So the test above can fail: the same with a plain connection."""
    with sqlite3.connect(tmp_path / "plain.db", isolation_level=None) as base:
        base.execute("PRAGMA journal_mode = WAL")
        base.execute("PRAGMA secure_delete = OFF")
        fill(base.execute)
        base.execute("DELETE FROM erased")
        base.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    base.close()
    assert files_with_mark(tmp_path) == ["plain.db"]


def test_the_log_keeps_them_where_it_is_not_cut_off(tmp_path):
    with sqlite3.connect(tmp_path / "plain.db", isolation_level=None) as base:
        base.execute("PRAGMA journal_mode = WAL")
        base.execute("PRAGMA secure_delete = ON")
        fill(base.execute)
        base.execute("DELETE FROM erased")
        base.execute("PRAGMA wal_checkpoint(RESTART)")
        base.execute("CREATE TABLE other (id INTEGER)")
        assert files_with_mark(tmp_path) == ["plain.db-wal"]
    base.close()
