"""Large jobs of `heqiao serve` run in a process of their own: killed, cancelled, stopped, left alone.

44 holds the first query back, so that the process is in the middle of one. More than 50 people are many here.
"""

import json
import os
import shutil
import signal
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from keys import KeyStore
from node.client.platform import Platform
from node.context import Node
from node.database.tables import metadata
from node.domain.verification import Verification
from node.services.job_process import NICENESS
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
from tests.support.federation import PASSPHRASE, QUICK_LEASES, set_config
from tests.support.held_query import Gate

JOB, SMALL = "large", "small"
LARGE = 50
SOON_S = 120  # of a machine with other work


@dataclass
class Serving:
    """A node on one database: opened here too; a process that serves it, and another that may."""

    node: Node
    first: Process
    second: Process

    @property
    def large(self) -> list[int]:
        """The processes for large jobs that the first one has started."""
        return [pid for pid in children(self.pid) if "multiprocessing.spawn" in command(pid)]

    @property
    def pid(self) -> int:
        """Of the first process."""
        assert self.first._process is not None
        return self.first._process.pid


@pytest.fixture
def serving(request: pytest.FixtureRequest, world: World, tmp_path: Path) -> Iterator[Serving]:
    homes = world.copy(tmp_path, "45", "44")
    if getattr(request, "param", "sqlite") == "postgresql":
        url = request.getfixturevalue("postgres").create_another()
    else:
        url = f"sqlite:///{homes['45'] / 'heqiao.db'}"
    set_config(homes["45"], "store", url=url)
    set_config(homes["45"], "jobs", **{**QUICK_LEASES, "lease_s": 4}, large_job=LARGE)
    set_config(homes["45"], "log", file="node.log")
    # Before this process has the database open: to close a file of SQLite ends all its locks in a process.
    other = Path(shutil.copytree(homes["45"], tmp_path / "45-second"))
    province = Province(homes["44"]).start()
    node = open_home(homes["45"])
    know(node, homes["44"], province.port)
    with processes(homes["45"], other) as (first, second):
        yield Serving(node, first, second)
    node.store.dispose()
    province.stop()


def children(pid: int) -> list[int]:
    found: list[int] = []
    with suppress(FileNotFoundError):
        for task in Path(f"/proc/{pid}/task").iterdir():
            with suppress(FileNotFoundError):
                found += map(int, (task / "children").read_text(encoding="ascii").split())
    return found


def command(pid: int) -> str:
    with suppress(FileNotFoundError):
        return Path(f"/proc/{pid}/cmdline").read_text(encoding="utf-8", errors="replace")
    return ""


def is_alive(pid: int) -> bool:
    with suppress(FileNotFoundError):
        state = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()[0]
        return state not in "XZ"
    return False


def events(process: Process) -> list[dict]:
    return [json.loads(line) for line in (process.home / "node.log").read_text(encoding="utf-8").splitlines()]


def names(process: Process) -> list[str]:
    return [line["event"] for line in events(process)]


def ended(node: Node, job: str) -> int:
    """How often the audit chain says that the job ended."""
    audit = metadata.tables["audit"]
    with node.store.transaction("look") as tx:
        rows = tx.execute(audit.select().where(audit.c.event == "verification_ended")).all()
    return sum(json.loads(row.details)["job"] == job for row in rows)


def people(asked: Verification, count: int) -> Verification:
    return replace(asked, peers=("44",), subjects=asked.subjects[-count:])


def begin(serving: Serving, gate: Gate, asked: Verification) -> int:
    """Let the first process run a large job to the middle of its query; the process that runs it."""
    serving.first.start()
    with Platform.open(serving.first.home, f"127.0.0.1:{serving.first.platform_port}") as platform:
        platform.submit(asked, JOB)
    assert gate.reached.wait(SOON_S)
    (found,) = serving.large
    return found


@pytest.mark.parametrize("serving", ["sqlite", "postgresql"], indirect=True)
def test_a_killed_one_is_started_again_and_its_job_is_right(
    serving: Serving, gate: Gate, asked: Verification
) -> None:
    asked = people(asked, LARGE + 10)
    killed = begin(serving, gate, asked)
    os.kill(killed, signal.SIGKILL)
    gate.open.set()
    report = wait_report(serving.node, JOB)
    assert report.state == "done"
    assert ended(serving.node, JOB) == 1
    (again,) = serving.large
    assert again != killed
    assert names(serving.first).count("job_process_started") == 2
    (told,) = [line for line in events(serving.first) if line["event"] == "job_process_ended"]
    assert told["code"] == str(-signal.SIGKILL)
    # What was found is what the serving process finds without one.
    assert serving.first.stop() == 0
    assert not is_alive(again)
    set_config(serving.first.home, "jobs", large_job=1_000)
    serving.first.start()
    with Platform.open(serving.first.home, f"127.0.0.1:{serving.first.platform_port}") as platform:
        platform.submit(asked, "again")
    assert findings_of(wait_report(serving.node, "again")) == findings_of(report)
    assert not serving.large
    assert serving.first.stop() == 0


def test_it_ends_with_a_killed_node_and_gives_its_jobs_back(
    serving: Serving, gate: Gate, asked: Verification
) -> None:
    """Another process goes on at once, although the lease would have lasted for minutes."""
    set_config(serving.first.home, "jobs", lease_s=600)
    own = begin(serving, gate, people(asked, LARGE + 10))
    serving.second.start()
    serving.first.kill()
    gate.open.set()
    wait_for(lambda: not is_alive(own), SOON_S, "it does not end with its parent")
    assert wait_report(serving.node, JOB).state == "done"
    assert ended(serving.node, JOB) == 1
    assert serving.second.stop() == 0


def test_a_node_that_stops_ends_it_in_order(serving: Serving, gate: Gate, asked: Verification) -> None:
    set_config(serving.first.home, "jobs", lease_s=600)
    own = begin(serving, gate, people(asked, LARGE + 10))
    assert serving.first.stop() == 0
    assert not is_alive(own)
    gate.open.set()
    serving.second.start()
    assert wait_report(serving.node, JOB).state == "done"
    assert "job_process_started" in names(serving.second)
    assert "job_process_ended" not in names(serving.first)
    assert ended(serving.node, JOB) == 1
    assert serving.second.stop() == 0


def test_a_cancelled_job_stops_in_it(serving: Serving, gate: Gate, asked: Verification) -> None:
    own = begin(serving, gate, people(asked, LARGE + 10))
    with Platform.open(serving.first.home, f"127.0.0.1:{serving.first.platform_port}") as platform:
        platform.cancel(JOB)
        gate.open.set()
        assert wait_report(serving.node, JOB).state == "cancelled"
    assert serving.large == [own]
    assert serving.first.stop() == 0


def test_small_jobs_need_none_and_large_ones_no_passphrase(
    serving: Serving, gate: Gate, asked: Verification
) -> None:
    """The medium of the passphrase may be away; pages, peers and small jobs go first."""
    gate.open.set()
    serving.first.start()
    with Platform.open(serving.first.home, f"127.0.0.1:{serving.first.platform_port}") as platform:
        platform.submit(people(asked, LARGE), SMALL)
        assert wait_report(serving.node, SMALL).state == "done"
        assert serving.large == []
        keys = KeyStore.open(serving.first.home / "keys", PASSPHRASE)
        (serving.first.home / "passphrase").unlink()
        platform.submit(people(asked, LARGE + 1), JOB)
        assert wait_report(serving.node, JOB).state == "done"
        (own,) = serving.large
        assert os.getpriority(os.PRIO_PROCESS, own) == os.getpriority(os.PRIO_PROCESS, 0) + NICENESS
        # Nothing that opens keys is in what everybody on the machine can read.
        shown = command(own) + Path(f"/proc/{own}/environ").read_text(encoding="utf-8", errors="replace")
        assert PASSPHRASE.decode() not in shown
        assert not any(key.hex() in shown for key in keys.hand_over())
    assert serving.first.stop() == 0
    assert not is_alive(own)


def test_it_reads_keys_again_with_the_node(serving: Serving, gate: Gate, asked: Verification) -> None:
    gate.open.set()
    begin_asked = people(asked, LARGE + 10)
    serving.first.start()
    with Platform.open(serving.first.home, f"127.0.0.1:{serving.first.platform_port}") as platform:
        platform.submit(begin_asked, JOB)
    assert wait_report(serving.node, JOB).state == "done"
    assert serving.first._process is not None
    serving.first._process.send_signal(signal.SIGHUP)
    reloads = lambda: [one for one in events(serving.first) if one["event"] == "reload"]  # noqa: E731
    wait_for(lambda: len(reloads()) == 2, SOON_S, "one of the two has not read them again")
    assert {one["status"] for one in reloads()} == {"done"}
    assert serving.first.stop() == 0
