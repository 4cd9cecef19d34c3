"""Deadlines of stored parts: an estimated day closes nothing, and is counted anew when the table comes."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from matcher import identity
from node import config
from node.context import Node
from node.database import jobs as job_rows
from node.database import peers as peer_rows
from node.domain.peers import PeerRow
from node.domain.subjects import Subject
from node.domain.verification import Verification
from node.errors import ConfigError
from node.jobs import deadlines, engine
from node.jobs.calendar import working_days
from node.services.checks import check_node
from node.services.health_cards import WARNING, card_of
from tests.support.cluster import FakeClock, silence_log
from tests.support.examples import mandate_for
from tests.support.single_node import make_node

JOB, PEER = "j", "51"
LAST = datetime(2198, 12, 27, 2, tzinfo=UTC)  # a Thursday: the days of 2199 are not known
BODY = "44999919900101003"
PERSON = Subject("h/1", "h", "", (identity.parse(BODY + identity.check_digit(BODY)),), "M")
ASKED = Verification(("C21",), (PEER,), "review", "SA-2026-41", (PERSON,), {"M": mandate_for(BODY + "4")})


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock(LAST)


@pytest.fixture
def node(tmp_path: Path, clock: FakeClock) -> Node:
    silence_log(tmp_path)
    home = tmp_path / "44"
    found = make_node(home)
    with (home / "node.toml").open("a", encoding="utf-8") as file:
        file.write('\n[calendar]\npath = "days.toml"\n')
    (home / "days.toml").write_text("years = [2198]\n", encoding="utf-8")
    found = replace(found, config=config.load(home / "node.toml"), clock=clock)
    with found.store.transaction("peer", write=True) as tx:
        peer_rows.put_peer(tx, PeerRow(PEER, "x", "127.0.0.1:1", bytes(32), False, ()), LAST)
    return found


def open_jobs(node: Node) -> list[str]:
    with node.store.transaction("open") as tx:
        job_rows.update_part(tx, JOB, PEER, {"state": "waiting", "reason": "unavailable", "retry_at": FAR})
        return job_rows.open_jobs(tx, node.clock())


FAR = LAST + timedelta(days=400)


def test_an_estimated_day_closes_nothing(node: Node, clock: FakeClock) -> None:
    assert engine.submit(node, JOB, ASKED)
    (one,) = deadlines.list_deadlines(node)
    assert (one.stage, one.part.due_estimated, one.part.close_estimated) == ("open", True, True)
    assert one.part.closes_at == datetime(2199, 1, 10, 2, tzinfo=UTC)  # ten Mondays to Fridays
    clock.advance(days=60)
    assert open_jobs(node) == []
    (one,) = deadlines.list_deadlines(node)
    assert (one.stage, one.part.is_over(clock())) == ("held", False)
    found = {line.check: line for line in check_node(node)}
    assert "holidays of 2199 are not known" in found["working days"].text
    assert found["deadlines"].text == "parts without an answer: 1 held"
    for check in ("working days", "deadlines"):
        assert (found[check].good, found[check].warns) == (True, True)
        assert card_of(node, found[check]).state == WARNING

    # The table comes: 2199-01-01 is a holiday, and the part is closed by its days.
    days = node.config.folder / "days.toml"
    days.write_text("years = [2198, 2199]\noff = [2199-01-01]\n", encoding="utf-8")
    assert deadlines.watch_deadlines(node) == (1, 1)
    (one,) = deadlines.list_deadlines(node)
    assert (one.part.closes_at, one.part.close_estimated) == (datetime(2199, 1, 11, 2, tzinfo=UTC), False)
    assert one.part.is_over(clock())
    assert open_jobs(node) == [JOB]
    with node.store.transaction("look") as tx:
        row = job_rows.find_job(tx, JOB)
    assert row is not None
    assert (row.due_at, row.due_estimated) == (one.part.due_at, False)


def test_a_table_that_breaks_while_the_node_runs(node: Node) -> None:
    """It is read at the start, and what counted before still counts."""
    assert working_days(node).knows(2198)
    days = node.config.folder / "days.toml"
    days.write_text("years = [2198, 2199", encoding="utf-8")
    assert working_days(node).knows(2198)
    other = replace(node, config=node.config.model_copy(
        update={"calendar": node.config.calendar.model_copy(update={"path": days.with_name("none.toml")})}
    ))  # fmt: skip
    with pytest.raises(ConfigError, match="none"):
        working_days(other)
