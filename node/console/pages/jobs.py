"""Jobs of the unit: their list, progress province by province, report."""

from functools import partial
from typing import Final
from urllib.parse import urlencode

from starlette.responses import Response

from node.console.pages import results, sums
from node.console.render import show
from node.console.rights import may
from node.console.visits import Visit
from node.domain.job_progress import JobPage
from node.domain.jobs import STATES as JOB_STATES
from node.domain.jobs import SUM
from node.errors import InvalidRequestError
from node.reports.part_reasons import part_reason_text

_SHOWN: Final = 50
STATES: Final = {
    "queued": "排队",
    "running": "进行中",
    "done": "已完成",
    "failed": "失败",
    "cancelled": "已取消",
    "pending": "待查询",
    "manifest": "核对目录",
    "sync": "更新镜像",
    "evaluate": "加密查询",
    "fetch": "取回结果",
    "waiting": "等待对方配额",
    "refused": "被拒绝",
    "unavailable": "无法连接",
    "overdue": "逾期未复",
    "distrusted": "结果不可信",
}
_OPEN: Final = ("queued", "running")
_ASKABLE: Final = ("refused", "unavailable", "overdue")
_FILES: Final = (
    ("pdf", "PDF文件"),
    ("xlsx", "Excel文件"),
    ("html", "网页文件"),
    ("json", "JSON文件"),
    ("zip", "PDF文件及签名（ZIP）"),
)


def show_jobs(visit: Visit) -> Response:
    """A page of them, newest first: of a state, of a unit and those below it."""
    asked = visit.request.query_params
    state, unit, after = (asked.get(name, "").strip() for name in ("state", "unit", "after"))
    states = (state,) if state in JOB_STATES else ()
    found, problem = JobPage(()), ""
    try:
        found = visit.node.jobs(_SHOWN, after=after, states=states, unit=unit)
    except InvalidRequestError:
        problem, unit = visit.say("单位代码须为12位数字，如450124000000"), ""
    chosen = {"state": "".join(states), "unit": unit}
    values = {
        **chosen,
        "jobs": found.jobs,
        "states": STATES,
        "choices": [("", visit.say("全部")), *((one, visit.say(STATES[one])) for one in JOB_STATES)],
        "problem": problem,
        "after": after,
        "newest": urlencode(chosen),
        "next": urlencode({**chosen, "after": found.next}) if found.next else "",
    }
    return show(visit, "jobs.html", values, status=422 if problem else 200)


def show_job(visit: Visit) -> Response:
    """One job: what was asked, and how far each province is."""
    return show(visit, "job.html", _job(visit))


def show_progress(visit: Visit) -> Response:
    """The part of the page that changes."""
    return show(visit, "job_progress.html", _job(visit))


def reason_words(visit: Visit, reason: str) -> str:
    """Why a province has not answered; nothing where there is no reason."""
    return part_reason_text(reason, visit.lang) if reason else ""


def cancel(visit: Visit) -> Response:
    """Stop the job; what has ended stays."""
    job = visit.request.path_params["job"]
    visit.node.cancel(job)
    return visit.go(f"/jobs/{job}")


def retry(visit: Visit) -> Response:
    """Ask one province again whose part was refused, or got no answer."""
    job = visit.request.path_params["job"]
    visit.node.retry(job, visit.field("peer", 2))
    return visit.go(f"/jobs/{job}")


def show_report(visit: Visit) -> Response:
    """Every answer, by person, item and province."""
    job = visit.request.path_params["job"]
    if visit.node.job(job).kind == SUM:
        return sums.show_report(visit, job)
    return results.show_results(visit, job)


def _job(visit: Visit) -> dict[str, object]:
    job = visit.node.job(visit.request.path_params["job"])
    return {
        "job": job,
        "states": STATES,
        "is_open": job.state in _OPEN,
        "askable": _ASKABLE,
        "files": _FILES,
        "reason_words": partial(reason_words, visit),
        "may_watch": may(visit.person, "DraftService/SaveDraft", "platform"),
    }
