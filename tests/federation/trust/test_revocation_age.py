"""A revocation list that is kept from a node: warned, then nobody is served or asked by it (attack A5)."""

import json
import subprocess
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import grpc
import pytest
from heqiao.peer.v1 import match_pb2, service_pb2_grpc
from heqiao.platform.v1 import platform_pb2, platform_pb2_grpc

from keys.pki.certificates import load_certificate
from keys.pki.issuing import create_ca
from keys.pki.revocation import LIST_DAYS, load_list, make_list
from matcher import SUITE
from node.config import LogSection
from node.credentials.revocation_lists import REFUSED, WARNED, Revocations
from node.errors import RevocationListError
from node.services.periodic import log_old_list, periodic_tasks
from node.telemetry import log
from node.transport.peer_client import PeerClient
from tests.support.calls import fails
from tests.support.certificates import put
from tests.support.cluster import FakeClock, Province, World, channel, know, serve_all

Code = grpc.StatusCode
NOW = datetime.now(UTC).replace(microsecond=0)  # as lists have it
MANIFEST = match_pb2.GetManifestRequest(suites=[SUITE])


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock(NOW)


@pytest.fixture
def provinces(world: World, tmp_path: Path, clock: FakeClock) -> Iterator[dict[str, Province]]:
    with serve_all(world.copy(tmp_path, "44", "45"), clock) as found:
        yield found


def publish(world: World, province: Province, at: datetime) -> None:
    """What `heqiao ca publish` and `heqiao peers revocations` do."""
    path = province.home / "tls/revoked.pem"
    before = path.read_bytes() if path.exists() else None
    put(path, make_list(world.federation.authority, before, [], at))


def test_calls_are_refused_on_both_ports_until_a_new_list_is_taken(world: World, provinces, clock) -> None:
    asked = provinces["44"]
    with (
        channel(asked.port, "44.node.heqiao", world.federation.client("45")) as line,
        channel(asked.platform_port, "44.node.heqiao", world.federation.client("44")) as own,
    ):
        peer, platform = (
            service_pb2_grpc.PeerServiceStub(line),
            platform_pb2_grpc.PlatformServiceStub(own),
        )
        publish(world, asked, clock())
        for days, good in ((95, True), (1, False)):
            clock.advance(days=days)
            if good:
                assert peer.GetManifest(MANIFEST, timeout=60).signed_manifest.manifest
                assert platform.ListPeers(platform_pb2.ListPeersRequest(), timeout=60)
                continue
            for call in (
                lambda: peer.GetManifest(MANIFEST, timeout=60),
                lambda: platform.ListPeers(platform_pb2.ListPeersRequest(), timeout=60),
            ):
                answer = fails(call)
                assert answer[:2] == (Code.UNAVAILABLE, "revocation_list_old")
                assert "no new revocation list for" in str(answer)
        publish(world, asked, clock())
        assert peer.GetManifest(MANIFEST, timeout=60).signed_manifest.manifest


def test_a_node_without_any_list_counts_from_its_certificate(world: World, provinces, clock) -> None:
    asker = provinces["45"]
    row = know(asker.node, provinces["44"].home, provinces["44"].port)
    clock.advance(days=96)
    with PeerClient.open(asker.node, row) as link, pytest.raises(RevocationListError, match="this node"):
        link.get_manifest()
    publish(world, asker, clock())
    with (
        PeerClient.open(asker.node, row) as link,
        pytest.raises(RevocationListError, match="the peer has had no new revocation list"),
    ):
        link.get_manifest()  # 44 has none either
    publish(world, provinces["44"], clock())
    with PeerClient.open(asker.node, row) as link:
        assert link.get_manifest()


def test_the_log_says_so_each_day(provinces, clock, tmp_path: Path) -> None:
    node = provinces["44"].node
    assert timedelta(days=1) in [t.every for t in periodic_tasks(node) if t.name == "revocation_list_age"]
    log.configure(LogSection(file=tmp_path / "log"), "44")
    for days in (34, 2, 60):
        clock.advance(days=days)
        log_old_list(node)
    lines = [json.loads(line) for line in (tmp_path / "log").read_text().splitlines()]
    assert [(line["level"], line["status"], line["reason"]) for line in lines] == [
        ("warning", "late", "36 days"),
        ("error", "too old, all calls are refused", "96 days"),
    ]


def test_ages(world: World, tmp_path: Path, clock: FakeClock) -> None:
    ca = create_ca("test", NOW)
    (tmp_path / "ca.pem").write_bytes(ca.pem)
    certificate = world.folder / "44/tls/node.pem"
    joined = load_certificate(certificate.read_bytes()).not_valid_before_utc
    found = Revocations(tmp_path / "revoked.pem", tmp_path / "ca.pem", certificate, clock)
    assert found.age == NOW - joined
    made = NOW - WARNED
    (tmp_path / "revoked.pem").write_bytes(make_list(ca, None, [], made))
    assert found.age is not None
    assert abs(found.age - WARNED) < timedelta(seconds=1)  # lists have whole seconds
    clock.now = made + REFUSED
    found.require_fresh()
    clock.advance(seconds=2)
    with pytest.raises(RevocationListError):
        found.require_admitted(certificate.read_bytes(), "x")
    found.require_good(certificate.read_bytes(), "x")  # what it says of one certificate still counts
    assert Revocations().age is None


def test_openssl_reads_the_next_date(tmp_path: Path) -> None:
    ca = create_ca("test", NOW)
    content = make_list(ca, None, [], NOW)
    made = load_list(content, ca.pem)
    assert made.next_at - made.made_at == timedelta(days=LIST_DAYS) == timedelta(days=30)
    (tmp_path / "list.pem").write_bytes(content)
    command = [
        "openssl",
        "crl",
        "-in",
        tmp_path / "list.pem",
        "-noout",
        "-nextupdate",
        "-dateopt",
        "iso_8601",
    ]
    printed = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert printed.strip() == f"nextUpdate={made.next_at:%Y-%m-%d %H:%M:%S}Z"
