"""Sources at their time of day: which are due, once each, by the lease; one real run of the command."""

import io
import json
import os
import shutil
import sys
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from node.config import load
from node.context import open_node
from node.database import audit_log
from node.governance.own_work import make_ticket
from node.jobs.leases import Leases
from node.services.source_runs import run_command, run_due_sources
from tests.support.ca_member import made  # noqa: F401  a fixture
from tests.support.cli_runner import heqiao
from tests.support.federation import set_config
from tests.support.single_node import make_node, number

NIGHT = datetime(2026, 7, 1, 19, 31, tzinfo=UTC)  # 2026-07-02 03:31 in China, a Thursday
TEXT = '[source]\nitem = "{}"\n[files]\nnames = "{}.csv"\n[schedule]\nat = "03:30"\n'


def put(home, item, more="", written=NIGHT - timedelta(days=3)):
    folder = home / "sources"
    folder.mkdir(mode=0o700, exist_ok=True)
    path = folder / f"{item}.toml"
    path.touch(0o600)
    path.write_text(TEXT.format(item, item) + more, encoding="utf-8")
    os.utime(path, (written.timestamp(), written.timestamp()))


def test_each_source_runs_once_a_day_in_one_process(tmp_path):
    # The clock of the database decides how long ago a run was: it is now there, too.
    now = datetime.now(UTC)
    at = (now + timedelta(hours=8) - timedelta(minutes=2)).strftime("%H:%M")
    node = replace(make_node(tmp_path / "44"), clock=lambda: datetime.now(UTC))
    for item in ("C21", "C22", "D34"):
        put(tmp_path / "44", item, written=now - timedelta(days=3))
        path = tmp_path / "44" / "sources" / f"{item}.toml"
        path.write_text(path.read_text(encoding="utf-8").replace("03:30", at), encoding="utf-8")
        old = (now - timedelta(days=3)).timestamp()
        os.utime(path, (old, old))
    put(tmp_path / "44", "C23", "nonsense = 1\n")
    changed = tmp_path / "44" / "sources" / "D34.toml"
    os.utime(changed)  # after its time: it waits for tomorrow
    leases, ran = Leases(node.store, 30), []

    def runner(_lease, item):
        ran.append(item)
        return int(item == "C22")

    with leases.hold("sources") as lease:
        assert run_due_sources(node, lease, runner) == ["C21", "C22"]
        assert run_due_sources(node, lease, runner) == []  # not again, also the one that failed
        assert ran == ["C21", "C22"]
        lease.stopping.set()
        later = replace(node, clock=lambda: datetime.now(UTC) + timedelta(days=1))
        assert run_due_sources(later, lease, runner) == []
    node.store.dispose()


@pytest.fixture
def home(made, tmp_path):
    """A home with a source of one row."""
    home = tmp_path / "44"
    shutil.copytree(made / "44", home)
    put(home, "C21")
    (home / "C21.csv").write_text(f"id_no,record_no\n{number(1)},A\n", encoding="utf-8")
    return home


def test_the_command_runs_and_ends_with_the_lease(home):
    node = open_node(load(home / "node.toml"))
    leases = Leases(node.store, 30)
    with leases.hold("sources") as lease:
        assert run_command(node, home, lease, "C21") == 0
        assert (home / "sources" / "C21.last.json").exists()
        assert run_command(node, home, lease, "C22") == 1
        lease.stopping.set()
        assert run_command(node, home, lease, "C21") != 0
    node.store.dispose()


def test_where_people_are_required_the_node_imports_in_its_own_name(home):
    set_config(home, "users", required=True)
    node = open_node(load(home / "node.toml"))
    with Leases(node.store, 30).hold("sources") as lease:
        assert run_command(node, home, lease, "C21") == 0
    with node.store.transaction("read events") as tx:
        events = list(audit_log.events(tx))
    (done,) = (json.loads(one.details) for one in events if one.event == "item_imported")
    assert (done["user"], done["user_roles"], done["user_unit"]) == ("node:sources", "", "")
    node.store.dispose()


def test_nobody_passes_for_the_node(home, monkeypatch):
    set_config(home, "users", required=True)
    node = open_node(load(home / "node.toml"))
    key, leases = node.keys.digest_key, Leases(node.store, 30)
    with leases.hold("sources") as lease:
        good = make_ticket(key, lease, "sources import C21")
        other = make_ticket(key, lease, "sources import C22")
        later = make_ticket(key, replace(lease, number=lease.number + 1), "sources import C21")
        strange = make_ticket(bytes(32), lease, "sources import C21")
        for ticket in ("", "sources:1:", other, later, strange, f"sources:９:{good[-64:]}", "a:b:c"):
            assert "did not start this command" in started(monkeypatch, home, ticket), ticket
        assert "did not start" in started(monkeypatch, home, good, "sources", "remove", "C21")
    assert "did not start" in started(monkeypatch, home, good)  # the lease has ended
    node.store.dispose()


def started(monkeypatch, home, ticket, *words):
    """What a command says that is run by hand with a ticket."""
    monkeypatch.setattr(sys, "stdin", io.StringIO(ticket))
    code, _, err = heqiao("--own-work", *(words or ("sources", "import", "C21")), "--home", home)
    assert code == 1
    return err
