"""Rights at the platform port are judged where they count: a console's own, units, late messages."""

from collections.abc import Iterator
from dataclasses import replace

import grpc
import pytest
from heqiao.platform.v1 import (
    cases_pb2,
    cases_pb2_grpc,
    drafts_pb2,
    drafts_pb2_grpc,
    notices_pb2,
    notices_pb2_grpc,
    platform_pb2,
    platform_pb2_grpc,
    session_pb2,
    session_pb2_grpc,
    watch_pb2,
    watch_pb2_grpc,
)

from keys import passwords, target_name
from node.client.platform import Platform
from node.clock import utc_now
from node.database import notices as notice_rows
from node.domain.job_access import NODE
from node.domain.notices import Level, Notice, NoticeKind
from node.domain.rights import CONSOLE, RPCS
from node.domain.users import Role
from node.governance import users
from node.jobs.acting import people_of
from node.wire import platform
from testbed import trial
from tests.support.calls import fails
from tests.support.cluster import Province, World, channel, read_verification, serve_all, wait_for
from tests.support.console import COUNTY, OTHER, add_accounts
from tests.support.federation import set_config

Code = grpc.StatusCode
WHOLE = "450000000000"
WHO = {
    "prep": (COUNTY, Role.PREPARER),
    "appr": (COUNTY, Role.APPROVER),
    "chief": (WHOLE, Role.APPROVER),
    "eyes": (COUNTY, Role.OBSERVER),
    "boss": (WHOLE, Role.SECURITY),
}


@pytest.fixture(scope="module")
def node(world: World, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Province]:
    """The default: the node's own certificate is served without a session."""
    homes = {"45": world.copy(tmp_path_factory.mktemp("rights"))["45"]}
    set_config(homes["45"], "users", required=False)
    with serve_all(homes) as found:
        yield found["45"]


@pytest.fixture(scope="module")
def line(world: World, node: Province) -> Iterator[grpc.Channel]:
    """A console with a certificate of its own."""
    identity = world.federation.client("45", CONSOLE)
    with channel(node.platform_port, target_name("45"), identity) as opened:
        yield opened


@pytest.fixture(scope="module")
def sessions(node: Province) -> dict[str, dict[str, object]]:
    """What a call of each person carries."""
    found = {}
    with Platform.open(node.home, f"127.0.0.1:{node.platform_port}") as platform:
        for account, initial in add_accounts(node.node, WHO).items():
            unit, role = WHO[account]
            ready = trial.make_ready(platform, trial.Seat(account, "李华", unit, (role,)), initial)
            found[account] = {"timeout": 60, "metadata": (("heqiao-session", ready.token),)}
    return found


def test_the_certificate_of_a_console_has_no_rights_of_its_own(line: grpc.Channel, sessions) -> None:
    """Whoever takes its key still needs somebody's password and code for every call but signing in."""
    for method, right in RPCS.items():
        call = line.stream_stream(method, lambda _: b"", lambda data: data)
        code, reason, _, _ = fails(lambda call=call: list(call(iter([b""]), timeout=60)))
        assert (reason == "session_ended" and code is Code.UNAUTHENTICATED) != right.before, method
    stub = platform_pb2_grpc.PlatformServiceStub(line)
    assert stub.ListPeers(platform_pb2.ListPeersRequest(), **sessions["prep"]) is not None


def test_a_person_signs_in_over_it(line: grpc.Channel, sessions) -> None:
    stub = session_pb2_grpc.SessionServiceStub(line)
    request = session_pb2.SignInRequest(account="prep", password="a wrong password")
    assert fails(lambda: stub.SignIn(request, timeout=60))[1] == "sign_in"
    person = stub.GetPerson(session_pb2.GetPersonRequest(), **sessions["prep"]).person
    assert person.account == "prep"


def test_notices_of_the_node_and_of_other_units_are_not_a_countys(
    node: Province, line: grpc.Channel, sessions
) -> None:
    """A county's observer sees what is about the county; the province's sees what is about the node."""
    one = Notice(NoticeKind.LOOKS_FAILED, Level.WARNING, "look-of-others", f"unit/{OTHER}")
    with node.node.store.transaction("raise", write=True) as tx:
        for notice in (one, replace(one, owner=f"unit/{COUNTY}", subject="look-of-mine"),
                       replace(one, owner=NODE, subject="of-the-node")):  # fmt: skip
            notice_rows.add_notice(tx, notice, (), utc_now())
    stub = notices_pb2_grpc.NoticeServiceStub(line)
    shown = {
        account: {
            one.subject
            for one in stub.ListNotices(notices_pb2.ListNoticesRequest(), **sessions[account]).notices
            if one.kind == notices_pb2.NOTICE_KIND_LOOKS_FAILED
        }
        for account in ("eyes", "boss")
    }
    assert shown == {"eyes": {"look-of-mine"}, "boss": {"look-of-mine", "look-of-others", "of-the-node"}}


@pytest.mark.parametrize(
    ("method", "request_"),
    [
        ("ListReceivedCorrections", cases_pb2.ListReceivedCorrectionsRequest()),
        ("GetReceivedCorrection", cases_pb2.GetReceivedCorrectionRequest(number=1)),
        ("FindCorrectionPerson", cases_pb2.FindCorrectionPersonRequest(number=1)),
        ("AnswerCorrection", cases_pb2.AnswerCorrectionRequest(number=1)),
    ],
)
def test_what_other_provinces_ask_is_not_a_countys(
    line: grpc.Channel, sessions, method: str, request_: object
) -> None:
    """It shows a value of the register of the whole province, and which people it may be about."""
    call = getattr(cases_pb2_grpc.CaseServiceStub(line), method)
    code, _, details, _ = fails(lambda: call(request_, **sessions["appr"]))
    assert (code, details["rule"]) == (Code.PERMISSION_DENIED, "unit")
    allowed = line.unary_unary(
        f"/heqiao.platform.v1.CaseService/{method}", lambda one: one.SerializeToString(), lambda data: data
    )
    answer = allowed.future(request_, **sessions["chief"])
    assert answer.code() is not Code.PERMISSION_DENIED


def test_a_leaver_in_the_middle_of_an_upload(world: World, node: Province, line: grpc.Channel) -> None:
    """The list came while the account was disabled: nothing of it is kept."""
    account = "leaver"
    with Platform.open(node.home, f"127.0.0.1:{node.platform_port}") as found:
        initial = add_accounts(node.node, {account: (COUNTY, Role.PREPARER)})[account]
        seat = trial.Seat(account, "李华", COUNTY, (Role.PREPARER,))
        own = (("heqiao-session", trial.make_ready(found, seat, initial).token),)
    drafts = drafts_pb2_grpc.DraftServiceStub(line)
    saved = drafts.SaveDraft(drafts_pb2.SaveDraftRequest(form=b"{}"), timeout=60, metadata=own).draft
    request = read_verification(world.data, ("C21",), ("44",), most=2)

    def upload() -> Iterator[drafts_pb2.SendForApprovalRequest]:
        named = drafts_pb2.DraftVersion(draft_id=saved.draft_id, version=saved.version)
        yield drafts_pb2.SendForApprovalRequest(draft=named)
        users.disable(people_of(node.node), account, None, utc_now())
        for part in platform.submission("of-a-leaver", request):
            yield drafts_pb2.SendForApprovalRequest(part=drafts_pb2.DraftPart(verification=part))

    assert fails(lambda: drafts.SendForApproval(upload(), timeout=60, metadata=own))[1] == "session_ended"


def test_one_person_does_not_take_every_place(line: grpc.Channel, sessions) -> None:
    """All people come over one console: who opens streams without end shuts nobody else out."""
    watches = watch_pb2_grpc.WatchServiceStub(line)
    jobs = platform_pb2_grpc.PlatformServiceStub(line)

    def listed(account: str) -> str:
        try:
            jobs.ListJobs(platform_pb2.ListJobsRequest(), **sessions[account])
        except grpc.RpcError as error:
            return str(error.code())
        return "listed"

    opened = []

    def is_full() -> bool:
        opened.append(watches.WatchAlerts(watch_pb2.WatchAlertsRequest(), **sessions["prep"]))
        return listed("prep") == str(Code.RESOURCE_EXHAUSTED)

    try:
        wait_for(is_full, 30, "nothing is bounded", 0.05)
        assert listed("appr") == "listed"
    finally:
        for stream in opened:
            stream.cancel()
    wait_for(lambda: listed("prep") == "listed", 20, "the places are not given back")


def test_strangers_who_sign_in_all_at_once_leave_room(line: grpc.Channel, sessions) -> None:
    """A password takes a hash that few may compute at once: the others wait, and hold a thread each."""
    stub = session_pb2_grpc.SessionServiceStub(line)
    jobs = platform_pb2_grpc.PlatformServiceStub(line)
    busy = [passwords._AT_ONCE.acquire() for _ in range(2)]
    tries = []
    try:
        for number in range(80):
            request = session_pb2.SignInRequest(account=f"nobody-{number}", password="a wrong password")
            tries.append(stub.SignIn.future(request, timeout=60))
        wait_for(lambda: any(one.done() for one in tries), 30, "none is refused")
        assert jobs.ListJobs(platform_pb2.ListJobsRequest(), **sessions["appr"]) is not None
    finally:
        for _ in busy:
            passwords._AT_ONCE.release()
    codes = {one.code() for one in tries}
    assert codes == {Code.PERMISSION_DENIED, Code.RESOURCE_EXHAUSTED}
