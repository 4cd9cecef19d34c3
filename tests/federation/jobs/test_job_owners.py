"""Jobs have owners: a platform sees, fetches and cancels its own; the node's own commands see all of them."""

import json
from collections.abc import Iterator

import grpc
import pytest
from heqiao.platform.v1 import platform_pb2 as pb
from heqiao.platform.v1 import platform_pb2_grpc

from keys import target_name
from node.database import audit_log
from node.database import jobs as job_rows
from node.wire import platform
from tests.support.calls import fails
from tests.support.cli_runner import ok
from tests.support.cluster import Province, World, channel, read_verification, serve_all, wait_report
from tests.support.federation import set_config

Code = grpc.StatusCode
Stub = platform_pb2_grpc.PlatformServiceStub


@pytest.fixture(scope="module")
def node(world: World, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Province]:
    homes = world.copy(tmp_path_factory.mktemp("owners"))
    set_config(homes["45"], "platform.readers", review=["intake"])
    with serve_all(homes) as provinces:
        yield provinces["45"]


@pytest.fixture
def stub(world: World, node: Province) -> Iterator[dict[str, Stub]]:
    names = ("intake", "other", "review")
    lines = {
        name: channel(node.platform_port, target_name("45"), world.federation.client("45", name))
        for name in names
    }
    yield {name: Stub(line) for name, line in lines.items()}
    for line in lines.values():
        line.close()


@pytest.fixture(scope="module")
def asked(world: World, node: Province) -> str:
    """A job of the platform `intake` that has ended."""
    request = read_verification(world.data, ("C21",), ("44",), most=2)
    with channel(node.platform_port, target_name("45"), world.federation.client("45", "intake")) as line:
        Stub(line).SubmitVerification(platform.submission("of-intake", request), timeout=60)
    wait_report(node.node, "of-intake")
    return "of-intake"


def fetched(stub: Stub, job: str) -> list[pb.GetReportResponse]:
    return list(stub.GetReport(pb.GetReportRequest(job_id=job), timeout=60))


def listed(stub: Stub) -> dict[str, str]:
    return {job.job_id: job.owner for job in stub.ListJobs(pb.ListJobsRequest(), timeout=60).jobs}


def test_its_owner_sees_and_fetches_it(stub: dict[str, Stub], asked: str) -> None:
    assert listed(stub["intake"]) == {asked: "platform/intake"}
    assert fetched(stub["intake"], asked)
    assert stub["intake"].CancelJob(pb.CancelJobRequest(job_id=asked), timeout=60).job.job_id == asked


@pytest.mark.parametrize("job", ["of-intake", "nobody's"])
def test_to_another_platform_it_does_not_exist(stub: dict[str, Stub], asked: str, job: str) -> None:
    """The same answer for a job of somebody else as for none."""
    other = stub["other"]
    assert listed(other) == {}
    for call in (
        lambda: fetched(other, job),
        lambda: list(other.WatchJob(pb.WatchJobRequest(job_id=job), timeout=60)),
        lambda: other.CancelJob(pb.CancelJobRequest(job_id=job), timeout=60),
        lambda: other.GetSumReport(pb.GetSumReportRequest(job_id=job), timeout=60),
    ):
        code, reason, details, text = fails(call)
        assert (code, reason, details, text) == (Code.NOT_FOUND, "not_found", details, "there is no such job")


def test_a_reader_sees_it_and_changes_nothing(stub: dict[str, Stub], asked: str) -> None:
    review = stub["review"]
    assert listed(review) == {asked: "platform/intake"}
    assert fetched(review, asked)
    code, reason, details, _ = fails(lambda: review.CancelJob(pb.CancelJobRequest(job_id=asked), timeout=60))
    assert (code, reason, details["rule"]) == (Code.PERMISSION_DENIED, "refused", "job_owner")


def test_an_id_of_somebody_else_is_taken(world: World, stub: dict[str, Stub], asked: str) -> None:
    """Also with the same request: an answer that it exists would be of that job."""
    same = read_verification(world.data, ("C21",), ("44",), most=2)
    again = stub["intake"].SubmitVerification(platform.submission(asked, same), timeout=60)
    assert again.existed
    answer = fails(lambda: stub["other"].SubmitVerification(platform.submission(asked, same), timeout=60))
    assert answer[:2] == (Code.ALREADY_EXISTS, "job_conflict")


def test_the_node_sees_all_and_the_audit_says_whose_it_is(node: Province, asked: str) -> None:
    address = f"127.0.0.1:{node.platform_port}"
    found = json.loads(ok("jobs", "list", "--json", "--home", node.home, "--node", address))
    assert {job["job_id"]: job["owner"] for job in found["jobs"]} == {asked: "platform/intake"}
    assert ok("report", asked, "--home", node.home, "--node", address)
    with node.node.store.transaction("look") as tx:
        events = list(audit_log.events(tx))
    assert [json.loads(one.details)["owner"] for one in events if one.event == "verification_submitted"] == [
        "platform/intake"
    ]


def test_the_fetch_of_its_owner_counts(world: World, node: Province, stub: dict[str, Stub]) -> None:
    """A report is kept shorter once its owner has it: one that only a reader saw is not."""
    request = read_verification(world.data, ("C21",), ("44",), most=1)
    stub["intake"].SubmitVerification(platform.submission("kept", request), timeout=60)
    wait_report(node.node, "kept")
    seen = []
    for name in ("review", "intake"):
        fetched(stub[name], "kept")
        with node.node.store.transaction("look") as tx:
            row = job_rows.find_job(tx, "kept")
        assert row is not None
        seen.append(row.fetched_at is None)
    assert seen == [True, False]
