"""No manifest is accepted that is older than one seen before, except within its bounds."""

from dataclasses import replace
from datetime import timedelta

import pytest

from node.database import open_store
from node.database import peers as peer_rows
from node.domain.peers import PeerRow
from node.errors import DishonestPeerError
from node.requester.seen_manifests import BehindError, SeenManifests
from tests.support.cluster import FakeClock
from tests.support.examples import MANIFEST, NOW, PART


@pytest.fixture
def clock():
    return FakeClock(NOW)


@pytest.fixture
def seen(tmp_path, clock):
    store = open_store(f"sqlite:///{tmp_path}/heqiao.db")
    peer = PeerRow("44", "广东", "127.0.0.1:1", bytes(32), False, ())
    with store.transaction("add", write=True) as tx:
        peer_rows.put_peer(tx, peer, NOW)
    found = SeenManifests(store, "44", clock)
    yield found
    store.dispose()


def version(number: int, **changes):
    return replace(MANIFEST, partitions=(replace(PART, version=number),), **changes)


def test_the_same_and_newer_ones_are_accepted(seen):
    for number in (3, 3, 4):
        seen.judge(version(number), is_last=False)
    seen.judge(version(4, issued_at=NOW - timedelta(minutes=5)), is_last=False)


@pytest.mark.parametrize("older", [version(3), version(4, epoch=1)])
def test_an_older_one_is_asked_again_for_a_minute_and_then_refused(seen, clock, older):
    seen.judge(version(4, epoch=2), is_last=False)
    with pytest.raises(BehindError):
        seen.judge(older, is_last=False)
    with pytest.raises(DishonestPeerError) as caught:
        seen.judge(older, is_last=True)
    assert caught.value.details == {"check": "manifest_rollback"}
    clock.advance(seconds=61)
    with pytest.raises(DishonestPeerError):
        seen.judge(older, is_last=False)
    seen.judge(version(4, epoch=2), is_last=False)


def test_the_time_of_issue_may_go_back_five_minutes(seen):
    seen.judge(version(3), is_last=False)
    with pytest.raises(DishonestPeerError) as caught:
        seen.judge(version(3, issued_at=NOW - timedelta(minutes=5, seconds=1)), is_last=False)
    assert caught.value.details == {"check": "manifest_rollback"}


def test_an_epoch_in_its_grace_may_be_asked_for(seen):
    seen.judge(version(4, epoch=2), is_last=False)
    seen.judge(version(3, epoch=1), is_last=False, older_epoch=True)
    with pytest.raises(BehindError):
        seen.judge(version(4, epoch=1), is_last=False)


def test_each_salt_is_judged_alone(seen):
    seen.judge(version(9, salt_version=2, epoch=5), is_last=False)
    seen.judge(version(1, salt_version=1), is_last=False)


def test_a_partition_that_was_never_seen_may_have_any_version(seen):
    seen.judge(version(9), is_last=False)
    other = replace(PART, origin="46", version=1)
    seen.judge(replace(MANIFEST, partitions=(other,)), is_last=False)
    seen.judge(version(9), is_last=False)
    with pytest.raises(BehindError):
        seen.judge(version(8), is_last=False)


def test_it_survives_a_new_address_and_not_another_key(seen):
    seen.judge(version(9), is_last=False)
    for key, raises in ((bytes(32), True), (b"k" * 32, False)):
        with seen.store.transaction("change", write=True) as tx:
            peer_rows.put_peer(tx, PeerRow("44", "广东", "127.0.0.1:2", key, False, ()), NOW)
        if raises:
            with pytest.raises(BehindError):
                seen.judge(version(8), is_last=False)
        else:
            seen.judge(version(8), is_last=False)
