"""The query for changes, as SQLite understands it."""

import sqlite3
from contextlib import closing

from hypothesis import given
from hypothesis import strategies as st

from node.tabular.changes import Changes, changed_rows


@given(
    st.lists(st.tuples(st.integers(0, 5), st.integers(0, 20)), max_size=20),
    st.integers(0, 20),
)
def test_all_rows_of_those_with_a_changed_row(rows, since):
    with closing(sqlite3.connect(":memory:")) as base:
        base.execute('CREATE TABLE t ("the ""owner""" INTEGER, "at" INTEGER)')
        base.executemany("INSERT INTO t VALUES (?, ?)", rows)
        query = changed_rows("SELECT * FROM t; ", Changes('the "owner"', "at", str(since)), quote)
        found = sorted(base.execute(query).fetchall())
    changed = {person for person, at in rows if at >= since}
    assert found == sorted(row for row in rows if row[0] in changed)


def quote(name):
    return '"' + name.replace('"', '""') + '"'
