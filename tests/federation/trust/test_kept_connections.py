"""Connections that are kept to a peer's process, while roots are replaced and certificates revoked."""

import threading
import time
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest

from keys.pki.certificates import load_roots, roots_pem
from keys.pki.issuing import create_ca
from keys.pki.revocation import make_lists
from keys.pki.roots import add_root, drop_roots, sign_root
from node.client.peer import Peer
from node.credentials.keyring import FRESH_S
from node.domain.verification import Verification
from node.errors import UnknownCallerError
from tests.support.certificates import put, renew
from tests.support.cluster import (
    EVERYTHING,
    World,
    free_port,
    know,
    open_home,
    processes,
    read_verification,
    wait_for,
)
from tests.support.federation import PATIENT_RETRIES, set_config


def make_homes(world: World, folder: Path, *askers: str) -> dict[str, Path]:
    """Homes of 44, which comes back on the same port, and of those who ask it."""
    homes = {"44": world.copy(folder, "44")["44"]}
    port = free_port()
    set_config(homes["44"], "peer", listen=f"127.0.0.1:{port}")
    served = open_home(homes["44"])
    for code in askers:
        homes[code] = world.federation.make_home(folder / code, code, requester=PATIENT_RETRIES)
        know(served, homes[code], 0, EVERYTHING)
        own = open_home(homes[code])
        know(own, homes["44"], port)
        own.store.dispose()
    served.store.dispose()
    return homes


class Stream:
    """Questions without end on one connection that is kept; every answer must be the first one."""

    def __init__(self, peer: Peer, asked: Verification) -> None:
        self._peer, self._asked = peer, asked
        self._first = peer.verify(asked)
        self._stopped = threading.Event()
        self.wrong: list[object] = []
        self.asked = 0

    def run(self) -> None:
        while not self._stopped.is_set():
            try:
                if self._peer.verify(self._asked) != self._first:
                    self.wrong.append("another answer")
            except Exception as error:  # noqa: BLE001 - reported by the test
                self.wrong.append(error)
            self.asked += 1

    @contextmanager
    def running(self):
        thread = threading.Thread(target=self.run)
        thread.start()
        try:
            yield self
        finally:
            self._stopped.set()
            thread.join()

    def settle(self) -> None:
        """Both nodes have looked at their files; two questions began and ended after that."""
        time.sleep(FRESH_S + 0.1)
        due = self.asked + 3
        wait_for(lambda: self.asked >= due, 120, "nothing is asked any more")
        assert self.wrong == []


@pytest.mark.long
@pytest.mark.parametrize("listed", [False, True])
def test_new_roots(world: World, tmp_path: Path, listed: bool) -> None:
    """No request fails: not at any step of a roll-over, nor when the peer is started again in between."""
    homes = make_homes(world, tmp_path, "45")
    old, new = world.federation.authority, create_ca("test", datetime.now(UTC), generation=2)
    step = sign_root(old, new.certificate)
    if listed:  # then the certificate of the peer is the only one that its connection trusts
        other = world.federation.client("33").certificate
        for home in homes.values():
            put(home / "tls/revoked.pem", make_lists([old], None, [other], datetime.now(UTC)))

    def take(home: Path) -> None:
        if listed:
            before = (home / "tls/revoked.pem").read_bytes()
            put(home / "tls/revoked.pem", make_lists([old, new], before, (), datetime.now(UTC)))
        both = add_root((home / "tls/ca.pem").read_bytes(), step, datetime.now(UTC))
        put(home / "tls/ca.pem", roots_pem(both))

    def drop(home: Path) -> None:
        left = drop_roots((home / "tls/ca.pem").read_bytes(), (home / "tls/node.pem").read_bytes())
        put(home / "tls/ca.pem", roots_pem(left))

    def context(home: Path) -> None:
        renew(home, new, world.federation.salt)

    def restart(_home: Path) -> None:
        served.stop()
        served.start()

    steps = [
        (take, "45"), (take, "44"), (context, "44"), (restart, "44"), (context, "45"),
        (drop, "44"), (restart, "44"), (drop, "45"), (restart, "44"),
    ]  # fmt: skip
    with processes(homes["44"]) as (served,), Peer.open(homes["45"], "44") as kept:
        served.start()
        with Stream(kept, read_verification(world.data, ("C21",), ("44",), 4)).running() as stream:
            for change, code in steps:
                change(homes[code])
                stream.settle()
    for home in homes.values():
        assert load_roots((home / "tls/ca.pem").read_bytes()) == (new.certificate,)


def test_a_revoked_peer_is_cut_at_once(world: World, tmp_path: Path) -> None:
    """As one who asks and as one who is asked, on connections that were good a moment ago; others go on."""
    homes = make_homes(world, tmp_path, "45", "46")
    asked = read_verification(world.data, ("C21",), ("44",), 4)

    def revoke(where: str, whom: str) -> None:
        gone = (homes[whom] / "tls/node.pem").read_bytes()
        lists = make_lists([world.federation.authority], None, [gone], datetime.now(UTC))
        put(homes[where] / "tls/revoked.pem", lists)

    def is_cut(peer: Peer) -> None:
        began = time.monotonic()
        with pytest.raises(UnknownCallerError, match="revoked"):
            peer.verify(asked)
        assert time.monotonic() - began < 5  # nobody tries again what is refused

    with (
        processes(homes["44"]) as (served,),
        Peer.open(homes["45"], "44") as bad,
        Peer.open(homes["46"], "44") as good,
    ):
        served.start()
        first = bad.verify(asked)
        assert good.verify(asked) == first
        revoke("44", "45")
        is_cut(bad)
        assert good.verify(asked) == first
        revoke("46", "44")
        is_cut(good)
