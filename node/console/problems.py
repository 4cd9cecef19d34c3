"""What could not be done, in words: the rule, and who may lift it."""

from typing import Final

from node.console.visits import Visit
from node.errors import (
    ConflictError,
    InputError,
    InvalidRequestError,
    LimitError,
    NodeError,
    NotFoundError,
    PreconditionError,
    UnavailableError,
)

# What a page shows above itself; other errors have a page of their own.
SHOWN: Final = (
    ConflictError,
    InputError,
    InvalidRequestError,
    LimitError,
    NotFoundError,
    PreconditionError,
    UnavailableError,
)
_RULES: Final = {
    "dual_control": (
        "本节点实行双人控制，须由第二位管理员批准：请在节点主机上执行 heqiao {command}（加 --as），"
        "再由另一位管理员执行 heqiao approve。"
    ),
    "people_shown": "24小时内查看的人数已达上限。请使用遮盖的列表，或明日再查看。",
    "peer_paused": "该省节点已暂停。系统管理员恢复后才能测试或查询。",
    "grants": "授权写法有误：每项为两位省码（如 45），或项目加省码（如 C23:45）；项目须在目录中。",
}


def words_of(visit: Visit, error: NodeError, command: str = "") -> str:
    """The problem of an action; `command` is what does the same on the node's machine."""
    rule = error.details.get("rule", "")
    if rule in _RULES:
        values = {"command": command} if "{command}" in _RULES[rule] else {}
        return visit.say(_RULES[rule], **values)
    return visit.say("未完成：{reason}", reason=str(error))
