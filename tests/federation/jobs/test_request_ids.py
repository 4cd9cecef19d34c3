"""One call is found in both provinces' logs by its request id; hostile ids are refused, never logged."""

import json
import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import grpc
import pytest
from heqiao.peer.v1 import match_pb2, service_pb2_grpc
from heqiao.platform.v1 import platform_pb2 as pb
from heqiao.platform.v1 import platform_pb2_grpc

from keys import target_name
from node.client import Platform
from node.credentials.tls_identity import TlsIdentity
from node.services.peer import PeerServicer, peer_admission
from node.telemetry.request_id import HEADER
from node.transport import interceptors, peer_words
from node.transport.interceptors import CallGuard
from tests.support.calls import fails
from tests.support.cluster import (
    World,
    channel,
    move_peer,
    open_home,
    processes,
    read_verification,
    run_job,
    wait_for,
)
from tests.support.federation import set_config

Code = grpc.StatusCode
GOOD = "0123456789abcdef"
MESSAGE = "the request id is not one of 16 lower-case hex digits"
MANIFEST = match_pb2.GetManifestRequest(suites=["X25519-BLAKE3-TAI"])


def lines_of(log: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in log.read_text(encoding="utf-8").splitlines()]


def calls_of(log: Path) -> list[dict[str, object]]:
    return [line for line in lines_of(log) if line["event"] == "call"]


def is_request_id(value: object) -> bool:
    return isinstance(value, str) and re.fullmatch("[0-9a-f]{16}", value) is not None


# ---- both logs


def test_both_logs_of_a_part_show_one_id(world: World, tmp_path: Path) -> None:
    """Two nodes in processes of their own, each with its log; a platform asks the one about the other."""
    homes = world.copy(tmp_path, "45", "44")
    for home in homes.values():
        set_config(home, "log", file="heqiao.log")
    set_config(homes["45"], "requester", mirror_mib=0)  # so that every part calls more than once
    asked = read_verification(world.data, ("C21",), ("44",), most=30)
    office = world.federation.client("45", "office")
    with processes(homes["44"], homes["45"]) as (provider, requester):
        provider.start()
        node = open_home(homes["45"])
        move_peer(node, "44", provider.port)
        node.store.dispose()
        requester.start()
        identity = TlsIdentity(office.ca, office.key, office.certificate)
        address = f"127.0.0.1:{requester.platform_port}"
        with Platform(address, "45", identity, 1 << 20, 30) as platform:
            for job in ("first", "second"):
                platform.submit(asked, job)
                assert list(platform.watch(job))
                assert platform.report(job).state == "done"
    own, theirs = homes["45"] / "heqiao.log", homes["44"] / "heqiao.log"
    parts = {str(line["job"]): line["request"] for line in lines_of(own) if line["event"] == "part_ended"}
    assert set(parts) == {"first", "second"}
    assert len(set(parts.values())) == 2  # each part has one of its own
    for request in parts.values():
        assert is_request_id(request)
        methods = [
            str(line["method"]).rpartition("/")[2] for line in calls_of(theirs) if line["request"] == request
        ]
        assert methods[:2] == ["GetManifest", "Evaluate"]
        assert len(methods) > 2
    assert {line["request"] for line in calls_of(theirs)} == set(parts.values())
    platform_calls = [line["request"] for line in calls_of(own)]
    assert all(map(is_request_id, platform_calls))
    # Submission, watch, report, its facts; twice.
    assert len(set(platform_calls)) == len(platform_calls) == 8
    assert not set(platform_calls) & set(parts.values())


def test_lines_outside_of_calls_have_none(served, world: World, tmp_path: Path) -> None:
    """A worker thread that served a call takes nothing of it along."""
    run_job(served["45"], "none-left", read_verification(world.data, ("C21",), ("44",), most=2))
    wait_for(
        lambda: any(line["event"] == "job_ended" for line in lines_of(tmp_path / "nodes.log")), 10, "no end"
    )
    lines = lines_of(tmp_path / "nodes.log")
    assert all(
        is_request_id(line.get("request")) for line in lines if line["event"] in ("call", "part_ended")
    )
    assert [line.get("request") for line in lines if line["event"] == "job_ended"] == [None]


# ---- what a caller sends


@pytest.fixture(scope="module")
def peer_stub(world: World, served) -> Iterator[service_pb2_grpc.PeerServiceStub]:
    with channel(served["44"].port, target_name("44"), world.federation.client("45")) as opened:
        yield service_pb2_grpc.PeerServiceStub(opened)


@pytest.fixture(scope="module")
def platform_stub(world: World, served) -> Iterator[platform_pb2_grpc.PlatformServiceStub]:
    identity = world.federation.client("45", "office")
    with channel(served["45"].platform_port, target_name("45"), identity) as opened:
        yield platform_pb2_grpc.PlatformServiceStub(opened)


def logged(log: Path, calls: int = 1) -> list[dict[str, object]]:
    """The lines of the calls, which are written as each call ends, after its answer was sent."""
    wait_for(lambda: log.exists() and len(calls_of(log)) >= calls, 10, "the call is not in the log")
    return calls_of(log)


def test_an_id_that_was_sent_is_logged(peer_stub, platform_stub, tmp_path: Path) -> None:
    peer_stub.GetManifest(MANIFEST, timeout=30, metadata=((HEADER, GOOD),))
    platform_stub.ListPeers(pb.ListPeersRequest(), timeout=30, metadata=((HEADER, GOOD),))
    assert [line["request"] for line in logged(tmp_path / "nodes.log", 2)] == [GOOD, GOOD]


def test_a_call_without_an_id_is_given_one(peer_stub, platform_stub, tmp_path: Path) -> None:
    peer_stub.GetManifest(MANIFEST, timeout=30)
    platform_stub.ListPeers(pb.ListPeersRequest(), timeout=30)
    first, second = (line["request"] for line in logged(tmp_path / "nodes.log", 2))
    assert is_request_id(first)
    assert is_request_id(second)
    assert first != second


# Newlines and letters beyond ASCII do not pass gRPC: tests/unit/telemetry/test_request_id.py.
HOSTILE = {
    "empty": [""],
    "too_short": ["a5f0c7"],
    "too_long": ["a5f0c7" * 100],
    "a_digit_more": [GOOD + "5"],
    "upper_case": [GOOD.upper()],
    "no_hex": ["g" * 16],
    "json": ['","level":"e'],
    "an_identity_number": ["449999190001010034"],
    "twice": [GOOD, GOOD],
    "two_of_them": [GOOD, "fedcba9876543210"],
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_id_is_refused_and_never_logged(
    peer_stub, platform_stub, tmp_path: Path, name: str
) -> None:
    metadata = tuple((HEADER, value) for value in HOSTILE[name])
    calls = (
        lambda: peer_stub.GetManifest(MANIFEST, timeout=30, metadata=metadata),
        lambda: list(peer_stub.Evaluate(iter(()), timeout=30, metadata=metadata)),
        lambda: list(peer_stub.FetchBuckets(match_pb2.FetchBucketsRequest(), timeout=30, metadata=metadata)),
        lambda: platform_stub.ListPeers(pb.ListPeersRequest(), timeout=30, metadata=metadata),
        lambda: list(platform_stub.WatchJob(pb.WatchJobRequest(job_id="x"), timeout=30, metadata=metadata)),
    )
    told, hint = peer_words.WORDS["invalid_request"]
    for call, expected in zip(calls, [({"hint": hint}, told)] * 3 + [({}, MESSAGE)] * 2, strict=True):
        assert fails(call) == (Code.INVALID_ARGUMENT, "invalid_request", *expected)
    lines = logged(tmp_path / "nodes.log", len(calls))
    assert [(line["status"], line["code"]) for line in lines] == [("INVALID_ARGUMENT", "invalid_request")] * 5
    assert all(is_request_id(line["request"]) for line in lines)  # the node's own
    text = (tmp_path / "nodes.log").read_text(encoding="utf-8")
    assert not [value for value in HOSTILE[name] if value and value in text]


def test_a_refused_call_is_found_in_the_log(world: World, served, tmp_path: Path) -> None:
    """A platform of another province is not served; both sides can look for the call."""
    identity = world.federation.client("44", "office")
    with channel(served["44"].port, target_name("44"), identity) as opened:
        stub = service_pb2_grpc.PeerServiceStub(opened)
        code, *_ = fails(lambda: stub.GetManifest(MANIFEST, timeout=30, metadata=((HEADER, GOOD),)))
    assert code is Code.UNAUTHENTICATED
    assert [line["request"] for line in logged(tmp_path / "nodes.log")] == [GOOD]


# ---- the time that a caller gives


class Slow(PeerServicer):
    """Sends one message, and the next one when the caller's time is nearly over."""

    ended = False

    def FetchBuckets(self, request, call):  # noqa: N802
        try:
            yield match_pb2.FetchBucketsResponse(size=1)
            wait_for(lambda: call.time_left() <= 0, 60, "time does not end")
            yield match_pb2.FetchBucketsResponse(size=2)
        finally:
            Slow.ended = True


def test_the_inner_time_out_is_the_one_reported(world: World, tmp_path: Path, monkeypatch) -> None:
    """The callee's time ends before the caller's: the caller hears what was slow, and where."""
    monkeypatch.setattr(interceptors, "shortened", lambda left_s: left_s - 59)
    node = open_home(world.copy(tmp_path, "44")["44"])
    server = grpc.server(ThreadPoolExecutor(2), interceptors=(CallGuard(peer_admission(node)),))
    service_pb2_grpc.add_PeerServiceServicer_to_server(Slow(node), server)
    shown = [(node.keys.tls_key, node.keys.certificate)]
    port = server.add_secure_port("127.0.0.1:0", grpc.ssl_server_credentials(shown, node.keys.ca, True))
    server.start()
    received = []
    with channel(port, target_name("44"), world.federation.client("45")) as opened:
        stub = service_pb2_grpc.PeerServiceStub(opened)
        stream = stub.FetchBuckets(match_pb2.FetchBucketsRequest(), timeout=60)
        code, reason, details, _ = fails(lambda: received.extend(message.size for message in stream))
    server.stop(0).wait()
    node.store.dispose()
    assert (code, reason, details["limit"]) == (Code.UNAVAILABLE, "unavailable", "deadline")
    assert Slow.ended  # its stream was closed: what it held is free again
