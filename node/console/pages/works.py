"""Long work of administrators: begun with a button, then seen with its progress."""

from collections.abc import Callable, Mapping
from typing import Final

from starlette.responses import Response

from node.client.administration import Works
from node.console.pages.security import PURPOSES
from node.console.problems import SHOWN, asked_for, rule_words, words_of
from node.console.render import show
from node.console.rights import may
from node.console.visits import Visit
from node.errors import InvalidRequestError

LIST: Final = "WorkService/ListWorks"
KINDS: Final = {
    "rotation": "密钥轮换",
    "retirement": "停用旧期密钥",
    "abandonment": "放弃换盐",
    "mirror": "同步镜像",
    "source": "导入数据源",
    "check": "检查文件",
    "files": "导入文件",
}
STATES: Final = {"running": "进行中", "done": "完成", "failed": "失败"}
STAGES: Final = {
    "": "准备",
    "hash": "计算文件摘要",
    "make": "生成新密钥",
    "rekey": "以新密钥重写数据",
    "switch": "切换",
    "sync": "取回分区",
    "read": "读取",
    "index": "计算",
    "tokens": "计算令牌",
    "verify": "核验",
    "write": "写入",
}
_LIGHTS: Final = {"running": "open", "done": "done", "failed": "failed"}


def show_works(visit: Visit) -> Response:
    """What runs, and what ended."""
    return _page(visit, "works.html")


def show_progress(visit: Visit) -> Response:
    """The same without the frame: what the page asks for while something runs."""
    return _page(visit, "works_progress.html")


def start(visit: Visit) -> Response:
    """Begin one."""
    node, subject = Works(visit.node), visit.field("subject", 16)
    acts: Mapping[str, Callable[[str], None]] = {
        "rotation": node.rotate,
        "mirror": node.sync,
        "source": node.import_source,
    }
    kind = visit.field("kind", 16)
    if kind not in acts:
        raise InvalidRequestError("no such work")
    try:
        acts[kind](subject)
    except SHOWN as error:
        if asked := asked_for(visit, error):
            return _page(visit, "works.html", done=asked)
        return _page(visit, "works.html", problem=words_of(visit, error), status=422)
    return visit.go("/works")


def _page(visit: Visit, template: str, *, problem: str = "", done: str = "", status: int = 200) -> Response:
    found = Works(visit.node).list()
    values = {
        "works": found,
        "is_open": any(one.state == "running" for one in found),
        "kinds": KINDS,
        "purposes": PURPOSES,
        "states": STATES,
        "stages": STAGES,
        "lights": _LIGHTS,
        "rule_words": lambda rule: rule_words(visit, rule),
        "may_import": may(visit.person, "ImportService/ListFiles"),
        "problem": problem,
        "done": done,
    }
    return show(visit, template, values, status=status)
