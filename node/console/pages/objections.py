"""Objections to reports (异议): recorded, with their clocks, and closed; the node judges what may be."""

from datetime import date
from typing import Final

from starlette.responses import Response

from node.client.cases import Cases
from node.client.drafts import Drafts
from node.clock import utc_now
from node.console import forms
from node.console.pages.sign_in import problem_of
from node.console.render import show
from node.console.visits import Visit
from node.domain.days import china_day
from node.domain.objections import RESULTS, NewObjection, Target
from node.domain.users import Role
from node.errors import InputError, InvalidRequestError, NodeError, NotFoundError, PreconditionError

STATES: Final = {"open": "待处理", "rechecking": "重新核对中", "closed": "已办结"}
RESULT_WORDS: Final = {
    "changed": "结果有变化",
    "unchanged": "结果无变化",
    "corrected": "对方已更正",
    "withdrawn": "申请人撤回",
    "not_rechecked": "未重新核对",
}
_PROBLEMS: Final = {
    "the report names no such household or person": "报告中没有这一户或这个人",
    "the report has no such item": "报告中没有这个项目",
    "the report has no such province": "报告中没有这个省份",
    "grounds and names must hold no identity number": "异议人和理由中不得填写证件号码",
    "a report is not received before it is finished": "收到报告的日期不得早于报告完成之日",
    "an objection is raised after the report, and not after today": "提出日期不得早于收到之日、晚于今天",
}


def show_objections(visit: Visit) -> Response:
    """All objections of the unit, or those that wait, without who objects and why."""
    waiting = visit.request.query_params.get("waiting", "") == "1"
    values = {
        "objections": Cases(visit.node).objections(waiting=waiting),
        "waiting": waiting,
        "states": STATES,
        "results": RESULT_WORDS,
    }
    return show(visit, "objections.html", values)


def show_new(visit: Visit) -> Response:
    """The form for an objection to the report of a job."""
    return _new(visit)


def add(visit: Visit) -> Response:
    """Record an objection."""
    job = visit.request.path_params["job"]
    target = Target(
        visit.field("household", 200),
        visit.field("person", 200),
        visit.field("item", 16),
        visit.field("peer", 2),
    )
    try:
        new = NewObjection(
            job,
            "",
            target,
            visit.field("raised_by", 200),
            visit.field("grounds", 1_000),
            _day(visit.field("received", 10)),
            _day(visit.field("raised", 10)),
        )
        found = Cases(visit.node).add_objection(new)
    except (InputError, InvalidRequestError, PreconditionError) as error:
        return _new(visit, problem=_words(visit, error), status=422)
    return visit.go(f"/objections/{found.id}")


def show_objection(visit: Visit) -> Response:
    """One objection with all of it."""
    return _show(visit)


def close(visit: Visit) -> Response:
    """Close it with a result."""
    objection, result = visit.request.path_params["objection"], visit.field("result", 32)
    if result not in RESULTS:
        return _show(visit, problem=visit.say("请选择办理结果"), status=422)
    Cases(visit.node).close_objection(objection, result)
    return visit.go(f"/objections/{objection}")


def recheck(visit: Visit) -> Response:
    """Look again, as a draft that another person approves: a new one, or one that was returned."""
    objection, drafts = visit.request.path_params["objection"], Drafts(visit.node)
    draft, version = visit.field("draft", 64), visit.number("version")
    given = bool(draft)
    if not given:
        saved = drafts.save(forms.pack_recheck(objection))
        draft, version = saved.draft_id, saved.version
    try:
        Cases(visit.node).recheck(objection, draft=draft, version=version)
    except NodeError:
        if not given:
            drafts.delete(draft)
        raise
    return visit.go(f"/objections/{objection}")


def _is_begun(visit: Visit, job: str) -> bool:
    """Whether a job was approved and submitted."""
    try:
        return bool(job) and bool(visit.node.job(job))
    except NotFoundError:
        return False


def _show(visit: Visit, *, problem: str = "", status: int = 200) -> Response:
    one = Cases(visit.node).objection(visit.request.path_params["objection"])
    values = {
        "one": one,
        "is_begun": _is_begun(visit, one.recheck_job),
        "may_prepare": Role.PREPARER in set(map(Role, visit.person.roles)),
        "states": STATES,
        "results": RESULT_WORDS,
        "problem": problem,
    }
    return show(visit, "objection.html", values, status=status)


def _new(visit: Visit, *, problem: str = "", status: int = 200) -> Response:
    job = visit.node.job(visit.request.path_params["job"])
    names = ("household", "person", "item", "peer", "raised_by", "grounds", "received", "raised")
    typed = {name: visit.field(name, 1_000) for name in names}
    today = china_day(utc_now()).isoformat()
    typed["received"], typed["raised"] = typed["received"] or today, typed["raised"] or today
    values = {"job": job, "typed": typed, "problem": problem}
    return show(visit, "objection_new.html", values, status=status)


def _words(visit: Visit, error: InputError | InvalidRequestError | PreconditionError) -> str:
    known = _PROBLEMS.get(error.message)
    return visit.say(known) if known else problem_of(visit, error)


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise InputError("日期请按YYYY-MM-DD填写") from None
