"""Mirrors: fetched ahead, kept up to date by deltas, the same bytes as the responder's partitions."""

import os
from datetime import UTC, datetime, timedelta

import pytest

from node.client.peer import Peer
from node.jobs.mirrors import mirror_of
from node.registers.importer import import_item
from node.services.peer import PeerServicer
from tests.support.cluster import (
    FakeClock,
    World,
    findings_of,
    part_of,
    query_database,
    read_verification,
    run_job,
    serve_all,
)
from tests.support.federation import set_config
from tests.support.mirrors import mirror_files, mirrored_bytes, served_bytes, sync, whole_fetches
from tests.support.rotations import rotate

pytestmark = pytest.mark.usefixtures("keys_at_once")

ITEMS = ("C21", "B12r", "C23", "D34")
FETCHES = ("GetManifest", "FetchPartition", "FetchDelta", "FetchBuckets", "Evaluate")


@pytest.fixture
def calls(monkeypatch):
    """Names of the calls that any node of this process serves, in order."""
    seen: list[str] = []
    for name in FETCHES:
        honest = getattr(PeerServicer, name)

        def noted(self, request, call, name=name, honest=honest):
            seen.append(name)
            return honest(self, request, call)

        monkeypatch.setattr(PeerServicer, name, noted)
    return seen


def plans(report) -> dict[str, set[str]]:
    return {peer.peer: set(peer.plan_reason.split("; ")) for peer in report.peers}


def register(world: World, item: str, province: str = "44"):
    folder = world.data / province / "registers"
    return [path for path in sorted(folder.iterdir()) if path.name.split("_")[1] == item]


def test_the_first_job_waits_for_its_mirrors_and_the_next_only_evaluates(few: World, tmp_path, calls):
    homes = few.copy(tmp_path, "45", "44")
    asked = read_verification(few.data, ("C21",), ("44",), most=40)
    with serve_all(homes) as provinces:
        first = run_job(provinces["45"], "first", asked)
        assert calls.count("FetchPartition") == 2  # of every granted origin, whoever is asked about
        assert "FetchBuckets" not in calls
        assert plans(first) == {"44": {"C21 mirror: synced"}}
        calls.clear()
        second = run_job(provinces["45"], "second", asked)
        assert calls == ["Evaluate"]
        assert plans(second) == {"44": {"C21 mirror: kept"}}
        assert findings_of(first) == findings_of(second)
        assert {path.stat().st_mode & 0o777 for path in mirror_files(homes["45"])} == {0o600}
        assert second.peers[0].bytes_down < first.peers[0].bytes_down


def test_both_plans_give_the_same_answers(world: World, tmp_path, calls):
    results = []
    for mib in (20_480, 0):
        homes = world.copy(tmp_path / str(mib))
        set_config(homes["45"], "requester", mirror_mib=mib)
        with serve_all(homes) as provinces:
            report = run_job(provinces["45"], "asked", read_verification(world.data, ITEMS))
        assert report.state == "done"
        results.append((findings_of(report), {peer.plan for peer in report.peers}))
    assert results[0][0] == results[1][0]
    assert (results[0][1], results[1][1]) == ({"mirror"}, {"buckets"})
    reasons = {word for said in plans(report).values() for one in said for word in one.split(": ")[1:]}
    assert reasons == {"no_room"}


def test_a_delta_brings_a_mirror_up_to_date(small: World, tmp_path, calls):
    homes = small.copy(tmp_path, "45", "44")
    with serve_all(homes) as provinces:
        requester, responder = provinces["45"].node, provinces["44"].node
        first = sync(requester)
        assert mirrored_bytes(requester) == served_bytes(responder, "45")
        lines = register(small, "C21")[0].read_bytes().splitlines(keepends=True)
        few = tmp_path / "few.csv"
        few.write_bytes(b"".join([lines[0], *lines[5:9]]))
        import_item(responder, "C21", [few], mode="delete")
        calls.clear()
        with whole_fetches() as whole:
            second = sync(requester)
        assert not whole
        assert set(calls) == {"GetManifest", "FetchDelta"}
        assert mirrored_bytes(requester) == served_bytes(responder, "45")
        assert second.bytes_down < first.bytes_down / 10
        calls.clear()
        sync(requester)
        assert calls == ["GetManifest"]


def test_a_mirror_of_25_hours_is_synced_and_without_the_peer_not_used(few: World, tmp_path, calls):
    homes, clock = few.copy(tmp_path, "45", "44"), FakeClock(datetime.now(UTC))
    asked = read_verification(few.data, ("C21",), ("44",), most=40)
    with serve_all(homes, clock) as provinces:
        sync(provinces["45"].node)
        clock.advance(hours=23, minutes=50)
        calls.clear()
        assert run_job(provinces["45"], "day", asked).state == "done"
        assert calls == ["Evaluate"]
        clock.advance(hours=1, minutes=10)
        calls.clear()
        assert run_job(provinces["45"], "later", asked).state == "done"
        assert calls == ["GetManifest", "Evaluate"]
        clock.advance(hours=25)
        provinces["44"].stop()
        report = run_job(provinces["45"], "away", asked)
        assert part_of(report, "44") == ("unavailable", "unavailable")


def test_the_old_epoch_answers_until_its_successor_is_whole(few: World, tmp_path, calls):
    homes, clock = few.copy(tmp_path, "45", "44"), FakeClock(datetime.now(UTC))
    set_config(homes["45"], "requester", mirror_sync_hours=12)
    asked = read_verification(few.data, ("C21",), ("44",), most=40)
    with serve_all(homes, clock) as provinces:
        requester = provinces["45"].node
        sync(requester)
        rotate(homes["44"], "oprf", clock)
        calls.clear()
        before = run_job(provinces["45"], "fresh", asked)
        assert calls == ["Evaluate"]
        clock.advance(hours=25)
        calls.clear()
        during = run_job(provinces["45"], "old", asked)
        assert calls == ["GetManifest", "GetManifest", "Evaluate"]
        epochs = "SELECT job, epoch FROM parts WHERE peer = '44'"
        assert dict(query_database(homes["45"], epochs)) == {"fresh": 1, "old": 1}
        sync(requester)
        assert mirrored_bytes(requester) == served_bytes(provinces["44"].node, "45")
        calls.clear()
        after = run_job(provinces["45"], "new", asked)
        assert calls == ["Evaluate"]
        assert dict(query_database(homes["45"], epochs))["new"] == 2
        assert findings_of(before) == findings_of(during) == findings_of(after)
        assert len(mirror_files(homes["45"])) == len(mirrored_bytes(requester))  # nothing of the old epoch


def damage(path, how: str, others) -> None:
    data = path.read_bytes()
    if how == "bit":
        path.write_bytes(data[:-1] + bytes([data[-1] ^ 1]))
    elif how == "short":
        path.write_bytes(data[:-1])
    elif how == "leaf":
        path.write_bytes(data[:70] + bytes([data[70] ^ 1]) + data[71:])
    elif how == "form":
        path.write_bytes(data[:3] + bytes([data[3] + 1]) + data[4:])
    else:
        path.write_bytes(next(other for other in others if other != path).read_bytes())


@pytest.mark.parametrize("how", ["bit", "short", "leaf", "form", "other"])
def test_a_damaged_file_is_never_used_and_fetched_again(few: World, tmp_path, calls, how):
    homes = few.copy(tmp_path, "45", "44")
    asked = read_verification(few.data, ("C21",), ("44",), most=150)
    with serve_all(homes) as provinces:
        first = run_job(provinces["45"], "first", asked)
        files = mirror_files(homes["45"])
        chosen = max(files, key=lambda path: path.stat().st_size)
        good = chosen.read_bytes()
        damage(chosen, how, files)
        os.utime(chosen, (1, 1))
        calls.clear()
        second = run_job(provinces["45"], "second", asked)
        assert findings_of(first) == findings_of(second)
        assert calls.count("FetchPartition") == (1 if chosen.read_bytes() == good else 0)
        folder = mirror_of(provinces["45"].node, "44")
        assert folder.usable(("C21",), datetime.now(UTC)) is not None or how == "bit"


def test_what_was_not_used_for_a_week_makes_room_in_a_sync_and_nothing_does_in_a_job(world, tmp_path):
    homes = world.copy(tmp_path)
    with serve_all(homes) as provinces:
        node = provinces["45"].node
        sync(node, "33")
        used = mirror_of(node, "33").bytes_used()
        assert used < 900_000
    set_config(homes["45"], "requester", mirror_mib=1)
    with serve_all(homes) as provinces:
        node = provinces["45"].node
        filler = homes["45"] / "mirror" / "33" / "C21-99-filler.hqm"
        filler.write_bytes(bytes(1_048_576))
        old = (datetime.now(UTC) - timedelta(days=6)).timestamp()
        os.utime(filler, (old, old))
        assert {why for _, why in sync(node).left} == {"no_room"}
        os.utime(filler, (old - 200_000, old - 200_000))
        report = run_job(provinces["45"], "one", read_verification(world.data, ("C21",), ("44",), most=9))
        assert report.peers[0].plan == "buckets"
        assert "no_room" in report.peers[0].plan_reason
        assert filler.exists()
        assert not sync(node).left
        assert not filler.exists()


def test_the_client_library_keeps_mirrors_in_its_own_folder(few: World, tmp_path, calls):
    homes = few.copy(tmp_path, "45", "44")
    asked = read_verification(few.data, ("C21",), ("44",), most=40)
    with serve_all(homes), Peer.open(homes["45"], "44") as peer:
        assert peer.sync().left == ()
        calls.clear()
        assert {answer.outcome.value for answer in peer.verify(asked)["C21"]} >= {"FOUND", "NOT_FOUND"}
        assert calls == ["Evaluate"]
    assert mirror_files(homes["45"])
