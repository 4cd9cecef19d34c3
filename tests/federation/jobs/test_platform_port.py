"""The platform port with stock messages: what a platform that skips our client can get wrong."""

from contextlib import ExitStack

import grpc
import pytest
from heqiao.platform.v1 import platform_pb2 as pb
from heqiao.platform.v1 import platform_pb2_grpc
from heqiao.platform.v1.sources_pb2 import QUALITY_RESULT_BELOW_FLOOR, QUALITY_RUN_CHECK

from keys import target_name
from node.client.platform import Platform
from node.client.sources import Sources
from node.database import quality_reports
from node.domain.quality_reports import QualityReport
from node.errors import InvalidRequestError, NotFoundError
from node.wire import platform
from tests.support.cluster import World, channel, read_verification, serve_all, wait_report
from tests.support.federation import set_config

NUMBER = "449999190001010034"


@pytest.fixture(scope="module")
def stub(world: World, served):
    identity = world.federation.client("45", "office")
    with channel(served["45"].platform_port, target_name("45"), identity) as opened:
        yield platform_pb2_grpc.PlatformServiceStub(opened)


def submission(**subject: object) -> list[pb.SubmitVerificationRequest]:
    person = {
        "ref": "1/1",
        "household": "1",
        "name": "",
        "mandate_no": "m1",
        "identities": [NUMBER],
        **subject,
    }
    columns = pb.Subjects(
        refs=[person["ref"]],
        households=[person["household"]],
        names=[person["name"]],
        mandate_nos=[person["mandate_no"]],
        identities=pb.Identities(counts=[len(person["identities"])], values=person["identities"]),
    )
    start = pb.VerificationStart(
        job_id="stock",
        items=["C21"],
        peers=["44"],
        purpose="new_application",
        legal_basis="SA-2026-41",
        subjects_announced=1,
    )
    return [
        pb.SubmitVerificationRequest(start=start),
        pb.SubmitVerificationRequest(chunk=pb.VerificationChunk(subjects=columns)),
    ]


BAD = {
    "no reference": submission(ref=""),
    "an identity number as reference": submission(ref=f"1/{NUMBER}"),
    "its old form as household": submission(household="449999000101003"),
    "an identity number as mandate": submission(mandate_no=NUMBER),
    "no identity": submission(identities=[]),
    "a wrong check digit": submission(identities=["449999190001010035"]),
    "too many identities": submission(identities=[NUMBER] * 9),
    "a long name": submission(name="x" * 201),
    "no start": submission()[1:],
    "two starts": [submission()[0], submission()[0]],
    "fewer subjects than announced": submission()[:1],
    "more subjects than announced": [*submission(), submission(ref="1/2")[1]],
    "nothing": [],
}


@pytest.mark.parametrize("name", BAD)
def test_a_bad_submission_is_refused_and_quotes_nothing(stub, name: str) -> None:
    with pytest.raises(grpc.RpcError) as caught:
        stub.SubmitVerification(iter(BAD[name]), timeout=60)
    assert caught.value.code() is grpc.StatusCode.INVALID_ARGUMENT
    assert "449999" not in caught.value.details()
    assert "stock" not in {job.job_id for job in stub.ListJobs(pb.ListJobsRequest(), timeout=60).jobs}


@pytest.mark.parametrize("call", ["WatchJob", "GetReport"])
def test_an_unknown_job_is_not_found(stub, call: str) -> None:
    request = {"WatchJob": pb.WatchJobRequest, "GetReport": pb.GetReportRequest}[call](job_id="nobody")
    with pytest.raises(grpc.RpcError) as caught:
        list(getattr(stub, call)(request, timeout=60))
    assert caught.value.code() is grpc.StatusCode.NOT_FOUND


def test_a_platform_reads_how_good_the_sources_were(world: World, served):
    counts = dict.fromkeys(("rows", "usable", "rejected", "valid_numbers", "duplicates", "amounts"), 7)
    counts |= dict.fromkeys(("outliers", "stale", "private_names"), 1)
    counts |= dict.fromkeys(("unknown_area", "unknown_county", "county_not_then"), 2)
    finding = {"rule": "rejected_share", "found": "0.1000", "allowed": "0.0500 or less"}
    content = {
        **counts,
        **dict.fromkeys(("changes_only", "duplicates_estimated"), False),
        "oldest": None,
        "usual": "2026-06-30",
        "newest": None,
        "below_floor": [finding],
        "reasons": {"unknown_code": 1},
        "missing": {"name": 3},
    }
    node = served["44"].node
    with node.store.transaction("keep", write=True) as tx:
        for item in ("C21", "D32"):
            new = QualityReport(0, item, "check", "below_floor", node.clock(), content)
            number = quality_reports.add_report(tx, new)
    with Platform.open(served["44"].home, f"127.0.0.1:{served['44'].platform_port}") as platform:
        sources = Sources(platform)
        (one,) = sources.quality_reports("D32").reports
        assert (one.number, one.run, one.result) == (number, QUALITY_RUN_CHECK, QUALITY_RESULT_BELOW_FLOOR)
        assert (one.rows, one.outliers, one.county_not_then) == (7, 1, 2)
        assert (dict(one.reasons), dict(one.missing)) == ({"unknown_code": 1}, {"name": 3})
        assert (one.oldest, one.usual, one.below_floor[0].allowed) == ("", "2026-06-30", "0.0500 or less")
        assert (sources.quality_reports(limit=1).total, sources.quality_report(number)) == (2, one)
        with pytest.raises(NotFoundError):
            sources.quality_report(number + 1)
        with pytest.raises(InvalidRequestError):
            sources.quality_reports(NUMBER)


def test_watchers_are_bounded_and_do_not_fill_the_port(world: World, tmp_path) -> None:
    homes = world.copy(tmp_path, "45")
    set_config(homes["45"], "limits", max_watchers=2, worker_threads=4, max_streams_per_peer=1)
    # The peer is away and is tried for a long time, so the job stays open.
    set_config(homes["45"], "requester", retry_attempts=100, retry_wait_s=5, retry_wait_max_s=5)
    asked = read_verification(world.data, ("C21",), ("44",), most=2)
    identity = world.federation.client("45", "office")
    with serve_all(homes) as provinces, ExitStack() as stack:
        port = provinces["45"].platform_port
        opened = stack.enter_context(channel(port, target_name("45"), identity))
        stub = platform_pb2_grpc.PlatformServiceStub(opened)
        stub.SubmitVerification(platform.submission("open", asked), timeout=60)
        watchers = [stub.WatchJob(pb.WatchJobRequest(job_id="open"), timeout=120) for _ in range(2)]
        for watcher in watchers:
            next(watcher)
        with pytest.raises(grpc.RpcError) as caught:
            list(stub.WatchJob(pb.WatchJobRequest(job_id="open"), timeout=60))
        assert caught.value.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
        assert [job.job_id for job in stub.ListJobs(pb.ListJobsRequest(), timeout=60).jobs] == ["open"]
        stub.CancelJob(pb.CancelJobRequest(job_id="open"), timeout=60)
        assert wait_report(provinces["45"].node, "open").state == "cancelled"
        assert [message.job.state for message in watchers[0]][-1] == pb.JOB_STATE_CANCELLED
