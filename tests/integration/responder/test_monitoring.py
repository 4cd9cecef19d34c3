"""Tokens that are kept for monitoring: said in the query, bound with it, refused where it is not granted."""

import json
from dataclasses import replace

import pytest

from node.database import audit_log
from node.domain.days import FIRST_DAY, china_day
from node.domain.watches import MOST_KEPT_DAYS
from node.errors import InvalidRequestError, RefusedError
from node.wire.match_messages import Transcript
from tests.support.bound_queries import PEER, POINTS, ask, know_peer, start_of
from tests.support.single_node import NOW, make_node

TODAY = (china_day(NOW) - FIRST_DAY).days


@pytest.fixture
def node(tmp_path):
    found = make_node(tmp_path / "44")
    know_peer(found)
    yield found
    found.store.dispose()


def kept(node, days, purpose="monitoring", **more):
    return start_of(node, purpose=purpose, tokens_until=TODAY + days, **more)


def test_what_is_said_is_on_record(node):
    start = kept(node, 30)
    ask(node, start, POINTS)
    with node.store.transaction("look") as tx:
        (event,) = [one for one in audit_log.events(tx) if one.event == "query_answered"]
    assert json.loads(event.details)["tokens_until"] == TODAY + 30


def test_another_day_under_the_same_id_is_another_query(node):
    start = kept(node, 30)
    ask(node, start, POINTS)
    ask(node, start, POINTS)
    for other in (TODAY + 31, 0):
        with pytest.raises(RefusedError) as refused:
            ask(node, replace(start, tokens_until=other), POINTS)
        assert refused.value.details == {"rule": "query_id"}


def test_it_is_in_the_transcript(node):
    start = kept(node, 30)
    digests = {Transcript(one).digest() for one in (start, replace(start, tokens_until=0))}
    assert len(digests) == 2


@pytest.mark.parametrize("days", [-1, 0, MOST_KEPT_DAYS, MOST_KEPT_DAYS + 1])
def test_an_epoch_at_most(node, days):
    ask(node, kept(node, days), POINTS)


@pytest.mark.parametrize("days", [-2, MOST_KEPT_DAYS + 2, 2**32 - 1 - TODAY])
def test_no_longer_and_not_over(node, days):
    with pytest.raises(InvalidRequestError):
        ask(node, kept(node, days), POINTS)


@pytest.mark.parametrize("purpose", ["review", "new_application", "other"])
def test_for_monitoring_only(node, purpose):
    with pytest.raises(InvalidRequestError):
        ask(node, kept(node, 5, purpose), POINTS)


def test_a_peer_that_may_not_monitor(node):
    """Neither with tokens that are kept nor without; anything else it may ask as before."""
    peer = replace(PEER, allow_monitoring=False)
    for start in (kept(node, 5), start_of(node, purpose="monitoring")):
        with pytest.raises(RefusedError) as refused:
            ask(node, start, POINTS, peer=peer)
        assert refused.value.details == {"rule": "monitoring_not_granted"}
    ask(node, start_of(node), POINTS, peer=peer)


def test_an_open_stream_ends_when_it_may_no_longer():
    assert replace(PEER, allow_monitoring=False).rights != PEER.rights
