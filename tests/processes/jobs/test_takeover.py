"""Two processes of one node on one database: a job is run by one of them, and ended once.

44 holds the first query back until the process that asks has been stopped, killed or asked to end.
"""

import json
import shutil
import sqlite3
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from node.context import Node
from node.database import jobs as job_rows
from node.database.leases import job_lease
from node.database.tables import metadata
from node.domain.verification import Verification
from node.jobs import engine
from tests.support.cluster import (
    Process,
    Province,
    World,
    findings_of,
    know,
    open_home,
    processes,
    wait_for,
    wait_report,
)
from tests.support.federation import QUICK_LEASES, set_config
from tests.support.held_query import Gate

JOB = "shared"
LEASE_S = 4  # a process that runs, on a machine however busy, renews in time


@dataclass
class Shared:
    """A node on one database: opened here too, to look at it; two processes that may serve it."""

    node: Node
    first: Process
    second: Process
    database: str


@pytest.fixture
def shared(request: pytest.FixtureRequest, world: World, tmp_path: Path) -> Iterator[Shared]:
    homes = world.copy(tmp_path, "45", "44")
    url = f"sqlite:///{homes['45'] / 'heqiao.db'}"
    if request.param == "postgresql":
        url = request.getfixturevalue("postgres").create_another()
    set_config(homes["45"], "store", url=url)
    set_config(homes["45"], "jobs", **{**QUICK_LEASES, "lease_s": LEASE_S})
    set_config(homes["45"], "log", file="node.log")
    province = Province(homes["44"]).start()
    node = open_home(homes["45"])
    know(node, homes["44"], province.port)
    other = Path(shutil.copytree(homes["45"], tmp_path / "45-second"))
    with processes(homes["45"], other) as (first, second):
        yield Shared(node, first, second, request.param)
        for process in (first, second):
            if process.running:
                process.resume()
    node.store.dispose()
    province.stop()


def lease_number(node: Node) -> int:
    leases = metadata.tables["leases"]
    with node.store.transaction("look") as tx:
        found = tx.scalar(
            leases.select().with_only_columns(leases.c.number).where(leases.c.name == job_lease(JOB))
        )
    return int(found or 0)


def everything(node: Node) -> dict[str, list[tuple[object, ...]]]:
    """All that is kept of jobs, and the audit chain."""
    tables = ("jobs", "parts", "tokens", "answers", "sum_products", "audit")
    with node.store.transaction("dump") as tx:
        return {
            name: sorted(map(tuple, tx.execute(metadata.tables[name].select())), key=repr) for name in tables
        }


def ended(node: Node, job: str) -> int:
    """How often the audit chain says that the job ended."""
    audit = metadata.tables["audit"]
    with node.store.transaction("look") as tx:
        rows = tx.execute(audit.select().where(audit.c.event == "verification_ended")).all()
    return sum(json.loads(row.details)["job"] == job for row in rows)


def events(process: Process) -> list[str]:
    lines = (process.home / "node.log").read_text(encoding="utf-8").splitlines()
    return [json.loads(line)["event"] for line in lines]


def begin(shared: Shared, gate: Gate, asked: Verification) -> Verification:
    """Let the first process run the job to the middle of its query, and start the second."""
    asked = replace(asked, peers=("44",), subjects=asked.subjects[:100])
    shared.first.start()
    assert engine.submit(shared.node, JOB, asked)
    assert gate.reached.wait(120)
    shared.second.start()
    return asked


def stop_between_transactions(shared: Shared) -> None:
    """SIGSTOP; on SQLite again where it came within a transaction, which locks the file for everybody."""
    while True:
        shared.first.suspend()
        if shared.database != "sqlite":
            return
        base = sqlite3.connect(shared.first.home / "heqiao.db", timeout=1, isolation_level=None)
        try:
            base.execute("BEGIN IMMEDIATE")
            base.execute("ROLLBACK")
        except sqlite3.OperationalError:
            shared.first.resume()
            time.sleep(0.02)
        else:
            return
        finally:
            base.close()


@pytest.mark.parametrize("shared", ["sqlite", "postgresql"], indirect=True)
def test_a_process_that_is_stopped_beyond_its_lease(shared: Shared, gate: Gate, asked: Verification) -> None:
    """The other one takes the job over and ends it; continued, the first one writes nothing."""
    asked = begin(shared, gate, asked)
    first = lease_number(shared.node)
    stop_between_transactions(shared)
    gate.open.set()
    report = wait_report(shared.node, JOB)
    assert report.state == "done"
    assert lease_number(shared.node) > first
    assert "job_ended" in events(shared.second)
    before = everything(shared.node)
    shared.first.resume()
    wait_for(lambda: {"job_taken_over", "lease_lost"} & set(events(shared.first)), 120, "it does not notice")
    time.sleep(1.5)
    assert everything(shared.node) == before
    assert ended(shared.node, JOB) == 1
    assert "job_ended" not in events(shared.first)
    # It is a good process again, and what was found is what one process alone finds.
    assert shared.second.stop() == 0
    assert engine.submit(shared.node, "again", asked)
    assert findings_of(wait_report(shared.node, "again")) == findings_of(report)
    assert events(shared.first).count("job_ended") == 1
    assert shared.first.stop() == 0


@pytest.mark.parametrize("shared", ["sqlite"], indirect=True)
def test_a_process_that_ends_gives_its_jobs_back(shared: Shared, gate: Gate, asked: Verification) -> None:
    """Another one goes on at once: its lease would have lasted for minutes."""
    set_config(shared.first.home, "jobs", lease_s=600)
    begin(shared, gate, asked)
    began = time.monotonic()
    assert shared.first.stop() == 0
    gate.open.set()
    assert wait_report(shared.node, JOB).state == "done"
    assert time.monotonic() - began < 300
    assert ended(shared.node, JOB) == 1


@pytest.mark.parametrize("shared", ["postgresql"], indirect=True)
def test_many_jobs_of_two_processes_end_once_each(shared: Shared, gate: Gate, asked: Verification) -> None:
    gate.open.set()
    asked = replace(asked, peers=("44",), subjects=asked.subjects[:20])
    shared.first.launch()
    shared.second.launch()
    for process in (shared.first, shared.second):
        process.wait_ready()
    names = [f"job-{number}" for number in range(12)]
    for name in names:
        assert engine.submit(shared.node, name, asked)
    for name in names:
        assert wait_report(shared.node, name).state == "done"
        assert ended(shared.node, name) == 1
    assert shared.first.stop() == shared.second.stop() == 0
    with shared.node.store.transaction("open") as tx:
        assert job_rows.open_jobs(tx, shared.node.clock()) == []
