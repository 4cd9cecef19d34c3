"""The own account: sessions, password, confidentiality record; and the first page."""

from starlette.responses import Response

from node.client.cases import Cases
from node.client.people import Drafts, People
from node.client.watches import Watches
from node.console.pages.deadlines import OPEN
from node.console.pages.requests import waiting_for
from node.console.pages.sign_in import change_password, problem_of
from node.console.render import show
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
    """All other sessions."""
    ended = People(visit.node).end_other_sessions()
    return _account(visit, "", visit.say("已结束{count}个其他会话。", count=ended))


def show_home(visit: Visit) -> Response:
    """What waits for the person, and what is under way."""
    if visit.person.need:
        return visit.go("/ready")
    roles = set(map(Role, visit.person.roles))
    tasks: list[dict[str, object]] = []
    if Role.PREPARER in roles:
        drafts = Drafts(visit.node)
        for state, words in (("returned", "被退回、待修改的核对"), ("draft", "未完成的核对草稿")):
            found = drafts.list(state, limit=_SHOWN)
            mine = [one for one in found.drafts if one.preparer == visit.person.account]
            tasks.append({"words": words, "count": len(mine), "path": f"/checks?state={state}"})
    if Role.APPROVER in roles:
        waiting = Drafts(visit.node).list("waiting", limit=_SHOWN)
        others = [one for one in waiting.drafts if one.preparer != visit.person.account]
        tasks.append({"words": "待我复核的核对", "count": len(others), "path": "/approvals"})
    officer = bool(roles & {Role.PREPARER, Role.APPROVER})
    tasks += _cases(visit) if officer else []
    tasks += waiting_for(visit)
    running = visit.node.jobs(_SHOWN, states=OPEN_STATES).jobs if officer else ()
    return show(visit, "home.html", {"tasks": tasks, "running": running, "officer": officer})


def _cases(visit: Visit) -> list[dict[str, object]]:
    """What waits for officers beside checks: objections, alerts, provinces that do not answer."""
    waiting = Cases(visit.node).objections(waiting=True)
    alerts = Watches(visit.node).alerts(limit=_MOST, open_only=True)
    late = [one for one in visit.node.deadlines(_MOST)[0] if one.stage != OPEN]
    return [
        {"words": "未办结的异议", "count": len(waiting), "path": "/objections?waiting=1"},
        {"words": "未处置的预警", "count": len(alerts), "path": "/alerts"},
        {"words": "逾期未答复的省份", "count": len(late), "path": "/deadlines"},
    ]


def _account(visit: Visit, problem: str, done: str, status: int = 200) -> Response:
    values = {"sessions": People(visit.node).sessions(), "problem": problem, "done": done}
    return show(visit, "account.html", values, status=status)
