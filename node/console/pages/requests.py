"""Dual control: what one administrator asked for, another approves; then the first one carries it out."""

import json
from collections.abc import Callable, Mapping
from typing import Final

from starlette.responses import Response

from node.client.administration import Access, Approval, Approvals, PeerAdmin, Works
from node.client.key_administration import KeyAdmin
from node.client.platform import Platform
from node.console.pages.request_words import InWords
from node.console.pages.security import ENDED
from node.console.pages.sign_in import problem_of
from node.console.problems import SHOWN, words_of
from node.console.render import show
from node.console.rights import may
from node.console.visits import Visit
from node.errors import InvalidRequestError, NotFoundError, RefusedError, SignInError

LIST: Final = "ApprovalService/ListApprovals"
STATES: Final = {
    "waiting": "待批准",
    "approved": "已批准，待办理",
    "used": "已办理",
    "expired": "已过期",
}
# The sign and colour of each, as other pages use them.
_LIGHTS: Final = {"waiting": "open", "approved": "warning", "used": "done", "expired": "expired"}
ACTIONS: Final = {
    "peers add": "添加外省节点",
    "peers remove": "移除外省节点",
    "peers resume": "恢复外省节点",
    "peers grant": "更改授权",
    "quotas set": "提高配额",
    "quotas lift": "解除暂停",
    "keys rotate": "轮换密钥",
    "keys rotate salt": "换盐",
    "keys retire": "宽限期未满停用密钥",
    "keys destroy": "销毁密钥",
    "keys backup": "备份密钥",
    "users add": "新增管理员账号",
    "users roles": "更改管理员角色",
    "users reset": "重置管理员账号",
}
_MOST: Final = 500
Details = Mapping[str, str]


def _carry_grants(node: Platform, found: Details) -> None:
    Access(node).set_grants(found["peer"], json.loads(found["grants"]))


def _carry_quota(node: Platform, found: Details) -> None:
    Access(node).set_quota(found["peer"], found["quota"], int(found["amount"]))


def _carry_lift(node: Platform, found: Details) -> None:
    Access(node).lift(found["peer"], found["measure"])


def _carry_resume(node: Platform, found: Details) -> None:
    PeerAdmin(node).resume(found["peer"])


def _carry_remove(node: Platform, found: Details) -> None:
    PeerAdmin(node).remove(found["peer"])


def _carry_rotation(node: Platform, found: Details) -> None:
    if found["purpose"] == "tls":
        KeyAdmin(node).request_certificate()
    else:
        Works(node).rotate(found["purpose"])


def _carry_salt(node: Platform, found: Details) -> None:
    KeyAdmin(node).change_salt("abandon" if "abandon" in found else found["step"])


def _carry_retirement(node: Platform, found: Details) -> None:
    KeyAdmin(node).retire(_ended_of(found)[0], early=True)


def _carry_destruction(node: Platform, found: Details) -> None:
    KeyAdmin(node).destroy(*_ended_of(found))


def _carry_backup(node: Platform, _found: Details) -> None:
    KeyAdmin(node).make_backup()


def _ended_of(found: Details) -> tuple[str, int]:
    """Purpose and epoch of the key that leads: of `paillier.1 0011...` and `sum.1 2233...` the second."""
    for named in json.loads(found["keys"]):
        purpose, _, epoch = named.split()[0].partition(".")
        if purpose in ENDED:
            return purpose, int(epoch)
    raise InvalidRequestError("no key of these is ended by itself")


# What the details say in full is done from here; the rest from its own page, where more is typed or shown.
_CARRY: Final[Mapping[str, Callable[[Platform, Details], None]]] = {
    "peers grant": _carry_grants,
    "quotas set": _carry_quota,
    "quotas lift": _carry_lift,
    "peers resume": _carry_resume,
    "peers remove": _carry_remove,
    "keys rotate": _carry_rotation,
    "keys rotate salt": _carry_salt,
    "keys retire": _carry_retirement,
    "keys destroy": _carry_destruction,
    "keys backup": _carry_backup,
}
_PAGES: Final = {"users": "/users", "keys": "/keys", "peers": "/peers"}


def show_requests(visit: Visit) -> Response:
    """All of them, those to act on first."""
    return _page(visit)


def carry_out(visit: Visit) -> Response:
    """Do what was approved, in the requester's own name: the same call again."""
    one = _find(visit, visit.field("request", 16))
    act = _CARRY.get(one.action)
    if act is None or not one.by_account:
        raise InvalidRequestError("this is carried out from its own page")
    try:
        act(visit.node, dict(one.details))
    except SHOWN as error:
        return _page(visit, problem=words_of(visit, error), status=422)
    return _page(visit, done=visit.say("已办理：{action}", action=visit.say(ACTIONS[one.action])))


def show_request(visit: Visit) -> Response:
    """One of them in full, with the form to approve it."""
    return _one(visit)


def approve(visit: Visit) -> Response:
    """Password and code again; what is approved is what was shown."""
    request = visit.request.path_params["request"]
    digest, password = visit.field("digest", 64), visit.field("password", 200)
    try:
        code = visit.field("code", 16).replace(" ", "")
        Approvals(visit.node).approve(request, digest, password, code)
    except SignInError as error:
        return _one(visit, problem=problem_of(visit, error), status=422)
    except RefusedError as error:
        if error.details.get("rule") not in ("own_request", "request_altered"):
            raise
        return _one(visit, problem=words_of(visit, error), status=422)
    except SHOWN as error:
        return _one(visit, problem=words_of(visit, error), status=422)
    return _page(visit, done=visit.say("已批准请求{request}，由提出人办理。", request=request))


def withdraw(visit: Visit) -> Response:
    """Take back a request of one's own."""
    request = visit.request.path_params["request"]
    try:
        Approvals(visit.node).withdraw(request)
    except SHOWN as error:
        return _page(visit, problem=words_of(visit, error), status=422)
    return _page(visit, done=visit.say("已撤回请求{request}。", request=request))


def waiting_for(visit: Visit) -> list[dict[str, object]]:
    """The lines of the work list: requests to approve, and own ones that are approved."""
    if not may(visit.person, LIST):
        return []
    found, me = Approvals(visit.node).list(_MOST).approvals, visit.person.account
    approve_ = [one for one in found if is_for(one, me)]
    carry = [one for one in found if _is_to_carry_out(one, me)]
    return [
        {"words": "待我批准的请求", "count": len(approve_), "path": "/requests"},
        {"words": "已批准、待我办理的请求", "count": len(carry), "path": "/requests"},
    ]


def is_for(one: Approval, account: str) -> bool:
    """Whether a request waits for this person: the requester never approves."""
    return one.state == "waiting" and one.by_account and one.requester != account


def _is_to_carry_out(one: Approval, account: str) -> bool:
    return one.state == "approved" and one.by_account and one.requester == account


def _is_mine(one: Approval, account: str) -> bool:
    """Whether this person made it, here or by a command."""
    return (one.by_account and one.requester == account) or one.account == account


def _is_next(one: Approval, account: str) -> bool:
    return is_for(one, account) or _is_to_carry_out(one, account)


def _find(visit: Visit, request: str) -> Approval:
    found = Approvals(visit.node).list(_MOST).approvals
    one = next((one for one in found if one.approval_id == request), None)
    if one is None:
        raise NotFoundError("there is no such request")
    return one


def _page(visit: Visit, *, problem: str = "", done: str = "", status: int = 200) -> Response:
    me = visit.person.account
    found = sorted(Approvals(visit.node).list(_MOST).approvals, key=lambda one: not _is_next(one, me))
    in_words = InWords(visit)
    rows = [
        {
            "one": one,
            "details": in_words.all(one.details),
            "mine": one.by_account and one.requester == me,
            "made": _is_mine(one, me),
            "for_me": is_for(one, me),
            "carry": one.action in _CARRY,
            "page": _PAGES.get(one.action.split()[0], "/"),
        }
        for one in found
    ]
    values = {"rows": rows, "problem": problem, "done": done, **_words()}
    return show(visit, "requests.html", values, status=status)


def _one(visit: Visit, *, problem: str = "", status: int = 200) -> Response:
    one = _find(visit, visit.request.path_params["request"])
    mine = _is_mine(one, visit.person.account)
    details = InWords(visit).all(one.details)
    values = {
        "one": one,
        "details": details,
        "mine": mine,
        "for_me": is_for(one, visit.person.account),
        "problem": problem,
    }
    return show(visit, "request.html", {**values, **_words()}, status=status)


def _words() -> dict[str, object]:
    return {"states": STATES, "lights": _LIGHTS, "actions": ACTIONS}
