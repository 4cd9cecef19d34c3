"""Attacks M1, M3, M4, M5 on what this node asks: nothing depends on an answer, nothing is endless."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import groupby, islice
from pathlib import Path

import pytest
from heqiao.peer.v1 import mirror_pb2

from matcher.retrieval_plan import BLOCK
from node.errors import PartitionVersionError, UnavailableError
from node.responder import match
from node.services.peer import PeerServicer
from node.transport.peer_client import PeerClient
from node.wire.mirror_messages import PartitionRequest
from tests.support import altered_database
from tests.support.altered_database import cook, spoil_known
from tests.support.cheating_responder import Cheat, partitions, serve_cheat
from tests.support.cluster import Province, World, move_peer, part_of, read_verification, run_job, serve_all
from tests.support.federation import set_config
from tests.support.mirrors import forget, peer_row
from tests.support.worlds import last_people

ITEMS = ("C21", "Z59b", "C22")


@dataclass
class Asked:
    """What a responder was asked: evaluations, and item, origin and numbers of each request for buckets."""

    evaluations: int = 0
    buckets: list[tuple[str, str, tuple[int, ...]]] = field(default_factory=list)

    @property
    def pattern(self) -> tuple[int, list[tuple[str, str]]]:
        """What is the same for every answer: neighbouring requests for one partition are one."""
        return self.evaluations, [place for place, _ in groupby(request[:2] for request in self.buckets)]


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> Asked:
    seen, serve, evaluate = Asked(), match.serve_buckets, PeerServicer.Evaluate

    def noted(node, peer, request):
        seen.buckets.append((request.item, request.origin, tuple(request.buckets)))
        return serve(node, peer, request)

    def counted(self, requests, call):
        seen.evaluations += 1
        return evaluate(self, requests, call)

    monkeypatch.setattr(match, "serve_buckets", noted)
    monkeypatch.setattr(PeerServicer, "Evaluate", counted)
    return seen


@pytest.fixture(scope="module")
def requester(world: World, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Province]:
    """45 without room for mirrors: it fetches blocks of buckets while it asks."""
    homes = world.copy(tmp_path_factory.mktemp("guards"), "45")
    set_config(homes["45"], "requester", mirror_mib=0, min_bucket_entries=8)
    with serve_all(homes) as found:
        yield found["45"]


@contextmanager
def cheating(requester: Province, world: World, folder: Path, cheat: Cheat) -> Iterator[None]:
    forget(requester, "44")
    with serve_cheat(world.copy(folder, "44")["44"], cheat, world) as port:
        move_peer(requester.node, "44", port)
        yield


FINE: dict[str, Cheat] = {
    "2^24 buckets": partitions(lambda part: setattr(part, "bucket_bits", 24)),
    "a bucket each": partitions(lambda part: setattr(part, "bucket_bits", part.entries.bit_length() - 1)),
}


@pytest.mark.parametrize("name", FINE)
def test_m1_fine_buckets_name_nobody(name, world, requester, asked, tmp_path) -> None:
    """Refused before a point is sent or a bucket is asked for."""
    few = read_verification(world.data, ("C21",), ("44",), most=9)
    with cheating(requester, world, tmp_path, FINE[name]):
        report = run_job(requester, f"m1-{name[0]}", few)
    assert part_of(report, "44")[0] == "distrusted"
    assert part_of(report, "44")[1].removeprefix("peer_answer_wrong:") in (
        "manifest_form",
        "manifest_geometry",
    )
    assert asked == Asked()


def test_m1_a_version_that_changed_is_asked_alike_and_recorded(
    world, requester, asked, tmp_path, monkeypatch
) -> None:
    """The responder reads the numbers, says that the version was replaced, and answers the second time."""
    few, first = read_verification(world.data, ("C21",), ("44",), most=9), [True]
    serve = match.serve_buckets

    def changed(node, peer, request):
        parts = serve(node, peer, request)
        if first and first.pop():
            raise PartitionVersionError("this version was replaced")
        return parts

    monkeypatch.setattr(match, "serve_buckets", changed)
    with cheating(requester, world, tmp_path, Cheat()):
        report = run_job(requester, "m1-changed", few)
    assert part_of(report, "44") == ("done", "")
    (peer,) = report.peers
    assert set(peer.plan_reason.split("; ")) == {"C21 buckets: no_room", "C21 changed"}
    one, two = asked.buckets
    assert one == two
    blocks = [len(list(numbers)) for _, numbers in groupby(one[2], key=lambda number: number // BLOCK)]
    assert set(blocks) == {min(BLOCK, len(one[2]))}


def test_m3_a_spoilt_label_changes_nothing_in_what_is_asked(
    world, requester, asked, tmp_path, monkeypatch
) -> None:
    """The items after it are asked as they always are; only then is the part distrusted."""
    people = last_people(read_verification(world.data, ITEMS, ("44",)))
    known = {found for subject in people.subjects for found in subject.identities}
    monkeypatch.setattr(altered_database, "KNOWN", known)
    patterns = []
    for name, cheat in {"honest": Cheat(), "spoilt": Cheat(cook=cook("C21", "45", spoil_known))}.items():
        asked.evaluations, asked.buckets = 0, []
        with cheating(requester, world, tmp_path / name, cheat):
            report = run_job(requester, f"m3-{name}", people)
        patterns.append(asked.pattern)
    assert part_of(report, "44") == ("distrusted", "peer_answer_wrong:label_damaged")
    assert patterns[0] == patterns[1]
    assert [item for item, _ in patterns[0][1]][-1] == ITEMS[-1]


LARGE: dict[str, Callable[[], Cheat]] = {
    "a bucket of 200 MiB": lambda: partitions(lambda part: grow(part, 200 << 20)),
    "a partition of 2^60 entries": lambda: partitions(lambda part: setattr(part, "entries", 2**60)),
}


def grow(part, size: int) -> None:
    part.entries, part.bucket_bits = size // 36, 0


@pytest.mark.parametrize("name", LARGE)
def test_m4_a_declared_size_is_refused_before_anything_is_fetched(
    name, world, requester, asked, tmp_path
) -> None:
    few = read_verification(world.data, ("C21",), ("44",), most=9)
    with cheating(requester, world, tmp_path, LARGE[name]()):
        report = run_job(requester, f"m4-{len(name)}", few)
    state, reason = part_of(report, "44")
    assert (state, reason.split("_")[0]) == ("distrusted", "peer")
    assert reason.removeprefix("peer_answer_wrong:") in ("manifest_form", "manifest_geometry")
    assert asked == Asked()


def test_m5_a_stream_that_drips_ends_with_the_time_of_its_part(world, requester, tmp_path) -> None:
    """A message now and then, each in time: what the part may take follows from its size."""

    def drip(_node, _responses):
        while True:
            time.sleep(0.05)
            yield mirror_pb2.FetchPartitionResponse(leaves=bytes(32))

    with (
        cheating(requester, world, tmp_path, Cheat(partition=drip)),
        PeerClient.open(requester.node, peer_row(requester.node), allowed_s=1.0) as link,
    ):
        link.get_manifest()
        pieces = islice(link.fetch_partition(PartitionRequest(1, "C21", "45", 1, 0)), 1_000)
        with pytest.raises(UnavailableError):
            list(pieces)
