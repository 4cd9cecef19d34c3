"""Keys and certificates; grants, quotas and suspensions of peers."""

import re
from typing import Final

from starlette.responses import Response

from node.client.administration import Access, Overview
from node.console.problems import SHOWN, asked_for, words_of
from node.console.render import show
from node.console.rights import may, who_may
from node.console.visits import Visit
from node.errors import InvalidRequestError

KEY_STATES: Final = {
    "pending": "待启用",
    "active": "使用中",
    "grace": "宽限期",
    "retired": "停止使用",
    "destroyed": "已销毁",
}
PURPOSES: Final = {
    "oprf": "查询密钥",
    "sum": "汇总密钥",
    "paillier": "同态密钥",
    "sumcheck": "汇总校验密钥",
    "signing": "签名密钥",
    "storage": "存储密钥",
    "salt": "盐",
    "tls": "通信密钥",
    "enrol": "登记密钥",
    "record": "记录编号密钥",
}
REASONS: Final = {
    "age": "已到轮换时间",
    "begun": "已开始，尚未完成",
    "grace": "宽限期已过",
    "certificate": "证书即将到期",
    "clock": "时钟早于上次切换，须先校正",
    "state": "状态异常，须人工处理",
}
MEASURES: Final = {
    "points": "查询点",
    "sensitive_points": "敏感项目查询点",
    "sums": "汇总次数",
    "sum_points": "汇总点",
    "bytes": "取回字节",
}
WINDOWS: Final = {"hour": "每小时", "day": "每日", "30_days": "30日", "suspended": "已暂停"}
_ROTATE: Final = "WorkService/StartRotation"
# What a node rotates by itself; the TLS key and the salt need the CA.
ROTATED: Final = ("oprf", "sum", "signing", "storage")
# What ends by a person: with `sum` the other keys of sums, with the salt the keys under it.
ENDED: Final = (*ROTATED, "salt")
_CHANGE: Final = "AccessService/SetQuota"
_ALERTS: Final = 50


def show_keys(visit: Visit) -> Response:
    """Every key with its epoch, state and due date; no key is shown."""
    found = Overview(visit.node).keys()
    can = may(visit.person, _ROTATE)
    own = {"rotated": ROTATED, "can": can, "who": who_may(_ROTATE, visit.lang)}
    words = {**own, "states": KEY_STATES, "purposes": PURPOSES, "reasons": REASONS}
    return show(visit, "keys.html", {"found": found, **words})


def show_access(visit: Visit) -> Response:
    """What each peer is granted, may ask and has asked."""
    return _access(visit)


def change_access(visit: Visit) -> Response:
    """Grants, a quota, a suspension."""
    action, peer = visit.field("action", 16), visit.field("peer", 2)
    node = Access(visit.node)
    try:
        if action == "grants":
            texts = [text for text in re.split(r"[\s,，、]+", visit.field("grants", 20_000)) if text]
            if not texts:  # an empty field is no decision
                raise InvalidRequestError("grants are empty", "", {"rule": "grants"})
            node.set_grants(peer, () if texts == ["none"] else texts)
        elif action == "quota":
            quota, amount = visit.field("quota", 40), _amount(visit.field("amount", 20))
            node.set_quota(peer, quota, amount)
        elif action in ("suspend", "lift"):
            measure = visit.field("measure", 20)
            (node.suspend if action == "suspend" else node.lift)(peer, measure)
        else:
            raise InvalidRequestError("no such action")
    except SHOWN as error:
        if asked := asked_for(visit, error):
            return _access(visit, done=asked)
        return _access(visit, problem=words_of(visit, error), status=422)
    return _access(visit, done=visit.say("已完成：{account}", account=peer))


def _amount(text: str) -> int | None:
    """A number, None for an empty field: that of node.toml."""
    if not text:
        return None
    if not text.isascii() or not text.isdigit():
        raise InvalidRequestError("a quota is a whole number from 0 on")
    return int(text)


def _access(visit: Visit, *, problem: str = "", done: str = "", status: int = 200) -> Response:
    node = Access(visit.node)
    quotas, grants = node.quotas(), node.grants()
    values = {
        "quotas": [one for one in quotas.quotas if not one.quota.endswith(".suspended")],
        "suspended": [one for one in quotas.quotas if one.quota.endswith(".suspended")],
        "names": sorted({one.quota for one in quotas.quotas if not one.quota.endswith(".suspended")}),
        "grants": grants.peers,
        "alerts": node.alerts(_ALERTS),
        "dual": quotas.dual_control,
        "can": may(visit.person, _CHANGE),
        "who": who_may(_CHANGE, visit.lang),
        "measures": MEASURES,
        "windows": WINDOWS,
        "problem": problem,
        "done": done,
    }
    return show(visit, "access.html", values, status=status)
