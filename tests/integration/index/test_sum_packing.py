"""Rows of sums that another release or another catalogue packed: offered to nobody, and named."""

import pytest

from node.errors import PartitionVersionError
from node.index.sum_packing import outdated_sums
from node.index.verify import verify_index
from node.responder.manifest import offer_sums
from node.responder.sums import serve_rows
from node.wire.sum_messages import RowsRequest
from tests.support.single_node import LIMITS, make_node, number
from tests.support.sum_fixtures import bring, with_rule
from tests.support.sum_peer import KEYS, PEER, ask, keep_peer

ROWS = [f"{number(at)},,{100 + at}" for at in range(70)]


@pytest.fixture
def node(tmp_path):
    made = make_node(tmp_path, LIMITS, KEYS)
    keep_peer(made)
    bring(made, tmp_path, ROWS)
    yield made
    made.store.dispose()


def test_rows_of_another_form_are_not_offered_before_a_full_import(node, tmp_path, monkeypatch):
    query, _ = ask(node, [number(at) for at in range(64)])
    (group,) = offer_sums(node, PEER).groups
    request = RowsRequest(1, query, "B11", group.prefix, group.version, 0)
    assert list(serve_rows(node, PEER, request))
    assert (outdated_sums(node), verify_index(node, workers=0).good) == ([], True)
    monkeypatch.setattr("matcher.sums.slots.FORMAT", 3)
    assert offer_sums(node, PEER).groups == ()
    with pytest.raises(PartitionVersionError):
        list(serve_rows(node, PEER, request))
    found = verify_index(node, workers=0)
    assert (found.good, found.to_import, list(found.sums)) == (False, ["B11"], ["B11"])
    bring(node, tmp_path, ROWS)
    assert (outdated_sums(node), len(offer_sums(node, PEER).groups)) == ([], 1)
    assert verify_index(node, workers=0).good


def test_rows_of_another_catalogue_are_not_offered(node):
    other = with_rule(node, bands=(1, 500))
    assert (outdated_sums(other), offer_sums(other, PEER).groups) == (["B11"], ())
    assert outdated_sums(with_rule(node, min_cohort=77)) == []
