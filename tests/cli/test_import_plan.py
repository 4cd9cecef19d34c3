"""`heqiao import --all` over a plan file with a query, and beside other work in the same home."""

import contextlib
import shutil
import sqlite3

import pytest

from keys.store.locks import hold_lock
from node.errors import ConflictError
from node.index.update_lock import LOCK
from node.registers.import_all import LOCK as ALL_LOCK
from tests.support.cli_runner import heqiao, ok
from tests.support.import_runs import IMPORTED, refused, run, states, write
from tests.support.single_node import number


@pytest.fixture
def planned(place):
    """A plan file over a database, a file, and a file for an upsert."""
    with contextlib.closing(sqlite3.connect(place / "cars.db")) as database, database:
        database.execute("CREATE TABLE cars (id_no TEXT, record_no TEXT)")
        database.executemany("INSERT INTO cars VALUES (?, ?)", [(number(at), f"R{at}") for at in range(4)])
    (place / "url").write_text(f"sqlite:///{place / 'cars.db'}", encoding="utf-8")
    (place / "url").chmod(0o600)
    (place / "plan.toml").write_text(
        '[C21]\nsql_url_file = "url"\nquery = "SELECT * FROM cars"\n[C22]\nfiles = "in/C22.csv"\n', "utf-8"
    )
    return place


def test_a_query_is_asked_again_in_the_next_run(planned):
    """Nobody can see whether a database has changed."""
    plan = planned / "plan.toml"
    items, _ = run(planned, plan)
    assert (items["C21"]["state"], items["C21"]["accepted"]) == ("imported", 4)
    assert states(planned, plan) == {"C21": "imported", "C22": "done before"}


def test_a_query_is_not_asked_again_until_a_run_has_imported_everything(planned):
    plan = planned / "plan.toml"
    write(planned / "in/C22.csv", "C22", 0, wrong=1)
    assert states(planned, plan, code=1) == {"C21": "imported", "C22": "failed"}
    assert states(planned, plan, code=1) == {"C21": "done before", "C22": "failed"}
    write(planned / "in/C22.csv", "C22", 1)
    assert states(planned, plan) == {"C21": "done before", "C22": "imported"}
    assert states(planned, plan) == {"C21": "imported", "C22": "done before"}


@pytest.mark.parametrize(("hours", "state"), [(11, "done before"), (13, "imported")])
def test_a_query_counts_for_half_a_day(planned, hours, state):
    plan = planned / "plan.toml"
    write(planned / "in/C22.csv", "C22", 0, wrong=1)
    run(planned, plan, code=1)
    with contextlib.closing(sqlite3.connect(planned / "44/heqiao.db")) as database, database:
        database.execute(
            f"UPDATE imports SET finished_at = datetime(finished_at, '-{hours} hours') || '.000000'"
        )
    assert states(planned, plan, code=1) == {"C21": state, "C22": "failed"}


def test_a_database_that_is_away_fails_its_item_only(planned):
    (planned / "cars.db").unlink()
    items, _ = run(planned, planned / "plan.toml", code=1)
    assert {code: one["state"] for code, one in items.items()} == {"C21": "failed", "C22": "imported"}


def test_the_url_of_a_database_must_be_private(planned):
    """As for a single import; here it is seen before anything runs."""
    (planned / "url").chmod(0o644)
    for more in ((), ("--check",)):
        said = refused(planned, planned / "plan.toml", *more)
        assert "[C21] sql_url_file:" in said
        assert "open to other accounts" in said
    (planned / "url").unlink()
    assert "no such file" in refused(planned, planned / "plan.toml")


def test_a_plan_of_changes(planned):
    run(planned, planned / "plan.toml")
    write(planned / "gone.csv", "C22", 1)
    plan = planned / "changes.toml"
    plan.write_text('[C22]\nfiles = "gone.csv"\nmode = "delete"\n', encoding="utf-8")
    items, _ = run(planned, plan)
    assert (items["C22"]["mode"], items["C22"]["changes"]["removed"]) == ("delete", 1)
    assert states(planned, plan) == {"C22": "done before"}
    plan.write_text('[C23]\nfiles = "gone.csv"\nmode = "delete"\n', encoding="utf-8")
    items, _ = run(planned, plan, code=1)
    assert "nothing was imported yet" in items["C23"]["error"]


# ---- at the same time


def test_one_run_at_a_time(place):
    with hold_lock(place / "44" / ALL_LOCK, ConflictError("busy", ""), create=True):
        assert "another `heqiao import --all` is running" in refused(place, place / "in")
    assert states(place, place / "in") == IMPORTED


def test_beside_another_import(place):
    with hold_lock(place / "44" / LOCK, ConflictError("busy", ""), create=True):
        assert "another import or rotation is running" in refused(place, place / "in")
    assert states(place, place / "in") == IMPORTED


def test_a_platform_has_nothing_to_import(place):
    shutil.rmtree(place / "44")
    ok("init", "--home", place / "44", "--code", "44", "--name", "44", "--role", "platform")
    code, _, err = heqiao("import", "--home", place / "44", "--all", place / "in")
    assert (code, "this home is of a platform" in err) == (1, True)
