"""A peer that changes while it is asked: the answers are always the same."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from node.context import Node
from node.database import jobs as job_rows
from node.database import peers as peer_rows
from node.database.leases import job_lease
from node.domain.days import china_day
from node.domain.verification import Verification
from node.jobs import engine
from node.jobs.leases import Leases
from node.registers.importer import import_item
from node.requester import handshake, match, match_query
from node.requester.checkpoint import MemoryCheckpoint, StoredCheckpoint
from node.requester.context import QueryContext
from node.requester.point_cache import PointCache
from node.transport.peer_client import PeerClient
from tests.support.cluster import FakeClock, World, open_home, query_database, serve_all, wait_report
from tests.support.federation import set_config
from tests.support.renumbered import renumbered


class Interrupted:
    """A real link; before the n-th call of a method something happens."""

    def __init__(self, link: PeerClient, happenings: dict[tuple[str, int], Callable[[], None]]) -> None:
        self._link, self._happenings, self.calls = link, happenings, dict.fromkeys(("m", "e", "b"), 0)

    def _before(self, method: str) -> None:
        self.calls[method] += 1
        self._happenings.get((method, self.calls[method]), lambda: None)()

    def get_manifest(self, epoch=0):
        self._before("m")
        return self._link.get_manifest(epoch)

    def evaluate(self, start, chunks):
        self._before("e")
        return self._link.evaluate(start, chunks)

    def fetch_buckets(self, wanted):
        self._before("b")
        return self._link.fetch_buckets(wanted)


def ask_44(requester: Node, asked: Verification, happenings) -> tuple[dict, dict[str, int]]:
    with requester.store.transaction("find peer") as tx:
        peer = peer_rows.find_peer(tx, "44")
    checkpoint, now = MemoryCheckpoint(), requester.clock()
    with PeerClient.open(requester, peer, checkpoint.count) as opened:
        link = Interrupted(opened, happenings)
        context = QueryContext(
            code=requester.code,
            peer=peer,
            catalogue=requester.catalogue,
            calls=link,
            checkpoint=checkpoint,
            mapped=PointCache(requester.keys.salts, asked.subjects),
            clock=requester.clock,
            random_bytes=requester.random_bytes,
            settings=requester.config.requester,
            deadline=now + timedelta(minutes=1),
        )
        question = match_query.ask_question(requester, asked, "44", china_day(now))
        answers = match.ask_peer(context, question)
    return {
        (subject.ref, item, "44"): (answer.outcome.value, answer.value, answer.reason)
        for item, found in answers.items()
        for subject, answer in zip(asked.subjects, found, strict=True)
    }, link.calls


def register(world: World, item: str) -> Path:
    return next(p for p in (world.data / "44" / "registers").iterdir() if f"_{item}_" in p.name)


@pytest.fixture
def changing(world: World, tmp_path: Path):
    with serve_all(world.copy(tmp_path, "45", "44")) as provinces:
        yield provinces


CALLS = [("e", 1), ("b", 1), ("b", 2), ("b", 3)]


@pytest.mark.parametrize(
    ("times", "call"), [*((times, call) for times in (1, 2) for call in CALLS), (3, ("b", 2))]
)
def test_import_during_a_query(times: int, call, world: World, changing, asked, undisturbed) -> None:
    """Two imports replace the version that is being read; one leaves it readable."""

    def reimport() -> None:
        for number in range(times):
            for item in asked.items:
                import_item(renumbered(changing["44"].node, number), item, [register(world, item)])

    answers, calls = ask_44(changing["45"].node, asked, {call: reimport})
    assert answers == {key: value for key, value in undisturbed.items() if key[2] == "44"}
    assert (calls["m"] > 1) == (times > 1)  # a version that is still kept is read to its end


def test_other_planted_subjects_during_a_query(world: World, changing, asked, undisturbed) -> None:
    """An administrator changes planted_per_partition in between: the peer is asked anew, not distrusted."""
    home = changing["44"].home

    def fewer() -> None:
        set_config(home, "limits", planted_per_partition=1)
        node = open_home(home)
        for number in range(2):
            for item in asked.items:
                import_item(renumbered(node, number), item, [register(world, item)])
        node.store.dispose()

    answers, calls = ask_44(changing["45"].node, asked, {("b", 2): fewer})
    assert answers == {key: value for key, value in undisturbed.items() if key[2] == "44"}
    assert calls["e"] == 3  # the ordinary query twice, the sensitive one once


def test_streams_that_break_again_and_again(world: World, changing, asked, undisturbed) -> None:
    """The responder restarts in the middle of a stream; nothing is counted twice."""
    home, port = changing["44"].home, changing["44"].port
    set_config(home, "peer", listen=f"127.0.0.1:{port}")

    def restart() -> None:
        changing["44"].stop()
        changing["44"].start()

    happenings = {("m", 1): restart, ("e", 1): restart, ("b", 1): restart, ("b", 4): restart}
    answers, _ = ask_44(changing["45"].node, asked, happenings)
    assert answers == {key: value for key, value in undisturbed.items() if key[2] == "44"}


def test_no_manifest_is_used_after_its_time(world: World, asked: Verification, tmp_path: Path) -> None:
    """A job that is taken up after a day asks for a new manifest and asks anew."""
    clock = FakeClock(datetime.now(UTC))
    homes = world.copy(tmp_path, "45", "44")
    with serve_all(homes, clock) as provinces:
        node = provinces["45"].node
        verification = replace(asked, peers=("44",))
        engine.submit(node, "old", verification)
        with node.store.transaction("find peer") as tx:
            peer = peer_rows.find_peer(tx, "44")
            part = job_rows.list_parts(tx, "old")[0]
        with (
            Leases(node.store, 30).hold(job_lease("old")) as lease,
            PeerClient.open(node, peer) as link,
        ):
            checkpoint = StoredCheckpoint(node, "old", part, lease)
            context = QueryContext(
                "45", peer, node.catalogue, link, checkpoint, PointCache(node.keys.salts, ()), clock,
                node.random_bytes, node.config.requester,
                clock() + timedelta(minutes=1),
            )  # fmt: skip
            old = handshake.begin_session(context, ("C21", "Z59b"), link.get_manifest)
        clock.advance(hours=30)
        provinces["45"].server.start_job("old")
        assert wait_report(node, "old").state == "done"
    queries = query_database(homes["44"], "SELECT details FROM audit WHERE event = 'query_answered'")
    assert all(old.session.query_id.hex() not in str(details) for (details,) in queries)
