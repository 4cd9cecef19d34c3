"""Signing keys that rotate: peers follow by themselves, and nobody else leads them."""

import json
import shutil
import threading
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner

from keys.pki.enrolment import load_card
from keys.signing_chain import sign
from keys.store.kinds import fingerprint, fingerprint_of
from keys.types import RotationPolicy
from matcher import SUITE
from node.cli import cli
from node.config import load, open_key_store
from node.database import peers as peer_rows
from node.domain.verification import Verification
from node.errors import DishonestPeerError
from node.requester import handshake, match
from node.requester.pinned_keys import PinnedKeys
from node.responder import manifest
from node.responder.manifest import SignedManifest
from node.rotation import driver
from node.rotation.kinds import SIGNING
from node.transport.peer_client import PeerClient
from node.wire import manifest as manifests
from node.wire import match as wire
from tests.support.cluster import (
    FakeClock,
    Province,
    World,
    findings_of,
    move_peer,
    open_home,
    part_of,
    query_database,
    read_verification,
    run_job,
    serve_all,
)
from tests.support.federation import set_config

POLICY = RotationPolicy(timedelta(days=730), timedelta(days=30))


@pytest.fixture(scope="module")
def asked(world: World) -> Verification:
    return read_verification(world.data, ("C21",), ("44",), 12)


@pytest.fixture(scope="module")
def undisturbed(served, asked: Verification) -> dict:
    return findings_of(run_job(served["45"], "before-signing", asked))


def rotate(home: Path, *, times: int = 1, policy: RotationPolicy = POLICY, clock=None) -> None:
    """As the command does it, in another process than the node's."""
    node, store = open_home(home, *([clock] if clock else [])), open_key_store(load(home / "node.toml"))
    for _ in range(times):
        driver.rotate(SIGNING, node, store, policy)
    node.store.dispose()


def events(home: Path, name: str) -> list[dict]:
    rows = query_database(home, "SELECT details FROM audit WHERE event = ? ORDER BY seq", name)
    return [json.loads(str(details)) for (details,) in rows]


def pinned(home: Path) -> bytes:
    (found,) = query_database(home, "SELECT signing_key FROM peers WHERE code = '44'")[0]
    return bytes(found)  # type: ignore[call-overload]


def fingerprints(home: Path) -> dict[int, str]:
    store = open_key_store(load(home / "node.toml"))
    return {epoch: fingerprint("signing", store.get(f"signing.{epoch}")) for epoch in store.epochs("signing")}


@pytest.mark.parametrize("times", [1, 3])
def test_a_peer_follows_by_itself(
    world: World, asked: Verification, undisturbed: dict, tmp_path: Path, times: int
) -> None:
    """Also through several rotations that it did not see; both audit chains name every step."""
    homes = world.copy(tmp_path, "44", "45")
    with serve_all(homes) as provinces:
        assert findings_of(run_job(provinces["45"], "first", asked)) == undisturbed
        rotate(homes["44"], times=times)
        provinces["44"].node.ring.refresh()  # which it does by itself within half a second
        shutil.rmtree(homes["45"] / "mirror")  # which would be used for a day
        report = run_job(provinces["45"], "second", asked)
        assert findings_of(report) == undisturbed, part_of(report, "44")
        named = fingerprints(homes["44"])
        assert fingerprint_of(pinned(homes["45"])) == named[times + 1]
        steps = [(at, named[at - 1], named[at]) for at in range(2, times + 2)]
        for home, event in ((homes["44"], "succession_signed"), (homes["45"], "peer_key_succeeded")):
            assert [(one["number"], one["from"], one["to"]) for one in events(home, event)] == steps
        rotate(homes["44"])
        provinces["44"].node.ring.refresh()
        shutil.rmtree(homes["45"] / "mirror")
        assert findings_of(run_job(provinces["45"], "third", asked)) == undisturbed
        assert len(events(homes["45"], "peer_key_succeeded")) == times + 1


@pytest.mark.parametrize("moment", ["before it evaluates", "after it evaluated"])
def test_a_running_job_ends_right(
    world: World, asked: Verification, undisturbed: dict, tmp_path: Path, monkeypatch, moment: str
) -> None:
    """Its manifest is of the old key, and the peer's key moves on under it; then the job is resumed."""
    homes = world.copy(tmp_path, "44", "45")
    original, done = match.evaluate_query, threading.Event()

    def evaluate(context, *rest):
        if moment.startswith("after"):
            original(context, *rest)
        if not done.is_set():
            done.set()
            rotate(homes["44"])
            provinces["44"].node.ring.refresh()
            with PeerClient.open(provinces["45"].node, context.peer) as link:
                handshake.check_manifest(replace(context, calls=link), *link.get_manifest())
            assert fingerprint_of(pinned(homes["45"])) == fingerprints(homes["44"])[2]
        if moment.startswith("before"):
            original(context, *rest)

    monkeypatch.setattr(match, "evaluate_query", evaluate)
    with serve_all(homes) as provinces:
        report = run_job(provinces["45"], "across", asked)
        assert findings_of(report) == undisturbed, part_of(report, "44")
        assert done.is_set()


def test_a_job_that_slept_over_it_goes_on(
    world: World, asked: Verification, undisturbed: dict, tmp_path: Path, monkeypatch
) -> None:
    """The requester stops with a manifest of the old key in its checkpoint, and goes on after the switch."""
    homes = world.copy(tmp_path, "44", "45")
    original, left = match.ask_item, [1]

    def stop(*rest):
        if left[0]:
            left[0] -= 1
            raise KeyboardInterrupt
        return original(*rest)

    monkeypatch.setattr(match, "ask_item", stop)
    clock = FakeClock(datetime.now(UTC))
    with serve_all(homes, clock) as provinces:
        exchange_of = match.ask_peer
        sessions = []

        def ask(context, question):
            try:
                return exchange_of(context, question)
            except KeyboardInterrupt:
                sessions.append(context.checkpoint.session())
                rotate(homes["44"], clock=clock)
                provinces["44"].node.ring.refresh()
                with PeerClient.open(provinces["45"].node, context.peer) as link:
                    handshake.check_manifest(replace(context, calls=link), *link.get_manifest())
                clock.advance(hours=1)
                return exchange_of(context, question)

        monkeypatch.setattr(match, "ask_peer", ask)
        report = run_job(provinces["45"], "slept", asked)
        assert findings_of(report) == undisturbed, part_of(report, "44")
        assert len(sessions) == 1


def write_card(home: Path) -> Path:
    """As `heqiao card` writes it."""
    set_config(home, "peer", advertise="127.0.0.1:7443")
    done = CliRunner().invoke(cli, ["card", "--home", str(home), "--out", str(home / "card.json")])
    assert done.exit_code == 0, done.output
    return home / "card.json"


# ---- what must not lead


def offer(province: Province, asker: str = "45") -> SignedManifest:
    with province.node.store.transaction("find peer") as tx:
        peer = peer_rows.find_peer(tx, asker)
    assert peer is not None
    return manifest.offer_manifest(province.node, peer, (SUITE,))


def check(requester: Province, offered: SignedManifest, chain=None, now: datetime | None = None) -> None:
    with requester.node.store.transaction("find peer") as tx:
        peer = peer_rows.find_peer(tx, "44")
    assert peer is not None
    clock = (lambda: now) if now else requester.node.clock
    through = wire.parse_successions(
        wire.succession_messages(offered.successions if chain is None else chain)
    )
    PinnedKeys(requester.node.store, peer, clock).verify(offered.serialised, offered.signature, through)


def refused(requester: Province, *arguments, **options) -> str:
    before = pinned(requester.home), events(requester.home, "peer_key_succeeded")
    with pytest.raises(DishonestPeerError) as caught:
        check(requester, *arguments, **options)
    assert (pinned(requester.home), events(requester.home, "peer_key_succeeded")) == before
    assert caught.value.hint
    return caught.value.details["check"]


@pytest.fixture
def pair(world: World, tmp_path: Path):
    with serve_all(world.copy(tmp_path, "44", "45")) as provinces:
        yield provinces["44"], provinces["45"]


def secret(home: Path, epoch: int) -> bytes:
    return open_key_store(load(home / "node.toml")).get(f"signing.{epoch}")


def test_forged_and_out_of_order(pair) -> None:
    province, requester = pair
    now = datetime.now(UTC)
    rotate(province.home, times=2)
    province.node.ring.refresh()
    good = offer(province)
    first, second = good.successions
    mallory = sign("44", 2, bytes(range(32)), bytes(32), now, now + timedelta(days=30))
    theirs = SignedManifest(good.serialised, manifests.sign(good.serialised, bytes(32)))
    usurped = mallory.model_copy(update={"old_key": first.old_key})
    assert refused(requester, theirs) == "manifest_signature"
    assert refused(requester, theirs, (usurped,)) == "succession_forged"
    assert refused(requester, theirs, (mallory,)) == "succession_gap"
    assert refused(requester, theirs, (first, second)) == "manifest_signature"
    assert refused(requester, good, (second, first)) == "succession_order"
    assert refused(requester, good, (second,)) == "succession_gap"
    assert refused(requester, good, (first, first, second)) == "succession_order"
    assert refused(requester, good, ()) == "manifest_signature"
    assert refused(requester, good, now=now + timedelta(days=31)) == "succession_expired"
    assert refused(requester, good, now=now - timedelta(days=1)) == "succession_clock"
    check(requester, good)
    assert pinned(requester.home) == second.new_key
    check(requester, good)
    assert len(events(requester.home, "peer_key_succeeded")) == 2


def test_replayed(pair) -> None:
    """An old manifest, or a new one by the old key, is refused two minutes after the peer went on."""
    province, requester = pair
    old = offer(province)
    check(requester, old)
    rotate(province.home)
    province.node.ring.refresh()
    new = offer(province)
    check(requester, new)
    check(requester, old)  # of another process of the province, which has not switched yet
    later = datetime.now(UTC) + timedelta(minutes=3)
    assert refused(requester, old, now=later) == "succession_replayed"
    assert refused(requester, old, new.successions, now=later) == "succession_replayed"
    stolen = secret(province.home, 1)
    now = datetime.now(UTC)
    aside = sign("44", 3, stolen, bytes(32), now, now + timedelta(days=30))
    theirs = SignedManifest(new.serialised, manifests.sign(new.serialised, bytes(32)))
    assert refused(requester, theirs, (aside,)) == "succession_gap"
    back = sign("44", 3, secret(province.home, 2), stolen, now, now + timedelta(days=30))
    again = SignedManifest(new.serialised, manifests.sign(new.serialised, bytes(32)))
    assert refused(requester, again, (back,)) == "succession_replayed"


@pytest.mark.parametrize(
    "change",
    [{"old_key": b"short"}, {"code": "999"}, {"number": 0}, {"by_old": b""}, {"expires_at": 2**63}],
)
def test_malformed_chains(pair, change) -> None:
    province, _ = pair
    rotate(province.home)
    (statement,) = offer(province).successions
    (message,) = wire.succession_messages((statement,))
    for name, value in change.items():
        setattr(message, name, value)
    for hostile in ([message], [*wire.succession_messages((statement,))] * 17):
        with pytest.raises(DishonestPeerError) as caught:
            wire.parse_successions(hostile)
        assert caught.value.details["check"] == "succession_malformed"


# ---- the end of a grace


def test_after_the_grace_only_a_card_helps(
    world: World, asked: Verification, undisturbed: dict, tmp_path: Path
) -> None:
    homes = world.copy(tmp_path, "44", "45")
    clock = FakeClock(datetime.now(UTC))
    rotate(homes["44"], policy=RotationPolicy(timedelta(days=9), timedelta(hours=2)), clock=clock)
    clock.advance(hours=3)
    with serve_all(homes, clock) as provinces:
        assert offer(provinces["44"]).successions == ()
        report = run_job(provinces["45"], "late", asked)
        assert part_of(report, "44")[0] != "done"
        with provinces["45"].node.store.transaction("take the card", write=True) as tx:
            row = peer_rows.find_peer(tx, "44")
            card = load_card(write_card(homes["44"])).signing_key
            peer_rows.put_peer(tx, replace(row, signing_key=card), clock())
        assert findings_of(run_job(provinces["45"], "by-card", asked)) == undisturbed
        move_peer(provinces["45"].node, "44", provinces["44"].port)
        assert findings_of(run_job(provinces["45"], "again", asked)) == undisturbed


def test_what_is_retired_leads_nobody(pair) -> None:
    """Early, because the old key was stolen: from then on the chain begins behind it."""
    province, requester = pair
    rotate(province.home, times=2)
    node, store = open_home(province.home), open_key_store(load(province.home / "node.toml"))
    assert [one.number for one in offer(province).successions] == [2, 3]
    assert {key.epoch for key in driver.retire(SIGNING, node, store, early=True)} == {1, 2}
    assert offer(province).successions == ()
    province.node.ring.refresh()
    assert refused(requester, offer(province)) == "manifest_signature"
    driver.destroy(SIGNING, node, store)
    assert store.epochs("signing") == [3]
    rotate(province.home)
    assert [one.number for one in offer(province).successions] == [4]
    assert fingerprint_of(offer(province).successions[0].old_key) == fingerprints(province.home)[3]
    node.store.dispose()


def test_from_the_switch_on_the_old_key_signs_nothing(pair) -> None:
    province, _ = pair
    old = secret(province.home, 1)
    rotate(province.home)
    province.node.ring.refresh()
    assert province.node.keys.signing == secret(province.home, 2) != old
    found = offer(province)
    key = found.successions[-1]
    assert manifests.is_signed(found.serialised, found.signature, key.new_key)
    assert not manifests.is_signed(found.serialised, found.signature, key.old_key)
