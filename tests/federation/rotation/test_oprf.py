"""Keys that rotate while provinces ask each other, and rotations that are killed."""

import json
import math
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from keys.types import RotationPolicy
from matcher.types import TokenClass
from node.client.peer import Peer
from node.client.platform import Platform
from node.config import load, open_key_store
from node.credentials import keyring
from node.database import partitions as index_rows
from node.database import peers as peer_rows
from node.domain.peers import Grant, read_grants
from node.domain.verification import Verification
from node.errors import EpochError, ItemNotOfferedError
from node.requester import match
from node.responder import manifest, mirrors
from node.responder import match as respond
from node.rotation import driver
from node.rotation.kinds import OPRF
from node.wire.match_messages import EvaluateStart
from node.wire.mirror_messages import PartitionRequest
from tests.support.cluster import (
    World,
    findings_of,
    import_registers,
    know,
    open_home,
    part_of,
    processes,
    query_database,
    read_verification,
    run_job,
    serve_all,
)
from tests.support.command_server import command_server
from tests.support.crash_points import run_until_killed
from tests.support.federation import PATIENT_RETRIES, set_config
from tests.support.renumbered import renumbered
from tests.support.worlds import last_people

pytestmark = pytest.mark.usefixtures("keys_at_once")

ITEMS = ("C21", "Z59b", "C23")
POLICY = RotationPolicy(timedelta(days=90), timedelta(days=7))
_SEEN_S = keyring.FRESH_S + 0.1  # until a node that is another process uses no key of before


@pytest.fixture(scope="module")
def asked(few: World) -> Verification:
    """Asked of 44, whose keys rotate; a stream of jobs below asks 33, too."""
    return last_people(read_verification(few.data, ITEMS, ("44",)))


@pytest.fixture(scope="module")
def both(asked: Verification) -> Verification:
    """A few people, asked of both peers."""
    return replace(asked, peers=("44", "33"), subjects=asked.subjects[:12])


@pytest.fixture(scope="module")
def found(
    few: World, asked: Verification, both: Verification, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, dict]:
    """The findings about `asked` and about `both` without any rotation."""
    with serve_all(few.copy(tmp_path_factory.mktemp("undisturbed"))) as provinces:
        return {
            name: findings_of(run_job(provinces["45"], name, one))
            for name, one in (("asked", asked), ("both", both))
        }


@pytest.fixture(scope="module")
def undisturbed(found: dict[str, dict]) -> dict:
    return found["asked"]


def rotate_home(home: Path, *, times: int = 1, retire: bool = False) -> None:
    """As the commands do it, in a process that is not the serving one's node."""
    node, store = open_home(home), open_key_store(load(home / "node.toml"))
    for _ in range(times):
        driver.rotate(OPRF, node, store, POLICY)
    if retire:
        driver.retire(OPRF, node, store, early=True)
    node.store.dispose()


def epoch_of(home: Path, job: str) -> object:
    """The epoch in which a requester's job asked 44."""
    return query_database(home, "SELECT epoch FROM parts WHERE peer = '44' AND job = ?", job)[0][0]


def evaluated(home: Path) -> list[tuple[str, int]]:
    """Class and epoch of the queries that a responder evaluated."""
    rows = query_database(home, "SELECT details FROM audit WHERE event = 'query_answered' ORDER BY seq")
    return [(found["class"], found["epoch"]) for found in (json.loads(str(text)) for (text,) in rows)]


# name: (rotations, retired at once, the epoch that the job ends in)
CHANGES = {
    "once": (1, False, 1),
    "once, and the old epoch is retired": (1, True, 2),
    "twice, and both are retired": (2, True, 3),
}


@pytest.mark.parametrize("plan", ["buckets", "mirror"])
@pytest.mark.parametrize("moment", ["before it evaluates", "after it evaluated"])
@pytest.mark.parametrize("change", CHANGES)
def test_a_running_job_ends_right(
    few: World,
    asked: Verification,
    undisturbed: dict,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    moment: str,
    change: str,
    plan: str,
) -> None:
    """In the grace under the old epoch; after it anew under the current one, without a person.

    What was evaluated is found in a mirror of its epoch, and such a mirror is used for a day in the grace.
    """
    homes = few.copy(tmp_path, "45", "44")
    if plan == "buckets":
        set_config(homes["45"], "requester", mirror_mib=0)
    times, retire, epoch = CHANGES[change]
    original, done = match.evaluate_query, threading.Event()

    def evaluate(context, *rest):
        first = context.peer.code == "44" and not done.is_set()
        if moment.startswith("after"):
            original(context, *rest)
        if first:
            done.set()
            rotate_home(homes["44"], times=times, retire=retire)
        if moment.startswith("before"):
            original(context, *rest)

    monkeypatch.setattr(match, "evaluate_query", evaluate)
    with serve_all(homes) as provinces:
        report = run_job(provinces["45"], "across", asked)
        assert findings_of(report) == undisturbed
        assert done.is_set()
        assert epoch_of(homes["45"], "across") == epoch
        # The sensitive query comes second; the ordinary one is made again where its buckets are gone.
        lost = moment.startswith("after") and plan == "buckets" and retire
        first_epoch = 1 if moment.startswith("after") else epoch
        ordinary = [first_epoch, epoch] if lost else [first_epoch]
        assert evaluated(homes["44"]) == [*(("ordinary", one) for one in ordinary), ("sensitive", epoch)]
        assert findings_of(run_job(provinces["45"], "later", asked)) == undisturbed
        (found,) = query_database(homes["45"], "SELECT epoch FROM parts WHERE peer = '44' AND job = 'later'")[
            0
        ]
        assert found == (1 if plan == "mirror" and not retire else times + 1)


def test_a_kept_connection_follows_imports_and_rotations(
    few: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One manifest for several checks, and another as soon as the peer refuses what it says."""
    homes, offered, original = few.copy(tmp_path, "45", "44"), [], manifest.offer_manifest
    set_config(homes["45"], "requester", mirror_mib=0)
    twelve = read_verification(few.data, ITEMS, ("44",), most=12)

    def offer(*arguments, **options):
        offered.append(1)
        return original(*arguments, **options)

    monkeypatch.setattr(manifest, "offer_manifest", offer)
    with serve_all(homes) as provinces, Peer.open(homes["45"], "44") as peer:
        first = peer.verify(twelve)
        assert peer.verify(twelve) == first
        assert len(offered) == 1
        for other in (1, 2):  # the version before the current one would still be served
            import_registers(renumbered(provinces["44"].node, other), few.data, ITEMS)
        assert peer.verify(twelve) == peer.verify(twelve) == first
        assert len(offered) == 2
        rotate_home(homes["44"], retire=True)
        assert peer.verify(twelve) == peer.verify(twelve) == first
        assert len(offered) == 3


def test_a_stream_of_jobs_during_rotations(
    few: World, both: Verification, found: dict[str, dict], tmp_path: Path
) -> None:
    """Processes of their own: the command rotates, the node serves on, no answer is wrong or missing."""
    homes = few.copy(tmp_path)
    set_config(homes["45"], "requester", **PATIENT_RETRIES)
    with processes(homes["44"], homes["33"]) as providers:
        for provider in providers:
            provider.start()
        node = open_home(homes["45"])
        for provider, code in zip(providers, ("44", "33"), strict=True):
            know(node, homes[code], provider.port)
        node.store.dispose()
        with processes(homes["45"]) as (requester,), ThreadPoolExecutor(1) as pool:
            requester.start()
            rotating = pool.submit(rotate_twice, homes["44"])
            with Platform.open(requester.home, f"127.0.0.1:{requester.platform_port}") as platform:
                number, after = 0, False
                while not after:
                    if after := rotating.done():
                        threading.Event().wait(_SEEN_S)
                    platform.submit(both, f"stream-{number}")
                    for _ in platform.watch(f"stream-{number}"):
                        pass
                    report = platform.report(f"stream-{number}")
                    assert report.state == "done"
                    assert findings_of(report) == found["both"], part_of(report, "44")
                    number += 1
            rotating.result()
    epochs = {epoch for (epoch,) in query_database(homes["45"], "SELECT epoch FROM parts WHERE peer = '44'")}

    assert max(epochs) == 3


def rotate_twice(home: Path) -> None:
    """By commands, as an administrator."""
    for _ in range(2):
        for words in (("rotate", "oprf", "--grace-days", "0"), ("retire", "oprf", "--now")):
            done = command_server().run(("keys", *words, "--home", home))
            assert done.returncode == 0, done.stderr


# ---- killed


_DIE = """
from datetime import timedelta
from pathlib import Path
from tests.support.crash_points import Dying
from tests.support.cluster import open_home
from tests.support.renumbered import renumbered
from keys.types import RotationPolicy
from node.rotation import driver, oprf as rotate
from node.rotation.kinds import OPRF
from node.config import load, open_key_store
from node.database import key_epochs as epochs, epoch_switch as succession
home, where, calls = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])
node, store = open_home(home), open_key_store(load(home / "node.toml"))
rotate.GROUP_ENTRIES = 50
dying = Dying(calls)
after = dying.after
progress = lambda stage, done, total: stage == where and dying.reach()
if where == "key file":
    after(type(store), "add")
elif where == "retired":
    after(driver, "_move")
elif where == "partitions removed":
    after(succession, "forget_epoch")
elif where == "key removed":
    after(type(store), "remove")
policy = RotationPolicy(timedelta(days=90), timedelta(0))
if where in ("retired", "partitions removed", "key removed"):
    driver.rotate(OPRF, node, store, policy)
    driver.retire(OPRF, node, store, early=True)
    driver.destroy(OPRF, node, store)
else:
    driver.rotate(OPRF, node, store, policy, progress=progress, workers=int(sys.argv[4]))
"""
KILLS = [
    ("key file", 1, 0),
    ("make", 1, 0),
    ("rekey", 7, 2),
    ("rekey", 60, 0),
    ("switch", 1, 0),
    ("retired", 1, 0),
    ("partitions removed", 1, 0),
    ("key removed", 1, 0),
]


@pytest.mark.parametrize(("where", "calls", "workers"), KILLS)
def test_killed_at_any_step(
    few: World,
    asked: Verification,
    undisturbed: dict,
    tmp_path: Path,
    where: str,
    calls: int,
    workers: int,
) -> None:
    """The node starts with the old or the new epoch whole; running the commands again finishes it."""
    homes = few.copy(tmp_path, "45", "44")
    run_until_killed(_DIE, homes["44"], where, calls, workers)
    with serve_all(homes) as provinces:
        switched = where not in ("key file", "make", "rekey")
        assert provinces["44"].node.keys.epoch == 1 + switched
        assert findings_of(run_job(provinces["45"], "after-the-kill", asked)) == undisturbed
        node, store = open_home(homes["44"]), open_key_store(load(homes["44"] / "node.toml"))
        if not switched:
            done = driver.rotate(OPRF, node, store, POLICY)
            assert (done.epoch, done.begun) == (2, where == "key file")
        driver.retire(OPRF, node, store, early=True)
        driver.destroy(OPRF, node, store)
        assert store.epochs("oprf") == [2]
        node.store.dispose()
        assert provinces["44"].node.ring.refresh().epoch == 2
        assert findings_of(run_job(provinces["45"], "at-the-end", asked)) == undisturbed
    states = dict(query_database(homes["44"], "SELECT epoch, state FROM key_epochs"))
    assert states == {1: "destroyed", 2: "active"}
    assert query_database(homes["44"], "SELECT count(*) FROM partitions WHERE epoch = 1") == [(0,)]
    assert query_database(homes["44"], "SELECT count(*) FROM cuts WHERE epoch = 1") == [(0,)]


# ---- what a peer receives


def start_of(epoch: int) -> EvaluateStart:
    root, items, ordinary = bytes(32), ("C21",), TokenClass.ORDINARY
    return EvaluateStart(epoch, 1, bytes(32), bytes(16), 1, 0, items, "new_application", "L", root, ordinary)


def test_old_epochs_on_the_wire(few: World, tmp_path: Path) -> None:
    homes = few.copy(tmp_path, "44", "45")
    with serve_all(homes) as provinces:
        node = provinces["44"].node
        with node.store.transaction("find peer") as tx:
            peer = peer_rows.find_peer(tx, "45")
        assert peer is not None

        def begin(epoch: int) -> Callable[[], object]:
            return lambda: respond.Evaluation(node, peer, start_of(epoch), "node")

        rotate_home(homes["44"])
        assert begin(1)()
        assert begin(2)()
        rotate_home(homes["44"], times=2)
        for epoch in (1, 2, 3, 4):
            assert begin(epoch)()
        rotate_home(homes["44"], retire=True)
        for epoch in (1, 2, 3, 4, 6):
            with pytest.raises(EpochError) as caught:
                begin(epoch)()
            assert caught.value.details == {"epoch": "5"}
        assert begin(5)()


def test_a_partition_of_an_epoch_that_was_retired_a_moment_ago(
    few: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A node looks for another epoch each half second only; what it says until then must lead there."""
    home = few.copy(tmp_path, "44")["44"]
    node = open_home(home)
    with node.store.transaction("find peer") as tx:
        peer = peer_rows.find_peer(tx, "45")
        part = index_rows.partitions_of(tx, "C21", 1)[0]
    assert peer is not None
    peer = replace(peer, grants=(*peer.grants, Grant.parse(part.origin)))
    asked = PartitionRequest(1, "C21", part.origin, part.version)
    rotate_home(home)
    monkeypatch.setattr(keyring, "FRESH_S", math.inf)  # it does not look again by itself
    node.ring.refresh()
    assert list(mirrors.serve_partition(node, peer, asked)[1])
    driver.retire(OPRF, other := open_home(home), open_key_store(load(home / "node.toml")), early=True)
    with pytest.raises(EpochError) as caught:
        list(mirrors.serve_partition(node, peer, asked)[1])
    assert caught.value.details == {"epoch": "2"}
    strange = PartitionRequest(2, "C21", "99", 1)  # of the epoch that is answered
    with pytest.raises(ItemNotOfferedError):
        mirrors.serve_partition(node, replace(peer, grants=read_grants(["99"])), strange)
    for each in (node, other):
        each.store.dispose()
