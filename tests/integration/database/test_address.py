"""The URL of a home's database: whatever its path and password hold, it is that file and that password."""

import os
import tempfile
from pathlib import Path

import psycopg
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import URL, create_engine

from node import config
from node.database import database_url, describe_database, open_store
from node.database.address import existing_file, sqlite_file
from node.errors import ConfigError, UnavailableError

NAMES = st.text(
    st.characters(exclude_categories=["Cs"], exclude_characters="/\0"), min_size=1, max_size=40
).filter(lambda name: name not in (".", "..") and len(name.encode()) < 200)


@given(NAMES)
@settings(max_examples=15, deadline=None)
def test_a_folder_of_any_name_holds_its_database(name):
    with tempfile.TemporaryDirectory() as outer:
        home = Path(outer) / name
        home.mkdir()
        (home / "node.toml").write_text('[node]\ncode = "44"\nname = "x"\n', encoding="utf-8")
        loaded = config.load(home / "node.toml")
        file = home / "heqiao.db"
        assert describe_database(loaded) == "SQLite, heqiao.db in this home"
        assert sqlite_file(existing_file(database_url(loaded))) == file
        open_store(database_url(loaded)).dispose()
        assert file.stat().st_size > 0
        assert [path.name for path in Path(outer).iterdir()] == [name]


def test_a_name_that_is_no_text_too(tmp_path):
    file = Path(os.fsdecode(os.fsencode(tmp_path) + b"/\xff?%")) / "a.db"
    file.parent.mkdir()
    open_store(URL.create("sqlite", database=str(file))).dispose()
    assert file.stat().st_size > 0


@given(st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=40))
@settings(max_examples=60, deadline=None)
def test_the_driver_of_postgresql_gets_the_password_as_it_is(password):
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        (home / "pw").write_text(password + "\n", encoding="utf-8")
        (home / "pw").chmod(0o600)
        text = '[node]\ncode = "44"\nname = "x"\n[store]\nurl = "postgresql+psycopg://u@127.0.0.1/d"\n'
        (home / "node.toml").write_text(text + 'password_file = "pw"\n', encoding="utf-8")
        loaded = config.load(home / "node.toml")
        url = database_url(loaded)
        _, given_to_driver = create_engine(url).dialect.create_connect_args(url)
        assert given_to_driver["password"] == password
        assert psycopg.conninfo.conninfo_to_dict(**given_to_driver)["password"] == password
        assert describe_database(loaded) == "postgresql+psycopg://u@127.0.0.1/d"


def test_a_file_elsewhere_is_named_whole(tmp_path):
    text = '[node]\ncode = "44"\nname = "x"\n[store]\nurl = "sqlite:////var/lib/h.db"\n'
    (tmp_path / "node.toml").write_text(text, encoding="utf-8")
    assert describe_database(config.load(tmp_path / "node.toml")) == "SQLite, /var/lib/h.db"


def test_a_password_that_is_no_text(tmp_path):
    (tmp_path / "pw").write_bytes(b"\xff\n")
    (tmp_path / "pw").chmod(0o600)
    text = (
        '[node]\ncode = "44"\nname = "x"\n[store]\nurl = "postgresql://u@127.0.0.1/d"\npassword_file = "pw"\n'
    )
    (tmp_path / "node.toml").write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError, match="UTF-8"):
        database_url(config.load(tmp_path / "node.toml"))


def test_an_open_store_makes_no_file_and_takes_the_one_that_came_back(tmp_path):
    file = tmp_path / "a.db"
    store = open_store(f"sqlite:///{file}")
    content = file.read_bytes()
    file.unlink()
    with pytest.raises(UnavailableError, match="is missing"):
        store.follow_file()
    with pytest.raises(UnavailableError, match="did not answer"), store.transaction("look"):
        pass
    assert not file.exists()
    file.write_bytes(content)
    store.follow_file()
    with store.transaction("look") as tx:
        assert tx.exec_driver_sql("SELECT count(*) FROM alembic_version").scalar() == 1
    store.dispose()
