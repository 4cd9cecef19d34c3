"""Corrections (校核): requests to correct a record, sent to other provinces and received from them."""

from typing import Any, Final

from starlette.responses import Response

from node.client.cases import Cases
from node.clock import utc_now
from node.console.pages.uploaded_lists import read_list
from node.console.problems import SHOWN, words_of
from node.console.render import date_words, show
from node.console.rights import may, who_may
from node.console.visits import Visit
from node.console.words import comma
from node.domain.corrections import CLOSED, REASONS, Basis, Fault, State
from node.domain.findings import Outcome
from node.domain.mandate_words import REASON_WORDS, reason_text
from node.errors import InputError, InvalidRequestError, NodeError, NotFoundError, RefusedError
from node.tabular.person_lists import read_cohort
from node.wire.common import day_of

PATH: Final = "/corrections"
_PLATFORM: Final = "platform"
_SEND: Final = "CaseService/SendCorrection"
_ANSWER: Final = "CaseService/AnswerCorrection"
_RECEIVED: Final = "CaseService/ListReceivedCorrections"
_MOST_ANSWERS: Final = 1_000
_MOST_PEOPLE: Final = 5_000
_MOST_DIGITS: Final = 18
_OPENED: Final = (Outcome.FOUND, Outcome.OVER, Outcome.NOT_OVER)
STATES: Final = {
    "sent": "待送达",
    "received": "对方办理中",
    "corrected": "已更正",
    "upheld": "维持原记录",
    "refused": "对方未受理",
    "overdue": "逾期未答复",
    "waiting": "待答复",
}
FAULTS: Final = {
    "not_mine": "不是本人的记录",
    "wrong_value": "数值有误",
    "outdated": "数据已过时",
    "duplicate": "重复记录",
    "other": "其他差错",
}
BASES: Final = {"mandate": "授权书涵盖该项目和省份", "person_request": "本人申请更正"}
ANSWERS: Final = {
    "value_corrected": "已更正数值",
    "record_removed": "已删除记录",
    "record_moved": "记录属于他人，已改正",
    "date_updated": "已更新日期",
    "record_confirmed": "经核查，记录无误",
    "person_differs": "记录的人员不符",
    "no_evidence": "没有证据证明有误",
    "other_department": "由其他部门管理",
    "record_gone": "记录已不存在",
}


def show_corrections(visit: Visit) -> Response:
    """What the unit asked for, and what is asked of the province."""
    return _list(visit)


def sync(visit: Visit) -> Response:
    """Send what could not be delivered, and fetch answers."""
    found = Cases(visit.node).sync_corrections()
    return _list(visit, done=visit.say("已向对方省份查询，{count}件校核有待答复。", count=len(found)))


def show_new(visit: Visit) -> Response:
    """The form for a request about one answer of a report."""
    return _new(visit)


def send(visit: Visit) -> Response:
    """Ask the province to correct the record; it learns who the person is."""
    subject, _, rest = visit.field("answer").rpartition("|")
    subject, _, item = subject.rpartition("|")
    if not (subject and item and rest):
        return _new(visit, problem=visit.say("请选择要求更正的反馈"), status=422)
    try:
        fault, basis = Fault(visit.field("fault", 32)), Basis(visit.field("basis", 32))
    except ValueError:
        return _new(visit, problem=visit.say("请选择差错类型和依据"), status=422)
    if visit.field("discloses", 8) != "yes":
        problem = visit.say("请勾选：知悉对方省份将知道当事人是谁")
        return _new(visit, problem=problem, status=422)
    job = visit.request.path_params["job"]
    try:
        Cases(visit.node).send_correction(
            job, subject, rest, item, fault, basis, visit.field("reference", 64), discloses_person=True
        )
    except (*SHOWN, RefusedError) as error:
        if error.details.get("rule") == "right":
            raise
        return _new(visit, problem=_words(visit, error), status=422)
    return visit.go(PATH)


def show_received(visit: Visit) -> Response:
    """One request of another province, with what this node disclosed."""
    return _received(visit)


def find(visit: Visit) -> Response:
    """Which rows of an extract of the register a request is about; the list itself is not kept."""
    try:
        people, rejects = read_list(
            visit,
            "list",
            read_cohort,
            "名单无法读取：首行须有“证件号码”一列",
            "名单须为CSV、XLSX、XLS或ODS文件",
        )
    except InputError as error:
        return _received(visit, problem=visit.say(error.message), status=422)
    if not 0 < len(people) <= _MOST_PEOPLE:
        return _received(visit, problem=visit.say("名单须有1至5000人"), status=422)
    try:
        found = Cases(visit.node).find_person(_number(visit), people)
    except SHOWN as error:
        return _received(visit, problem=words_of(visit, error), status=422)
    rows = comma(visit.lang).join(str(place + 1) for place in found)
    text = "名单共{people}人，是其中第{rows}人（不计{rejects}行无法读取的）。" if found else ""
    text = text or "名单共{people}人，都不是{rows}（另有{rejects}行无法读取）。"
    values = {"people": len(people), "rows": rows or visit.say("所指的人"), "rejects": len(rejects)}
    return _received(visit, done=visit.say(text, **values))


def answer(visit: Visit) -> Response:
    """Answer it, for good."""
    reason = visit.field("reason", 32)
    state = next((state for state, reasons in REASONS.items() if reason in reasons), None)
    if state is None:
        return _received(visit, problem=visit.say("请选择答复"), status=422)
    try:
        Cases(visit.node).answer_correction(_number(visit), state, reason)
    except SHOWN as error:
        return _received(visit, problem=words_of(visit, error), status=422)
    return visit.go(f"{PATH}/{_number(visit)}")


def _words(visit: Visit, error: NodeError) -> str:
    rule = error.details.get("rule", "")
    if rule in REASON_WORDS:
        text = visit.say("授权书不涵盖这项校核：{reason}", reason=reason_text(rule, visit.lang))
        return text + visit.say("可按本人申请提出。")
    known = {
        "the province answered with no record of this person and item": "对方没有反馈此人此项目的记录",
    }
    if isinstance(error, InvalidRequestError):
        return visit.say("案件编号为1至64位字母、数字、点、下划线或连字符，且不得为证件号码")
    return visit.say(known[error.message]) if error.message in known else words_of(visit, error)


def _number(visit: Visit) -> int:
    text = str(visit.request.path_params["number"])
    if not (text.isascii() and text.isdigit() and len(text) <= _MOST_DIGITS):
        raise NotFoundError("there is no such correction")
    return int(text)


def _state(one: Any, waiting: str) -> str:
    if one.is_overdue(utc_now()):
        return "overdue"
    return waiting if one.state is State.RECEIVED else str(one.state.value)


def _list(visit: Visit, *, done: str = "") -> Response:
    cases, may_read = Cases(visit.node), may(visit.person, _RECEIVED, _PLATFORM)
    received = cases.received_corrections() if may_read else []
    values = {
        "sent": [(one, _state(one, "received")) for one in cases.sent_corrections()[:_MOST_ANSWERS]],
        "received": [(one, _state(one, "waiting")) for one in received[:_MOST_ANSWERS]],
        "may_read": may_read,
        "names": {one.code: one.name for one in visit.node.peers()},
        "items": _items(visit),
        "done": done,
        **_WORDS,
    }
    return show(visit, "corrections.html", values)


_WORDS: Final = {
    "states": STATES,
    "faults": FAULTS,
    "bases": BASES,
    "answers": ANSWERS,
    "path_of": PATH,
}


def _items(visit: Visit) -> dict[str, str]:
    english = visit.lang == "en"
    return {one.code: one.name_en if english else one.name_zh for one in visit.node.catalogue().items}


def _new(visit: Visit, *, problem: str = "", status: int = 200) -> Response:
    job = visit.request.path_params["job"]
    report, items = visit.node.report(job), _items(visit)
    answers = [
        (f"{one.subject}|{one.item}|{one.peer}", f"{one.subject} · {one.peer} · {one.item} {items[one.item]}")
        for one in report.findings
        if one.outcome in _OPENED
    ]
    names = ("answer", "fault", "basis", "reference")
    typed = {name: visit.field(name) for name in names}
    typed["reference"] = typed["reference"] or visit.request.query_params.get("objection", "")[:64]
    values = {
        "job": job,
        "choices": answers[:_MOST_ANSWERS],
        "typed": typed,
        "can": may(visit.person, _SEND, _PLATFORM),
        "who": who_may(_SEND, visit.lang, _PLATFORM),
        "problem": problem,
        **_WORDS,
    }
    return show(visit, "correction_new.html", values, status=status)


def _received(visit: Visit, *, problem: str = "", done: str = "", status: int = 200) -> Response:
    one, value, as_of = Cases(visit.node).received_correction(_number(visit))
    values = {
        "one": one,
        "state": _state(one, "waiting"),
        "value": value,
        "as_of": date_words(visit.lang, day_of(as_of)) if as_of else "",
        "is_open": one.state not in CLOSED,
        "names": {peer.code: peer.name for peer in visit.node.peers()},
        "items": _items(visit),
        "choices": [
            (visit.say(STATES[state.value]), [(reason, visit.say(ANSWERS[reason])) for reason in reasons])
            for state, reasons in REASONS.items()
        ],
        "can": may(visit.person, _ANSWER, _PLATFORM),
        "who": who_may(_ANSWER, visit.lang, _PLATFORM),
        "problem": problem,
        "done": done,
        **_WORDS,
    }
    return show(visit, "correction.html", values, status=status)
