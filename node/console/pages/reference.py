"""What is looked up: the catalogue."""

from typing import Any

from starlette.responses import Response

from node.console.render import show
from node.console.visits import Visit

LEVELS = {
    "existence": "有无",
    "count": "数量",
    "band": "档次",
    "threshold": "是否超限",
    "value": "数值",
    "code": "代码",
    "aggregate": "仅汇总，不反馈个人",
}
SENSITIVITIES = {"P": "个人信息", "SP": "敏感个人信息", "SF": "敏感金融信息", "SM": "医疗健康信息"}


def show_catalogue(visit: Visit) -> Response:
    """Every item in words: definition, holder, sensitivity, what a peer is told."""
    values = {"catalogue": visit.node.catalogue(), "levels": LEVELS, "sensitivities": SENSITIVITIES}
    return show(visit, "catalogue.html", values)


def item_names(visit: Visit, catalogue: Any = None) -> dict[str, str]:
    """Names of the catalogue's items by code, in the page's language; `catalogue` where it is at hand."""
    found = (catalogue or visit.node.catalogue()).items
    return {one.code: one.name_en if visit.lang == "en" else one.name_zh for one in found}
