"""`[index] publish_at`: changes wait as sealed versions and are offered once a day, by a clock in China."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from node.context import Node
from node.database import partitions as index_rows
from node.database.leases import Lease, acquire, release
from node.errors import PartitionVersionError
from node.index.republish import republish
from node.jobs.mirrors import mirror_of
from node.registers.importer import import_item
from node.responder.mirrors import serve_partition
from node.services.periodic import offer_changes
from node.wire.mirror_messages import PartitionRequest
from tests.support.changing_responder import few_rows, register_of
from tests.support.cluster import (
    FakeClock,
    Province,
    World,
    findings_of,
    query_database,
    read_verification,
    run_job,
    serve_all,
)
from tests.support.federation import set_config
from tests.support.mirrors import mirrored_bytes, peer_row, served_bytes, sync, whole_fetches
from tests.support.rotations import rotate

AT = "03:00"  # in China: 19:00 of the day before in UTC


@pytest.fixture(scope="module")
def world(few_mirrored: World) -> World:
    """The one of six partitions: a sync brings all that are granted up to date."""
    return few_mirrored


@pytest.fixture
def clock() -> FakeClock:
    """Noon in China, so that changes wait until 03:00."""
    return FakeClock(datetime.now(UTC).replace(hour=4, minute=0) + timedelta(days=1))


@pytest.fixture
def served(world: World, tmp_path: Path, clock: FakeClock) -> Iterator[dict[str, Province]]:
    homes = world.copy(tmp_path, "45", "44")
    set_config(homes["44"], "index", publish_at=AT)
    with serve_all(homes, clock) as provinces:
        sync(provinces["45"].node)
        yield provinces


def tick(node: Node) -> None:
    """What the scheduler does every minute."""
    with node.store.transaction("lease", write=True) as tx:
        number = acquire(tx, "test", 60.0)
    assert number is not None
    lease = Lease(node.store, "test", number)
    offer_changes(node, lease)
    lease.write("release", lambda tx: release(tx, "test", number))


def remove(node: Node, world: World, folder: Path, first: int) -> None:
    assert import_item(node, "C21", [few_rows(world, folder, first)], mode="delete").waits


def current(node: Node) -> dict[tuple[str, str], list[bytes]]:
    """What the next import builds on."""
    shown = set(offered(node))
    with node.store.transaction("read partitions") as tx:
        return {
            (row.item, row.origin): [
                entries for _, entries in index_rows.read_buckets(tx, row.id, range(1 << row.bits))
            ]
            for row in index_rows.partitions_of_epoch(tx, node.ring.refresh().epoch)
            if (row.item, row.origin) in shown
        }


def offered(node: Node) -> dict[tuple[str, str], list[bytes]]:
    return served_bytes(node, "45")


def test_changes_wait_for_their_time_and_are_one_delta(world, served, tmp_path, clock) -> None:
    node, requester = served["44"].node, served["45"].node
    before = offered(node)
    for turn in range(2):
        remove(node, world, tmp_path, 4 * turn)
        clock.advance(hours=4)
        tick(node)
        sync(requester)
        assert offered(node) == before == mirrored_bytes(requester)
    clock.advance(hours=6, minutes=59)  # 02:59
    tick(node)
    assert offered(node) == before
    clock.advance(minutes=2)
    tick(node)
    after = offered(node)
    assert after != before
    assert after == current(node)
    with whole_fetches() as whole:
        sync(requester)
    assert whole == []
    assert mirrored_bytes(requester) == after
    events = query_database(served["44"].home, "SELECT event FROM audit WHERE event = 'changes_offered'")
    assert len(list(events)) == 1


def test_changes_that_nobody_offered_in_time_are_offered_by_the_next_import(
    world, served, tmp_path, clock
) -> None:
    """An import just after 03:00 comes before the scheduler: what it replaces was due."""
    node = served["44"].node
    before = offered(node)
    remove(node, world, tmp_path, 0)
    due = current(node)
    clock.advance(hours=15, minutes=1)
    remove(node, world, tmp_path, 4)
    assert before != due != current(node)
    assert offered(node) == due
    tick(node)
    assert offered(node) == due
    clock.advance(days=1)
    tick(node)
    assert offered(node) == current(node) != due


def test_what_waits_is_served_to_nobody(world, served, tmp_path, clock) -> None:
    """Not even to a peer that guesses its version, which is a time; and the older version stays whole."""
    node, requester = served["44"].node, served["45"].node
    before = offered(node)
    for turn in range(4):
        remove(node, world, tmp_path, 4 * turn)
        clock.advance(minutes=1)
    with node.store.transaction("look") as tx:
        epoch = node.ring.refresh().epoch
        head = index_rows.current_partition(tx, "C21", "45", epoch)
        version = index_rows.offered_version(tx, "C21", "45", epoch)
    assert head is not None
    assert version is not None
    assert head.version > version
    request = PartitionRequest(epoch, "C21", "45", head.version)
    with pytest.raises(PartitionVersionError) as refused:
        serve_partition(node, peer_row(node, "45"), request)
    assert refused.value.details == {"version": str(version)}
    with mirror_of(requester, "44").lock():
        mirror_of(requester, "44").drop_all()
    sync(requester)
    assert mirrored_bytes(requester) == before == offered(node)
    kept = query_database(
        served["44"].home, "SELECT count(*) FROM partitions WHERE item='C21' AND origin='45'"
    )
    assert list(kept) == [(2,)]


def test_no_row_waits_in_plain(world, served, tmp_path) -> None:
    node = served["44"].node
    rows = few_rows(world, tmp_path, 0)
    import_item(node, "C21", [rows], mode="delete")
    numbers = [line.split(b",")[0] for line in rows.read_bytes().splitlines()[1:]]
    assert len(numbers) == 3
    for path in served["44"].home.rglob("*"):
        if path.is_file():
            assert not any(number in path.read_bytes() for number in numbers), path


@pytest.mark.parametrize("how", ["full", "republish", "setting"])
def test_everything_that_waits_is_offered(world, served, tmp_path, how) -> None:
    """By a full import of the item, after a restore, and where changes no longer wait."""
    node = served["44"].node
    before = offered(node)
    remove(node, world, tmp_path, 0)
    assert offered(node) == before
    if how == "full":
        import_item(node, "C21", [register_of(world, "C21")])
        assert offered(node) == current(node)
        return
    if how == "republish":
        republish(node)
    else:
        set_config(served["44"].home, "index", publish_at="")
        with serve_all({"44": served["44"].home}) as again:
            tick(again["44"].node)
    assert offered(node) == current(node) != before


def test_a_rotation_offers_what_waits_and_the_epoch_before_does_not(world, served, tmp_path, clock) -> None:
    node, requester = served["44"].node, served["45"].node
    asked = read_verification(world.data, ("C21",), ("44",))
    before = findings_of(run_job(served["45"], "before", asked))
    remove(node, world, tmp_path, 0)
    assert findings_of(run_job(served["45"], "waiting", asked)) == before
    rotate(served["44"].home, "oprf", clock)
    assert offered(node) == current(node)
    sync(requester)
    assert mirrored_bytes(requester) == offered(node)
    after = findings_of(run_job(served["45"], "after", asked))
    gone = {key for key in before if before[key] != after[key]}
    assert 1 <= len(gone) <= 3
    assert {after[key][0] for key in gone} == {"NOT_FOUND"}
