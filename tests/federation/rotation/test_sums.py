"""Keys of sums that rotate while a province asks; rotations of sums and of signing keys that are killed."""

import random
import shutil
import subprocess
import sys
import threading
from datetime import timedelta
from pathlib import Path
from statistics import pvariance

import pytest

from keys.types import RotationPolicy
from matcher import identity
from node.client.peer import Peer
from node.config import load, open_key_store
from node.credentials.sum_keys import SUM_PURPOSES
from node.registers import importer
from node.requester import sums as request
from node.rotation import driver, signing
from node.rotation.kinds import SIGNING, SUMS
from tests.support.cluster import Province, know, move_peer, open_home, processes, query_database
from tests.support.crash_points import run_until_killed
from tests.support.federation import Federation, allow_sums
from tests.support.sum_rotation import LAW, give_room, number

pytestmark = pytest.mark.usefixtures("keys_at_once")

POLICY = RotationPolicy(timedelta(days=90), timedelta(days=7))
HEQIAO = str(Path(sys.executable).with_name("heqiao"))


DRAW = random.Random(8)
WAGES = {number(at): DRAW.randrange(0, 15_000_000) for at in range(800)}
FEES = {number(at): DRAW.randrange(0, 15_000_000) for at in range(1_000, 1_200)}
LEAST, STEP = 100, 12  # people of the first cohort, and how many more each next one has


@pytest.fixture(scope="module")
def made(tmp_path_factory) -> Path:
    """Homes 45 and 44; 44 holds two columns."""
    folder = tmp_path_factory.mktemp("sums")
    federation = Federation.create()
    homes = {code: federation.make_home(folder / code, code) for code in ("45", "44")}
    give_room(homes.values(), folder)
    allow_sums(homes.values())
    node = open_home(homes["44"])
    for item, rows in (("B11", WAGES), ("D35", FEES)):
        path = folder / f"{item}.csv"
        path.write_text("id_no,amount_fen\n" + "\n".join(f"{k},{v}" for k, v in rows.items()), "utf-8")
        importer.import_item(node, item, [path], workers=0)
    know(node, homes["45"], 0, ("45", "D35:45"))
    node.store.dispose()
    own = open_home(homes["45"])
    know(own, homes["44"], 0)
    own.store.dispose()
    return folder


@pytest.fixture
def homes(made: Path, tmp_path: Path) -> dict[str, Path]:
    return {code: Path(shutil.copytree(made / code, tmp_path / code)) for code in ("45", "44")}


def know_port(homes: dict[str, Path], port: int) -> None:
    node = open_home(homes["45"])
    move_peer(node, "44", port)
    node.store.dispose()


def require_right(peer: Peer, turn: int) -> None:
    """The wages of people of whom no other turn is, as the plain register has them."""
    first, people = turn * LEAST + STEP * turn * (turn - 1) // 2, LEAST + STEP * turn
    asked = list(WAGES)[first : first + people]
    (found,) = peer.sum([frozenset({identity.parse(person)}) for person in asked], ("B11",), LAW)
    plain = [WAGES[person] for person in asked]
    assert (found.answer.rule, found.answer.count, found.answer.total) == ("", people, sum(plain))
    assert abs(found.answer.variance - pvariance(plain)) <= 1


def rotate_home(home: Path, *, retire: bool = False) -> None:
    node, store = open_home(home), open_key_store(load(home / "node.toml"))
    driver.rotate(SUMS, node, store, POLICY)
    if retire:
        driver.retire(SUMS, node, store, early=True)
    node.store.dispose()


@pytest.mark.parametrize(("retire", "epochs"), [(False, [1]), (True, [1, 2])])
def test_a_cohort_that_is_under_way(homes, monkeypatch, retire: bool, epochs: list[int]) -> None:
    """In the grace it ends under the old keys; after it the requester asks anew by itself."""
    original, done = request.evaluate_cohort, threading.Event()

    def evaluate(*arguments):
        returned = original(*arguments)
        if not done.is_set():
            done.set()
            rotate_home(homes["44"], retire=retire)
        return returned

    monkeypatch.setattr(request, "evaluate_cohort", evaluate)
    served = Province(homes["44"]).start()
    try:
        know_port(homes, served.port)
        with Peer.open(homes["45"], "44") as peer:
            require_right(peer, 0)
            assert done.is_set()
            charged = query_database(homes["44"], "SELECT epoch FROM sum_queries ORDER BY at")
            assert [epoch for (epoch,) in charged] == epochs
            served.node.ring.refresh()
            require_right(peer, 1)
            last = query_database(homes["44"], "SELECT max(epoch) FROM sum_queries")
            assert last == [(2,)]
    finally:
        served.stop()


_LIFE = """
import subprocess, sys
heqiao, home = sys.argv[1:]
for purpose in ("paillier", "sum", "signing"):
    subprocess.run([heqiao, "keys", "rotate", purpose, "--home", home], check=True, stdout=subprocess.DEVNULL)
"""


@pytest.mark.long
def test_a_stream_of_sums_during_rotations(homes) -> None:
    """Processes of their own: the commands rotate, the node serves on, no sum is wrong or refused."""
    with processes(homes["44"]) as (served,):
        served.start()
        know_port(homes, served.port)
        rotating = subprocess.Popen([sys.executable, "-c", _LIFE, HEQIAO, str(homes["44"])])
        asked = 0
        with Peer.open(homes["45"], "44") as peer:
            while asked < 5 and (rotating.poll() is None or asked < 2):
                require_right(peer, asked)
                asked += 1
            assert rotating.wait(240) == 0
    assert asked >= 2
    with processes(homes["44"]) as (served,):
        served.start()
        know_port(homes, served.port)
        with Peer.open(homes["45"], "44") as peer:
            asked = list(FEES)[:60]
            (found,) = peer.sum([frozenset({identity.parse(person)}) for person in asked], ("D35",), LAW)
            assert (found.answer.count, found.answer.total) == (60, sum(FEES[one] for one in asked))
    states = query_database(
        homes["44"], "SELECT purpose, max(epoch) FROM key_epochs WHERE state = 'active' GROUP BY purpose"
    )
    assert dict(states) == {"sum": 3, "paillier": 3, "sumcheck": 3, "signing": 2}


# ---- killed


_DIE = """
import sys
from datetime import timedelta
from pathlib import Path
from tests.support.crash_points import Dying
from tests.support.cluster import open_home
from keys.types import RotationPolicy
from node.rotation import driver
from node.rotation.kinds import SIGNING, SUMS
from node.config import load, open_key_store
from node.database import sum_epoch_switch as sum_epochs, sum_tables as sums
from node.index import sum_table_writer as writer
home, kind, where, calls, workers = Path(sys.argv[1]), *sys.argv[2:4], *map(int, sys.argv[4:6])
node, store = open_home(home), open_key_store(load(home / "node.toml"))
dying = Dying(calls)
progress = lambda stage, done, total: stage == where and dying.reach()
points = {"key file": (type(store), "add"), "values read": (sums, "read_block"),
          "values sealed": (writer, "seal_block"), "group opened": (sums, "open_group"),
          "block": (sums, "add_blocks"), "group": (sums, "finish_group"),
          "aliases": (sum_epochs, "forget_aliases"), "state": (driver, "_move"),
          "rows removed": (sum_epochs, "forget_epoch"), "key removed": (type(store), "remove")}
if where in points:
    dying.after(*points[where])
policy = RotationPolicy(timedelta(days=90), timedelta(0))
kind = SIGNING if kind == "signing" else SUMS
driver.rotate(kind, node, store, policy, progress=progress, workers=workers)
if where in ("state", "rows removed", "key removed"):
    driver.retire(kind, node, store, early=True)
    driver.destroy(kind, node, store)
"""
LONG = pytest.mark.long
SUM_KILLS = [
    pytest.param("key file", 1, 0, marks=LONG),
    pytest.param("key file", 3, 0, marks=LONG),
    pytest.param("make", 1, 0, marks=LONG),
    pytest.param("rekey", 1, 2, marks=LONG),
    pytest.param("values read", 1, 0, marks=LONG),
    ("group opened", 2, 0),
    pytest.param("values sealed", 1, 0, marks=LONG),
    ("block", 1, 0),
    pytest.param("group", 1, 0, marks=LONG),
    pytest.param("group", 2, 2, marks=LONG),
    pytest.param("aliases", 1, 0, marks=LONG),
    pytest.param("switch", 1, 0, marks=LONG),
    pytest.param("state", 1, 0, marks=LONG),
    ("rows removed", 1, 0),
    pytest.param("key removed", 1, 0, marks=LONG),
    pytest.param("key removed", 2, 0, marks=LONG),
    pytest.param("state", 2, 0, marks=LONG),
]
BEFORE = (
    "key file", "make", "values read", "group opened", "values sealed", "rekey", "block", "group", "aliases",
)  # fmt: skip


def complete_groups(home: Path) -> set[object]:
    """Digests of the groups that a rotation has done; made again, a group would have another one."""
    return {
        digest
        for (digest,) in query_database(
            home, "SELECT digest FROM sum_groups WHERE epoch = 2 AND length(digest) > 0"
        )
    }


def states_of(home: Path, *purposes: str) -> dict[tuple[object, object], object]:
    rows = query_database(home, "SELECT purpose, epoch, state FROM key_epochs")
    return {(purpose, epoch): state for purpose, epoch, state in rows if purpose in purposes}


@pytest.mark.parametrize(("where", "calls", "workers"), SUM_KILLS)
def test_sums_killed_at_any_step(homes, where: str, calls: int, workers: int) -> None:
    """The node starts with the old or the new epoch whole; running the commands again finishes it.

    Groups that were complete are not done again.
    """
    run_until_killed(_DIE, homes["44"], "sums", where, calls, workers)
    switched, kept = where not in BEFORE, complete_groups(homes["44"])
    assert len(kept) == {"group": calls - 1, "group opened": calls - 1, "aliases": 2}.get(where, 2 * switched)
    served = Province(homes["44"]).start()
    try:
        assert served.node.keys.sums.epoch == 1 + switched
        know_port(homes, served.port)
        with Peer.open(homes["45"], "44") as peer:
            require_right(peer, 0)
            node, store = open_home(homes["44"]), open_key_store(load(homes["44"] / "node.toml"))
            if not switched:
                done = driver.rotate(SUMS, node, store, POLICY)
                assert (done.epoch, done.begun) == (2, where == "key file")
                assert kept <= complete_groups(homes["44"])
            driver.retire(SUMS, node, store, early=True)
            driver.destroy(SUMS, node, store)
            node.store.dispose()
            assert served.node.ring.refresh().sums.epoch == 2
            require_right(peer, 1)
    finally:
        served.stop()
    assert {name for name in store.names() if name.split(".")[0] in SUM_PURPOSES} == {
        f"{purpose}.2" for purpose in SUM_PURPOSES
    }
    assert states_of(homes["44"], *SUM_PURPOSES) == {
        (purpose, epoch): state
        for purpose in SUM_PURPOSES
        for epoch, state in ((1, "destroyed"), (2, "active"))
    }
    assert query_database(homes["44"], "SELECT DISTINCT epoch FROM sum_groups") == [(2,)]
    assert query_database(homes["44"], "SELECT count(*) FROM sum_groups WHERE published_at IS NULL") == [(0,)]


SIGNING_KILLS = [pytest.param(where, marks=LONG) for where in ("key file", "state", "key removed")] + [
    "make",
    "switch",
]


@pytest.mark.parametrize("where", SIGNING_KILLS)
def test_signing_killed_at_any_step(homes, where: str) -> None:
    """A key that is pending signs nothing; after the switch peers with the old one accept the new one."""
    run_until_killed(_DIE, homes["44"], "signing", where, 1, 0)
    switched = where not in ("key file", "make")
    node, store = open_home(homes["44"]), open_key_store(load(homes["44"] / "node.toml"))
    assert node.keys.signing == store.get(f"signing.{1 + switched}")
    assert signing.read_signer(node.config, store).epoch == 1 + switched
    if not switched:
        done = driver.rotate(SIGNING, node, store, POLICY)
        assert (done.epoch, done.begun) == (2, where == "key file")
        served = Province(homes["44"]).start()
        know_port(homes, served.port)
        try:
            with Peer.open(homes["45"], "44") as peer:
                require_right(peer, 0)
        finally:
            served.stop()
        followed = query_database(
            homes["45"], "SELECT count(*) FROM audit WHERE event = 'peer_key_succeeded'"
        )
        assert followed == [(1,)]
    driver.retire(SIGNING, node, store, early=True)
    driver.destroy(SIGNING, node, store)
    node.store.dispose()
    assert store.epochs("signing") == [2]
    assert states_of(homes["44"], "signing") == {("signing", 1): "destroyed", ("signing", 2): "active"}
    assert query_database(homes["44"], "SELECT number FROM successions") == [(2,)]
