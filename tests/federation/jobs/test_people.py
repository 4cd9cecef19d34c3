"""People at a served node: every call is judged by session, role and unit; one prepares, another approves."""

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import timedelta

import grpc
import pytest
from heqiao.admin.v1 import users_pb2
from heqiao.platform.v1 import drafts_pb2 as pb
from heqiao.platform.v1 import (
    drafts_pb2_grpc,
    platform_pb2,
    platform_pb2_grpc,
    session_pb2,
    session_pb2_grpc,
)

from keys import target_name
from matcher import identity
from node.clock import utc_now
from node.database import audit_log
from node.database import users as rows
from node.domain.jobs import SUM, VERIFICATION, WATCH
from node.domain.rights import RPCS
from node.domain.summation import Summation, in_cohort
from node.domain.users import NewUser, Role
from node.domain.verification import Verification
from node.errors import NotFoundError, PreconditionError
from node.governance import users
from node.governance.accounts import person_of
from node.jobs import drafts, watches
from node.jobs.acting import people_of
from node.jobs.lookup import require_job
from node.wire import platform, platform_sums
from node.wire.drafts import content_parts, read_content
from node.wire.watch import add_messages
from tests.support.calls import fails
from tests.support.cluster import (
    Province,
    World,
    channel,
    read_verification,
    serve_all,
    wait_for,
    wait_report,
)
from tests.support.desk import COUNTY, PASSWORD, WHO, Desk
from tests.support.federation import set_config

Code = grpc.StatusCode


def _number(order: int) -> str:
    body = f"459999{1950 + order // 300}0101{order % 300:03}"
    return body + identity.check_digit(body)


COHORT = Summation(
    ("B11",), ("44",), "SA-2026-41", in_cohort([identity.parse(_number(at))] for at in range(600))
)


@pytest.fixture(scope="module")
def node(world: World, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Province]:
    homes = world.copy(tmp_path_factory.mktemp("people"))
    set_config(homes["45"], "users", required=True)
    with serve_all(homes) as provinces:
        yield provinces["45"]


@pytest.fixture(scope="module")
def line(world: World, node: Province) -> Iterator[grpc.Channel]:
    with channel(node.platform_port, target_name("45"), world.federation.client("45")) as opened:
        yield opened


@pytest.fixture(scope="module")
def desks(node: Province, line: grpc.Channel) -> dict[str, Desk]:
    people, now = people_of(node.node), utc_now()
    found = {}
    for account, (unit, roles) in WHO.items():
        new = NewUser(account, "李华", unit, frozenset(roles), now.date() - timedelta(days=1))
        found[account] = Desk(line, account, users.add(people, new, None, now))
    return found


def read_events(node: Province, name: str) -> list[dict[str, object]]:
    """The details of all audit events of that name."""
    with node.node.store.transaction("read events") as tx:
        return [json.loads(one.details) for one in audit_log.events(tx) if one.event == name]


def fresh_codes(node: Province) -> None:
    """Nobody waits for the next half minute: all codes count as not used."""
    with node.node.store.transaction("fresh codes", write=True) as tx:
        for account in WHO:
            rows.change_user(tx, account, {"totp_step": 0})


@pytest.fixture(autouse=True)
def _fresh_codes(node: Province, desks: dict[str, Desk]) -> None:
    fresh_codes(node)


@dataclass(frozen=True)
class Asked:
    """What a draft of a kind asks, and something else of that kind."""

    kind: str
    one: object
    other: object


def watch_of(world: World, most: int) -> Verification:
    """A list whose mandates cover monitoring."""
    found = read_verification(world.data, ("C21",), ("44",), most=most)
    mandates = {number: replace(one, programme="*") for number, one in found.mandates.items()}
    return replace(found, purpose="monitoring", mandates=mandates)


@pytest.fixture(params=[VERIFICATION, SUM, WATCH])
def asked(request: pytest.FixtureRequest, world: World) -> Asked:
    if request.param == SUM:
        return Asked(SUM, COHORT, replace(COHORT, cohort=COHORT.cohort[1:]))
    if request.param == WATCH:
        return Asked(WATCH, watch_of(world, 2), watch_of(world, 3))
    two, three = (read_verification(world.data, ("C21",), ("44",), most=most) for most in (2, 3))
    return Asked(VERIFICATION, two, three)


@pytest.fixture
def request_of(world: World):
    return read_verification(world.data, ("C21",), ("44",), most=2)


def test_without_a_session_nothing_but_signing_in_is_served(
    line: grpc.Channel, desks: dict[str, Desk]
) -> None:
    stub = platform_pb2_grpc.PlatformServiceStub(line)
    for metadata in ((), (("heqiao-session", "x" * 43),)):
        code, reason, _, _ = fails(
            lambda metadata=metadata: stub.ListPeers(
                platform_pb2.ListPeersRequest(), timeout=60, metadata=metadata
            )
        )
        assert (code, reason) == (Code.UNAUTHENTICATED, "session_ended")


@pytest.mark.parametrize("account", [*WHO])
def test_every_method_is_judged_by_role(line: grpc.Channel, desks: dict[str, Desk], account: str) -> None:
    """Empty messages reach the method only where the role may: no method is forgotten."""
    own = desks[account].with_session["metadata"]
    for method, right in RPCS.items():
        if right.unready or right.before:
            continue
        if "/Watch" in method and right.roles & WHO[account][1]:
            continue  # it would wait for something to send
        call = line.stream_stream(method, lambda _: b"", lambda data: data)
        answer = call(iter([b""]), timeout=60, metadata=own)
        try:
            list(answer)
            code = Code.OK
        except grpc.RpcError as error:
            code = error.code()
            refused = code is Code.PERMISSION_DENIED and "your roles do not permit this" in error.details()
            assert refused == (not right.roles & WHO[account][1]), method
            continue
        assert right.roles & WHO[account][1], method


def test_a_platform_may_not_pass_a_session(world: World, node: Province, desks: dict[str, Desk]) -> None:
    with channel(node.platform_port, target_name("45"), world.federation.client("45", "intake")) as opened:
        stub = platform_pb2_grpc.PlatformServiceStub(opened)
        assert stub.ListJobs(platform_pb2.ListJobsRequest(), timeout=60) is not None
        code, _, details, _ = fails(
            lambda: stub.ListJobs(platform_pb2.ListJobsRequest(), **desks["prep"].with_session)
        )
        assert (code, details["rule"]) == (Code.PERMISSION_DENIED, "right")
        sign = session_pb2_grpc.SessionServiceStub(opened)
        asked = session_pb2.SignInRequest(account="prep", password=PASSWORD)
        assert fails(lambda: sign.SignIn(asked, timeout=60))[0] is Code.PERMISSION_DENIED


def test_one_prepares_and_another_one_approves(node: Province, desks: dict[str, Desk], request_of) -> None:
    prep, appr = desks["prep"], desks["appr"]
    code, _, details, _ = fails(
        lambda: prep.jobs.SubmitVerification(platform.submission("direct", request_of), **prep.with_session)
    )
    assert (code, details["rule"]) == (Code.PERMISSION_DENIED, "approval")
    waiting = prep.submit("of-two", request_of)
    assert (waiting.state, waiting.subjects, list(waiting.items)) == ("waiting", 2, ["C21"])
    listed = appr.drafts.ListDrafts(pb.ListDraftsRequest(state="waiting"), **appr.with_session)
    assert [one.draft_id for one in listed.drafts] == [waiting.draft_id]
    sent = appr.approve(waiting)
    assert (sent.state, sent.approver, sent.job_id) == ("sent", "appr", "of-two")
    wait_report(node.node, "of-two")
    jobs = appr.jobs.ListJobs(platform_pb2.ListJobsRequest(), **appr.with_session).jobs
    assert {one.job_id: one.owner for one in jobs} == {"of-two": f"unit/{COUNTY}"}
    report = list(prep.jobs.GetReport(platform_pb2.GetReportRequest(job_id="of-two"), **prep.with_session))
    assert report


def test_another_unit_sees_and_approves_nothing(desks: dict[str, Desk], asked: Asked) -> None:
    waiting = desks["prep"].submit(f"guessed-{asked.kind}", asked.one, asked.kind)
    away = desks["away"]
    assert not away.drafts.ListDrafts(pb.ListDraftsRequest(state="waiting"), **away.with_session).drafts
    assert fails(lambda: away.approve(waiting))[0] is Code.NOT_FOUND
    named = pb.GetDraftRequest(draft_id=waiting.draft_id)
    assert fails(lambda: away.drafts.GetDraft(named, **away.with_session))[0] is Code.NOT_FOUND
    content = pb.GetContentRequest(draft_id=waiting.draft_id)
    assert fails(lambda: list(away.drafts.GetContent(content, **away.with_session)))[0] is Code.NOT_FOUND
    returned = pb.ReturnRequest(draft_id=waiting.draft_id, version=waiting.version, reason="x")
    assert fails(lambda: away.drafts.Return(returned, **away.with_session))[0] is Code.NOT_FOUND
    assert not away.jobs.ListJobs(platform_pb2.ListJobsRequest(), **away.with_session).jobs


def test_nobody_approves_the_own_draft(node: Province, desks: dict[str, Desk], asked: Asked) -> None:
    waiting = desks["both"].submit(f"own-{asked.kind}", asked.one, asked.kind)
    code, _, details, _ = fails(lambda: desks["both"].approve(waiting))
    assert (code, details["rule"]) == (Code.PERMISSION_DENIED, "own_draft")
    refused = [one for one in read_events(node, "draft_refused") if one["draft"] == waiting.draft_id]
    assert [(one["rule"], one["user"]) for one in refused] == [("own_draft", "both")]


def test_an_altered_draft_is_not_approved(node: Province, desks: dict[str, Desk], asked: Asked) -> None:
    """Returned, changed and sent again: the approval names what the approver had seen before."""
    prep, both = desks["prep"], desks["both"]
    waiting = prep.submit(f"altered-{asked.kind}", asked.one, asked.kind)
    given = pb.ReturnRequest(draft_id=waiting.draft_id, version=waiting.version, reason="授权书缺一人")
    returned = both.drafts.Return(given, **both.with_session).draft
    read = prep.drafts.GetDraft(pb.GetDraftRequest(draft_id=waiting.draft_id), **prep.with_session)
    assert (returned.state, read.reason) == ("returned", "授权书缺一人")
    again = prep.send(returned, f"altered-{asked.kind}", asked.other, asked.kind)
    assert again.digest != waiting.digest
    for old in ({"version": waiting.version}, {"digest": waiting.digest}):
        fresh_codes(node)
        code, _, details, _ = fails(lambda old=old: both.approve(again, **old))
        assert (code, details["rule"]) == (Code.FAILED_PRECONDITION, "draft_version")
    assert {"draft": again.draft_id, "rule": "draft_version"}.items() <= read_events(node, "draft_refused")[
        -1
    ].items()


def test_what_fails_after_an_approval_is_no_refusal(
    node: Province, desks: dict[str, Desk], asked: Asked
) -> None:
    waiting = desks["prep"].submit(f"begun-{asked.kind}", asked.one, asked.kind)
    with node.node.store.transaction("read a person") as tx:
        by = person_of(people_of(node.node), rows.find_user(tx, "appr"), utc_now())

    def start(*_: object) -> None:
        raise PreconditionError("the peer is away")

    with pytest.raises(PreconditionError, match="away"):
        drafts.approve(node.node, by, waiting.draft_id, waiting.version, waiting.digest, start)
    assert not [one for one in read_events(node, "draft_refused") if one["draft"] == waiting.draft_id]
    assert [one["approver"] for one in read_events(node, "draft_approved")][-1] == "appr"


def test_of_two_approvers_at_once_one_is_first(node: Province, desks: dict[str, Desk], asked: Asked) -> None:
    waiting = desks["prep"].submit(f"race-{asked.kind}", asked.one, asked.kind)

    def approve(account: str) -> str:
        desk = desks[account]
        try:
            return desk.approve(waiting).state
        except grpc.RpcError as error:
            return str(error.code())

    with ThreadPoolExecutor(2) as pool:
        found = sorted(pool.map(approve, ("appr", "both")))
    assert found == [str(Code.FAILED_PRECONDITION), "sent"]
    approved = [one for one in read_events(node, "draft_approved") if one["draft"] == waiting.draft_id]
    assert [(one["kind"], one["preparer"]) for one in approved] == [(asked.kind, "prep")]
    assert approved[0]["approver"] in ("appr", "both")


def test_a_sum_begins_with_its_approval(node: Province, desks: dict[str, Desk]) -> None:
    prep, appr = desks["prep"], desks["appr"]
    direct = platform_sums.submission("sum-direct", COHORT)
    code, _, details, _ = fails(lambda: prep.jobs.SubmitSum(direct, **prep.with_session))
    assert (code, details["rule"]) == (Code.PERMISSION_DENIED, "approval")
    waiting = prep.submit("sum-of-two", COHORT, SUM)
    assert (waiting.kind, waiting.purpose, waiting.subjects) == (SUM, "statistics", len(COHORT.cohort))
    content = pb.GetContentRequest(draft_id=waiting.draft_id)
    parts = [one.part for one in appr.drafts.GetContent(content, **appr.with_session)]
    assert read_content(parts, 10_000) == (SUM, "sum-of-two", COHORT)
    with pytest.raises(NotFoundError):
        require_job(node.node, "sum-of-two")
    assert appr.approve(waiting).state == "sent"
    row = require_job(node.node, "sum-of-two")
    assert (row.kind, row.owner, row.subjects) == (SUM, f"unit/{COUNTY}", len(COHORT.cohort))


def test_a_watch_list_is_added_and_looked_at_with_its_approval(
    world: World, node: Province, desks: dict[str, Desk]
) -> None:
    prep, appr, asked = desks["prep"], desks["appr"], watch_of(world, 2)
    code, _, details, _ = fails(
        lambda: prep.watches.AddWatch(add_messages("watch-direct", asked), **prep.with_session)
    )
    assert (code, details["rule"]) == (Code.PERMISSION_DENIED, "approval")
    waiting = prep.submit("watch-of-two", asked, WATCH)
    assert appr.approve(waiting).state == "sent"
    (found,) = watches.list_watches(node.node, watch="watch-of-two")
    assert (found.row.owner, found.row.people) == (f"unit/{COUNTY}", 2)
    wait_for(
        lambda: watches.list_watches(node.node, watch="watch-of-two")[0].looks[0].look == 1, 120, "no look"
    )


def test_a_watch_list_of_the_people_of_a_job(world: World, node: Province, desks: dict[str, Desk]) -> None:
    """The node takes them; only those whose mandates cover monitoring, and only of the own unit's job."""
    prep, appr = desks["prep"], desks["appr"]
    asked = replace(watch_of(world, 6), purpose="new_application")
    first = next(iter(asked.subjects)).mandate
    few = {
        number: replace(one, programme="*" if number == first else "new_application")
        for number, one in asked.mandates.items()
    }
    appr.approve(prep.submit("job-to-watch", replace(asked, mandates=few)))
    wait_report(node.node, "job-to-watch")
    covered = sum(one.mandate == first for one in asked.subjects)
    assert 0 < covered < 6
    waiting = prep.watch_of_job("list-of-job", job_id="job-to-watch", items=["C21"], peers=["44"])
    assert (waiting.kind, waiting.subjects) == (WATCH, covered)
    for wrong in ({"items": ["Z59b"]}, {"peers": ["33"]}, {"job_id": "no-such"}):
        given = {"job_id": "job-to-watch", "items": ["C21"], "peers": ["44"], **wrong}
        code = fails(lambda given=given: prep.watch_of_job("list-of-job", **given))[0]
        assert code is (Code.NOT_FOUND if "job_id" in wrong else Code.INVALID_ARGUMENT)
    away = desks["away"]
    given = {"job_id": "job-to-watch", "items": ["C21"], "peers": ["44"]}
    assert fails(lambda: away.watch_of_job("theirs", **given))[0] is Code.NOT_FOUND


def test_a_draft_keeps_its_kind(desks: dict[str, Desk], request_of) -> None:
    prep = desks["prep"]
    saved = prep.drafts.SaveDraft(pb.SaveDraftRequest(kind=SUM), **prep.with_session).draft
    code, _, details, _ = fails(lambda: prep.send(saved, "another-kind", request_of))
    assert (code, details["rule"]) == (Code.FAILED_PRECONDITION, "draft_kind")
    typed = pb.SaveDraftRequest(draft_id=saved.draft_id, version=saved.version, form=b"{}", kind=WATCH)
    code, _, details, _ = fails(lambda: prep.drafts.SaveDraft(typed, **prep.with_session))
    assert (code, details["rule"]) == (Code.FAILED_PRECONDITION, "draft_kind")
    wrong = pb.SaveDraftRequest(kind="no-such")
    assert fails(lambda: prep.drafts.SaveDraft(wrong, **prep.with_session))[0] is Code.INVALID_ARGUMENT
    mixed = [pb.SendForApprovalRequest(draft=pb.DraftVersion(draft_id=saved.draft_id, version=1))]
    kinds = ((SUM, COHORT), (VERIFICATION, request_of))
    parts = [part for kind, one in kinds for part in content_parts(kind, "mixed", one)]
    mixed += [pb.SendForApprovalRequest(part=part) for part in parts]
    code = fails(lambda: prep.drafts.SendForApproval(iter(mixed), **prep.with_session))[0]
    assert code is Code.INVALID_ARGUMENT


def test_a_cohort_that_nobody_may_answer_does_not_wait(desks: dict[str, Desk]) -> None:
    few = replace(COHORT, cohort=COHORT.cohort[:3])
    code, _, details, _ = fails(lambda: desks["prep"].submit("few", few, SUM))
    assert (code, details["rule"]) == (Code.PERMISSION_DENIED, "min_cohort")


def test_a_platform_has_no_drafts(world: World, node: Province, desks: dict[str, Desk]) -> None:
    """Its certificate has its own people behind it; a draft is a person's."""
    with channel(node.platform_port, target_name("45"), world.federation.client("45", "intake")) as opened:
        stub = drafts_pb2_grpc.DraftServiceStub(opened)
        calls = (
            lambda: stub.SaveDraft(pb.SaveDraftRequest(kind=SUM), timeout=60),
            lambda: stub.Approve(pb.ApproveRequest(), timeout=60),
            lambda: list(stub.GetContent(pb.GetContentRequest(), timeout=60)),
        )
        for call in calls:
            code, _, details, _ = fails(call)
            assert (code, details["rule"]) == (Code.PERMISSION_DENIED, "right")


def test_a_role_that_may_not_approve_is_on_record(node: Province, desks: dict[str, Desk]) -> None:
    eyes = desks["eyes"]
    code = fails(lambda: eyes.drafts.Approve(pb.ApproveRequest(), **eyes.with_session))[0]
    assert code is Code.PERMISSION_DENIED
    last = read_events(node, "call_refused")[-1]
    assert (last["user"], last["method"]) == ("eyes", "/heqiao.platform.v1.DraftService/Approve")


def test_a_leaver_in_mid_session_and_mid_stream(
    node: Province, line: grpc.Channel, desks: dict[str, Desk]
) -> None:
    boss, people, now = desks["boss"], people_of(node.node), utc_now()
    new = NewUser("gone", "李华", COUNTY, frozenset({Role.PREPARER}), now.date() - timedelta(days=1))
    gone = Desk(line, "gone", users.add(people, new, None, now))
    gone.sessions.GetPerson(session_pb2.GetPersonRequest(), **gone.with_session)
    boss.users.DisableUser(users_pb2.DisableUserRequest(account="gone"), **boss.with_session)
    asked = session_pb2.GetPersonRequest()
    assert fails(lambda: gone.sessions.GetPerson(asked, **gone.with_session))[1] == "session_ended"
    listed = boss.users.ListUsers(users_pb2.ListUsersRequest(), **boss.with_session).users
    assert {one.account: one.state for one in listed}["gone"] == "disabled"
