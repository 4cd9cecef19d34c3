"""Who may speak: certificates that are none, expired, foreign, a stranger's, a platform's, another's."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import grpc
import pytest
from heqiao.peer.v1 import match_pb2, service_pb2_grpc
from heqiao.platform.v1 import platform_pb2, platform_pb2_grpc

from matcher import SUITE
from node.database import audit_log
from node.domain.audit_chain import AuditEvent
from tests.support.calls import fails
from tests.support.cluster import (
    Province,
    World,
    channel,
    findings_of,
    know,
    part_of,
    read_verification,
    run_job,
    serve_all,
)
from tests.support.federation import Federation, Identity

Code = grpc.StatusCode


@pytest.fixture(scope="module")
def province(world: World, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Province]:
    with serve_all(world.copy(tmp_path_factory.mktemp("certificates"), "44")) as provinces:
        yield provinces["44"]


def get_manifest(province: Province, identity: Identity) -> match_pb2.GetManifestResponse:
    with channel(province.port, "44.node.heqiao", identity) as line:
        stub = service_pb2_grpc.PeerServiceStub(line)
        return stub.GetManifest(match_pb2.GetManifestRequest(suites=[SUITE]), timeout=60)


def list_jobs(province: Province, identity: Identity) -> platform_pb2.ListJobsResponse:
    with channel(province.platform_port, "44.node.heqiao", identity) as line:
        return platform_pb2_grpc.PlatformServiceStub(line).ListJobs(
            platform_pb2.ListJobsRequest(), timeout=60
        )


def foreign(world: World) -> Identity:
    other = Federation.create("test").client("45")
    return Identity(world.federation.authority.pem, other.key, other.certificate)


# TLS itself refuses these: nothing of ours is reached, and nothing is said but that.
REFUSED_BY_TLS = {
    "none": lambda world: Identity(world.federation.authority.pem, None, None),
    "expired": lambda world: world.federation.client("45", days=1, now=datetime.now(UTC) - timedelta(days=3)),
    "not_yet_valid": lambda world: world.federation.client("45", now=datetime.now(UTC) + timedelta(days=1)),
    "foreign_ca": foreign,
}
# These are members, but not served here; all of them hear the same.
STRANGERS = {
    "not_added_as_peer": lambda world: world.federation.client("33"),
    "the_node_itself": lambda world: world.federation.client("44"),
    "platform_of_a_peer": lambda world: world.federation.client("45", "some system"),
    "platform_of_a_stranger": lambda world: world.federation.client("33", "some system"),
}


@pytest.mark.parametrize("name", REFUSED_BY_TLS)
@pytest.mark.parametrize("call", [get_manifest, list_jobs])
def test_refused_by_tls(world: World, province: Province, name: str, call) -> None:
    identity = REFUSED_BY_TLS[name](world)
    assert fails(lambda: call(province, identity))[:2] == (Code.UNAVAILABLE, "")


def test_strangers(world: World, province: Province) -> None:
    printed = {
        name: fails(lambda make=make: get_manifest(province, make(world))) for name, make in STRANGERS.items()
    }
    assert {answer[:2] for answer in printed.values()} == {(Code.UNAUTHENTICATED, "unknown_peer")}
    assert len({answer[3] for answer in printed.values()}) == 1
    assert get_manifest(province, world.federation.client("45")).signed_manifest.manifest


def test_platforms_where_allowed(world: World, tmp_path) -> None:
    with serve_all(world.copy(tmp_path, "44")) as provinces:
        know(provinces["44"].node, world.folder / "45", 0, ("45",), allow_platforms=True)
        identity = world.federation.client("45", "some system")
        assert get_manifest(provinces["44"], identity).signed_manifest.manifest


@pytest.mark.parametrize("identity", [("45", ""), ("45", "some system"), ("33", "")])
def test_platform_port_is_for_the_own_province(world: World, province: Province, identity) -> None:
    answer = fails(lambda: list_jobs(province, world.federation.client(*identity)))
    assert answer[:2] == (Code.UNAUTHENTICATED, "unknown_peer")


@pytest.mark.parametrize("name", ["", "some system"])
def test_platform_port_answers_its_own(world: World, province: Province, name: str) -> None:
    assert list(list_jobs(province, world.federation.client("44", name)).jobs) == []


def test_a_server_with_the_certificate_of_another_province(world: World, tmp_path) -> None:
    """33 listens where 44 should: nothing is asked of it."""
    homes = world.copy(tmp_path)
    with serve_all(homes) as provinces:
        know(provinces["45"].node, homes["44"], provinces["33"].port)
        report = run_job(provinces["45"], "wrong-server", read_verification(world.data, ["C21"]))
        assert part_of(report, "44") == ("unavailable", "unavailable")
        assert part_of(report, "33") == ("done", "")
        assert {answer[0] for answer in findings_of(report, "44").values()} <= {"UNAVAILABLE", "NOT_MANDATED"}
        asked = [one for one in audit_of(provinces["33"]) if one.event == "query_answered"]
        assert len(asked) == 1  # by the part of 33


def audit_of(province: Province) -> list[AuditEvent]:
    with province.node.store.transaction("read audit") as tx:
        return list(audit_log.events(tx))
