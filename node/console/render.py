"""Templates: one environment, the frame of every page, dates and masks (docs/console.md)."""

import re
from calendar import month_name
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import cache
from pathlib import Path
from typing import Any, Final

from jinja2 import ChoiceLoader, Environment, PackageLoader, StrictUndefined
from starlette.responses import HTMLResponse, Response

from node.client.people import Frame
from node.clock import utc_now
from node.console.banners import banners
from node.console.rights import may
from node.console.visits import LARGE, Visit
from node.console.way_back import back_of
from node.console.words import comma
from node.domain.days import china_day, china_time
from node.domain.users import ROLE_NAMES, Role

_SHOWN_DIGITS: Final = 10
STATIC_FOLDER: Final = Path(__file__).parent / "static"


@dataclass(frozen=True, slots=True)
class Entry:
    """An entry on the left: its page, words, and the roles that see it, or the method that the page calls."""

    path: str
    words: str
    roles: frozenset[Role] = frozenset()
    method: str = ""


_OFFICERS = frozenset({Role.PREPARER, Role.APPROVER})
_ALL = frozenset(Role)
MOST_ENTRIES: Final = 8  # the last one, the own account, is also reached from the name above
ENTRIES: Final = (
    Entry("/", "工作台", _ALL),
    Entry("/checks", "新建核对", frozenset({Role.PREPARER})),
    Entry("/approvals", "待复核", frozenset({Role.APPROVER})),
    Entry("/jobs", "核对任务", _OFFICERS),
    Entry("/mandates", "授权书", _OFFICERS),
    Entry("/objections", "异议与校核", _OFFICERS),
    Entry("/alerts", "监测预警", _OFFICERS),
    Entry("/peers", "外省节点", _ALL - _OFFICERS),
    Entry("/incoming", "受托查询", method="RecordService/ListIncomingQueries"),
    Entry("/imports", "数据接入", method="RecordService/ListImports"),
    Entry("/keys", "密钥与证书", method="OverviewService/GetKeys"),
    Entry("/access", "配额与授权", method="AccessService/ListQuotas"),
    Entry("/audit", "审计", method="RecordService/ListEvents"),
    Entry("/health", "运行状态", method="OverviewService/GetHealth"),
    Entry("/catalogue", "目录", _ALL),
    Entry("/users", "用户与权限", frozenset({Role.SECURITY})),
    Entry("/account", "我的账户", _ALL),
)


def static_files() -> Mapping[str, str]:
    """Paths of the files in static/ by name: `console.css` -> `/static/console.<digest>.css`."""
    return {
        f"{path.name.split('.')[0]}.{path.suffix[1:]}": f"/static/{path.name}"
        for path in STATIC_FOLDER.iterdir()
        if path.suffix in (".css", ".js", ".svg")
    }


@cache
def make_environment() -> Environment:
    """Jinja2 with escaping; a name that a page does not give is an error."""
    found = Environment(
        loader=ChoiceLoader(
            [PackageLoader("node.console"), _Prefixed()],
        ),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,  # a page does not ask the disk whether its templates changed
    )
    found.globals["static"] = static_files()
    found.filters["mask_number"] = mask_number
    found.filters["mask_name"] = mask_name
    return found


class _Prefixed(PackageLoader):
    """The macros of govuk-frontend-jinja under the prefix that its templates use themselves."""

    _PREFIX = "govuk_frontend_jinja/"

    def __init__(self) -> None:
        super().__init__("govuk_frontend_jinja")

    def get_source(self, environment: Environment, template: str) -> Any:
        """A macro file, by its name with or without the prefix."""
        return super().get_source(environment, template.removeprefix(self._PREFIX))


def show(visit: Visit, template: str, values: Mapping[str, object], *, status: int = 200) -> Response:
    """A page in the frame, for who is signed in."""
    person = visit.person if visit.token else None
    frame = {"person": person, "entries": _entries(visit), **_around(visit)}
    return _page(visit, template, {**frame, **values}, status)


def _around(visit: Visit) -> Mapping[str, object]:
    """What stands around a page for who is signed in: banners, the session's end, versions."""
    if not visit.token:
        return {}
    seconds = seconds_left(visit.frame)
    return {"frame": visit.frame, "banners": tuple(banners(visit)), "seconds": seconds}


def seconds_left(frame: Frame) -> int:
    """Whole seconds until the session ends without a call."""
    until = frame.session_until.ToDatetime(tzinfo=UTC)
    return max(0, int((until - utc_now()).total_seconds()))


def hour_words(moment: Any) -> str:
    """The time of day in China: 14:05."""
    found = _instant(moment)
    return "" if found is None else f"{china_time(found):%H:%M}"


def show_outside(visit: Visit, template: str, values: Mapping[str, object], *, status: int = 200) -> Response:
    """A page for somebody who is not signed in."""
    return _page(visit, template, {"person": None, "entries": (), **values}, status)


def _page(visit: Visit, template: str, values: Mapping[str, object], status: int) -> Response:
    frame = {
        "frame": None,
        "banners": (),
        "seconds": 0,
        "_": visit.say,
        "comma": comma(visit.lang),
        "hour": hour_words,
        "lang": visit.lang,
        "html_lang": "zh-CN" if visit.lang == "zh" else "en",
        "csrf": visit.csrf,
        "path": visit.request.url.path,
        "back": back_of(visit.request),
        "large": visit.request.cookies.get(LARGE) == "1",
        "day": lambda moment: day_words(visit.lang, moment),
        "moment": lambda moment: moment_words(visit.lang, moment),
        "date": lambda found: date_words(visit.lang, found),
        "role_name": lambda role: ROLE_NAMES[Role(role)][visit.lang == "en"],
    }
    return HTMLResponse(make_environment().get_template(template).render({**frame, **values}), status)


def _entries(visit: Visit) -> Sequence[Entry]:
    if not visit.token or visit.person.need:
        return ()
    roles = set(map(Role, visit.person.roles))
    shown = [
        entry
        for entry in ENTRIES
        if entry.roles & roles or (entry.method and may(visit.person, entry.method))
    ]
    return shown[:MOST_ENTRIES]


def day_words(lang: str, moment: Any) -> str:
    """A day of China as people write it: 2026年11月28日, or 28 November 2026."""
    found = _instant(moment)
    if found is None:
        return ""
    return date_words(lang, china_day(found))


def date_words(lang: str, day: date) -> str:
    """The same of a day that is no instant."""
    if lang == "zh":
        return f"{day.year}年{day.month}月{day.day}日"
    return f"{day.day} {month_name[day.month]} {day.year}"


def moment_words(lang: str, moment: Any) -> str:
    """The same with the time of day."""
    found = _instant(moment)
    return f"{day_words(lang, found)} {china_time(found):%H:%M}" if found is not None else ""


def _instant(moment: Any) -> datetime | None:
    """An instant, or the timestamp of a message: an empty one is none."""
    if moment is None or isinstance(moment, datetime):
        return moment
    return moment.ToDatetime(tzinfo=UTC) if moment.ByteSize() else None


def mask_number(number: str) -> str:
    """An identity number with its middle hidden: `450103********0012`."""
    hidden = len(number) - _SHOWN_DIGITS
    return f"{number[:6]}{'*' * hidden}{number[-4:]}" if hidden > 0 else "*" * len(number)


def mask_name(name: str) -> str:
    """A name with all but its first character hidden: `韦＊＊`."""
    return name[:1] + re.sub(r"\S", "＊", name[1:])
