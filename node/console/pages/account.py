"""The own account: sessions, password, confidentiality record; and the first page."""

from dataclasses import dataclass
from datetime import UTC, datetime

from starlette.responses import JSONResponse, Response

from node.client.cases import Cases
from node.client.drafts import Drafts
from node.client.people import People
from node.client.watches import Watches
from node.console.pages.deadlines import OPEN, left_words
from node.console.pages.jobs import STATES
from node.console.pages.requests import waiting_for
from node.console.pages.sign_in import change_password, problem_of
from node.console.render import hour_words, seconds_left, show
from node.console.rights import may
from node.console.visits import Visit
from node.domain.jobs import OPEN_STATES
from node.domain.users import Role
from node.errors import InputError, SignInError

_SHOWN = 20
_MOST = 1_000


def show_account(visit: Visit) -> Response:
    """Last sign-in, sessions, record, and the form for another password."""
    return _account(visit, "", "")


def save_password(visit: Visit) -> Response:
    """Another password."""
    try:
        change_password(visit)
    except (InputError, SignInError) as error:
        return _account(visit, problem_of(visit, error), "", status=422)
    return _account(visit, "", visit.say("密码已更改，其他会话已结束。"))


def end_sessions(visit: Visit) -> Response:
    """The other session that the form names, or all others."""
    people = People(visit.node)
    if session := visit.octets("session"):
        people.end_session(session)
        return _account(visit, "", visit.say("已结束{count}个其他会话。", count=1))
    ended = people.end_other_sessions()
    return _account(visit, "", visit.say("已结束{count}个其他会话。", count=ended))


def go_on(visit: Visit) -> Response:
    """For the warning before a session ends: this call has lengthened it."""
    found = visit.frame
    return JSONResponse({"seconds": seconds_left(found), "until": hour_words(found.session_until)})


def show_home(visit: Visit) -> Response:
    """What waits for the person, and what is under way."""
    if visit.person.need:
        return visit.go("/ready")
    roles = set(map(Role, visit.person.roles))
    tasks: list[Task] = []
    under_way: list[Task] = []
    if Role.PREPARER in roles:
        for state, words in (("returned", "被退回、待修改的核对"), ("draft", "未完成的核对草稿")):
            tasks.append(_drafts(visit, state, words, f"/checks?state={state}", own=True))
        under_way = [_drafts(visit, "waiting", "已提交、待他人复核的核对", "/checks?state=waiting", own=True)]
    if Role.APPROVER in roles:
        tasks.append(_drafts(visit, "waiting", "待我复核的核对", "/approvals", own=False))
    officer = bool(roles & {Role.PREPARER, Role.APPROVER})
    tasks += _cases(visit) if officer else []
    tasks += [Task(**one) for one in waiting_for(visit)]  # type: ignore[arg-type]
    running = visit.node.jobs(_SHOWN, states=OPEN_STATES).jobs if officer else ()
    values = {
        "tasks": tasks,
        "under_way": under_way,
        "running": running,
        "left": left_words(visit, [*(one.due for one in tasks), *(one.due_at for one in running)]),
        "officer": officer,
        "states": STATES,
        "others": [one for one in People(visit.node).sessions() if not one.own],
    }
    return show(visit, "home.html", values)


@dataclass(frozen=True, slots=True)
class Task:
    """A line of the first page: what waits, how much, since when, and until when the first is due."""

    words: str
    path: str
    count: int
    oldest: datetime | None = None
    due: datetime | None = None


def _drafts(visit: Visit, state: str, words: str, path: str, *, own: bool) -> Task:
    found = Drafts(visit.node).list(state, "own" if own else "others", limit=1)
    oldest = found.oldest_at.ToDatetime(tzinfo=UTC) if found.total else None
    return Task(words, path, found.total, oldest)


def _cases(visit: Visit) -> list[Task]:
    """What waits for officers beside checks: objections, corrections, alerts, late provinces."""
    cases = Cases(visit.node)
    waiting, alerts = cases.objections(waiting=True), Watches(visit.node).alerts(limit=_MOST, open_only=True)
    late = [one for one in visit.node.deadlines(_MOST)[0] if one.stage != OPEN]
    raised = [one.created_at.ToDatetime(tzinfo=UTC) for one in waiting]
    due = [one.due_at.ToDatetime(tzinfo=UTC) for one in waiting]
    found = [
        Task(
            "未办结的异议", "/objections?waiting=1", len(waiting), min(raised, default=None),
            min(due, default=None),
        ),
        Task("未处置的预警", "/alerts", len(alerts), min((one.at for one in alerts), default=None)),
        Task(
            "逾期未答复的省份", "/deadlines", len(late),
            due=min((one.clock.due_at for one in late), default=None),
        ),
    ]  # fmt: skip
    if may(visit.person, "CaseService/ListReceivedCorrections", "platform"):
        asked = cases.received_corrections(waiting=True)
        first = min((one.received_at for one in asked), default=None)
        words = "外省提出、待答复的校核"
        found.append(
            Task(words, "/corrections", len(asked), first, min((one.due_at for one in asked), default=None))
        )
    return found


def _account(visit: Visit, problem: str, done: str, status: int = 200) -> Response:
    people = People(visit.node)
    values = {
        "sessions": people.sessions(),
        "sign_ins": people.sign_ins(),
        "problem": problem,
        "done": done,
    }
    return show(visit, "account.html", values, status=status)
