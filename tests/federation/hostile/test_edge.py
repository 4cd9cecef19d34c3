"""Calls that hold a node's threads: judged before their message, bounded, and ended (design.md section 8)."""

import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc
from heqiao.peer.v1 import match_pb2, service_pb2_grpc
from heqiao.platform.v1 import platform_pb2, platform_pb2_grpc

from keys import target_name
from matcher import SUITE
from tests.support.calls import fails
from tests.support.certificates import revoke
from tests.support.cluster import World, channel, know, serve_all
from tests.support.federation import set_config

Code = grpc.StatusCode
MANIFEST = "/heqiao.peer.v1.PeerService/GetManifest"
LIST_JOBS = "/heqiao.platform.v1.PlatformService/ListJobs"
WATCH = "/grpc.health.v1.Health/Watch"
MANY = 40
FIRST_S = 5.0


@dataclass
class Silent:
    """Calls that are open and never send their message."""

    stack: ExitStack
    over: threading.Event

    def open(self, line: grpc.Channel, method: str, count: int) -> list[grpc.Future]:
        call = line.stream_unary(method, lambda message: message, lambda data: data)
        return [call.future(self._nothing(), timeout=240) for _ in range(count)]

    def _nothing(self) -> Iterator[bytes]:
        self.over.wait(240)
        yield from ()


@pytest.fixture
def silent() -> Iterator[Silent]:
    with ExitStack() as stack:
        found = Silent(stack, threading.Event())
        yield found
        found.over.set()


@pytest.fixture(scope="module")
def node(world: World, tmp_path_factory: pytest.TempPathFactory):
    homes = world.copy(tmp_path_factory.mktemp("edge"), "44", "33")
    set_config(homes["44"], "limits", call_timeout_s=FIRST_S)
    set_config(homes["44"], "peer", reflection=True)
    with serve_all({"44": homes["44"]}) as provinces:
        know(provinces["44"].node, homes["33"], 1)  # a second peer, which only asks
        yield provinces["44"]


def outcomes(calls: list[grpc.Future]) -> Counter[tuple[grpc.StatusCode, str]]:
    """How often each status, and the rule that refused."""
    found: Counter[tuple[grpc.StatusCode, str]] = Counter()
    for call in calls:
        code, _, details, _ = fails(lambda call=call: call.result(60))
        found[code, details.get("rule") or details.get("limit", "")] += 1
    return found


def asks(line: grpc.Channel) -> Callable[[], object]:
    stub = service_pb2_grpc.PeerServiceStub(line)
    return lambda: stub.GetManifest(match_pb2.GetManifestRequest(suites=[SUITE]), timeout=FIRST_S / 2)


@pytest.mark.parametrize("method", [MANIFEST, WATCH])
@pytest.mark.parametrize("who", ["of no peer", "revoked"])
def test_whom_the_node_does_not_serve_is_refused_before_its_message(
    world: World, node, silent: Silent, who: str, method: str
) -> None:
    """Eight such calls blocked a node for ever, also from a revoked certificate."""
    caller = world.federation.client("65" if who == "of no peer" else "33")
    if who == "revoked":
        revoke(world.federation, node.home, caller.certificate)
    with (
        channel(node.port, target_name("44"), caller) as bad,
        channel(node.port, target_name("44"), world.federation.client("45")) as good,
    ):
        calls = silent.open(bad, method, MANY)
        assert outcomes(calls) == {(Code.UNAUTHENTICATED, "revoked" if who == "revoked" else ""): MANY}
        assert asks(good)()


def test_a_peer_holds_a_quarter_of_the_threads_and_only_for_a_while(
    world: World, node, silent: Silent
) -> None:
    with (
        channel(node.port, target_name("44"), world.federation.client("45")) as bad,
        channel(node.port, target_name("44"), world.federation.client("33")) as good,
    ):
        calls = silent.open(bad, MANIFEST, MANY)
        assert asks(good)()
        assert outcomes(calls) == {
            (Code.INVALID_ARGUMENT, "first_message"): 8,
            (Code.RESOURCE_EXHAUSTED, "calls"): MANY - 8,
        }
        assert asks(bad)()


def test_a_platform_leaves_threads_to_others(world: World, node, silent: Silent) -> None:
    office, other = (world.federation.client("44", name) for name in ("office", "other"))
    with (
        channel(node.platform_port, target_name("44"), office) as bad,
        channel(node.platform_port, target_name("44"), other) as good,
    ):
        calls = silent.open(bad, LIST_JOBS, 2 * MANY)
        stub = platform_pb2_grpc.PlatformServiceStub(good)
        assert stub.ListPeers(platform_pb2.ListPeersRequest(), timeout=FIRST_S / 2).peers
        most = 32 + 32 // 2
        assert outcomes(calls) == {
            (Code.INVALID_ARGUMENT, "first_message"): most,
            (Code.RESOURCE_EXHAUSTED, "calls"): 2 * MANY - most,
        }


@pytest.mark.parametrize("count", [0, 2])
def test_a_method_of_one_message_takes_one(world: World, node, count: int) -> None:
    with channel(node.port, target_name("44"), world.federation.client("45")) as line:
        call = line.stream_unary(MANIFEST, match_pb2.GetManifestRequest.SerializeToString, lambda data: data)
        messages = [match_pb2.GetManifestRequest(suites=[SUITE])] * count
        assert fails(lambda: call(iter(messages), timeout=60))[:2] == (
            Code.INVALID_ARGUMENT, "invalid_request"
        )  # fmt: skip


def test_health_and_reflection_are_for_whom_the_port_serves(world: World, node) -> None:
    """Any member may ask whether the node serves, and nothing else."""

    def watch(line: grpc.Channel) -> health_pb2.HealthCheckResponse:
        return next(health_pb2_grpc.HealthStub(line).Watch(health_pb2.HealthCheckRequest(), timeout=60))

    def reflect(line: grpc.Channel) -> reflection_pb2.ServerReflectionResponse:
        request = reflection_pb2.ServerReflectionRequest(list_services="")
        stub = reflection_pb2_grpc.ServerReflectionStub(line)
        return next(stub.ServerReflectionInfo(iter([request]), timeout=60))

    for code, served in (("45", True), ("65", False)):
        with channel(node.port, target_name("44"), world.federation.client(code)) as line:
            check = health_pb2_grpc.HealthStub(line).Check(health_pb2.HealthCheckRequest(), timeout=60)
            assert check.status == health_pb2.HealthCheckResponse.SERVING
            for ask in (watch, reflect):
                if served:
                    assert ask(line)
                else:
                    assert fails(lambda ask=ask, line=line: ask(line))[0] is Code.UNAUTHENTICATED


def test_watching_health_holds_a_place_until_it_ends(world: World, node) -> None:
    with channel(node.port, target_name("44"), world.federation.client("45")) as line:
        stub = health_pb2_grpc.HealthStub(line)
        watching = [stub.Watch(health_pb2.HealthCheckRequest(), timeout=240) for _ in range(8)]
        for stream in watching:
            assert next(stream)
        assert fails(asks(line))[0] is Code.RESOURCE_EXHAUSTED
        for stream in watching:
            stream.cancel()
        deadline = threading.Event()
        for _ in range(200):
            try:
                assert asks(line)()
                break
            except grpc.RpcError:
                deadline.wait(0.05)
        else:
            pytest.fail("the places were not given back")
