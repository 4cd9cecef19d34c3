"""Files of reports over the platform port: whole, signed, for those who may see the job, a few at a time."""

import hashlib
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import grpc
import pytest
from heqiao.platform.v1 import platform_pb2_grpc, reports_pb2_grpc
from heqiao.platform.v1 import reports_pb2 as pb

from keys import target_name
from node.client.platform import Platform
from node.client.report_files import ReportFiles
from node.config import Home
from node.credentials.tls_identity import load_tls_identity
from node.database import retention
from node.errors import InvalidRequestError, LimitError, NotFoundError, UnavailableError
from node.jobs.lookup import require_job
from node.reports.checking import check_all
from node.reports.households import household_of
from node.reports.signature import Signer, Trusted
from node.services.renderings import FOLDER, Renderings
from node.wire import platform
from node.wire.report_files import FORMATS
from tests.support.calls import fails
from tests.support.cli_runner import ok
from tests.support.cluster import Province, World, channel, read_verification, serve_all, wait_report
from tests.support.federation import set_config

JOB = "of-intake"


@pytest.fixture(scope="module")
def node(world: World, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Province]:
    """A node that makes one file at a time, and whose platform `review` may read what `intake` asked."""
    homes = world.copy(tmp_path_factory.mktemp("files"))
    set_config(homes["45"], "limits", max_renderings=1)
    set_config(homes["45"], "platform.readers", review=["intake"])
    with serve_all(homes) as provinces:
        request = read_verification(world.data, ("C21",), ("44",), most=6)
        served = provinces["45"]
        identity = world.federation.client("45", "intake")
        with channel(served.platform_port, target_name("45"), identity) as line:
            stub = platform_pb2_grpc.PlatformServiceStub(line)
            stub.SubmitVerification(platform.submission(JOB, request), timeout=60)
        wait_report(served.node, JOB)
        yield served


@pytest.fixture(scope="module")
def own(node: Province) -> Iterator[ReportFiles]:
    """The client library, as the node's own home."""
    config = node.node.config
    address, identity = f"127.0.0.1:{node.platform_port}", load_tls_identity(Home.find(config.folder).load())
    limits = config.limits
    with Platform(address, "45", identity, limits.max_message_bytes, 60) as opened:
        yield ReportFiles(opened)


def stub(world: World, node: Province, name: str) -> reports_pb2_grpc.ReportServiceStub:
    line = channel(node.platform_port, target_name("45"), world.federation.client("45", name))
    return reports_pb2_grpc.ReportServiceStub(line)


def trusted(node: Province) -> Trusted:
    return Trusted({Signer("45", node.node.keys.signing).key: "45 here"})


@pytest.mark.parametrize("one", FORMATS)
def test_a_file_is_whole_signed_and_leaves_nothing(own, node, tmp_path: Path, one: str) -> None:
    saved = own.save(JOB, one, tmp_path, "en")
    content = saved.path.read_bytes()
    assert (saved.size, saved.digest) == (len(content), hashlib.sha256(content).hexdigest())
    verdicts = check_all(tmp_path, trusted(node))
    assert [(each.valid, each.number) for each in verdicts] == [(True, saved.number)]
    assert own.check(saved.path).valid
    assert list((node.node.config.folder / FOLDER).iterdir()) == []


def test_a_household_alone(own, node, tmp_path: Path) -> None:
    asked = wait_report(node.node, JOB).subjects
    household = household_of(asked[0])
    saved = own.save(JOB, "json", tmp_path, household=household)
    text = saved.path.read_text(encoding="utf-8")
    assert all((one in text) == (household_of(one) == household) for one in asked)
    with pytest.raises(InvalidRequestError, match="no such household"):
        own.save(JOB, "json", tmp_path / "none", household="nobody")
    assert not (tmp_path / "none").exists()


def issued(node: Province) -> int:
    return require_job(node.node, JOB).files_issued


def test_each_file_that_is_sent_whole_counts(own, node, tmp_path: Path) -> None:
    before, household = issued(node), household_of(wait_report(node.node, JOB).subjects[0])
    own.save(JOB, "json", tmp_path)
    own.save(JOB, "html", tmp_path, household=household)
    with pytest.raises(InvalidRequestError):
        own.save(JOB, "json", tmp_path / "none", household="nobody")
    assert issued(node) == before + 2


def test_files_that_a_command_writes_count_too(world, own, node, tmp_path: Path) -> None:
    home, before = node.node.config.folder, issued(node)
    at = ("--home", home, "--node", f"127.0.0.1:{node.platform_port}")
    ok("report", JOB, *at, "--out", tmp_path / "all", "--format", "text,json,csv")
    assert issued(node) == before + 3, "a signature is none"
    ok("report", JOB, *at, "--out", tmp_path / "plain", "--format", "json", "--unsigned")
    assert issued(node) == before + 4
    households = {household_of(one) for one in wait_report(node.node, JOB).subjects}
    each = ("report", JOB, *at, "--out", tmp_path / "each", "--each-household", "--format", "json")
    ok(*each)
    assert issued(node) == before + 4 + len(households)
    ok(*each)
    assert issued(node) == before + 4 + len(households), "they are there already"
    ok("report", tmp_path / "all", "--home", home, "--out", tmp_path / "again", "--unsigned")
    assert issued(node) == before + 4 + len(households), "of no node"
    assert own.count(JOB, 1_000_000) == before + 4 + len(households) + 1_000_000


def test_only_who_may_have_a_report_counts_its_files(world: World, node: Province) -> None:
    before = issued(node)
    for name in ("intake", "review"):
        assert stub(world, node, name).CountReportFiles(
            pb.CountReportFilesRequest(job_id=JOB, files=1), timeout=60
        )
    assert issued(node) == before + 2
    for job in (JOB, "nobody"):
        wanted = pb.CountReportFilesRequest(job_id=job, files=1)
        call = partial(stub(world, node, "other").CountReportFiles, wanted, timeout=60)
        code, reason, _, text = fails(call)
        assert (code, reason, text) == (grpc.StatusCode.NOT_FOUND, "not_found", "there is no such job")
    for files in (0, 1_000_001, 2**32 - 1):
        wanted = pb.CountReportFilesRequest(job_id=JOB, files=files)
        call = partial(stub(world, node, "intake").CountReportFiles, wanted, timeout=60)
        assert fails(call)[0] == grpc.StatusCode.INVALID_ARGUMENT
    assert issued(node) == before + 2


def test_a_full_count_stays_full(node: Province) -> None:
    with node.node.store.transaction("fill") as tx:
        retention.count_files(tx, JOB, 2**31 - 2)
        retention.count_files(tx, JOB, 1_000_000)
    assert issued(node) == 2**31 - 1


def test_an_altered_file_is_named_and_a_foreign_one_proves_nothing(own, tmp_path: Path) -> None:
    saved = own.save(JOB, "html", tmp_path)
    saved.path.write_bytes(saved.path.read_bytes().replace(b"</title>", b" </title>"))
    found = own.check(saved.path)
    assert not found.valid
    assert list(found.altered) == ["style"], "the part in front of the first mark"
    saved.signature.unlink()
    found = own.check(saved.path)
    assert (found.valid, "not beside it" in found.problem) == (False, True)


def test_rights_are_those_of_the_report(world: World, node: Province) -> None:
    request = pb.StreamReportFileRequest(job_id=JOB, format=pb.REPORT_FORMAT_TEXT)
    for name in ("intake", "review"):
        messages = list(stub(world, node, name).StreamReportFile(request, timeout=60))
        assert messages[-1].WhichOneof("message") == "end"
    for job in (JOB, "nobody"):
        wanted = pb.StreamReportFileRequest(job_id=job, format=pb.REPORT_FORMAT_TEXT)
        call = stub(world, node, "other").StreamReportFile(wanted, timeout=60)
        code, reason, _, text = fails(partial(list, call))
        assert (code, reason, text) == (grpc.StatusCode.NOT_FOUND, "not_found", "there is no such job")


BAD = {
    "no format": pb.StreamReportFileRequest(job_id=JOB),
    "a language": pb.StreamReportFileRequest(job_id=JOB, format=pb.REPORT_FORMAT_TEXT, language="fr"),
    "a long household": pb.StreamReportFileRequest(
        job_id=JOB, format=pb.REPORT_FORMAT_TEXT, household="x" * 201
    ),
}


@pytest.mark.parametrize("name", BAD)
def test_a_bad_request_is_refused(world: World, node: Province, name: str) -> None:
    code, *_ = fails(lambda: list(stub(world, node, "intake").StreamReportFile(BAD[name], timeout=60)))
    assert code is grpc.StatusCode.INVALID_ARGUMENT


BAD_FILES = {
    "nothing": [],
    "a chunk first": [pb.VerifyReportFileRequest(chunk=b"x")],
    "two starts": [pb.VerifyReportFileRequest(start=pb.VerifyReportFileStart(name="a"))] * 2,
    "a path": [pb.VerifyReportFileRequest(start=pb.VerifyReportFileStart(name="../a"))],
    "a signature that is none": [
        pb.VerifyReportFileRequest(start=pb.VerifyReportFileStart(name="a.html", signature=b"{}")),
        pb.VerifyReportFileRequest(chunk=b"<!DOCTYPE html>"),
    ],
}


@pytest.mark.parametrize("name", BAD_FILES)
def test_a_bad_file_is_refused(world: World, node: Province, name: str) -> None:
    code, *_ = fails(lambda: stub(world, node, "other").VerifyReportFile(iter(BAD_FILES[name]), timeout=60))
    assert code is grpc.StatusCode.INVALID_ARGUMENT


def test_a_busy_node_says_so_and_when_to_try_again(own, node, monkeypatch, tmp_path: Path) -> None:
    taken: list[Renderings] = []
    make = Renderings.make

    def ask_meanwhile(self: Renderings, *asked: str):
        taken.append(self)
        with pytest.raises(LimitError) as caught:
            own.save(JOB, "csv", tmp_path / "second")
        assert caught.value.details["rule"] == "renderings"
        assert caught.value.retry_after is not None
        return make(self, *asked)

    monkeypatch.setattr(Renderings, "make", ask_meanwhile)
    own.save(JOB, "text", tmp_path / "first")
    assert len(taken) == 1
    monkeypatch.undo()
    assert own.save(JOB, "csv", tmp_path / "third").size


def test_a_file_that_does_not_come_whole_is_not_kept(own, monkeypatch, tmp_path: Path) -> None:
    whole = Platform.stream

    def cut(self, stub, method, message):
        yield from list(whole(self, stub, method, message))[:-1]

    monkeypatch.setattr(Platform, "stream", cut)
    with pytest.raises(UnavailableError, match="did not come whole"):
        own.save(JOB, "text", tmp_path / "out")
    assert list((tmp_path / "out").iterdir()) == []


def test_an_unknown_job_and_format(own, tmp_path: Path) -> None:
    with pytest.raises(NotFoundError):
        own.save("nobody", "text", tmp_path)
    with pytest.raises(InvalidRequestError, match="no format 'docx'"):
        own.save(JOB, "docx", tmp_path)
