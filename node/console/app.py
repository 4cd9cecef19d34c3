"""The console as an ASGI application: its addresses, and what an error shows."""

import functools
from collections.abc import Callable
from typing import Final

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from node.client.platform import Platform
from node.console import kept_forms
from node.console.guard import Guard, TooLargeError
from node.console.pages import (
    account,
    alerts,
    approvals,
    checks,
    corrections,
    deadlines,
    health,
    households,
    imports,
    jobs,
    keys,
    mandates,
    objections,
    peers,
    persons,
    records,
    reference,
    report_files,
    requests,
    security,
    sign_in,
    statistics,
    sums,
    users,
    verify,
    watch_lists,
    works,
)
from node.console.render import STATIC_FOLDER, show, show_outside
from node.console.rights import role_words
from node.console.visits import SESSION, SIGN_IN, Page, Visit, endpoint
from node.errors import (
    InvalidRequestError,
    LimitError,
    NodeError,
    NotFoundError,
    PreconditionError,
    RefusedError,
    SessionEndedError,
    UnavailableError,
    UnreachableError,
)
from node.telemetry import log

GET, POST = ["GET"], ["POST"]
# Every address: path, methods, page. Tests walk it.
PAGES: Final[tuple[tuple[str, list[str], Page], ...]] = (
    ("/", GET, account.show_home),
    (SIGN_IN, GET, sign_in.show_sign_in),
    (SIGN_IN, POST, sign_in.sign_in),
    ("/sign-in/code", GET, sign_in.show_code),
    ("/sign-in/code", POST, sign_in.finish),
    ("/sign-in/second-factor", GET, sign_in.show_second_factor),
    ("/ready", GET, sign_in.show_ready),
    ("/ready", POST, sign_in.make_ready),
    ("/sign-out", POST, sign_in.sign_out),
    ("/language", POST, sign_in.set_language),
    ("/large", POST, sign_in.set_large),
    ("/account", GET, account.show_account),
    ("/session", GET, account.go_on),
    ("/account/password", POST, account.save_password),
    ("/account/sessions", POST, account.end_sessions),
    ("/users", GET, users.show_users),
    ("/users", POST, users.add_user),
    ("/users/change", POST, users.change_user),
    (verify.PATH, GET, verify.show_verify),
    (verify.PATH, POST, verify.check),
    ("/catalogue", GET, reference.show_catalogue),
    ("/peers", GET, peers.show_peers),
    ("/peers", POST, peers.act),
    ("/incoming", GET, records.show_incoming),
    (imports.PATH, GET, imports.show_imports),
    ("/imports/sources", GET, imports.show_sources),
    (imports.FILES, GET, imports.show_files),
    (imports.FILES, POST, imports.act_on_files),
    ("/imports/{number}", GET, imports.show_import),
    ("/imports/{number}/rejects", POST, imports.download_rejects),
    ("/quality/{number}", GET, imports.show_quality),
    ("/audit", GET, records.show_audit),
    ("/audit", POST, records.filter_audit),
    ("/audit/verify", POST, records.verify_audit),
    ("/audit/export", POST, records.export_audit),
    ("/keys", GET, security.show_keys),
    (keys.BACKUPS, GET, keys.show_backups),
    (keys.BACKUPS, POST, keys.back_up),
    (keys.CERTIFICATE, GET, keys.show_certificate),
    (keys.CERTIFICATE, POST, keys.change_certificate),
    ("/keys/certificate/request", GET, keys.download_request),
    (keys.EPOCHS, GET, keys.show_epochs),
    (keys.EPOCHS, POST, keys.end_epoch),
    ("/access", GET, security.show_access),
    ("/access", POST, security.change_access),
    ("/requests", GET, requests.show_requests),
    ("/requests", POST, requests.carry_out),
    ("/requests/{request}", GET, requests.show_request),
    ("/requests/{request}", POST, requests.approve),
    ("/requests/{request}/withdraw", POST, requests.withdraw),
    ("/works", GET, works.show_works),
    ("/works", POST, works.start),
    ("/works/progress", GET, works.show_progress),
    ("/peers/add", POST, peers.add),
    ("/health", GET, health.show_health),
    ("/checks", GET, checks.show_drafts),
    ("/checks", POST, checks.begin),
    ("/checks/{draft}", GET, checks.show_step),
    ("/checks/{draft}", POST, checks.save_step),
    ("/checks/{draft}/send", POST, checks.send),
    ("/checks/{draft}/delete", POST, checks.delete),
    (persons.PATH, GET, persons.nothing),
    (persons.PATH, POST, persons.show_one),
    ("/sums", POST, sums.begin),
    ("/sums/{draft}", GET, sums.show_sum),
    ("/sums/{draft}", POST, sums.send),
    ("/watches", POST, watch_lists.begin),
    ("/watches/{draft}", GET, watch_lists.show_watch),
    ("/watches/{draft}", POST, watch_lists.send),
    ("/approvals", GET, approvals.show_waiting),
    ("/approvals/{draft}", GET, approvals.show_approval),
    ("/approvals/{draft}", POST, approvals.decide),
    (mandates.PATH, GET, mandates.show_mandates),
    (mandates.PATH, POST, mandates.add_list),
    ("/mandates/show", GET, mandates.back_to_list),
    ("/mandates/show", POST, mandates.show_mandate),
    ("/mandates/revoke", GET, mandates.back_to_list),
    ("/mandates/revoke", POST, mandates.revoke),
    ("/jobs", GET, jobs.show_jobs),
    ("/jobs/{job}", GET, jobs.show_job),
    ("/jobs/{job}/progress", GET, jobs.show_progress),
    ("/jobs/{job}/cancel", POST, jobs.cancel),
    ("/jobs/{job}/report", GET, jobs.show_report),
    ("/jobs/{job}/retry", POST, jobs.retry),
    ("/jobs/{job}/files/{kind}", GET, report_files.download),
    ("/jobs/{job}/objection", GET, objections.show_new),
    ("/jobs/{job}/objection", POST, objections.add),
    ("/jobs/{job}/correction", GET, corrections.show_new),
    ("/jobs/{job}/correction", POST, corrections.send),
    (corrections.PATH, GET, corrections.show_corrections),
    ("/corrections/sync", POST, corrections.sync),
    ("/corrections/{number}", GET, corrections.show_received),
    ("/corrections/{number}", POST, corrections.answer),
    ("/corrections/{number}/find", POST, corrections.find),
    ("/objections", GET, objections.show_objections),
    ("/objections/{objection}", GET, objections.show_objection),
    ("/objections/{objection}", POST, objections.close),
    ("/objections/{objection}/recheck", POST, objections.recheck),
    ("/statistics", GET, statistics.show_statistics),
    ("/statistics/{kind}", GET, statistics.download),
    ("/deadlines", GET, deadlines.show_deadlines),
    ("/households", GET, households.show_households),
    ("/households", POST, households.use_household),
    ("/alerts", GET, alerts.show_alerts),
    ("/alerts", POST, alerts.acknowledge),
    ("/alerts/look", POST, alerts.look_again),
)
_STATUS: Final[tuple[tuple[type[NodeError], int, str, str], ...]] = (
    (UnreachableError, 503, "节点暂时无法连接", "草稿已保留。请稍后重试；若持续出现，请告知系统管理员。"),
    (LimitError, 429, "请求过于频繁", "请稍后重试。"),
    (UnavailableError, 503, "节点暂时无法处理", "请稍后重试；若持续出现，请告知系统管理员。"),
    (NotFoundError, 404, "没有这个页面或任务", "它可能已被删除，或不属于您的单位。"),
    (InvalidRequestError, 400, "提交的内容有误", "请返回上一页检查后再提交。"),
    (PreconditionError, 409, "现在不能这样做", "内容可能已被他人更改，请刷新后重试。"),
)
_AWAY: Final = 503
_RULES: Final = {
    "right": "您的角色没有此项权限。",
    "unit": "此项涉及全省，由省级单位的人员办理，请与他们联系。",
    "csrf": "表单已过期或来自其他页面，请刷新后重新提交。",
    "own_draft": "不能复核自己经办的核对，请由本单位另一位复核人办理。",
    "need_confidentiality": "请先签署保密承诺书。",
}


def make_app(platform: Platform, upload_bytes: int) -> Callable[..., object]:
    """The application; it asks one node over `platform`, for people only, and takes uploads of that size."""
    platform = platform.for_people()
    routes: list[Route | Mount] = [
        Route(path, endpoint(page, platform, fail), methods=methods) for path, methods, page in PAGES
    ]
    routes.append(Mount("/static", StaticFiles(directory=STATIC_FOLDER)))
    app = Starlette(
        routes=routes,
        exception_handlers={
            404: functools.partial(_plain, platform, NotFoundError("no such page")),
            405: functools.partial(_plain, platform, InvalidRequestError("no such action")),
            400: functools.partial(_plain, platform, InvalidRequestError("a malformed form")),
            TooLargeError: functools.partial(
                _plain, platform, InvalidRequestError("the upload is too large")
            ),
            Exception: functools.partial(_plain, platform, UnavailableError("the page failed")),
        },
    )
    return Guard(app, upload_bytes)


def fail(visit: Visit, error: NodeError) -> Response:
    """The page of an error: what happened and what to do; a session that ended leads to signing in."""
    if isinstance(error, SessionEndedError):
        visit.keep(SESSION, None)
        if "hx-request" in visit.request.headers:  # a part of a page: the whole of it leads to signing in
            return Response(status_code=204, headers={"HX-Refresh": "true"})
        kept = kept_forms.seal(visit)
        return sign_in.ask_again(visit, kept) if kept else visit.go(SIGN_IN)
    rule = error.details.get("rule", "")
    if rule.startswith("need_"):
        return visit.go("/ready")
    if isinstance(error, RefusedError):
        code, title, advice = 403, "没有权限", _RULES.get(rule, "此操作不被允许。")
    else:
        code, title, advice = next(
            ((status, title, advice) for kind, status, title, advice in _STATUS if isinstance(error, kind)),
            (500, "页面出错", "请稍后重试；若持续出现，请告知系统管理员。"),
        )
    who = role_words(error.details.get("roles", "").split(), visit.lang)
    again = kept_forms.fields_of(visit) if code == _AWAY and visit.request.method == "POST" else None
    values = {"title": title, "advice": advice, "rule": rule, "who": who, "again": again}
    try:
        return show(visit, "error.html", values, status=code)
    except NodeError:  # the node does not answer: no frame with what it would say
        return show_outside(visit, "error.html", values, status=code)


def _plain(platform: Platform, error: NodeError, request: Request, cause: Exception) -> Response:
    if isinstance(error, UnavailableError):
        log.get_logger().error("page_failed", kind=type(cause).__name__, where=log.where(cause))
    return fail(Visit(request, platform), error)
