"""What a member of the federation can send wrongly: the right status, no data, and the node goes on."""

import json
import threading
from collections.abc import Callable, Iterator

import grpc
import pytest
from heqiao.peer.v1 import match_pb2, service_pb2_grpc

from matcher import SUITE
from tests.support.calls import GOOD, Target, chunk, fails, opening
from tests.support.cluster import World, channel, serve_all, wait_for
from tests.support.federation import set_config
from tests.support.paths import VECTORS

Code = grpc.StatusCode


def points_of(name: str) -> dict[str, bytes]:
    rows = json.loads((VECTORS / f"point_bad_{name}.json").read_text())
    return {f"{name}:{row['name']}": bytes.fromhex(row["points"]) for row in rows}


BAD_POINTS = {**points_of("length"), **points_of("canonical"), **points_of("low_order"), **points_of("twist")}


@pytest.fixture(scope="module")
def target(world: World, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Target]:
    homes = world.copy(tmp_path_factory.mktemp("bad"), "44")
    set_config(homes["44"], "limits", max_points_per_query=1000, max_streams_per_peer=3)
    with (
        serve_all(homes) as provinces,
        channel(provinces["44"].port, "44.node.heqiao", world.federation.client("45")) as line,
    ):
        yield Target.of(service_pb2_grpc.PeerServiceStub(line), provinces["44"].port)


@pytest.mark.parametrize("name", BAD_POINTS)
def test_points_that_are_none(target: Target, name: str) -> None:
    start = target.start
    code, reason, _, text = fails(lambda: target.evaluate(opening(start), chunk(0, BAD_POINTS[name])))
    assert (code, reason) == (Code.INVALID_ARGUMENT, "invalid_points")
    assert BAD_POINTS[name].hex() not in text


def test_a_bad_point_among_good_ones_spoils_the_whole_chunk(target: Target) -> None:
    bad = GOOD + BAD_POINTS["twist:u_2"] + GOOD
    seen = []

    def call() -> None:
        responses = target.stub.Evaluate(iter([opening(target.start), chunk(0, bad)]), timeout=120)
        seen.extend(responses)

    assert fails(call)[:2] == (Code.INVALID_ARGUMENT, "invalid_points")
    assert not seen


def started(**changes: object) -> Callable[[Target], list[match_pb2.EvaluateRequest]]:
    def build(target: Target) -> list[match_pb2.EvaluateRequest]:
        start = target.start
        for name, value in changes.items():
            if name == "items":
                del start.items[:]
                start.items.extend(value)
            else:
                setattr(start, name, value)
        return [opening(start), chunk(0, GOOD)]

    return build


def streamed(*chunks: match_pb2.EvaluateRequest) -> Callable[[Target], list[match_pb2.EvaluateRequest]]:
    return lambda target: [opening(target.start), *chunks]


EVALUATE = {
    "more_points_than_announced": (
        streamed(chunk(0, GOOD * 5)),
        Code.INVALID_ARGUMENT,
        "invalid_points",
        {},
    ),
    "more_points_in_the_second_chunk": (
        lambda t: [started(points_announced=20)(t)[0], chunk(0, GOOD * 16), chunk(1, GOOD * 5)],
        Code.INVALID_ARGUMENT,
        "invalid_points",
        {},
    ),
    "chunk_that_ends_inside_a_granule": (
        streamed(chunk(0, GOOD * 3), chunk(1, GOOD)),
        Code.INVALID_ARGUMENT,
        "invalid_points",
        {},
    ),
    "fewer_points_than_announced": (
        lambda t: [started(points_announced=20)(t)[0], chunk(0, GOOD * 16)],
        Code.INVALID_ARGUMENT,
        "invalid_points",
        {},
    ),
    "no_points_at_all": (streamed(), Code.INVALID_ARGUMENT, "invalid_points", {}),
    "more_points_than_a_chunk": (
        lambda t: [started(points_announced=17)(t)[0], chunk(0, GOOD * 17)],
        Code.INVALID_ARGUMENT,
        "invalid_points",
        {},
    ),
    "empty_chunk": (streamed(chunk(0, b"")), Code.INVALID_ARGUMENT, "invalid_points", {}),
    "chunks_out_of_order": (
        streamed(chunk(1, GOOD)),
        Code.INVALID_ARGUMENT,
        "invalid_request",
        {},
    ),
    "chunk_twice": (
        lambda t: [started(points_announced=32)(t)[0], chunk(0, GOOD * 16), chunk(0, GOOD * 16)],
        Code.INVALID_ARGUMENT,
        "invalid_request",
        {},
    ),
    "second_start": (
        lambda t: [opening(t.start), opening(t.start)],
        Code.INVALID_ARGUMENT,
        "invalid_request",
        {},
    ),
    "no_start": (lambda _: [chunk(0, GOOD)], Code.INVALID_ARGUMENT, "invalid_request", {}),
    "nothing": (lambda _: [], Code.INVALID_ARGUMENT, "invalid_request", {}),
    "empty_message": (
        lambda _: [match_pb2.EvaluateRequest()],
        Code.INVALID_ARGUMENT,
        "invalid_request",
        {},
    ),
    "empty_message_after_start": (
        lambda t: [opening(t.start), match_pb2.EvaluateRequest()],
        Code.INVALID_ARGUMENT,
        "invalid_request",
        {},
    ),
    "unknown_item": (started(items=["Q99"]), Code.NOT_FOUND, "item_not_offered", {}),
    "ordinary_query_that_names_a_sensitive_item": (
        started(items=["C21", "C23"]),
        Code.PERMISSION_DENIED,
        "refused",
        {"rule": "item_class"},
    ),
    "sensitive_query_that_names_an_ordinary_item": (
        started(items=["C23", "C21"], token_class="sensitive"),
        Code.PERMISSION_DENIED,
        "refused",
        {"rule": "item_class"},
    ),
    "no_class": (started(token_class=""), Code.INVALID_ARGUMENT, "invalid_request", {}),
    "unknown_class": (started(token_class="Ordinary"), Code.INVALID_ARGUMENT, "invalid_request", {}),
    "no_items": (started(items=[]), Code.INVALID_ARGUMENT, "invalid_request", {}),
    "too_many_items": (started(items=["C21"] * 65), Code.INVALID_ARGUMENT, "invalid_request", {}),
    "old_epoch": (started(epoch=0), Code.FAILED_PRECONDITION, "epoch_not_current", {"epoch": "1"}),
    "future_epoch": (started(epoch=2), Code.FAILED_PRECONDITION, "epoch_not_current", {"epoch": "1"}),
    "wrong_salt_version": (
        started(salt_version=2),
        Code.FAILED_PRECONDITION,
        "salt_not_current",
        {"salt_version": "1"},
    ),
    "unknown_suite": (started(suite="SM2-SM3"), Code.INVALID_ARGUMENT, "unknown_suite", {"suite": SUITE}),
    "unknown_purpose": (started(purpose="curiosity"), Code.INVALID_ARGUMENT, "invalid_request", {}),
    "long_purpose": (started(purpose="x" * 65), Code.INVALID_ARGUMENT, "invalid_request", {}),
    "no_legal_basis": (started(legal_basis=""), Code.INVALID_ARGUMENT, "invalid_request", {}),
    "legal_basis_with_a_number": (
        started(legal_basis="449999190001010034"),
        Code.INVALID_ARGUMENT,
        "invalid_request",
        {},
    ),
    "announced_none": (started(points_announced=0), Code.INVALID_ARGUMENT, "invalid_request", {}),
    "announced_over_the_limit": (
        started(points_announced=1001),
        Code.INVALID_ARGUMENT,
        "invalid_points",
        {},
    ),
    "announced_most_there_is": (
        started(points_announced=2**64 - 1),
        Code.INVALID_ARGUMENT,
        "invalid_points",
        {},
    ),
    "first_point_beyond": (started(first_point=4), Code.INVALID_ARGUMENT, "invalid_request", {}),
    "first_point_inside_a_granule": (
        started(first_point=3),
        Code.INVALID_ARGUMENT,
        "invalid_request",
        {},
    ),
    "short_query_id": (started(query_id=bytes(15)), Code.INVALID_ARGUMENT, "invalid_request", {}),
    "short_manifest_digest": (
        started(manifest_digest=b""),
        Code.INVALID_ARGUMENT,
        "invalid_request",
        {},
    ),
    "long_mandate_root": (
        started(mandate_root=bytes(33)),
        Code.INVALID_ARGUMENT,
        "invalid_request",
        {},
    ),
    "oversize_message": (
        streamed(chunk(0, GOOD * 40_000)),
        Code.RESOURCE_EXHAUSTED,
        "",
        {},
    ),
}


@pytest.mark.parametrize("name", EVALUATE)
def test_evaluate(target: Target, name: str) -> None:
    build, code, reason, facts = EVALUATE[name]
    messages = build(target)
    found, said, details, _ = fails(lambda: target.evaluate(*messages))
    assert (found, said) == (code, reason)
    assert facts.items() <= details.items()
    target.require_alive()


FETCH = {
    "bucket_out_of_range": ({"buckets": [1 << 20]}, Code.INVALID_ARGUMENT, "invalid_request"),
    "bucket_out_of_range_after_good": (
        {"buckets": [0, 4_000_000_000]},
        Code.INVALID_ARGUMENT,
        "invalid_request",
    ),
    "unsorted": ({"buckets": [1, 0]}, Code.INVALID_ARGUMENT, "invalid_request"),
    "duplicate": ({"buckets": [0, 0]}, Code.INVALID_ARGUMENT, "invalid_request"),
    "none": ({"buckets": []}, Code.INVALID_ARGUMENT, "invalid_request"),
    "too_many": ({"buckets": range(16_385)}, Code.INVALID_ARGUMENT, "invalid_request"),
    "unknown_suite": ({"suite": ""}, Code.INVALID_ARGUMENT, "unknown_suite"),
    "short_query_id": ({"query_id": b"1"}, Code.INVALID_ARGUMENT, "invalid_request"),
    "single_buckets_of_no_query": (
        {"query_id": b"", "buckets": [0, 2]},
        Code.INVALID_ARGUMENT,
        "invalid_request",
    ),
    "origin_not_granted": ({"origin": "33"}, Code.PERMISSION_DENIED, "refused"),
    "origin_unknown": ({"origin": "99"}, Code.PERMISSION_DENIED, "refused"),
    "origin_malformed": ({"origin": "4"}, Code.INVALID_ARGUMENT, "invalid_request"),
    "item_unknown": ({"item": "Q99"}, Code.NOT_FOUND, "item_not_offered"),
    "item_too_long": ({"item": "C" * 65}, Code.INVALID_ARGUMENT, "invalid_request"),
    "version_unknown": ({"version": 7}, Code.FAILED_PRECONDITION, "partition_changed"),
    "version_largest": ({"version": 2**63 - 1}, Code.FAILED_PRECONDITION, "partition_changed"),
    "version_beyond_sql": ({"version": 2**64 - 1}, Code.INVALID_ARGUMENT, "invalid_request"),
    "old_epoch": ({"epoch": 0}, Code.FAILED_PRECONDITION, "epoch_not_current"),
}


@pytest.mark.parametrize("name", FETCH)
def test_fetch_buckets(target: Target, name: str) -> None:
    changes, code, reason = FETCH[name]
    got: list[object] = []
    found, said, details, _ = fails(
        lambda: got.extend(target.stub.FetchBuckets(target.fetch(**changes), timeout=120))
    )
    assert (found, said) == (code, reason)
    assert got == []
    if name == "version_unknown":
        assert details["version"] == str(target.part("C21").version)
    if code is Code.PERMISSION_DENIED:
        assert details["rule"] == "origin_not_granted"
    target.require_alive()


def test_good_fetch(target: Target) -> None:
    part = target.part("C21")
    last = (1 << part.bucket_bits) - 1
    start = target.start
    target.evaluate(opening(start), chunk(0, GOOD * 4))
    wanted = target.fetch(buckets=range(last + 1), query_id=start.query_id)
    slices = list(target.stub.FetchBuckets(wanted, timeout=120))
    assert [s.bucket for s in slices] == list(range(last + 1))
    assert sum(s.size for s in slices) == 38 * part.entries


def test_unknown_suites_of_a_manifest(target: Target) -> None:
    for suites in ((), ("SM2-SM3",)):
        request = match_pb2.GetManifestRequest(suites=suites)
        found = fails(lambda request=request: target.stub.GetManifest(request))
        assert found[:2] == (Code.INVALID_ARGUMENT, "unknown_suite")


def test_bytes_that_are_no_message(target: Target, world: World) -> None:
    for method in ("Evaluate", "FetchBuckets", "FetchPartition", "FetchDelta", "GetManifest"):
        with channel(target.port, "44.node.heqiao", world.federation.client("45")) as line:
            call = line.stream_stream(f"/heqiao.peer.v1.PeerService/{method}")
            with pytest.raises(grpc.RpcError) as caught:
                list(call(iter([b"\xff\xff\xff\xff"]), timeout=120))
            assert caught.value.code() in (Code.INTERNAL, Code.INVALID_ARGUMENT), method
    target.require_alive()


def test_too_many_streams_and_their_return(target: Target) -> None:
    """A peer that opens streams and ends none has some, not all; when it hangs up they are free again."""
    endless: list[grpc.Call] = []
    over = threading.Event()

    def never() -> Iterator[match_pb2.EvaluateRequest]:
        start = target.start
        start.points_announced = 32
        yield opening(start)
        yield chunk(0, GOOD * 16)
        over.wait(120)

    for _ in range(3):
        call = target.stub.Evaluate(never(), timeout=120)
        assert not next(call).HasField("done")
        endless.append(call)
    code, reason, details, _ = fails(lambda: target.evaluate(opening(target.start), chunk(0, GOOD * 4)))
    assert (code, reason, details["rule"]) == (Code.RESOURCE_EXHAUSTED, "limit", "streams")
    for call in endless:
        call.cancel()
    over.set()

    def free() -> bool:
        try:
            target.require_alive()
        except grpc.RpcError:
            return False
        return True

    wait_for(free, 60, "streams that were hung up stay taken", 0.05)
    for _ in range(5):
        target.require_alive()
