"""People at a served node: every call is judged by session, role and unit; one prepares, another approves."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import grpc
import pyotp
import pytest
from heqiao.admin.v1 import users_pb2, users_pb2_grpc
from heqiao.platform.v1 import drafts_pb2 as pb
from heqiao.platform.v1 import drafts_pb2_grpc, platform_pb2, platform_pb2_grpc, session_pb2, session_pb2_grpc

from keys import target_name
from node.clock import utc_now
from node.database import users as rows
from node.domain.rights import RPCS
from node.domain.users import NewUser, Role
from node.governance import users
from node.jobs.acting import people_of
from node.wire import platform
from tests.support.calls import fails
from tests.support.cluster import Province, World, channel, read_verification, serve_all, wait_report
from tests.support.federation import set_config

Code = grpc.StatusCode
COUNTY, OTHER, PASSWORD = "450124000000", "450125000000", "correct horse battery"
WHO = {
    "prep": (COUNTY, {Role.PREPARER}),
    "appr": (COUNTY, {Role.APPROVER}),
    "both": (COUNTY, {Role.PREPARER, Role.APPROVER}),
    "away": (OTHER, {Role.PREPARER, Role.APPROVER}),
    "boss": ("450000000000", {Role.SECURITY}),
    "eyes": (COUNTY, {Role.OBSERVER}),
}


class Desk:
    """A person at the node's platform port, signed in through it."""

    def __init__(self, line: grpc.Channel, account: str, initial: str) -> None:
        self.account = account
        self.sessions = session_pb2_grpc.SessionServiceStub(line)
        self.drafts = drafts_pb2_grpc.DraftServiceStub(line)
        self.jobs = platform_pb2_grpc.PlatformServiceStub(line)
        self.users = users_pb2_grpc.UserServiceStub(line)
        begun = self.sessions.SignIn(session_pb2.SignInRequest(account=account, password=initial), timeout=60)
        asked = session_pb2.BeginSecondFactorRequest(token=begun.token)
        self.totp = pyotp.TOTP(self.sessions.BeginSecondFactor(asked, timeout=60).secret)
        done = session_pb2.FinishSignInRequest(token=begun.token, code=self.code())
        self.with_session = {
            "timeout": 60,
            "metadata": (("heqiao-session", self.sessions.FinishSignIn(done, timeout=60).token),),
        }
        changed = session_pb2.ChangePasswordRequest(old_password=initial, new_password=PASSWORD)
        self.sessions.ChangePassword(changed, **self.with_session)
        person = self.sessions.GetPerson(session_pb2.GetPersonRequest(), **self.with_session).person
        assert person.need == "confidentiality"
        self.sessions.SignRecord(
            session_pb2.SignRecordRequest(version=person.record_version), **self.with_session
        )

    def code(self) -> str:
        """The code of now; `fresh_codes` says that it was not used."""
        return self.totp.at(utc_now())

    def submit(self, job: str, request) -> pb.Draft:
        saved = self.drafts.SaveDraft(pb.SaveDraftRequest(form=b"{}"), **self.with_session).draft
        named = pb.DraftVersion(draft_id=saved.draft_id, version=saved.version)
        parts = [pb.SendForApprovalRequest(draft=named)]
        parts += [pb.SendForApprovalRequest(part=part) for part in platform.submission(job, request)]
        return self.drafts.SendForApproval(iter(parts), **self.with_session).draft

    def approve(self, draft: pb.Draft, code: str = "", **changed: object) -> pb.Draft:
        values = {"draft_id": draft.draft_id, "version": draft.version, "digest": draft.digest, **changed}
        request = pb.ApproveRequest(**values, password=PASSWORD, code=code or self.code())
        return self.drafts.Approve(request, **self.with_session).draft


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


def fresh_codes(node: Province) -> None:
    """Nobody waits for the next half minute: all codes count as not used."""
    with node.node.store.transaction("fresh codes", write=True) as tx:
        for account in WHO:
            rows.change_user(tx, account, {"totp_step": 0})


@pytest.fixture(autouse=True)
def _fresh_codes(node: Province, desks: dict[str, Desk]) -> None:
    fresh_codes(node)


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


def test_another_unit_sees_and_approves_nothing(desks: dict[str, Desk], request_of) -> None:
    waiting, away = desks["prep"].submit("guessed", request_of), desks["away"]
    assert not away.drafts.ListDrafts(pb.ListDraftsRequest(state="waiting"), **away.with_session).drafts
    assert fails(lambda: away.approve(waiting))[0] is Code.NOT_FOUND
    asked = pb.GetDraftRequest(draft_id=waiting.draft_id)
    assert fails(lambda: away.drafts.GetDraft(asked, **away.with_session))[0] is Code.NOT_FOUND
    assert not away.jobs.ListJobs(platform_pb2.ListJobsRequest(), **away.with_session).jobs


def test_nobody_approves_the_own_draft(desks: dict[str, Desk], request_of) -> None:
    waiting = desks["both"].submit("own", request_of)
    code, _, details, _ = fails(lambda: desks["both"].approve(waiting))
    assert (code, details["rule"]) == (Code.PERMISSION_DENIED, "own_draft")


def test_an_altered_draft_is_not_approved(
    world: World, node: Province, desks: dict[str, Desk], request_of
) -> None:
    """Returned, changed and sent again: the approval names what the approver had seen before."""
    prep, both = desks["prep"], desks["both"]
    waiting = prep.submit("altered", request_of)
    given = pb.ReturnRequest(draft_id=waiting.draft_id, version=waiting.version, reason="授权书缺一人")
    returned = both.drafts.Return(given, **both.with_session).draft
    read = prep.drafts.GetDraft(pb.GetDraftRequest(draft_id=waiting.draft_id), **prep.with_session)
    assert (returned.state, read.reason) == ("returned", "授权书缺一人")
    more = read_verification(world.data, ("C21",), ("44",), most=3)
    named = pb.DraftVersion(draft_id=waiting.draft_id, version=returned.version)
    parts = [pb.SendForApprovalRequest(draft=named)]
    parts += [pb.SendForApprovalRequest(part=one) for one in platform.submission("altered", more)]
    again = prep.drafts.SendForApproval(iter(parts), **prep.with_session).draft
    assert again.digest != waiting.digest
    for old in ({"version": waiting.version}, {"digest": waiting.digest}):
        fresh_codes(node)
        code, _, details, _ = fails(lambda old=old: both.approve(again, **old))
        assert (code, details["rule"]) == (Code.FAILED_PRECONDITION, "draft_version")


def test_of_two_approvers_at_once_one_is_first(node: Province, desks: dict[str, Desk], request_of) -> None:
    waiting = desks["prep"].submit("race", request_of)

    def approve(account: str) -> str:
        desk = desks[account]
        try:
            return desk.approve(waiting).state
        except grpc.RpcError as error:
            return str(error.code())

    with ThreadPoolExecutor(2) as pool:
        found = sorted(pool.map(approve, ("appr", "both")))
    assert found == [str(Code.FAILED_PRECONDITION), "sent"]
    wait_report(node.node, "race")


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
