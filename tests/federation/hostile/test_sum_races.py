"""S6: on PostgreSQL one charged query was opened several times at once, and budgets were overrun.

Four threads of one node, as four streams of one peer would be; each trial is a new query.
"""

import secrets
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from threading import Barrier

import pytest

from matcher.sums import paillier
from node.config.quotas import QuotasSection
from node.context import Node
from node.database import open_store
from node.database import peers as peer_rows
from node.database import sum_queries as query_rows
from node.errors import LimitError, NodeError, RefusedError
from node.responder.sum_opening import open_sums
from node.responder.sums import charge_query
from node.wire.sum_messages import OpenRequest
from tests.support.postgresql import PostgreSQL, postgres  # noqa: F401  a fixture
from tests.support.single_node import NOW, make_node
from tests.support.sum_peer import KEYS, PEER, begin, issue

AT_ONCE = 4
TRIALS = [12, pytest.param(200, marks=pytest.mark.long)]
SIZE = KEYS.private.public.ciphertext_size


@pytest.fixture(params=["sqlite", "postgresql"])
def node(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Node]:
    made = make_node(tmp_path, sums=KEYS)
    if request.param == "postgresql":
        server: PostgreSQL = request.getfixturevalue("postgres")
        made.store.dispose()
        made = replace(made, store=open_store(server.create_migrated()))
    with made.store.transaction("add peer", write=True) as tx:
        peer_rows.put_peer(tx, PEER, NOW)
    issue(made)
    yield made
    made.store.dispose()


def charge(node: Node, query: bytes) -> None:
    charge_query(node, PEER, begin(query), {"B11": node.catalogue.item("B11")}, bytes(64), "node")


def with_sums(node: Node, most: int) -> Node:
    """The node with a quota of sums."""
    quotas = QuotasSection(sums_30_days=most)
    return replace(node, config=node.config.model_copy(update={"quotas": quotas}))


def at_once(work: Callable[[int], object]) -> list[object]:
    """What each of some threads came to that begin together: a result, or its error."""
    gate = Barrier(AT_ONCE)

    def run(number: int) -> object:
        gate.wait(60)
        try:
            return work(number)
        except NodeError as error:
            return error

    with ThreadPoolExecutor(AT_ONCE) as pool:
        return list(pool.map(run, range(AT_ONCE)))


@pytest.mark.parametrize("trials", TRIALS)
def test_a_charged_query_is_opened_once(node, trials):
    """Different ciphertexts at the same moment: one is answered, the others are refused."""
    node = with_sums(node, 1_000)
    public = KEYS.private.public
    for _ in range(trials):
        query = secrets.token_bytes(16)
        charge(node, query)
        each = [paillier.to_bytes(public, paillier.encrypt(public, 0)) for _ in range(AT_ONCE)]
        asked = [OpenRequest(1, query, ("B11",), (one,)) for one in each]
        found = at_once(lambda number, asked=asked: open_sums(node, PEER, asked[number]))
        refused = [one for one in found if isinstance(one, RefusedError)]
        assert [one.details["rule"] for one in refused] == ["opened"] * (AT_ONCE - 1), found
        assert sum(isinstance(one, tuple) for one in found) == 1


def test_a_quota_is_not_overrun(node):
    """Four new queries at once where two are left: two are charged, two are refused."""
    node = with_sums(node, 3)
    charge(node, bytes(16))
    found = at_once(lambda number: charge(node, bytes([1 + number]) * 16))
    assert Counter(map(type, found)) == {type(None): 2, LimitError: 2}, found
    with node.store.transaction("look") as tx:
        assert len(query_rows.queries_since(tx, PEER.code, "B11", NOW)) == 3


def test_a_removed_peer_is_charged_nothing(node):
    with node.store.transaction("remove", write=True) as tx:
        peer_rows.remove_peer(tx, PEER.code)
    with pytest.raises(NodeError, match="no longer knows"):
        charge(node, bytes(16))
    with node.store.transaction("look") as tx:
        assert query_rows.find_query(tx, PEER.code, bytes(16)) == {}
