"""What is looked up: the catalogue."""

from typing import Any

from starlette.responses import Response

from node.client.catalogue import CatalogueClient
from node.clock import utc_now
from node.console.render import show
from node.console.visits import Visit
from node.domain.catalogue import Item
from node.domain.code_tables import CodeTables
from node.domain.days import china_day
from node.domain.legal_bases import described
from node.wire.platform_catalogue import read_item

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


def code_tables(visit: Visit) -> CodeTables:
    """Legal bases and matters of the node: the published codes, and the province's own."""
    return CatalogueClient(visit.node).code_tables()


def offered_bases(visit: Visit, *, for_people: bool = False) -> dict[str, str]:
    """Legal bases that are in force today, in words by code; `for_people` those of checks of people."""
    tables, today = code_tables(visit), china_day(utc_now())
    return {
        code: described(code, visit.lang, tables.own_bases)
        for code, one in tables.bases.items()
        if one.is_in_force(today) and (one.for_people or not for_people)
    }


def show_catalogue(visit: Visit) -> Response:
    """Every item in words: definition, holder, sensitivity, what a peer is told."""
    values = {
        "catalogue": visit.node.catalogue(),
        "levels": LEVELS,
        "sensitivities": SENSITIVITIES,
        "bases": offered_bases(visit),
        "matters": code_tables(visit).matters,
    }
    return show(visit, "catalogue.html", values)


def item_names(visit: Visit, catalogue: Any = None) -> dict[str, str]:
    """Names of the catalogue's items by code, in the page's language; `catalogue` where it is at hand."""
    found = (catalogue or visit.node.catalogue()).items
    return {one.code: one.name_en if visit.lang == "en" else one.name_zh for one in found}


def known_items(visit: Visit) -> dict[str, Item]:
    """The catalogue's items by code, for the words of values and amounts."""
    return {one.code: read_item(one) for one in visit.node.catalogue().items}
