"""Sources at their time of day: which are due, once each, by the lease; one real run of the command."""

import os
import shutil
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from node.config import load
from node.context import open_node
from node.jobs.leases import Leases
from node.services.source_runs import run_command, run_due_sources
from tests.support.ca_member import made  # noqa: F401  a fixture
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


def test_the_command_runs_and_ends_with_the_lease(made, tmp_path):
    home = tmp_path / "44"
    shutil.copytree(made / "44", home)
    put(home, "C21")
    (home / "C21.csv").write_text(f"id_no,record_no\n{number(1)},A\n", encoding="utf-8")
    node = open_node(load(home / "node.toml"))
    leases = Leases(node.store, 30)
    with leases.hold("sources") as lease:
        assert run_command(home, lease, "C21") == 0
        assert (home / "sources" / "C21.last.json").exists()
        assert run_command(home, lease, "C22") == 1
        lease.stopping.set()
        assert run_command(home, lease, "C21") != 0
    node.store.dispose()
