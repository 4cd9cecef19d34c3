"""Messages of mirrors: what is packed is read again, in messages of bounded size."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from matcher.bucket_changes import BucketChange
from matcher.suites.tokens import TAG_SIZE
from node.errors import InvalidRequestError
from node.wire import mirror
from node.wire.mirror_messages import DeltaRequest, PartitionRequest

SIZE = TAG_SIZE + 4
MOST = 3 * SIZE
REQUEST = PartitionRequest(1, "C21", "45", 7, 3, bytes(16))
DELTA = DeltaRequest(1, "C21", "45", 5, bytes(32), 7)


def test_requests_are_read_as_they_were_made():
    assert mirror.parse_partition_request(mirror.partition_request_message(REQUEST)) == REQUEST
    assert mirror.parse_delta_request(mirror.delta_request_message(DELTA)) == DELTA


@pytest.mark.parametrize(
    "change",
    [{"origin": "4"}, {"item": "C" * 99}, {"version": 2**63}, {"query_id": b"short"}],
)
def test_malformed_requests_for_a_partition_are_refused(change):
    message = mirror.partition_request_message(REQUEST)
    for name, value in change.items():
        setattr(message, name, value)
    with pytest.raises(InvalidRequestError):
        mirror.parse_partition_request(message)


@pytest.mark.parametrize("change", [{"from_root": b"short"}, {"from_version": 2**63}, {"to_version": 2**63}])
def test_malformed_requests_for_a_delta_are_refused(change):
    message = mirror.delta_request_message(DELTA)
    for name, value in change.items():
        setattr(message, name, value)
    with pytest.raises(InvalidRequestError):
        mirror.parse_delta_request(message)


@given(st.binary(max_size=300), st.lists(st.binary(max_size=300), max_size=20))
def test_a_partition_is_one_stream_of_bytes(leaves, buckets):
    pieces = [mirror.parse_piece(one) for one in mirror.piece_messages(leaves, buckets, 100)]
    assert b"".join(piece.leaves for piece in pieces) == leaves
    assert [size for piece in pieces for size in piece.sizes] == [len(data) for data in buckets]
    assert b"".join(piece.data for piece in pieces) == b"".join(buckets)
    assert all(len(piece.leaves) + len(piece.data) <= 100 for piece in pieces)
    assert all(piece.leaves or piece.sizes or piece.data for piece in pieces)


@given(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9)), max_size=12))
def test_large_changes_go_on_in_the_next_message(amounts):
    changes = [
        BucketChange(number, b"r" * TAG_SIZE * removed, b"s" * SIZE * added)
        for number, (removed, added) in enumerate(amounts)
        if removed + added
    ]
    messages = [mirror.parse_changes(one) for one in mirror.change_messages(iter(changes), SIZE, MOST)]
    assert all(sum(change.length for change in message) <= MOST for message in messages)
    joined: dict[int, BucketChange] = {}
    for part in (change for message in messages for change in message):
        before = joined.get(part.bucket, BucketChange(part.bucket, b"", b""))
        joined[part.bucket] = BucketChange(
            part.bucket, before.removed + part.removed, before.entries + part.entries
        )
    assert list(joined.values()) == changes
