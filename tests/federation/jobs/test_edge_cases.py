"""The edges of a node: what a platform may submit, what an inner fault shows, an import that is killed."""

import csv
import json
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import grpc
import pytest
from heqiao.peer.v1 import match_pb2, service_pb2_grpc

from matcher import SUITE
from node.database import jobs as job_rows
from node.errors import InvalidRequestError, ItemNotOfferedError, NotFoundError
from node.jobs import engine
from node.jobs.lookup import require_job
from node.requester import handshake, match
from node.services.peer import PeerServicer, peer_admission
from node.transport.interceptors import CallGuard
from tests.support.calls import fails, good_start
from tests.support.cluster import (
    World,
    channel,
    move_peer,
    open_home,
    part_of,
    query_database,
    read_verification,
    serve_all,
    wait_report,
)
from tests.support.federation import set_config

Code = grpc.StatusCode


# ---- submitting

SUBMISSIONS = {
    "no_items": ({"items": ()}, InvalidRequestError),
    "no_peers": ({"peers": ()}, InvalidRequestError),
    "no_subjects": ({"subjects": ()}, InvalidRequestError),
    "item_twice": ({"items": ("C21", "C21")}, InvalidRequestError),
    "peer_twice": ({"peers": ("44", "44")}, InvalidRequestError),
    "unknown_item": ({"items": ("Q1",)}, ItemNotOfferedError),
    "unknown_peer": ({"peers": ("65",)}, NotFoundError),
    "unknown_purpose": ({"purpose": "curiosity"}, InvalidRequestError),
    "legal_basis": ({"legal_basis": "a b"}, InvalidRequestError),
    "no_legal_basis": ({"legal_basis": ""}, InvalidRequestError),
    "legal_basis_on_no_list": ({"legal_basis": "SA-2026-4l"}, InvalidRequestError),
    "legal_basis_not_in_force": ({"legal_basis": "SA-2014-58"}, InvalidRequestError),
    "identity_as_legal_basis": ({"legal_basis": "449999190001010034"}, InvalidRequestError),
}
JOB_IDS = ("", "a b", "x" * 65, "a/b", "449999190001010034", "job-449999190001010", "\u0661" * 3)


@pytest.mark.parametrize("name", SUBMISSIONS)
def test_submissions(world: World, served, name: str) -> None:
    changes, error = SUBMISSIONS[name]
    asked = read_verification(world.data, ("C21",), most=3)
    with pytest.raises(error):
        engine.submit(served["45"].node, f"refused-{name}", replace(asked, **changes))
    with pytest.raises(NotFoundError):
        require_job(served["45"].node, f"refused-{name}")


@pytest.mark.parametrize("job", JOB_IDS)
def test_job_ids(world: World, served, job: str) -> None:
    with pytest.raises(InvalidRequestError) as caught:
        engine.submit(served["45"].node, job, read_verification(world.data, ("C21",), most=3))
    assert not job or job not in str(caught.value)


def test_a_subject_twice(world: World, served) -> None:
    asked = read_verification(world.data, ("C21",), most=3)
    with pytest.raises(InvalidRequestError):
        engine.submit(served["45"].node, "x", replace(asked, subjects=asked.subjects * 2))


# ---- inner faults


class Broken(PeerServicer):
    """A servicer with a fault whose text holds what nobody outside may see."""

    def GetManifest(self, request, call):  # noqa: N802
        raise ValueError("secret of a person")

    def FetchBuckets(self, request, call):  # noqa: N802
        yield match_pb2.FetchBucketsResponse(size=1)
        raise KeyError("secret of a person")


def test_an_inner_fault_is_opaque(world: World, tmp_path: Path) -> None:
    home = world.copy(tmp_path, "44")["44"]
    node = open_home(home)
    server = grpc.server(ThreadPoolExecutor(2), interceptors=(CallGuard(peer_admission(node)),))
    service_pb2_grpc.add_PeerServiceServicer_to_server(Broken(node), server)
    port = server.add_secure_port(
        "127.0.0.1:0",
        grpc.ssl_server_credentials([(node.keys.tls_key, node.keys.certificate)], node.keys.ca, True),
    )
    server.start()
    with channel(port, "44.node.heqiao", world.federation.client("45")) as line:
        stub = service_pb2_grpc.PeerServiceStub(line)
        one = fails(lambda: stub.GetManifest(match_pb2.GetManifestRequest()))
        two = fails(lambda: list(stub.FetchBuckets(match_pb2.FetchBucketsRequest())))
    server.stop(0).wait()
    node.store.dispose()
    log = (tmp_path / "nodes.log").read_text()
    for code, reason, details, text in (one, two):
        assert (code, reason) == (Code.INTERNAL, "internal")
        assert "secret" not in text + json.dumps(details)
        assert details["incident"] in text
        assert details["incident"] in log
    assert "secret" not in log
    assert "ValueError" in log


def test_an_inner_fault_of_one_part_leaves_the_others(world: World, tmp_path: Path, monkeypatch) -> None:
    """A fault of this node in the part of 44: it is UNAVAILABLE, its secrets are erased, 33 is answered."""
    honest = match.ask_peer

    def ask_peer(context, question):
        if context.peer.code == "44":
            handshake.begin_session(context, question.codes, context.calls.get_manifest)
            raise ZeroDivisionError
        return honest(context, question)

    monkeypatch.setattr(match, "ask_peer", ask_peer)
    homes = world.copy(tmp_path)
    with serve_all(homes) as provinces:
        node = provinces["45"].node
        engine.submit(node, "fault", read_verification(world.data, ("C21",), most=30))
        provinces["45"].server.start_job("fault")
        report = wait_report(node, "fault")
        with node.store.transaction("look") as tx:
            assert job_rows.read_session(tx, "fault", "44") is None
    assert part_of(report, "44") == ("unavailable", "internal")
    assert part_of(report, "33") == ("done", "")


# ---- streams that stand still


@pytest.mark.parametrize("silent_after", [0, 1])
def test_a_stream_on_which_nothing_comes_is_ended(world: World, tmp_path: Path, silent_after: int) -> None:
    homes = world.copy(tmp_path, "44")
    set_config(homes["44"], "limits", call_timeout_s=1, max_streams_per_peer=1)
    over = threading.Event()

    def silent(start):
        yield from [match_pb2.EvaluateRequest(start=start)] * silent_after
        over.wait(240)

    with (
        serve_all(homes) as provinces,
        channel(provinces["44"].port, "44.node.heqiao", world.federation.client("45")) as line,
    ):
        stub = service_pb2_grpc.PeerServiceStub(line)
        signed = stub.GetManifest(match_pb2.GetManifestRequest(suites=[SUITE])).signed_manifest
        began = time.monotonic()
        start = good_start(signed)
        code, *_ = fails(lambda: list(stub.Evaluate(silent(start))))  # a caller without a deadline
        over.set()
        assert code is (Code.CANCELLED if silent_after else Code.INVALID_ARGUMENT)
        assert time.monotonic() - began < 120  # the caller would wait twice as long
        assert stub.GetManifest(match_pb2.GetManifestRequest(suites=[SUITE]))


def test_a_peer_that_never_answers_is_unavailable(world: World, tmp_path: Path) -> None:
    homes = world.copy(tmp_path)
    set_config(homes["45"], "limits", call_timeout_s=1)
    set_config(homes["45"], "requester", retry_attempts=2, retry_wait_s=0.05, retry_wait_max_s=0.1)

    class Silent(PeerServicer):
        def Evaluate(self, requests, call):  # noqa: N802
            over.wait(240)
            yield from ()

    over = threading.Event()
    node = open_home(homes["44"])
    server = grpc.server(ThreadPoolExecutor(8), interceptors=(CallGuard(peer_admission(node)),))
    service_pb2_grpc.add_PeerServiceServicer_to_server(Silent(node), server)
    port = server.add_secure_port(
        "127.0.0.1:0",
        grpc.ssl_server_credentials([(node.keys.tls_key, node.keys.certificate)], node.keys.ca, True),
    )
    server.start()
    with serve_all({code: homes[code] for code in ("45", "33")}) as provinces:
        move_peer(provinces["45"].node, "44", port)
        engine.submit(provinces["45"].node, "silent", read_verification(world.data, ("C21",), most=30))
        provinces["45"].server.start_job("silent")
        report = wait_report(provinces["45"].node, "silent", 120)
    over.set()
    server.stop(0).wait()
    node.store.dispose()
    assert part_of(report, "44") == ("unavailable", "unavailable")
    assert part_of(report, "33") == ("done", "")


# ---- an import that is killed


def test_a_killed_import_leaves_the_version_before(world: World, tmp_path: Path) -> None:
    home = world.copy(tmp_path, "44")["44"]
    before = query_database(home, "SELECT id, version, root FROM partitions ORDER BY id")
    rows = [*_register(world)] * 400
    path = tmp_path / "large.csv"
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([("id_no", "name", "record_no", "as_of"), *rows])
    heqiao = str(Path(sys.executable).with_name("heqiao"))
    for delay in (0.4, 0.8, 1.2):
        process = subprocess.Popen(
            [heqiao, "import", "--home", str(home), "C21", str(path)],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        time.sleep(delay)
        running = process.poll() is None
        process.kill()
        process.wait()
        if running:
            assert query_database(home, "SELECT id, version, root FROM partitions ORDER BY id") == before
    assert list(home.glob("**/*.part")) == []


def _register(world: World):
    holdings = world.data / "truth" / "holdings.csv"
    with holdings.open(encoding="utf-8", newline="") as file:
        for number, row in enumerate(csv.DictReader(file)):
            yield row["identity"], row["name"], f"r{number}", "2026-10-01"
