"""Counts of the jobs that a person may see, as the node counts them and hides small ones (ADR 41)."""

import re
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final

from starlette.responses import Response

from node.clock import utc_now
from node.console.pages.reference import item_names
from node.console.pages.report_files import TYPES as FILE_TYPES
from node.console.render import show
from node.console.visits import Visit
from node.domain.days import china_day
from node.domain.job_statistics import COLUMNS, MONTHLY, Statistics, last_months
from node.domain.small_counts import LEAST, Shown
from node.errors import InvalidRequestError, NotFoundError
from node.reports import xlsx
from node.reports.document import Column, Document, Group, Kind, Table
from node.reports.wording import rule_text
from node.tabular.csv_writer import csv_lines

TYPES: Final = {"csv": "text/csv; charset=utf-8", "xlsx": FILE_TYPES["xlsx"]}
_MONTH: Final = re.compile(r"\d{4}-\d{2}")
_TITLES: Final = {
    "months": "按月",
    "records": "授权、查询、报告和异议",
    "entrusted": "外省委托本省的查询",
    "units": "按单位",
    "items": "按项目",
    "peers": "按省份",
    "refusals": "被拒绝，按规则",
}
_NAMES: Final = {
    **dict.fromkeys(MONTHLY, "月份"),
    "units": "单位",
    "items": "项目",
    "peers": "省份",
    "refusals": "规则",
}
_WORDS: Final = {
    "jobs": "任务",
    "people": "人数",
    "done": "已答复",
    "terminated": "终止",
    "suspended": "中止",
    "open": "进行中",
    "mandates": "授权书",
    "item_queries": "项目查询",
    "reports": "出具报告的任务",
    "report_files": "报告份数",
    "objections": "提出的异议",
    "rechecks": "已复核的异议",
    "queries": "委托核对",
    "points": "委托核对点数",
    "sums": "委托汇总",
    "sum_points": "委托汇总点数",
    "parts": "询问",
    "in_time": "{days}日内答复",
    "later": "较晚答复",
    "refused": "被拒绝",
    "overdue": "逾期未复",
    "other": "其他",
    "median_hours": "半数答复用时（小时）",
    "most_hours": "九成答复用时（小时）",
}
_REFUSED: Final = "次数"


def show_statistics(visit: Visit) -> Response:
    """Tables of the last months and of one month, and a picture of the months."""
    found = _found(visit)
    values = {
        "tables": _tables(visit, found),
        "month": found.month,
        "choices": [f"{first:%Y-%m}" for first in reversed(last_months(china_day(utc_now())))],
        "bars": _bars(found),
        "least": LEAST,
        "days": found.days,
        "monthly": [visit.say(_TITLES[name]) for name in MONTHLY],
    }
    return show(visit, "statistics.html", values)


def download(visit: Visit) -> Response:
    """The same tables as a file. Raises NotFoundError for a kind that is not offered."""
    found = _found(visit)  # which asks who it is, before anything is told
    kind = visit.request.path_params["kind"]
    if kind not in TYPES:
        raise NotFoundError("there is no such file")
    tables = _tables(visit, found)
    content = b"".join(csv_lines(_lines(tables), mark=True)) if kind == "csv" else _workbook(visit, tables)
    name = f"statistics-{found.month}.{kind}"
    return Response(
        content,
        media_type=TYPES[kind],
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )


def _found(visit: Visit) -> Statistics:
    """Those of the month in the address; of the running one where it is none of the last twelve."""
    month = visit.request.query_params.get("month", "")
    try:
        return visit.node.statistics(month if _MONTH.fullmatch(month) else "")
    except InvalidRequestError:
        return visit.node.statistics()


def _tables(visit: Visit, found: Statistics) -> list[Table]:
    items = item_names(visit)
    return [
        Table(
            visit.say(_TITLES[name]),
            (
                Column(visit.say(_NAMES[name])),
                *(Column(_head(visit, name, column, found.days), Kind.NUMBER) for column in columns),
            ),
            (
                Group(
                    tuple((_name(visit, name, row.name, items), *row.cells) for row in getattr(found, name))
                ),
            ),
        )
        for name, columns in COLUMNS.items()
        # Nobody asked, or the person may not see what peers asked.
        if name != "entrusted" or found.entrusted
    ]


def _head(visit: Visit, table: str, column: str, days: int) -> str:
    return visit.say(_REFUSED if table == "refusals" else _WORDS[column], days=days)


def _name(visit: Visit, table: str, name: str, items: Mapping[str, str]) -> str:
    """A row's name in words."""
    if table == "items":
        return f"{name} {items.get(name, '')}".strip()
    if table == "refusals":
        return rule_text(name, visit.lang) or name
    if table == "units":
        return visit.say("本节点") if name == "node" else name.partition("/")[2] or name
    return name


def _bars(found: Statistics) -> Sequence[tuple[str, Shown, int]]:
    """Month, jobs and the length of its bar in hundredths of the longest; a hidden count has none."""
    counts = [(row.name, row.cells[0]) for row in reversed(found.months)]
    most = max((count for _, count in counts if isinstance(count, int)), default=0)
    return [
        (name, count, round(100 * count / most) if isinstance(count, int) and most else 0)
        for name, count in counts
    ]


def _lines(tables: Sequence[Table]) -> Iterator[Sequence[object]]:
    """The tables below one another, each with its title, its heads and an empty line."""
    for table in tables:
        yield [table.title]
        yield [column.name for column in table.columns]
        yield from (row for group in table.groups for row in group.rows)
        yield []


def _workbook(visit: Visit, tables: Sequence[Table]) -> bytes:
    document = Document(visit.lang, visit.say("统计"), "", (), tuple(tables), "", ())
    with tempfile.TemporaryDirectory(prefix="heqiao-statistics-") as folder:
        return xlsx.render(document, (), Path(folder))
