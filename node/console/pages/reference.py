"""What is looked up: the catalogue."""

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
