"""Kills, restarts, cancellations and changes in the middle of a job: the report is always the same."""

import json
import threading
import time
from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from node.client.platform import Platform
from node.context import Node
from node.domain.findings import Report
from node.domain.verification import Verification
from node.errors import JobConflictError, NotFoundError, PreconditionError
from node.jobs import engine, match_results
from tests.support.cluster import (
    FakeClock,
    Process,
    Province,
    World,
    findings_of,
    free_port,
    move_peer,
    open_home,
    part_of,
    processes,
    query_database,
    read_verification,
    run_job,
    serve_all,
    wait_for,
    wait_report,
)
from tests.support.federation import PATIENT_RETRIES, QUICK_LEASES, set_config, without_holidays
from tests.support.worlds import THREE, last_people

CHUNK = 16  # points


def kept_points(home: Path, job: str, peer: str) -> int:
    """Chunks of tokens that a requester has kept of a running part, 0 when it has ended."""
    (count,) = query_database(home, "SELECT count(*) FROM tokens WHERE job = ? AND peer = ?", job, peer)[0]
    return int(count)


def states(home: Path, job: str) -> dict[str, str]:
    return dict(query_database(home, "SELECT peer, state FROM parts WHERE job = ?", job))


def submit(process: Process, job: str, asked: Verification) -> None:
    with Platform.open(process.home, f"127.0.0.1:{process.platform_port}") as platform:
        platform.submit(asked, job)


def fetch_report(process: Process, job: str) -> Report:
    with Platform.open(process.home, f"127.0.0.1:{process.platform_port}") as platform:
        for _ in platform.watch(job):
            pass
        return platform.report(job)


# ---- real processes and kill -9


@pytest.fixture(scope="module")
def many(world: World) -> Verification:
    """A longer list, so that a query can be interrupted while it is evaluated."""
    return last_people(read_verification(world.data, THREE), 150)


@pytest.fixture(scope="module")
def many_found(served: dict, many: Verification) -> dict:
    """Its findings without any interruption."""
    return findings_of(run_job(served["45"], "many", many))


@pytest.fixture
def three(world: World, tmp_path: Path):
    """Three real processes on ports that they keep over a restart; small chunks make a job long."""
    homes = world.copy(tmp_path)
    ports = {code: free_port() for code in homes}
    for code, home in homes.items():
        set_config(home, "peer", listen=f"127.0.0.1:{ports[code]}")
        set_config(home, "requester", **PATIENT_RETRIES)
        set_config(home, "jobs", **QUICK_LEASES)
        set_config(home, "log", file="node.telemetry.log")
    node = open_home(homes["45"])
    for code in ("44", "33"):
        move_peer(node, code, ports[code])
    node.store.dispose()
    with processes(*homes.values()) as found:
        for process in found:
            process.launch()
        for process in found:
            process.wait_ready()
        yield dict(zip(homes, found, strict=True))


def kill_in_mid_job(victim: Process, requester: Process, asked: Verification) -> str:
    """Kill a process while some points of 44 are evaluated and others are not; the job's id."""
    for attempt in range(5):
        job = f"kill-{attempt}"
        submit(requester, job, asked)
        wait_for(lambda job=job: kept_points(requester.home, job, "44") > 1, 120, "no chunk came", 0.001)
        victim.kill()
        time.sleep(0.3)  # what a responder answered before may still be on its way, even its whole query
        kept = kept_points(requester.home, job, "44")
        if states(requester.home, job)["44"] == "evaluate" and 0 < kept * CHUNK < len(asked.subjects):
            return job
        victim.start()
    pytest.fail("the job was over before the kill, five times")


def test_requester_killed_in_mid_job(three: dict[str, Process], many: Verification, many_found) -> None:
    job = kill_in_mid_job(three["45"], three["45"], many)
    before = kept_points(three["45"].home, job, "44")
    assert 0 < before * CHUNK < len(many.subjects)
    three["45"].start()
    report = fetch_report(three["45"], job)
    assert report.state == "done"
    assert findings_of(report) == many_found
    # It went on where it stopped: the points of the first chunks were not evaluated again.
    resumed = [event for event in audit_of(three["44"]) if event["first_point"]]
    assert resumed[-1]["first_point"] >= before * CHUNK
    assert resumed[-1]["charged"] == 0
    require_charged_once(three["44"])
    assert three["45"].stop() == 0


def test_responder_killed_in_mid_stream(three: dict[str, Process], many: Verification, many_found) -> None:
    job = kill_in_mid_job(three["44"], three["45"], many)
    assert states(three["45"].home, job)["44"] == "evaluate"
    three["44"].start()
    report = fetch_report(three["45"], job)
    assert report.state == "done"
    assert findings_of(report) == many_found
    require_charged_once(three["44"])


def test_stopping_does_not_wait_for_a_peer_that_is_away(
    three: dict[str, Process], asked: Verification
) -> None:
    three["45"].stop()
    set_config(three["45"].home, "requester", retry_attempts=50, retry_wait_s=300, retry_wait_max_s=600)
    three["45"].start()
    three["44"].kill()
    submit(three["45"], "stop", asked)
    wait_for(lambda: states(three["45"].home, "stop")["33"] == "done", 120, "33 does not answer")
    began = time.monotonic()
    assert three["45"].stop() == 0
    assert time.monotonic() - began < 120  # it would wait for minutes until the next try
    assert query_database(three["45"].home, "SELECT state FROM jobs WHERE id = 'stop'") == [("running",)]
    assert states(three["45"].home, "stop")["44"] == "manifest"


def audit_of(process: Process) -> list[dict]:
    rows = query_database(
        process.home, "SELECT details FROM audit WHERE event = 'query_answered' ORDER BY seq"
    )
    return [json.loads(str(details)) for (details,) in rows]


def require_charged_once(process: Process) -> None:
    """However often a query was interrupted, it was charged for its points once, and so were the quotas."""
    charged, points = Counter(), {}
    for event in audit_of(process):
        charged[event["query"]] += event["charged"]
        points[event["query"]] = event["points"]
    assert dict(charged) == points
    used = query_database(process.home, "SELECT sum(amount) FROM quota_uses WHERE measure = 'points'")
    assert used == [(sum(points.values()),)]


# ---- in this process


def test_a_responder_that_stays_down(world: World, asked: Verification, undisturbed, tmp_path: Path) -> None:
    with serve_all(world.copy(tmp_path, "45", "33")) as provinces:
        move_peer(provinces["45"].node, "44", free_port())
        report = run_job(provinces["45"], "down", asked)
    assert report.state == "done"
    assert part_of(report, "44") == ("unavailable", "unavailable")
    assert findings_of(report, "33") == {key: value for key, value in undisturbed.items() if key[2] == "33"}
    assert {answer[0] for answer in findings_of(report, "44").values()} == {"UNAVAILABLE", "NOT_MANDATED"}


def test_the_same_job_twice(served, asked: Verification) -> None:
    node: Node = served["45"].node
    first = run_job(served["45"], "twice", asked)
    assert engine.submit(node, "twice", asked) is False
    assert findings_of(run_job(served["45"], "twice", asked)) == findings_of(first)
    for other in (replace(asked, items=("C21",)), replace(asked, subjects=asked.subjects[1:])):
        with pytest.raises(JobConflictError):
            engine.submit(node, "twice", other)


def test_submitting_at_once_from_many_threads_makes_one_job(served, asked: Verification) -> None:
    node, added = served["45"].node, []
    threads = [
        threading.Thread(target=lambda: added.append(engine.submit(node, "rush", asked))) for _ in range(6)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(added) == [False] * 5 + [True]
    for _ in range(5):  # taken up once, however often it is started
        served["45"].server.start_job("rush")
    assert wait_report(node, "rush").state == "done"


def test_open_jobs_are_taken_up(world: World, asked: Verification, undisturbed, tmp_path: Path) -> None:
    homes = world.copy(tmp_path)
    with serve_all({code: homes[code] for code in ("44", "33")}) as providers:
        node = open_home(homes["45"])
        for code, province in providers.items():
            move_peer(node, code, province.port)
        for job in ("first", "second", "third"):
            assert engine.submit(node, job, asked)
        node.store.dispose()
        requester = Province(homes["45"]).start()
        try:
            for job in ("first", "second", "third"):
                assert findings_of(wait_report(requester.node, job)) == undisturbed
        finally:
            requester.stop()


def test_overdue(world: World, asked: Verification, tmp_path: Path) -> None:
    clock = FakeClock(datetime.now(UTC))
    homes = world.copy(tmp_path)
    without_holidays(homes["45"], clock.now.year)
    with serve_all(homes, clock) as provinces:
        node = provinces["45"].node
        engine.submit(node, "late", asked)
        clock.advance(days=15)
        provinces["45"].server.start_job("late")
        report = wait_report(node, "late")
    assert part_of(report, "44") == part_of(report, "33") == ("overdue", "due_date_passed")
    assert {f.outcome.value for f in report.findings} == {"OVERDUE", "NOT_MANDATED"}
    assert report.state == "done"
    assert report.due_at < clock()


def test_due_while_a_peer_is_away(world: World, asked: Verification, tmp_path: Path) -> None:
    clock = FakeClock(datetime.now(UTC))
    homes = world.copy(tmp_path, "45", "33")
    without_holidays(homes["45"], clock.now.year)
    # It must still be tried when 33 has answered, on a machine however busy.
    set_config(homes["45"], "requester", retry_attempts=30, retry_wait_s=0.1, retry_wait_max_s=0.3)
    with serve_all(homes, clock) as provinces:
        node = provinces["45"].node
        move_peer(node, "44", free_port())
        engine.submit(node, "late", asked)
        provinces["45"].server.start_job("late")
        wait_for(lambda: states(homes["45"], "late")["33"] == "done", 120, "33 does not answer")
        clock.advance(days=15)
        report = wait_report(node, "late")
    assert part_of(report, "44") == ("overdue", "due_date_passed")
    assert part_of(report, "33") == ("done", "")


def test_cancel_in_mid_job(world: World, asked: Verification, undisturbed, tmp_path: Path) -> None:
    """33 has answered, 44 is away and asked again and again: cancelled, what 33 said stays."""
    homes = world.copy(tmp_path, "45", "33")
    set_config(homes["45"], "requester", retry_attempts=50, retry_wait_s=20, retry_wait_max_s=20)
    with serve_all(homes) as provinces:
        node = provinces["45"].node
        move_peer(node, "44", free_port())
        engine.submit(node, "cancel", asked)
        with pytest.raises(PreconditionError):
            match_results.build_report(node, "cancel")
        provinces["45"].server.start_job("cancel")
        wait_for(lambda: states(homes["45"], "cancel")["33"] == "done", 120, "33 does not answer")
        began = time.monotonic()
        engine.cancel(node, "cancel")
        report = wait_report(node, "cancel")
        assert time.monotonic() - began < 120  # it would wait for minutes until the next try
        again = engine.cancel(node, "cancel")
    assert (report.state, again.state) == ("cancelled", "cancelled")
    assert part_of(report, "44")[0] == "cancelled"
    assert findings_of(report, "33") == {key: value for key, value in undisturbed.items() if key[2] == "33"}
    assert {answer[0] for answer in findings_of(report, "44").values()} == {"UNAVAILABLE", "NOT_MANDATED"}


def test_cancel_before_it_runs(served, asked: Verification) -> None:
    node = served["45"].node
    engine.submit(node, "never", asked)
    engine.cancel(node, "never")
    served["45"].server.start_job("never")
    report = wait_report(node, "never")
    assert report.state == "cancelled"
    assert {part.state for part in report.peers} == {"cancelled"}
    with pytest.raises(NotFoundError):
        engine.cancel(node, "no-such-job")
