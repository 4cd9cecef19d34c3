# ruff: noqa: E501  (a type of the table is one line)
"""Every type of a result of SQLite and PostgreSQL in every column of a register: the right value or a reject."""

import sqlite3
from collections.abc import Sequence
from contextlib import closing
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text

from node.errors import ConfigError, InputError
from node.registers.sources import Query
from node.tabular.changes import Changes
from node.tabular.sql import newest_watermark, open_query
from tests.support.postgresql import PostgreSQL
from tests.support.typed_columns import (
    FIELDS,
    FILE,
    ID,
    OLD_ID,
    ROW,
    UNIQUE,
    Meaning,
    columns_for,
    expectations,
    meaning_of,
    name_of,
    read_all,
)

SQLITE = {
    "NULL": [("NULL", Meaning("null"))],
    "TEXT": [(None, Meaning("text"))],
    "TEXT, not UTF-8": [("CAST(X'D5C5C8FD' AS TEXT)", Meaning("bad text")), (None, Meaning("text"))],
    "BLOB": [("X'E5BCA0'", Meaning("other"))],
    "INTEGER": [(str(n), meaning_of(n)) for n in (0, 1, 7, -5, 20260630, OLD_ID, 2**53 - 1, 2**53, int(ID))],
    "REAL": [(str(n), meaning_of(n)) for n in (1.0, 0.5, 250000.5, 6.22202e18, 4.49999190001010034e17)]
    + [("9e999", meaning_of(float("inf")))],
}
MORNING = datetime(2026, 6, 29, 16, tzinfo=UTC)
POSTGRES = {
    "null": [("NULL::integer", Meaning("null"))],
    **{kind: [(f"{{good}}::{kind}", Meaning("text"))] for kind in ("text", "varchar(40)", "bpchar", "name")},
    **{
        kind: [(f"{n}::{kind}", meaning_of(n)) for n in (0, 1, 7, 42)] for kind in ("smallint", "integer", "oid")
    },
    "bigint": [(f"{n}::bigint", meaning_of(n)) for n in (1, 20260630, OLD_ID, 2**53 - 1, 2**53, int(ID))],
    "real": [("1::real", Meaning("other")), ("20000001::real", Meaning("other"))],
    "double precision": [
        (f"'{n}'::float8", meaning_of(n))
        for n in (1.0, 0.5, 250000.5, 6.22202e18, float("nan"), float("inf"), -float("inf"), 1e-7)
    ],
    "numeric": [
        (f"'{n}'::numeric", Meaning("decimal", Decimal(n)))
        for n in ("1", "7", "250000.50", "1234.5", "0.001", ID, str(OLD_ID), "20260630", "NaN", "Infinity")
    ]
    + [("(10::numeric ^ 900)", Meaning("decimal", Decimal(10**900)))],
    "money": [("'12.50'::money", Meaning("bad text"))],
    "boolean": [("true", Meaning("bool", True)), ("false", Meaning("bool", False))],
    "bytea": [("'\\xe5bca0'::bytea", Meaning("other"))],
    "date": [(f"'{day}'::date", meaning_of(date.fromisoformat(day))) for day in ("2026-06-30", "2026-07-02")],
    "timestamp": [("'2026-06-29 16:00'::timestamp", Meaning("day", date(2026, 6, 29)))],
    "timestamptz": [
        ("'2026-06-29 16:00+00'::timestamptz", meaning_of(MORNING)),
        ("'2026-06-30 00:00+08'::timestamptz", meaning_of(MORNING)),
        ("'2026-06-29 15:59:59.999999+00'::timestamptz", meaning_of(datetime(2026, 6, 29, 15, 59, tzinfo=UTC))),
        ("'2026-06-29 12:00-05'::timestamptz", meaning_of(datetime(2026, 6, 29, 17, tzinfo=UTC))),
    ],
    "time": [("'12:00'::time", Meaning("other"))],
    "timetz": [("'12:00+08'::timetz", Meaning("other"))],
    "interval": [("'1 day'::interval", Meaning("other"))],
    "uuid": [(f"'{UNIQUE}'::uuid", Meaning("uuid", UNIQUE))],
    "json": [("'{\"a\": 1}'::json", Meaning("other"))],
    "jsonb": [("'[1]'::jsonb", Meaning("other"))],
    "array": [("ARRAY['x']", Meaning("other"))],
    "row": [("ROW(1, 2)", Meaning("other"))],
    "range": [("'[1,2)'::int4range", Meaning("other"))],
    "inet": [("'10.0.0.1'::inet", Meaning("other"))],
}  # fmt: skip


def query_of(field: str, literals: Sequence[str | None]) -> str:
    columns = "".join(f", '{value}' AS {name}" for name, value in columns_for(field).items())
    good = FIELDS[field][1]
    chosen = [f"'{good}'" if each is None else each.replace("{good}", f"'{good}'") for each in literals]
    return " UNION ALL ".join(f"SELECT {each} AS {name_of(field)}{columns}" for each in chosen)


def write_url(path: Path, url: str) -> Path:
    path.write_text(url, encoding="utf-8")
    path.chmod(0o600)
    return path


def as_rows(expected):
    return [ROW if each == FILE else each for each in expected]


@pytest.mark.parametrize("field", FIELDS)
@pytest.mark.parametrize("kind", SQLITE)
def test_sqlite(tmp_path, kind, field):
    url = write_url(tmp_path / "url", f"sqlite:///{tmp_path / 's.db'}")
    literals, meanings = zip(*SQLITE[kind], strict=True)
    source = Query(url, query_of(field, literals))
    assert list(read_all(source, field)) == as_rows(expectations(field, meanings))


@pytest.mark.parametrize("kind", POSTGRES)
def test_postgresql(postgres: PostgreSQL, tmp_path, kind):
    url = write_url(tmp_path / "url", postgres.url("postgres"))
    literals, meanings = zip(*POSTGRES[kind], strict=True)
    for field in FIELDS:
        expected = as_rows(expectations(field, meanings))
        if kind == "money" and field in ("record_no", "name"):
            expected = None  # the driver gives it as text, and any text is a name or a record number
        source = Query(url, query_of(field, literals))
        if kind == "real" and field != "note":
            with pytest.raises(InputError, match="of the type real"):
                list(read_all(source, field))
        elif expected is not None:
            assert list(read_all(source, field)) == expected, field


@pytest.mark.parametrize("literal", ["'infinity'::timestamp", "'0044-03-15 BC'::date", "'infinity'::date"])
def test_a_day_that_the_driver_cannot_read_ends_the_import_clearly(postgres, tmp_path, literal):
    url = write_url(tmp_path / "url", postgres.url("postgres"))
    with pytest.raises(Exception, match="source database") as caught:
        list(read_all(Query(url, query_of("as_of", [literal])), "as_of"))
    assert caught.value.hint


@pytest.fixture
def ascii_url(postgres: PostgreSQL) -> str:
    engine = create_engine(postgres.url("postgres"), isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text("DROP DATABASE IF EXISTS old"))
        connection.execute(
            text("CREATE DATABASE old ENCODING 'SQL_ASCII' TEMPLATE template0 LC_COLLATE 'C' LC_CTYPE 'C'")
        )
    engine.dispose()
    return postgres.url("old")


GB = "convert_from('\\xd5c5c8fd'::bytea, 'SQL_ASCII')"  # 张三 in GB18030
UTF = "convert_from('\\xe5bca0e4b889'::bytea, 'SQL_ASCII')"  # in UTF-8


def test_a_source_in_sql_ascii(ascii_url, tmp_path):
    """It is refused with what to do, and read once the URL says the encoding."""
    for literal, encoding in ((GB, "gb18030"), (UTF, "utf8")):
        query = f"SELECT '{ID}' AS id_no, {literal} AS name"
        with pytest.raises(ConfigError, match="SQL_ASCII") as caught:
            list(read_all(Query(write_url(tmp_path / "url", ascii_url), query), "name"))
        assert "client_encoding" in caught.value.hint
        url = write_url(tmp_path / "url", f"{ascii_url}?client_encoding={encoding}")
        assert list(read_all(Query(url, query), "name")) == ["张三"]
    wrong = Query(
        write_url(tmp_path / "url", f"{ascii_url}?client_encoding=utf8"),
        f"SELECT '{ID}' AS id_no, {GB} AS name",
    )
    with pytest.raises(InputError, match="cannot be read") as unreadable:
        list(read_all(wrong, "name"))
    assert unreadable.value.hint


def test_text_that_is_not_utf8_costs_its_row_only(tmp_path):
    with closing(sqlite3.connect(tmp_path / "s.db")) as database, database:
        database.execute("CREATE TABLE cars (id_no TEXT, name TEXT)")
        database.execute(f"INSERT INTO cars VALUES ('{ID}', CAST(X'D5C5C8FD' AS TEXT)), ('{ID}', '张三')")
    source = Query(write_url(tmp_path / "url", f"sqlite:///{tmp_path / 's.db'}"), "SELECT * FROM cars")
    assert list(read_all(source, "name")) == [ROW, "张三"]


@pytest.mark.parametrize(
    ("kind", "first", "second", "newest"),
    [
        ("timestamptz", "2026-06-01 08:00:00+08", "2026-06-02 08:00:00+08", datetime(2026, 6, 2, tzinfo=UTC)),
        ("timestamp", "2026-06-01 08:00:00", "2026-06-02 08:00:00.5", "2026-06-02 08:00:00.500000"),
        ("date", "2026-06-01", "2026-06-02", "2026-06-02"),
        ("bigint", "41", "42", "42"),
    ],
)
def test_rows_of_people_with_a_changed_row_in_postgresql(postgres, kind, first, second, newest):
    """Names as the database spells them; a moment with a zone is the same moment whatever the session's zone."""
    url = postgres.url("postgres")
    values = ((1, first), (1, second), (2, first))
    rows = ", ".join(f"('{owner}', '{at}'::{kind})" for owner, at in values)
    query = f'SELECT * FROM (VALUES {rows}) AS cars("Owner", changed_at);'
    found = newest_watermark(url, query, "Owner", "changed_at")
    assert (datetime.fromisoformat(found) if isinstance(newest, datetime) else found) == newest
    changes = Changes("Owner", "changed_at", found)
    with open_query(url, query, changes) as (columns, read):
        assert [column.header for column in columns] == ["Owner", "changed_at"]
        assert [row[0] for row in read] == ["1", "1"]
    with pytest.raises(InputError, match="no column owner"):
        newest_watermark(url, query, "owner", "changed_at")
    with pytest.raises(InputError, match="neither a number"):
        newest_watermark(url, f"SELECT 'x' AS a, '{ID}' AS b", "a", "b")
