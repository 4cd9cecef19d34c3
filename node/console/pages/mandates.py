"""Mandates on record (授权书): their list with how each stands, one of them, revoking it, and a list to add.

A number of a mandate belongs to a person's file, so it is sent as a form and never in an address.
"""

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Final

from starlette.responses import Response

from node.client.records import RecordedMandate, Records
from node.clock import utc_now
from node.console.pages.reference import code_tables
from node.console.pages.uploaded_lists import REASONS as ROW_REASONS
from node.console.pages.uploaded_lists import WrongRow, WrongRowsError, read_list
from node.console.problems import SHOWN, words_of
from node.console.render import show
from node.console.rights import may
from node.console.visits import Visit
from node.domain.days import china_day
from node.domain.mandate_words import reason_text
from node.domain.users import unit_owner
from node.errors import InputError
from node.tabular.record_lists import FORM_ALIASES, read_mandate_records

PATH: Final = "/mandates"
_MOST: Final = 1_000
_PAGE: Final = 50
_SOON: Final = timedelta(days=30)
_MOST_DIGITS: Final = 4
ENDS: Final = {
    "withdrawn": "本人撤回",
    "check_failed": "核对未通过",
    "programme_exit": "退出救助",
    "household_change": "家庭成员变化",
    "replaced": "由新授权书取代",
}
SIGNED: Final = {"handwritten": "手写签字", "fingerprint": "按指印", "electronic": "电子签名"}
STANDINGS: Final = {
    "good": "有效",
    "warning": "即将到期",
    "again": "须重新签署",
    "expired": "已过有效期",
    "ended": "已撤销",
    "other": "不能使用",
}


def show_mandates(visit: Visit) -> Response:
    """Those of the unit and of the units below it, the last added first."""
    return _list(visit)


def show_mandate(visit: Visit) -> Response:
    """One of them, its people masked."""
    return _one(visit)


def back_to_list(visit: Visit) -> Response:
    """A page that was shown by a form has no address of its own. Raises SessionEndedError."""
    visit.require_person()
    return visit.go(PATH)


def revoke(visit: Visit) -> Response:
    """End a mandate for good, with a reason; nobody is asked about under it from then on."""
    number, reason = visit.field("number", 64), visit.field("reason", 32)
    found = Records(visit.node).mandate(number)  # one of another unit is not found
    if reason not in ENDS:
        return _one(visit, problem=visit.say("请选择撤销原因"), status=422)
    if not _is_own(visit, found):
        return _one(visit, problem=visit.say("该授权书由登记它的单位撤销"), status=422)
    if visit.field("sure", 8) != "yes":
        return _one(visit, problem=visit.say("请勾选确认后再撤销"), status=422)
    try:
        Records(visit.node).end_mandates([number], reason)
    except SHOWN as error:
        return _one(visit, problem=words_of(visit, error), status=422)
    return _one(visit, done=visit.say("授权书已撤销；此后开始的查询不再使用它。"))


def add_list(visit: Visit) -> Response:
    """Put the mandates of an uploaded list on record, all or none."""
    unreadable = "名单无法读取：首行须为列名，各列见下方说明"
    try:
        found, _, rejects, lines = read_list(visit, "list", read_mandate_records, unreadable)
    except InputError as error:
        return _list(visit, problem=visit.say(error.message), status=422)
    if rejects:
        rows = [WrongRow(one.line, _column(visit, one.column), _why(visit, one.reason)) for one in rejects]
        return _wrong(visit, rows)
    try:
        done = Records(visit.node).add_mandates(found)
    except SHOWN as error:
        return _list(visit, problem=words_of(visit, error), status=422)
    if done.faults:
        rows = [
            WrongRow(lines[one.place], _column(visit, one.field), _why(visit, one.reason))
            for one in done.faults
        ]
        return _wrong(visit, rows)
    text = "已登记{added}份授权书，另有{known}份原已登记。"
    return _list(visit, done=visit.say(text, added=done.added, known=done.known))


def _column(visit: Visit, field: str) -> str:
    """A column as the head of a list names it."""
    return FORM_ALIASES.get(field, (field,))[-1 if visit.lang == "zh" else 0]


def _why(visit: Visit, reason: str) -> str:
    known = {
        **ROW_REASONS,
        "duplicate_mandate": "授权书编号重复，或已有内容不同的同号授权书",
        "bad_number": "编号有误",
        "bad_scope": "项目或省份代码有误",
        "bad_hash": "扫描件摘要有误",
        "bad_check_digit": "编号的校验码不符",
        "matter_not_named": "该文本须写明救助事项",
        "regions_not_named": "该文本须写明核对省份",
        "ref_is_identity": "编号不得为证件号码",
        "ends_before_start": "截止日早于签署日",
    }
    return visit.say(known[reason]) if reason in known else reason_text(reason, visit.lang)


def _wrong(visit: Visit, rows: Sequence[WrongRow]) -> Response:
    error = WrongRowsError(rows)
    problem = visit.say(error.message, count=error.count)
    return _list(visit, problem=problem, wrong=error.rows, status=422)


def _is_own(visit: Visit, found: RecordedMandate) -> bool:
    return found.owner == unit_owner(visit.person.unit)


def standing_of(one: RecordedMandate, today: date) -> str:
    """One of STANDINGS."""
    until = one.stored.mandate.valid_to
    if not one.state:
        return "warning" if until is not None and until - today <= _SOON else "good"
    if one.state == "household_changed":
        return "again"
    if one.ended_at is not None or one.state == "revoked":
        return "ended"
    return "expired" if one.state == "expired" else "other"


def state_words(visit: Visit, one: RecordedMandate) -> str:
    """Why it is not in force, in words; empty for one that is."""
    if one.state in ENDS:
        return visit.say(ENDS[one.state])
    return reason_text(one.state, visit.lang) if one.state else ""


def _list(
    visit: Visit, *, problem: str = "", done: str = "", wrong: Sequence[WrongRow] = (), status: int = 200
) -> Response:
    today = china_day(utc_now())
    found, urgent = Records(visit.node).mandates(_MOST)
    rows = [
        {"one": one, "standing": standing_of(one, today), "why": state_words(visit, one)} for one in found
    ]
    chosen, unit = (visit.request.query_params.get(name, "")[:16] for name in ("state", "unit"))
    rows = [row for row in rows if chosen in ("", row["standing"])]
    rows = [row for row in rows if not unit or row["one"].owner == unit_owner(unit)]  # type: ignore[attr-defined]
    offset = _offset(visit)
    values = {
        "rows": rows[offset : offset + _PAGE],
        "total": len(rows),
        "is_cut": len(found) == _MOST,
        "most": _MOST,
        "offset": offset,
        "limit": _PAGE,
        "urgent": urgent,
        "units": sorted({one.owner.removeprefix("unit/") for one in found}),
        "chosen": chosen,
        "unit": unit,
        "standings": STANDINGS,
        "may_add": may(visit.person, "MandateService/AddMandates", "platform"),
        "wrong_rows": wrong,
        "problem": problem,
        "done": done,
    }
    return show(visit, "mandates.html", values, status=status)


def _offset(visit: Visit) -> int:
    text = visit.request.query_params.get("offset", "")
    return int(text) if text.isascii() and text.isdigit() and len(text) <= _MOST_DIGITS else 0


def _one(visit: Visit, *, problem: str = "", done: str = "", status: int = 200) -> Response:
    found = Records(visit.node).mandate(visit.field("number", 64))
    items = {one.code: one for one in visit.node.catalogue().items}
    may_revoke = may(visit.person, "MandateService/EndMandate", "platform")
    values = {
        "one": found,
        "standing": standing_of(found, china_day(utc_now())),
        "standings": STANDINGS,
        "why": state_words(visit, found),
        "items": items,
        "matters": {code: words[visit.lang == "en"] for code, words in code_tables(visit).matters.items()},
        "signed": SIGNED,
        "ends": [(name, visit.say(words)) for name, words in ENDS.items()],
        "can_revoke": may_revoke and _is_own(visit, found) and found.ended_at is None,
        "is_own": _is_own(visit, found),
        "problem": problem,
        "done": done,
    }
    return show(visit, "mandate.html", values, status=status)
