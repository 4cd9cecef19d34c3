"""What the node imports: what it serves, past imports and their rejects, sources and their times, files."""

import re
from collections.abc import Iterator
from typing import Final

from starlette.responses import Response

from node.client.administration import Imports, Records
from node.client.sources import (
    RESULT_BELOW_FLOOR,
    RESULT_GOOD,
    RESULT_UNREADABLE,
    RUN_CHECK,
    RUN_IMPORT,
    Sources,
)
from node.console.pages.import_words import FAULTS, FIELDS, REASONS, RULES, WARNINGS
from node.console.pages.reference import item_names
from node.console.problems import SHOWN, words_of
from node.console.render import show
from node.console.rights import may
from node.console.visits import Visit
from node.errors import InvalidRequestError, NotFoundError
from node.tabular.csv_writer import csv_lines

PATH: Final = "/imports"
FILES: Final = "/imports/files"
LIMIT: Final = 50
_QUALITY: Final = 20  # of the newest reports
_MOST_DIGITS: Final = 7
_MOST_NAME: Final = 200
_SHRUNK: Final = 0.5  # as an import warns
RUN_STATES: Final = {"imported": "已导入", "unchanged": "无变化", "failed": "失败"}
MODES: Final = {"full": "全量", "upsert": "增量更新", "delete": "增量删除"}
EVERY: Final = {"day": "每日", "week": "每周一", "month": "每月1日"}
QUALITY_RUNS: Final = {RUN_CHECK: "检查", RUN_IMPORT: "导入前"}
QUALITY_LIGHTS: Final = {RESULT_GOOD: "good", RESULT_BELOW_FLOOR: "warning", RESULT_UNREADABLE: "wrong"}
QUALITY_RESULTS: Final = {"good": "合格", "warning": "低于要求，不予导入", "wrong": "无法读取"}
CHECK_LIGHTS: Final = {"good": "good", "below_floor": "warning", "unreadable": "wrong"}
SOURCE_KINDS: Final = {"files": "文件", "query": "数据库全量", "changes": "数据库增量"}
_LIMIT: Final = re.compile(r"([0-9.,]+)( rows| days)?(?: (or more|or less|or fewer))?")
_LIMITS: Final = {
    "": "{number}",
    "or more": "至少{number}",
    "or less": "至多{number}",
    "or fewer": "至多{number}",
}
_CSV_HEADS: Final = ("文件", "行", "列", "代码", "原因")


def show_imports(visit: Visit) -> Response:
    """What is served, and past imports with their counts."""
    offset = int(_digits(visit.request.query_params.get("offset", "")) or 0)
    found = Records(visit.node).imports(LIMIT, offset)
    values = {
        "imports": found.imports,
        "items": found.items,
        "total": found.total,
        "offset": offset,
        "limit": LIMIT,
        "item_names": item_names(visit),
        "modes": MODES,
    }
    return show(visit, "imports.html", values)


def show_import(visit: Visit) -> Response:
    """One import: its counts, and its rejected rows by reason."""
    found = Imports(visit.node).one(_number(visit))
    values = {
        "one": found.found,
        "has_rejects": found.has_rejects,
        "item_names": item_names(visit),
        "modes": MODES,
        "reasons": REASONS,
    }
    return show(visit, "import.html", values)


def download_rejects(visit: Visit) -> Response:
    """Where the rejected rows of an import are, and why, as a file that has nothing of a row."""
    number = _number(visit)
    item = Imports(visit.node).one(number).found.item
    content = b"".join(csv_lines(_reject_lines(visit, number), mark=True))
    headers = {"Content-Disposition": f'attachment; filename="rejects-{item}-{number}.csv"'}
    return Response(content, media_type="text/csv; charset=utf-8", headers=headers)


def _reject_lines(visit: Visit, number: int) -> Iterator[tuple[object, ...]]:
    yield tuple(map(visit.say, _CSV_HEADS))
    for row in Imports(visit.node).rejects(number):
        words = visit.say(REASONS[row.reason]) if row.reason in REASONS else ""
        yield (row.file, row.line, row.column, row.reason, words)


def show_sources(visit: Visit) -> Response:
    """Sources with their times, last and next runs, and the quality reports."""
    values = {
        "sources": Records(visit.node).sources(),
        "item_names": item_names(visit),
        "runs": RUN_STATES,
        "every": EVERY,
        "kinds": SOURCE_KINDS,
        "quality": Sources(visit.node).quality_reports(limit=_QUALITY),
        "limit": lambda text: limit_words(visit, text),
        "quality_runs": QUALITY_RUNS,
        "quality_lights": QUALITY_LIGHTS,
        "quality_results": QUALITY_RESULTS,
    }
    return show(visit, "import_sources.html", values)


def show_quality(visit: Visit) -> Response:
    """A quality report."""
    values = {
        "one": Sources(visit.node).quality_report(_number(visit)),
        "item_names": item_names(visit),
        "reasons": REASONS,
        "fields": FIELDS,
        "may_import": may(visit.person, "ImportService/ListFiles"),
        "rules": RULES,
        "limit": lambda text: limit_words(visit, text),
        "quality_runs": QUALITY_RUNS,
        "quality_lights": QUALITY_LIGHTS,
        "quality_results": QUALITY_RESULTS,
    }
    return show(visit, "quality.html", values)


def show_files(visit: Visit) -> Response:
    """Files of the folder that sources name."""
    return _files(visit)


def act_on_files(visit: Visit) -> Response:
    """Check files, or import what was checked."""
    node, action, item = Imports(visit.node), visit.field("action", 16), visit.field("item", 16)
    try:
        if action == "check":
            names = visit.fields("names", _MOST_NAME)
            if not names:
                return _files(visit, problem=visit.say("请选择要检查的文件。"), status=422)
            node.check(item, names)
        elif action == "import":
            if visit.field("sure", 3) != "yes":
                return _files(visit, problem=visit.say("请先勾选确认。"), status=422)
            node.begin(item, visit.octets("digest"))
        else:
            raise InvalidRequestError("no such action")
    except SHOWN as error:
        return _files(visit, problem=words_of(visit, error), status=422)
    return visit.go("/works")


def _files(visit: Visit, *, problem: str = "", status: int = 200) -> Response:
    found = Imports(visit.node).files()
    values = {
        "found": found,
        "item_names": item_names(visit),
        "faults": FAULTS,
        "warnings": WARNINGS,
        "lights": CHECK_LIGHTS,
        "quality_results": QUALITY_RESULTS,
        "shrunk": {one.item for one in found.groups if one.check.usable < one.accepted_before * _SHRUNK},
        "problem": problem,
    }
    return show(visit, "import_files.html", values, status=status)


def limit_words(visit: Visit, text: str) -> str:
    """What a rule of a floor found or allows: `0.9500 or more`, in words."""
    found = _LIMIT.fullmatch(text)
    if found is None:
        return text
    number, words = found[1], _LIMITS[found[3] or ""]
    return visit.say(words, number=number)


def _number(visit: Visit) -> int:
    """The number in the address. Raises NotFoundError."""
    visit.require_person()  # nobody is told anything before
    number = int(_digits(visit.request.path_params["number"]) or 0)
    if not number:
        raise NotFoundError("there is no such page")
    return number


def _digits(text: str) -> str:
    return text if text.isascii() and text.isdigit() and len(text) <= _MOST_DIGITS else ""
