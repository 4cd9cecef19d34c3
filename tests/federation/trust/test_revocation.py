"""A revoked certificate: refused from the next call on, by servers and by clients, on what is open too."""

import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import grpc
import pytest
from heqiao.peer.v1 import match_pb2, service_pb2_grpc

from keys.errors import CertificateError
from keys.pki.enrolment import issue_bundle, load_request
from keys.pki.issuing import create_ca, create_request, issue
from keys.pki.revocation import load_list, make_list, serial_of
from keys.store.key_pairs import generate_tls_key, load_tls_key
from matcher import SUITE
from node.cli import main
from node.credentials.keyring import FRESH_S
from node.credentials.revocation_lists import Revocations
from node.database import peers as peer_rows
from node.domain import peers
from node.errors import UnavailableError, UnknownCallerError
from node.transport.certificate_probe import server_certificate
from node.transport.peer_client import PeerClient
from tests.support.calls import fails
from tests.support.certificates import revoke
from tests.support.cluster import Province, World, channel, know, serve_all
from tests.support.federation import set_config

Code = grpc.StatusCode
NOW = datetime.now(UTC)


@pytest.fixture
def provinces(world: World, tmp_path: Path) -> Iterator[dict[str, Province]]:
    with serve_all(world.copy(tmp_path, "44", "45")) as found:
        know(found["45"].node, found["44"].home, found["44"].port)
        yield found


def heqiao(*arguments: object) -> None:
    """A command as a person runs it, which must succeed."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "argv", ["heqiao", *map(str, arguments)])
        with pytest.raises(SystemExit) as ended:
            main()
    assert ended.value.code == 0


def peer_of(province: Province, code: str) -> peers.PeerRow:
    with province.node.store.transaction("find peer") as tx:
        row = peer_rows.find_peer(tx, code)
    assert row is not None
    return row


def certificate_of(province: Province) -> bytes:
    return (province.home / "tls/node.pem").read_bytes()


def test_a_server_refuses_the_next_call_of_an_open_connection(world: World, provinces) -> None:
    bad, good = world.federation.client("45"), world.federation.client("45")
    request = match_pb2.GetManifestRequest(suites=[SUITE])
    with (
        channel(provinces["44"].port, "44.node.heqiao", bad) as line,
        channel(provinces["44"].port, "44.node.heqiao", good) as other,
    ):
        stub, fine = service_pb2_grpc.PeerServiceStub(line), service_pb2_grpc.PeerServiceStub(other)
        assert stub.GetManifest(request, timeout=60).signed_manifest.manifest
        revoke(world.federation, provinces["44"].home, bad.certificate)
        answer = fails(lambda: stub.GetManifest(request, timeout=60))
        assert answer[:2] == (Code.UNAUTHENTICATED, "unknown_peer")
        assert "revoked" in str(answer)
        assert fine.GetManifest(request, timeout=60).signed_manifest.manifest
        (provinces["44"].home / "tls/revoked.pem").unlink()  # what was revoked stays revoked
        assert fails(lambda: stub.GetManifest(request, timeout=60))[0] is Code.UNAUTHENTICATED


def test_a_client_refuses_the_next_call_of_an_open_connection(world: World, provinces) -> None:
    asker, asked = provinces["45"], provinces["44"]
    with PeerClient.open(asker.node, peer_of(asker, "44")) as link:
        assert link.get_manifest()
        revoke(world.federation, asker.home, certificate_of(asked))
        with pytest.raises(UnknownCallerError, match="peer 44 was revoked"):
            link.get_manifest()
    with (
        pytest.raises(UnknownCallerError, match="peer 44 was revoked"),
        PeerClient.open(asker.node, peer_of(asker, "44")),
    ):
        pass


def test_a_client_goes_on_with_peers_that_are_not_on_the_list(world: World, provinces) -> None:
    asker = provinces["45"]
    revoke(world.federation, asker.home, world.federation.client("44").certificate)
    with PeerClient.open(asker.node, peer_of(asker, "44")) as link:
        assert link.get_manifest()
        assert link.get_manifest()


def test_with_a_list_only_the_certificate_that_was_looked_at_is_trusted(world: World, provinces) -> None:
    """Somebody with another certificate of 44 takes the address over after it was looked at."""
    asker, asked = provinces["45"], provinces["44"]
    revoke(world.federation, asker.home, world.federation.client("33").certificate)
    other = world.federation.client("44").certificate
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("node.transport.channel.server_certificate", lambda *_: other)
        with PeerClient.open(asker.node, peer_of(asker, "44")) as link, pytest.raises(UnavailableError):
            link.get_manifest()
    assert serial_of(other) != serial_of(certificate_of(asked))


def test_a_peer_that_is_away_while_there_is_a_list(world: World, provinces) -> None:
    """It is asked again at the next call: what may be repeated waits for it, as without a list."""
    asker, asked = provinces["45"], provinces["44"]
    revoke(world.federation, asker.home, world.federation.client("33").certificate)
    set_config(asked.home, "peer", listen=f"127.0.0.1:{asked.port}")
    asked.stop()
    with PeerClient.open(asker.node, peer_of(asker, "44")) as link:
        with pytest.raises(UnavailableError, match="does not answer"):
            link.get_manifest()
        asked.start()
        assert link.get_manifest()


def test_a_peer_that_comes_back_with_a_renewed_certificate(world: World, provinces) -> None:
    """A kept connection trusts one certificate only; the next call after a failure looks at the new one."""
    asker, asked = provinces["45"], provinces["44"]
    revoke(world.federation, asker.home, world.federation.client("33").certificate)
    set_config(asked.home, "peer", listen=f"127.0.0.1:{asked.port}")
    with PeerClient.open(asker.node, peer_of(asker, "44")) as link:
        assert link.get_manifest()
        old = certificate_of(asked)
        asked.stop()
        renew(world, asked)
        asked.start()
        assert shown_by(asked) != old
        with pytest.raises(UnavailableError):
            link.get_manifest()
        assert link.get_manifest()
        revoke(world.federation, asker.home, world.federation.client("33").certificate, certificate_of(asked))
        with pytest.raises(UnknownCallerError, match="peer 44 was revoked"):
            link.get_manifest()


def leaf(ca, code: str) -> bytes:
    return issue(ca, create_request(load_tls_key(generate_tls_key())), "node", code, NOW)


def test_lists_grow_and_openssl_reads_them(tmp_path: Path) -> None:
    ca = create_ca("test", NOW)
    first, second = leaf(ca, "44"), leaf(ca, "33")
    one = make_list(ca, None, [first], NOW - timedelta(hours=2))
    two = make_list(ca, one, [second, first], NOW - timedelta(hours=1))
    assert (load_list(one, ca.pem).number, load_list(two, ca.pem).number) == (1, 2)
    assert load_list(two, ca.pem).serials == {serial_of(first), serial_of(second)}
    for name, content in {
        "ca.pem": ca.pem,
        "list.pem": two,
        "cert.pem": second,
        "good.pem": leaf(ca, "45"),
    }.items():
        (tmp_path / name).write_bytes(content)
    verify = ["openssl", "verify", "-crl_check", "-CAfile", "ca.pem", "-CRLfile", "list.pem"]
    bad = subprocess.run([*verify, "cert.pem"], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert "certificate revoked" in bad.stderr
    assert (
        subprocess.run([*verify, "good.pem"], cwd=tmp_path, capture_output=True, check=False).returncode == 0
    )


def test_bad_lists(tmp_path: Path) -> None:
    ca, other = create_ca("test", NOW), create_ca("test", NOW)
    content = make_list(ca, None, [leaf(ca, "44")], NOW)
    for wrong in (b"", b"rubbish", content[:200], ca.pem, make_list(other, None, [], NOW), b"x" * 2_000_000):
        with pytest.raises(CertificateError):
            load_list(wrong, ca.pem)
    with pytest.raises(CertificateError, match="clock is before"):
        make_list(ca, content, [], NOW - timedelta(days=1))


def test_a_node_keeps_its_list_when_the_file_gets_worse(tmp_path: Path) -> None:
    ca = create_ca("test", NOW)
    (tmp_path / "ca.pem").write_bytes(ca.pem)
    first, second = leaf(ca, "44"), leaf(ca, "33")
    one = make_list(ca, None, [first], NOW)
    two = make_list(ca, one, [second], NOW)
    path = tmp_path / "revoked.pem"
    found = Revocations(path, tmp_path / "ca.pem")
    found.require_good(first, "x")
    path.write_bytes(two)
    for content in (two, one, b"rubbish"):
        path.write_bytes(content)
        assert found.current.number == 2
        for certificate in (first, second):
            with pytest.raises(UnknownCallerError, match="revoked"):
                found.require_good(certificate, "x")
        found.require_good(leaf(ca, "45"), "x")
    with pytest.raises(CertificateError):
        Revocations(path, tmp_path / "ca.pem")


def shown_by(province: Province) -> bytes:
    return server_certificate(f"127.0.0.1:{province.port}", "44.node.heqiao", province.node.keys.ca, 5)


def answer_request(world: World, asked: Province) -> bytes:
    """What the CA and `heqiao join` do after `keys rotate tls`."""
    request = load_request(asked.home / "request.json")
    bundle = issue_bundle(world.federation.authority, request, world.federation.salt, 1, datetime.now(UTC))
    (asked.home / "bundle").write_bytes(bundle.to_json())
    heqiao("join", "--home", asked.home, asked.home / "bundle")
    return bundle.certificate.encode()


def renew(world: World, asked: Province) -> None:
    heqiao("keys", "rotate", "tls", "--home", asked.home)
    answer_request(world, asked)


def test_a_running_node_takes_a_renewed_certificate(world: World, provinces) -> None:
    """The CA answers `keys rotate tls`; connections from before go on, new ones see the new certificate."""
    asker, asked = provinces["45"], provinces["44"]
    before = shown_by(asked)
    assert before == certificate_of(asked)
    with PeerClient.open(asker.node, peer_of(asker, "44")) as link:
        assert link.get_manifest()
        heqiao("keys", "rotate", "tls", "--home", asked.home)
        assert shown_by(asked) == before
        certificate = answer_request(world, asked)
        time.sleep(FRESH_S + 0.1)
        assert shown_by(asked) == certificate_of(asked) == certificate != before
        assert link.get_manifest()
        with PeerClient.open(asker.node, peer_of(asker, "44")) as other:
            assert other.get_manifest()
    assert asked.node.keys.certificate == certificate


def test_half_a_renewal_changes_nothing(provinces) -> None:
    asked = provinces["44"]
    before = shown_by(asked)
    (asked.home / "tls/node.pem").write_bytes(b"half a certi")
    time.sleep(FRESH_S + 0.1)
    assert shown_by(asked) == before
    assert asked.node.keys.certificate == before
