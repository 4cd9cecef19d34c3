"""What changes or fails in the middle of a sync, and manifests that go back or are malformed."""

import shutil
from collections.abc import Iterator
from itertools import count, islice
from pathlib import Path

import pytest
from heqiao.peer.v1 import types_pb2

from node.context import Node
from node.errors import DishonestPeerError
from node.index.republish import republish
from node.jobs.mirrors import mirror_of
from node.registers.importer import import_item
from node.responder import match
from tests.support.changing_responder import (
    assert_equal,
    end_epoch,
    few_rows,
    meddling,
    meddling_delta,
    register_of,
    upsert,
)
from tests.support.cheating_responder import Cheat, serve_cheat
from tests.support.cluster import (
    Province,
    World,
    findings_of,
    move_peer,
    open_home,
    part_of,
    read_verification,
    run_job,
    serve_all,
)
from tests.support.federation import set_config
from tests.support.mirrors import mirror_files, sync, whole_fetches
from tests.support.renumbered import renumbered


@pytest.fixture(scope="module")
def world(few: World) -> World:
    """The one of six partitions: a sync fetches every one that is granted."""
    return few


@pytest.fixture
def homes(request: pytest.FixtureRequest, world: World, tmp_path: Path) -> dict[str, Path]:
    """Of the world, or of another that is named."""
    chosen: World = request.getfixturevalue(request.param) if hasattr(request, "param") else world
    return chosen.copy(tmp_path)


@pytest.fixture
def requester(homes: dict[str, Path]) -> Iterator[Province]:
    with serve_all({"45": homes["45"]}) as provinces:
        yield provinces["45"]


@pytest.fixture
def small_pieces(monkeypatch) -> None:
    monkeypatch.setattr(match, "SLICE_BYTES", 700)
    monkeypatch.setattr(match, "MAX_READ", 1)


@pytest.mark.parametrize("homes", ["small"], indirect=True)
@pytest.mark.usefixtures("small_pieces")
def test_a_partition_replaced_twice_during_a_sync_still_arrives(world, homes, requester, tmp_path) -> None:
    """What is there follows by deltas, the rest comes of the new version."""

    turns = count()

    def replace_twice(node: Node) -> None:
        for turn in islice(turns, 2):
            upsert(node, few_rows(world, tmp_path, 5 * (turn % 2)), turn)

    with serve_cheat(homes["44"], meddling(replace_twice, times=2), world) as port:
        move_peer(requester.node, "44", port)
        with whole_fetches() as whole:
            sync(requester.node)
        assert whole.count("C21/45") == 2
        assert_equal(requester.node, homes["44"])


@pytest.mark.usefixtures("small_pieces")
def test_an_epoch_that_ends_in_the_middle_of_a_sync(world, homes, requester) -> None:
    with serve_cheat(homes["44"], meddling(lambda _node: end_epoch(homes["44"])), world) as port:
        move_peer(requester.node, "44", port)
        sync(requester.node)
        assert_equal(requester.node, homes["44"])
    assert {kept.content.epoch for kept in mirror_of(requester.node, "44").manifests()} == {2}
    assert mirror_files(homes["45"], ending="part") == []


@pytest.mark.parametrize("homes", ["few_mirrored"], indirect=True)
def test_a_partition_replaced_twice_while_its_delta_is_sent(world, homes, requester, tmp_path) -> None:
    def replace_twice(node: Node) -> None:
        for turn in (1, 2):
            upsert(node, few_rows(world, tmp_path, 5 * turn), turn)

    node = open_home(homes["44"])
    upsert(node, few_rows(world, tmp_path, 0), 0)
    node.store.dispose()
    with serve_cheat(homes["44"], meddling_delta(replace_twice), world) as port, whole_fetches() as whole:
        move_peer(requester.node, "44", port)
        sync(requester.node)  # to the version of its manifest, which is two behind
        sync(requester.node)
        assert whole == []
        assert_equal(requester.node, homes["44"])


@pytest.mark.parametrize("homes", ["small"], indirect=True)
def test_an_epoch_that_ends_while_a_delta_is_sent(world, homes, requester) -> None:
    with serve_cheat(homes["44"], Cheat(), world) as port:
        move_peer(requester.node, "44", port)
        sync(requester.node)
    node = open_home(homes["44"])
    import_item(renumbered(node, 1), "C21", [register_of(world, "C21")])
    node.store.dispose()
    with serve_cheat(homes["44"], meddling_delta(lambda _node: end_epoch(homes["44"])), world) as port:
        move_peer(requester.node, "44", port)
        sync(requester.node)
        assert_equal(requester.node, homes["44"])
    assert {kept.content.epoch for kept in mirror_of(requester.node, "44").manifests()} == {2}


ITEMS = [
    "",
    "C99",
    "..",
    "../../escaped",
    "/escaped",
    "C21/../../escaped",
    "C21-45",
    "c21",
    "C21\n",
    "X" * 5_000,
]


@pytest.mark.parametrize("item", ITEMS)
def test_an_item_of_a_malformed_manifest_names_no_file(item, world, homes, requester) -> None:
    """An item that the catalogue does not have is refused before anything is fetched or written."""
    seen: list[str] = []

    def rename(message: types_pb2.Manifest) -> None:
        message.partitions[0].item = item

    def noted(_node: Node, responses: Iterator) -> Iterator:
        seen.append("fetched")
        return responses

    before = {path for path in homes["45"].rglob("*") if "heqiao.db" not in path.name}
    with serve_cheat(homes["44"], Cheat(manifest=rename, partition=noted), world) as port:
        move_peer(requester.node, "44", port)
        with pytest.raises(DishonestPeerError) as caught:
            sync(requester.node)
    assert caught.value.details == {"check": "manifest_form"}
    assert seen == []
    after = {path for path in homes["45"].parent.rglob("*") if "escaped" in path.name}
    assert after == set()
    kept = {homes["45"] / "mirror", homes["45"] / "mirror" / "44", homes["45"] / "mirror" / "44" / "lock"}
    assert {path for path in homes["45"].rglob("*") if "heqiao.db" not in path.name} - before <= kept


def test_a_responder_restored_from_yesterday(world, homes, requester, tmp_path) -> None:
    """Its manifest goes back, so nothing of it is used; published anew it is good again."""
    yesterday = shutil.copytree(homes["44"], tmp_path / "yesterday")
    node = open_home(homes["44"])
    import_item(node, "C21", [few_rows(world, tmp_path, 0)], mode="delete")
    node.store.dispose()
    with serve_cheat(homes["44"], Cheat(), world) as port:
        move_peer(requester.node, "44", port)
        sync(requester.node)
    shutil.rmtree(homes["44"])
    shutil.copytree(yesterday, homes["44"])
    with serve_cheat(homes["44"], Cheat(), world) as port:
        move_peer(requester.node, "44", port)
        with pytest.raises(DishonestPeerError) as caught:
            sync(requester.node)
        assert caught.value.details == {"check": "manifest_rollback"}
        node = open_home(homes["44"])
        assert republish(node) > 0
        node.store.dispose()
        sync(requester.node)
        assert_equal(requester.node, homes["44"])


@pytest.mark.parametrize("how", ["no folder", "full"])
def test_a_disk_that_takes_no_mirror(how, world, homes) -> None:
    """Blocks of buckets are fetched instead, and the job says why."""
    folder = homes["45"] / "mirror" / "44"
    asked = read_verification(world.data, ("C21",), ("44",), most=40)
    if how == "no folder":
        folder.parent.mkdir()
        folder.write_bytes(b"")
    else:
        folder.mkdir(parents=True)
        for origin in ("43", "44", "45", "46", "52", "53"):
            (folder / f"C21-{origin}-1.part").symlink_to("/dev/full")
    with serve_all(homes) as provinces:
        report = run_job(provinces["45"], "asked", asked)
        assert part_of(report, "44") == ("done", "")
        assert set(report.peers[0].plan_reason.split("; ")) == {"C21 buckets: disk"}
        set_config(homes["45"], "requester", mirror_mib=0)
        other = run_job(provinces["45"], "again", asked)
        assert findings_of(report) == findings_of(other)
