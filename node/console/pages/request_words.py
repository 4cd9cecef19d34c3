"""What stands in requests under dual control, in words: names, and codes with what they mean."""

import json
from collections.abc import Mapping
from typing import Final

from node.console.pages.reference import item_names
from node.console.pages.security import MEASURES, PURPOSES, WINDOWS
from node.console.visits import Visit
from node.console.words import comma
from node.domain.users import ROLE_NAMES, Role

DETAILS: Final = {
    "peer": "外省节点",
    "grants": "授权",
    "quota": "配额",
    "amount": "上限",
    "measure": "查询类别",
    "account": "账号",
    "unit": "单位",
    "roles": "角色",
    "address": "地址",
    "platforms": "对方平台可查询",
    "monitoring": "可用于监测",
    "card": "名片指纹",
    "purpose": "密钥",
    "epoch": "期",
    "grace_days": "宽限天数",
    "shares": "备份份额",
    "holders": "份额持有人",
    "keys": "密钥",
    "salt_version": "盐版本",
    "step": "步骤",
    "abandon": "放弃换盐",
}
# What stands in the details as a code, and its words.
VALUES: Final = {
    "purpose": PURPOSES,
    "measure": MEASURES,
    "step": {"begin": "开始换盐", "switch": "切换到新盐"},
    "abandon": {"1": "是"},
    "platforms": {"0": "否", "1": "是"},
    "monitoring": {"0": "否", "1": "是"},
}
_LISTS: Final = ("grants", "roles", "keys", "holders")


class InWords:
    """The details of requests, each with its name; codes with what they mean, where this node knows it."""

    def __init__(self, visit: Visit) -> None:
        self._visit = visit
        self._peers = {one.code: one.name for one in visit.node.peers()}
        self._items = item_names(visit)

    def all(self, details: Mapping[str, str]) -> list[tuple[str, str]]:
        """Names and values, in the order of the names on the wire."""
        say = self._visit.say
        return [
            (say(DETAILS[name]) if name in DETAILS else name, self._value(name, details[name]))
            for name in sorted(details)
        ]

    def _value(self, name: str, value: str) -> str:
        if value in VALUES.get(name, {}):
            return self._visit.say(VALUES[name][value])
        if name == "peer":
            return _with(value, self._peers.get(value, ""))
        if name == "quota":
            measure, _, window = value.partition(".")
            if measure in MEASURES and window in WINDOWS:
                return f"{self._visit.say(MEASURES[measure])} {self._visit.say(WINDOWS[window])} ({value})"
        if name not in _LISTS:
            return value
        return comma(self._visit.lang).join(self._one_of(name, one) for one in _list(value))

    def _one_of(self, name: str, value: str) -> str:
        """One of a list: a role, a grant, a key with its epoch."""
        code, _, rest = value.partition(":" if name == "grants" else ".")
        if name == "roles" and value in set(Role):
            return ROLE_NAMES[Role(value)][self._visit.lang == "en"]
        if name == "grants":
            return _with(value, self._items.get(code, "") if rest else "")
        if name == "keys" and code in PURPOSES:
            return _with(value, self._visit.say(PURPOSES[code]))
        return value


def _with(code: str, words: str) -> str:
    return f"{code} {words}".rstrip()


def _list(value: str) -> list[str]:
    """A list as JSON, or words with spaces between them."""
    return [str(one) for one in json.loads(value)] if value.startswith("[") else value.split()
