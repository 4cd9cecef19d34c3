"""Health means that a node can answer: a served node whose database or key goes away, and comes back."""

import shutil
import signal
import subprocess
import time

import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc
from heqiao.peer.v1 import match_pb2, service_pb2_grpc
from sqlalchemy import create_engine, text

from keys import target_name
from node.transport import peer_words
from tests.support.accounts import OTHER, account, command, environment, others_home, run_as  # noqa: F401  a fixture
from tests.support.cluster import channel, know, open_home, processes, wait_for
from tests.support.federation import Federation, set_config
from tests.support.postgresql import postgres  # noqa: F401  a fixture

SERVING, NOT_SERVING = health_pb2.HealthCheckResponse.SERVING, health_pb2.HealthCheckResponse.NOT_SERVING
SOON_S = 120  # of a machine with other work: the node looks every two seconds


class Asked:
    """The health of a node, asked with a certificate of its federation."""

    def __init__(self, port, federation):
        self.channel = channel(port, target_name("44"), federation.client("45"))
        self._stub = health_pb2_grpc.HealthStub(self.channel)

    def status(self, service=""):
        request = health_pb2.HealthCheckRequest(service=service)
        began = time.monotonic()
        found = self._stub.Check(request, timeout=60).status
        assert time.monotonic() - began < 15  # nobody waits for a look
        return found

    def becomes(self, status):
        wait_for(lambda: self.status() == status, SOON_S, f"health did not become {status}", 0.1)
        for service in ("heqiao.peer.v1.PeerService", "heqiao.platform.v1.PlatformService"):
            assert self.status(service) == status


def test_a_database_file_that_is_moved_or_replaced(tmp_path):
    federation = Federation.create()
    home = federation.make_home(tmp_path / "44", "44")
    file = home / "heqiao.db"
    with processes(home) as (node,):
        node.start()
        asked = Asked(node.port, federation)
        assert asked.status() == SERVING
        file.rename(tmp_path / "away.db")
        asked.becomes(NOT_SERVING)
        assert not file.exists()  # nothing makes an empty one in its place
        (tmp_path / "away.db").rename(file)
        asked.becomes(SERVING)
        file.unlink()
        file.write_bytes(b"")
        asked.becomes(NOT_SERVING)
        file.unlink()
        other = Federation.create().make_home(tmp_path / "other", "44")
        shutil.copyfile(other / "heqiao.db", file)
        asked.becomes(SERVING)
        asked.channel.close()
        assert node.stop() == 0


def test_a_postgresql_that_is_stopped(tmp_path, postgres):
    federation = Federation.create()
    url = postgres.create_another()
    home = federation.make_home(tmp_path / "44", "44", store={"url": url})
    with processes(home) as (node,):
        node.start()
        asked = Asked(node.port, federation)
        assert asked.status() == SERVING
        postgres.stop()
        try:
            asked.becomes(NOT_SERVING)
        finally:
            postgres.launch()
        asked.becomes(SERVING)
        engine = create_engine(url)
        with engine.connect() as base:
            assert base.execute(text("SELECT count(*) FROM alembic_version")).scalar() == 1
        engine.dispose()
        asked.channel.close()
        assert node.stop() == 0


def test_a_key_that_others_may_read(tmp_path):
    federation = Federation.create()
    home = federation.make_home(tmp_path / "44", "44")
    with processes(home) as (node,):
        node.start()
        asked = Asked(node.port, federation)
        named = lambda name: name in node.errors.read_text(encoding="utf-8")  # noqa: E731
        shut = None
        for name in ("oprf.1.key", "signing.1.key", "storage.1.key", "salt.1.key"):
            assert not named(name)
            (home / "keys" / name).chmod(0o644)
            if shut:
                shut.chmod(0o600)
            shut = home / "keys" / name
            wait_for(lambda name=name: named(name), SOON_S, f"{name} was not seen", 0.1)
            asked.becomes(NOT_SERVING)
        shut.chmod(0o600)
        asked.becomes(SERVING)
        asked.channel.close()


def test_a_key_that_root_made_is_no_matter_of_peers(others_home):
    """What a rotation by root did before: the key of the next epoch belongs to root, the node to another."""
    federation, home = others_home
    own = open_home(home)
    know(own, federation.make_home(home.parent / "45", "45"), 0, ("45",))
    own.store.dispose()
    set_config(home, "log", file="node.log")
    ready = home / "ready"
    serve = command("serve", "--home", home, "--ready-file", ready)
    with subprocess.Popen(serve, env=environment(), **account(OTHER)) as process:
        try:
            wait_for(ready.exists, 120, "the node did not start")
            asked = Asked(int(ready.read_text().split()[0]), federation)
            asked.becomes(SERVING)
            assert run_as(OTHER, "keys", "rotate", "oprf", "--home", home).returncode == 0
            shutil.chown(home / "keys/oprf.2.key", "root")
            asked.becomes(NOT_SERVING)
            process.send_signal(signal.SIGHUP)  # it opens all keys again, as a start would
            stub = service_pb2_grpc.PeerServiceStub(asked.channel)
            wait_for(lambda: refused(stub, home), SOON_S, "peers are still answered", 0.1)
            said = refused(stub, home)
            shutil.chown(home / "keys/oprf.2.key", OTHER)
            asked.becomes(SERVING)
            assert said == (grpc.StatusCode.UNAVAILABLE, peer_words.WORDS["unavailable"][0])
            assert refused(stub, home) is None
            asked.channel.close()
        finally:
            process.terminate()
            process.wait(60)
    assert "oprf.2.key" in (home / "node.log").read_text(encoding="utf-8")


def refused(stub, home):
    """What a peer is told; None where the node has the key in memory and answers."""
    try:
        stub.GetManifest(match_pb2.GetManifestRequest(suites=["X25519-BLAKE3-TAI"]), timeout=60)
    except grpc.RpcError as error:
        shown = repr((error.details(), error.trailing_metadata()))
        assert str(home) not in shown
        assert ".key" not in shown
        return error.code(), error.details()
    return None
