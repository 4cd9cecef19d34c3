"""Sums that a platform asks while its province and the peers change the salt: processes of their own."""

import random
import secrets
import threading
from datetime import timedelta
from pathlib import Path
from statistics import pvariance

import pytest

from keys.types import RotationPolicy
from matcher import identity
from node.client.platform import Platform
from node.config import load, open_key_store
from node.credentials.keyring import FRESH_S
from node.domain.sum_findings import SumOutcome
from node.domain.summation import Summation, in_cohort
from node.registers import importer
from node.rotation import driver
from node.rotation.kinds import SALT
from tests.support.cluster import know, move_peer, open_home, processes, query_database
from tests.support.federation import Federation, allow_sums
from tests.support.salt_change import take_salt
from tests.support.sum_rotation import LAW, give_room, number

POLICY = RotationPolicy(timedelta(days=3_650), timedelta(days=90))
PEERS = ("44", "33")
DRAW = random.Random(21)
LEAST, STEP, TURNS = 40, 10, 20
PEOPLE = [number(at) for at in range(TURNS * LEAST + STEP * TURNS * (TURNS - 1) // 2)]
KNOWN = {"44": PEOPLE, "33": PEOPLE[2:]}
WAGES = {code: {person: DRAW.randrange(0, 15_000_000) for person in KNOWN[code]} for code in PEERS}


def bring(home: Path, code: str) -> None:
    node = open_home(home)
    path = home.parent / f"{code}.csv"
    path.write_text("id_no,amount_fen\n" + "\n".join(f"{k},{v}" for k, v in WAGES[code].items()), "utf-8")
    importer.import_item(node, "B11", [path], workers=0)
    node.store.dispose()


@pytest.fixture(scope="module")
def federation() -> Federation:
    return Federation.create()


@pytest.fixture
def homes(federation: Federation, tmp_path: Path) -> dict[str, Path]:
    found = {code: federation.make_home(tmp_path / code, code) for code in ("45", *PEERS)}
    give_room(found.values(), tmp_path)
    allow_sums(found.values())
    own = open_home(found["45"])
    for code in PEERS:
        bring(found[code], code)
        node = open_home(found[code])
        know(node, found["45"], 0, ("45", "D35:45"))
        node.store.dispose()
        know(own, found[code], 0)
    own.store.dispose()
    return found


class Asker:
    """Sums over other people each time, and ever more, so that none is near another; each the plain sum."""

    def __init__(self, homes: dict[str, Path], platform: Platform) -> None:
        self._homes, self._platform = homes, platform
        self.turn = 0

    def ask(self) -> dict[object, object]:
        """The epoch in which each peer was asked."""
        first, count = self.turn * LEAST + STEP * self.turn * (self.turn - 1) // 2, LEAST + STEP * self.turn
        self.turn += 1
        people = PEOPLE[first : first + count]
        cohort = in_cohort((identity.parse(person),) for person in people)
        job = f"sum-{self.turn}"
        report = self._platform.sum(Summation(("B11",), PEERS, LAW, cohort), job)
        for code in PEERS:
            found = report.finding("B11", code)
            plain = [WAGES[code][person] for person in people if person in WAGES[code]]
            assert (found.outcome, found.reason) == (SumOutcome.RELEASED, "")
            assert (found.count, found.total) == (len(plain), sum(plain))
            assert abs(found.variance - pvariance(plain)) <= 1
        return dict(query_database(self._homes["45"], "SELECT peer, epoch FROM parts WHERE job = ?", job))


def rotate(home: Path, *, switches: bool) -> None:
    """As the command does it, beside the running node."""
    node = open_home(home)
    done = driver.rotate(SALT, node, open_key_store(load(home / "node.toml")), POLICY)
    assert done.switched == switches
    node.store.dispose()


def retire(home: Path) -> None:
    node, store = open_home(home), open_key_store(load(home / "node.toml"))
    driver.retire(SALT, node, store, early=True)
    driver.destroy(SALT, node, store)
    node.store.dispose()


def settle() -> None:
    """Running nodes have looked."""
    threading.Event().wait(FRESH_S + 0.1)


@pytest.mark.long
def test_sums_before_during_and_after(federation: Federation, homes: dict[str, Path]) -> None:
    """Under the old salt, under each at once, under the new one: always the plain sums, with no try again."""
    salt = secrets.token_bytes(32)
    with processes(*homes.values()) as served:
        for process in served:
            process.start()
        own = open_home(homes["45"])
        for process in served[1:]:
            move_peer(own, process.home.name, process.port)
        own.store.dispose()
        with Platform.open(homes["45"], f"127.0.0.1:{served[0].platform_port}") as platform:
            asker = Asker(homes, platform)
            assert asker.ask() == {"44": 1, "33": 1}
            take_salt(federation, salt, homes["44"], homes["33"])
            rotate(homes["44"], switches=False)
            assert asker.ask() == {"44": 1, "33": 1}
            bring(homes["44"], "44")
            rotate(homes["44"], switches=True)
            settle()
            assert asker.ask() == {"44": 1, "33": 1}  # 44 serves both, and 45 has the old one only
            take_salt(federation, salt, homes["45"])
            settle()
            assert asker.ask() == {"44": 2, "33": 1}
            rotate(homes["33"], switches=False)
            bring(homes["33"], "33")
            seen = while_(asker, lambda: rotate(homes["33"], switches=True))
            assert all(epochs["44"] == 2 and epochs["33"] in (1, 2) for epochs in seen)
            settle()
            assert asker.ask() == {"44": 2, "33": 2}
            rotate(homes["45"], switches=True)  # holds nothing that would have to be imported
            settle()
            assert asker.ask() == {"44": 2, "33": 2}
            seen = while_(asker, lambda: [retire(homes[code]) for code in ("44", "45", "33")])
            assert all(epochs == {"44": 2, "33": 2} for epochs in seen)
            assert asker.ask() == {"44": 2, "33": 2}
    for code in PEERS:
        assert query_database(homes[code], "SELECT DISTINCT epoch FROM sum_groups") == [(2,)]


def while_(asker: Asker, change) -> list[dict[object, object]]:
    """Ask while something changes, twice at least."""
    thread = threading.Thread(target=change)
    thread.start()
    seen = []
    while (thread.is_alive() and len(seen) < 4) or len(seen) < 2:
        seen.append(asker.ask())
    thread.join()
    return seen
