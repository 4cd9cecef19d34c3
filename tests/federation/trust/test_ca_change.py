"""A federation that changes its CA while its nodes ask each other."""

import threading
from datetime import UTC, datetime
from pathlib import Path

from keys import create_ca
from keys.pki.certificates import load_roots, roots_pem
from keys.pki.roots import add_root, drop_roots, sign_root
from node.database import peers as peer_rows
from node.transport.peer_client import PeerClient
from tests.support.certificates import put, renew
from tests.support.cluster import Province, World, findings_of, part_of, read_verification, run_job, serve_all


def peer_of(province: Province, code: str):
    with province.node.store.transaction("find peer") as tx:
        row = peer_rows.find_peer(tx, code)
    assert row is not None
    return row


def test_both_roots_and_then_the_new_one(world: World, tmp_path: Path) -> None:
    """No call fails meanwhile: new connections all the time, and one that stays open."""
    homes, old = world.copy(tmp_path), world.federation.authority
    new = create_ca("test", datetime.now(UTC), generation=2)
    step, asked = sign_root(old, new.certificate), read_verification(world.data, ("C21",), most=20)
    with serve_all(homes) as provinces:
        before = findings_of(run_job(provinces["45"], "before", asked))
        stopped, failed, calls = threading.Event(), [], [0]

        def call_on() -> None:
            asker = provinces["45"]
            with PeerClient.open(asker.node, peer_of(asker, "33")) as kept:
                while not stopped.is_set():
                    try:
                        kept.get_manifest()
                        with PeerClient.open(asker.node, peer_of(asker, "44")) as link:
                            link.get_manifest()
                        calls[0] += 1
                    except Exception as error:  # noqa: BLE001 - reported by the test
                        failed.append(error)

        caller = threading.Thread(target=call_on)
        caller.start()

        def settle() -> None:
            """What a minute does between two administrators: every node has looked at its files."""
            for province in provinces.values():
                province.node.ring.refresh()

        try:
            for home in homes.values():
                put(
                    home / "tls/ca.pem",
                    roots_pem(add_root((home / "tls/ca.pem").read_bytes(), step, datetime.now(UTC))),
                )
            settle()
            for code in ("44", "45", "33"):
                renew(homes[code], new, world.federation.salt)
                settle()
                assert findings_of(run_job(provinces["45"], f"renewed-{code}", asked)) == before
            for home in homes.values():
                left = drop_roots((home / "tls/ca.pem").read_bytes(), (home / "tls/node.pem").read_bytes())
                put(home / "tls/ca.pem", roots_pem(left))
            settle()
            assert findings_of(run_job(provinces["45"], "after", asked)) == before
        finally:
            stopped.set()
            caller.join()
        assert (failed, calls[0] > 3) == ([], True)
        for home in homes.values():
            assert load_roots((home / "tls/ca.pem").read_bytes()) == (new.certificate,)
        renew_old = tmp_path / "33"
        put(renew_old / "tls/ca.pem", old.pem)
        renew(renew_old, old, world.federation.salt)
        settle()
        refused = part_of(run_job(provinces["45"], "old-root", asked), "33")
        assert refused == ("unavailable", "unavailable")
