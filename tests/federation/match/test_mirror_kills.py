"""A sync killed by kill -9 at any step: the mirror before it or after it; the next sync finishes it."""

import threading
from pathlib import Path

import pytest

from node.jobs.mirrors import mirror_of
from node.registers.importer import import_item
from tests.support.cluster import World, findings_of, open_home, read_verification, run_job, serve_all
from tests.support.crash_points import run_until_killed
from tests.support.mirrors import mirror_files, mirrored_bytes, served_bytes, sync
from tests.support.renumbered import renumbered

_SYNC = """
from pathlib import Path
from node.mirror import folder, partition_file
from node.requester import partition_fetch
from tests.support.cluster import open_home
from tests.support.crash_points import Dying
from tests.support.mirrors import sync
home, where, calls = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])
point = Dying(calls)
owner, name = {
    "added": (partition_file.UnfinishedFile, "add"),
    "saved": (partition_file.UnfinishedFile, "save"),
    "published": (partition_file.UnfinishedFile, "publish"),
    "delta leaf": (partition_file.index, "bucket_leaf"),
    "delta written": (partition_file, "write_whole"),
    "manifest": (folder, "write_atomically"),
    "removed": (folder.MirrorFolder, "_whole_items"),
}[where]
point.after(owner, name)
if where == "delta written":
    partition_fetch.write_whole = partition_file.write_whole
sync(open_home(home))
"""
FIRST = [("added", 1), ("added", 40), ("saved", 1), ("saved", 8), ("published", 1), ("published", 5)]
FIRST += [("manifest", 1)]
LATER = [("delta leaf", 2), ("delta leaf", 3), ("delta written", 1), ("manifest", 1), ("removed", 1)]


@pytest.fixture(scope="module")
def world(few: World) -> World:
    """The one of six partitions."""
    return few


@pytest.fixture
def served(request: pytest.FixtureRequest, world: World, tmp_path: Path):
    """Of the world, or of another that is named."""
    chosen: World = request.getfixturevalue(request.param) if hasattr(request, "param") else world
    homes = chosen.copy(tmp_path, "45", "44")
    with serve_all(homes) as provinces:
        yield provinces


def is_equal(served) -> bool:
    return mirrored_bytes(served["45"].node) == served_bytes(served["44"].node, "45")


@pytest.mark.parametrize(("where", "calls"), FIRST)
def test_killed_in_the_first_sync(served, where, calls) -> None:
    home = served["45"].home
    run_until_killed(_SYNC, home, where, calls)
    done = set(mirror_files(home))
    first = sync(served["45"].node)
    assert is_equal(served)
    assert done <= set(mirror_files(home))  # nothing that was whole is fetched again
    assert mirror_files(home, ending="part") == []
    assert first.left == ()


@pytest.mark.parametrize("served", ["few_mirrored"], indirect=True)
@pytest.mark.parametrize(("where", "calls"), LATER)
def test_killed_in_a_later_sync(served, world: World, tmp_path: Path, where, calls) -> None:
    """Jobs go on with the mirror before it."""
    home, asked = served["45"].home, read_verification(world.data, ("C21",), ("44",), most=40)
    sync(served["45"].node)
    before = run_job(served["45"], "before", asked)
    path = next(p for p in (world.data / "44" / "registers").iterdir() if "_C21_" in p.name)
    head, *rows = path.read_bytes().splitlines(keepends=True)
    few = tmp_path / "few.csv"
    few.write_bytes(b"".join([head, *(row for row in rows if b"45" in row[:4])][:4]))
    import_item(renumbered(served["44"].node, 1), "C21", [few], mode="upsert")
    run_until_killed(_SYNC, home, where, calls)
    assert findings_of(run_job(served["45"], "between", asked)) == findings_of(before)
    sync(served["45"].node)
    assert is_equal(served)
    assert len(mirror_files(home, ending="manifest")) == 1
    assert findings_of(run_job(served["45"], "after", asked)) == findings_of(before)


def test_two_processes_sync_one_mirror(served) -> None:
    """One waits for the other, and finds everything done."""
    results = []
    node = served["45"].node
    home = served["45"].home
    threads = [threading.Thread(target=lambda: results.append(sync(open_home(home)))) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert is_equal(served)
    downs = sorted(one.bytes_down for one in results)
    assert downs[0] < downs[-1] / 3  # who came later fetched a manifest only
    assert mirror_of(node, "44").manifests()
