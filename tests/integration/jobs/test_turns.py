"""Attack M5: a peer that answers slowly keeps its own parts waiting, and no other peer's."""

import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from matcher import Identity
from node.context import Node
from node.database import jobs as job_rows
from node.database import peers as peer_rows
from node.domain.jobs import OPEN_STATES
from node.domain.peers import PeerRow
from node.domain.subjects import Subject
from node.domain.verification import Verification
from node.jobs import engine
from node.jobs.leases import Leases
from node.jobs.match_job import MatchJob
from node.jobs.part_run import START_S, allowed_s
from node.jobs.runner import SMALL_JOB, Runner
from node.jobs.turns import Turns
from tests.support.cluster import wait_for
from tests.support.single_node import make_node

DRIPS, HONEST = "44", "33"
SIZES = {"small": 1, "lists": SMALL_JOB + 1}


@pytest.fixture
def node(tmp_path: Path) -> Iterator[Node]:
    made = make_node(tmp_path / "45")
    with made.store.transaction("peers", write=True) as tx:
        for code in (DRIPS, HONEST):
            row = PeerRow(code, code, "127.0.0.1:1", bytes(32), False, ())
            peer_rows.put_peer(tx, row, datetime.now(UTC))
    yield made
    made.store.dispose()


@pytest.fixture
def go(monkeypatch: pytest.MonkeyPatch) -> Iterator[threading.Event]:
    """Parts of 44 last until it is set, those of 33 end at once."""
    event = threading.Event()

    def ask(_self, run, _request):
        if run.part.peer == DRIPS:
            assert event.wait(60)

    monkeypatch.setattr(MatchJob, "ask", ask)
    yield event
    event.set()


@pytest.fixture
def runner(node: Node, go: threading.Event) -> Iterator[Runner]:
    leases = Leases(node.store, 30)
    made = Runner(node, leases, poll_s=600)
    yield made
    go.set()
    made.stop()


def submit(node: Node, job: str, peers: tuple[str, ...], people: int) -> None:
    one = Identity("resident", "449999190001010034")
    subjects = tuple(Subject(f"h/{at}", "h", "", (one,), "") for at in range(people))
    assert engine.submit(node, job, Verification(("C21",), peers, "review", "SA-2026-41", subjects, {}))


def states(node: Node, job: str) -> dict[str, str]:
    with node.store.transaction("look") as tx:
        return {part.peer: part.state for part in job_rows.list_parts(tx, job)}


def has_ended(node: Node, job: str) -> bool:
    with node.store.transaction("look") as tx:
        row = job_rows.find_job(tx, job)
    assert row is not None
    return row.state not in OPEN_STATES


@pytest.mark.parametrize("size", SIZES)
def test_m5_a_peer_that_drips_delays_no_other_peer(node: Node, runner: Runner, go, size: str) -> None:
    """More jobs than there are workers ask 44; their parts of other peers, and other jobs, end meanwhile."""
    drips = [f"drips-{number}" for number in range(6)]
    for job in drips:
        submit(node, job, (DRIPS, HONEST), SIZES[size])
        runner.start(job)
    for job in drips:
        wait_for(lambda job=job: states(node, job)[HONEST] == "done", 30, f"{job} asks nobody else")
    submit(node, "other", (HONEST,), SIZES[size])
    runner.start("other")
    wait_for(lambda: has_ended(node, "other"), 30, "no worker is left for other peers")
    assert not any(has_ended(node, job) for job in drips)
    go.set()
    for job in drips:
        wait_for(lambda job=job: has_ended(node, job), 30, f"{job} is not taken up again")
        assert states(node, job) == {DRIPS: "done", HONEST: "done"}


def test_a_job_that_waits_for_a_turn_is_cancelled_at_once(node: Node, runner: Runner, go) -> None:
    for job in ("one", "two", "three"):
        submit(node, job, (DRIPS,), SIZES["lists"])
        runner.start(job)
    wait_for(lambda: len(runner._waiting) == 2, 30, "they do not wait")
    engine.cancel(node, "three")
    runner.take_up(["three"])
    wait_for(lambda: has_ended(node, "three"), 30, "it is not cancelled")
    assert states(node, "three") == {DRIPS: "cancelled"}
    go.set()


def test_turns_are_counted_for_each_peer() -> None:
    freed: list[str] = []
    turns = Turns(1, freed.append)
    first, second = turns.begin(["44", "33"]), turns.begin(["44", "51"])
    assert (first.taken, second.taken) == ({"44", "33"}, {"51"})
    assert (turns.are_free(["44"]), turns.are_free(["44", "52"])) == (False, True)
    with second.hold("51") as has_turn:
        assert has_turn
    with second.hold("44") as has_turn:  # it has no other part to wait with
        assert not has_turn
    first.give_back()
    assert sorted(freed) == ["33", "44", "51"]
    with second.hold("44") as has_turn:
        assert has_turn
    assert turns.are_free(["44"])


@pytest.mark.parametrize(("people", "seconds"), [(1, 0.25), (20_000, 5_000), (100_000, 25_000)])
def test_the_time_of_a_part_follows_from_its_size(people: int, seconds: float) -> None:
    """Two queries of two numbers a person at 16 points a second."""
    assert allowed_s(people) == START_S + seconds
