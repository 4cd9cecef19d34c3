"""Messages of peers: refused ones, and that no bytes break the decoders."""

import json
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from itertools import pairwise

import pytest
from google.protobuf.message import DecodeError
from heqiao.peer.v1 import match_pb2, mirror_pb2, types_pb2
from hypothesis import given
from hypothesis import strategies as st

from matcher.types import TokenClass
from node.errors import DishonestPeerError, InvalidRequestError
from node.wire import match, mirror
from node.wire.match_messages import BucketRequest, BucketSlice, EvaluateStart, granule_digests, granules_root
from tests.support.examples import MANIFEST
from tests.support.paths import VECTORS

START = EvaluateStart(
    1, 1, bytes(32), bytes(16), 4, 0, ("C21",), "review", "", bytes(32), TokenClass.SENSITIVE
)
REQUEST = BucketRequest(1, bytes(16), "C21", "45", 3, (0, 2, 3))


def test_round_trips() -> None:
    assert match.parse_manifest(match.manifest_bytes(MANIFEST)) == MANIFEST
    assert match.parse_start(match.start_message(START).start) == START
    assert match.parse_bucket_request(match.bucket_request_message(REQUEST)) == REQUEST


def clear_planted(message: types_pb2.Manifest) -> None:
    del message.partitions[0].planted[:]


def plant_twice(message: types_pb2.Manifest) -> None:
    message.partitions[0].planted.add().CopyFrom(message.partitions[0].planted[0])


def offer_twice(message: types_pb2.Manifest) -> None:
    message.partitions.add().CopyFrom(message.partitions[0])


def set_part(**values: object) -> Callable[[types_pb2.Manifest], None]:
    def change(message: types_pb2.Manifest) -> None:
        for name, value in values.items():
            setattr(message.partitions[0], name, value)

    return change


def set_field(**values: object) -> Callable[[types_pb2.Manifest], None]:
    def change(message: types_pb2.Manifest) -> None:
        for name, value in values.items():
            setattr(message, name, value)

    return change


def set_canaries(*classes: tuple[str, int]) -> Callable[[types_pb2.Manifest], None]:
    def change(message: types_pb2.Manifest) -> None:
        del message.canaries[:]
        for name, size in classes:
            message.canaries.add(token_class=name, points=bytes(size))

    return change


MALFORMED = {
    "salt_check": set_field(salt_check=bytes(7)),
    "catalogue_digest": set_field(catalogue_digest=b""),
    "canaries_short": set_canaries(("ordinary", 480), ("sensitive", 512)),
    "canaries_long": set_canaries(("ordinary", 512), ("sensitive", 544)),
    "canaries_of_one_class": set_canaries(("ordinary", 512)),
    "canaries_of_none": set_canaries(),
    "canaries_twice": set_canaries(("ordinary", 512), ("ordinary", 512)),
    "canaries_in_another_order": set_canaries(("sensitive", 512), ("ordinary", 512)),
    "canaries_of_an_unknown_class": set_canaries(("ordinary", 512), ("secret", 512)),
    "canaries_of_a_third_class": set_canaries(("ordinary", 512), ("sensitive", 512), ("secret", 512)),
    "root": set_part(root=bytes(31)),
    "bits": set_part(bucket_bits=25),
    "origin_of_one_digit": set_part(origin="4"),
    "origin_of_three": set_part(origin="450"),
    "origin_that_is_a_path": set_part(origin=".."),
    "no_date": set_part(date=0),
    "date": set_part(date=2**16),
    "record_size": set_part(record_size=13),
    "no_record_size": set_part(record_size=0),
    "entries": set_part(entries=2**40),
    "epoch": set_part(epoch=2),
    "fewer_entries_than_planted": set_part(entries=0),
    "no_version": set_part(version=0),
    "version": set_part(version=2**63),
    "no_planted": clear_planted,
    "planted_twice": plant_twice,
    "partition_twice": offer_twice,
    "no_chunks": lambda message: setattr(message.limits, "chunk_points", 0),
    "chunks_below_a_granule": lambda message: setattr(message.limits, "chunk_points", 15),
    "no_buckets": lambda message: setattr(message.limits, "max_buckets_per_request", 0),
    "less_than_a_block": lambda message: setattr(message.limits, "max_buckets_per_request", 15),
    "time_before_years": lambda message: setattr(message.issued_at, "seconds", -(2**60)),
    "time_after_years": lambda message: setattr(message.expires_at, "seconds", 2**60),
}


@pytest.mark.parametrize("name", MALFORMED)
def test_malformed_manifests(name: str) -> None:
    message = types_pb2.Manifest.FromString(match.manifest_bytes(MANIFEST))
    MALFORMED[name](message)
    with pytest.raises(DishonestPeerError) as caught:
        match.parse_manifest(message.SerializeToString())
    assert caught.value.details["check"] == "manifest_form"


@given(st.binary(max_size=400))
def test_any_bytes_as_manifest(data: bytes) -> None:
    with pytest.raises(DishonestPeerError):
        match.parse_manifest(data)


@given(st.binary(max_size=200), st.integers(0, 900))
def test_spoiled_manifests(noise: bytes, at: int) -> None:
    good = match.manifest_bytes(MANIFEST)
    with suppress(DishonestPeerError):
        match.parse_manifest(good[:at] + noise + good[at + len(noise) :])


@given(st.binary(max_size=200))
def test_any_bytes_as_requests(data: bytes) -> None:
    for kind, parse in (
        (match_pb2.EvaluateStart, match.parse_start),
        (match_pb2.FetchBucketsRequest, match.parse_bucket_request),
        (mirror_pb2.FetchPartitionRequest, mirror.parse_partition_request),
        (mirror_pb2.FetchDeltaRequest, mirror.parse_delta_request),
    ):
        try:
            message = kind.FromString(data)
        except DecodeError:
            continue
        try:
            parse(message)
        except InvalidRequestError:
            continue


@given(st.lists(st.integers(0, 2**32 - 1), max_size=20))
def test_bucket_numbers_must_ascend(numbers: list[int]) -> None:
    message = match.bucket_request_message(BucketRequest(1, bytes(16), "C21", "45", 3, tuple(numbers)))
    if numbers and all(a < b for a, b in pairwise(numbers)):
        assert match.parse_bucket_request(message).buckets == tuple(numbers)
    else:
        with pytest.raises(InvalidRequestError):
            match.parse_bucket_request(message)


SIZES = st.lists(st.integers(0, 90), max_size=40)


@given(SIZES, st.booleans())
def test_small_buckets_share_messages_and_come_out_as_they_went_in(sizes: list[int], several: bool) -> None:
    """Like those of a responder, only smaller: parts of at most 50 bytes, messages of at most 1,000."""
    parts = [
        BucketSlice(
            number, size, at, bytes([number]) * min(50, size - at), (bytes(32),) * 3 if at == 0 else ()
        )
        for number, size in enumerate(sizes)
        for at in range(0, max(size, 1), 50)
    ]
    messages = list(match.slice_messages(parts, 1_000, several=several))
    assert [part for message in messages for part in match.parse_slices(message)] == parts
    assert all(message.ByteSize() <= 1_000 for message in messages)
    if not several:
        assert len(messages) == len(parts)
    elif all(size <= 50 for size in sizes):
        assert len(messages) <= -(-len(parts) // 4)


def test_a_requester_of_the_first_release_gets_a_bucket_a_message() -> None:
    """It does not know `several`, and reads only the first bucket of a response."""
    asked = match.bucket_request_message(BucketRequest(1, bytes(16), "C21", "45", 3, (0, 1)))
    assert asked.several
    old = match_pb2.FetchBucketsRequest.FromString(b"")
    assert not old.several


# ---- granules

GRANULES = json.loads((VECTORS / "granules.json").read_text())


@pytest.mark.parametrize(
    "case", GRANULES, ids=lambda case: f"{len(case['points']) // 64}-{case['first_point']}"
)
@pytest.mark.parametrize("chunk", [16, 32, 4_096])
def test_granules(case: dict, chunk: int) -> None:
    """However the points are cut into chunks of whole granules."""
    first, points = case["first_point"], bytes.fromhex(case["points"])
    digests = b"".join(
        granule_digests(first + at // 32, points[at : at + 32 * chunk], 32)
        for at in range(0, len(points), 32 * chunk)
    )
    assert granules_root(digests).hex() == case["root"]


def test_granules_know_their_place_and_their_points() -> None:
    points = bytes(range(256)) * 4

    def root(points: bytes, first: int = 0) -> bytes:
        return granules_root(granule_digests(first, points, 32))

    swapped = points[32:64] + points[:32] + points[64:]
    others = {root(points, 16), root(swapped), root(points[:-32]), root(points + points[:32])}
    assert len(others | {root(points)}) == 5


# ---- buckets belong to a query


@pytest.mark.parametrize("query_id", [b"", b"1", bytes(15), bytes(17), bytes(32)])
def test_the_id_of_a_query_has_one_length(query_id: bytes) -> None:
    with pytest.raises(InvalidRequestError, match="query_id"):
        match.parse_bucket_request(match.bucket_request_message(replace(REQUEST, query_id=query_id)))


@pytest.mark.parametrize("first", [1, 15, 17])
def test_a_stream_begins_with_a_granule(first: int) -> None:
    start = replace(START, points_announced=64, first_point=first)
    with pytest.raises(InvalidRequestError, match="multiple of 16"):
        match.parse_start(match.start_message(start).start)
    assert match.parse_start(match.start_message(replace(start, first_point=16)).start)
