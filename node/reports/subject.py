"""What was asked about one person, for the person: as text and JSON (个保法 art. 45). Pure."""

from collections.abc import Mapping
from typing import Any

from node.domain.catalogue import Catalogue
from node.domain.days import china_minute
from node.domain.findings import Finding
from node.domain.subject_report import AskedAbout, HouseholdAbout, MandateAbout, SubjectReport
from node.reports.print_words import basis_text, matter_text
from node.reports.wording import choose, outcome_text, purpose_text

# key -> (Chinese, English)
_WORDS = {
    "title": ("个人信息查询情况告知书", "What was asked about you"),
    "by": ("告知单位", "told by"),
    "made": ("出具时间", "made"),
    "none": ("本节点没有查询过您的信息。", "This node has asked about you in no check on record."),
    "job": ("核对编号", "check"),
    "asked": ("查询时间", "asked"),
    "owner": ("提交方", "submitted by"),
    "purpose": ("用途", "purpose"),
    "basis": ("法律依据", "legal basis"),
    "matter": ("救助事项", "matter"),
    "peers": ("查询省份", "provinces asked"),
    "items": ("查询项目", "items"),
    "answers": ("反馈结果", "answers"),
    "sum": (
        "汇总统计：只得到总数，不含您个人的结果",
        "a sum over many people: only totals, nothing about you alone",
    ),
    "erased": (
        "保存期已满，请求和结果均已删除",
        "its time is over: the request and the answers were erased",
    ),
    "open": ("正在核对，尚无结果", "still running, no answers yet"),
    "mandates": ("列有您的授权书", "mandates that name you"),
    "households": ("登记您的家庭", "households in which you are on record"),
    "valid": ("有效期", "valid"),
    "ended": ("已终止", "ended"),
    "kept": (
        "查询记录保存{}天；更早的查询不在其中。对结果有异议的，可向告知单位提出。",
        "Who was asked about is kept for {} days; earlier checks are not listed. Objections go to the "
        "office named above.",
    ),
    "facts": (
        "只核对、不认定：以上只陈述查询的事实。",
        "These are facts about what was asked, and no decision (只核对、不认定).",
    ),
}


def to_text(report: SubjectReport, catalogue: Catalogue, lang: str) -> str:
    """The report as text. Raises InputError for an unknown language."""
    lines = [_word("title", lang), ""]
    lines += [
        f"{_word('by', lang)}: {report.requester} {report.requester_name}",
        f"{_word('made', lang)}: {china_minute(report.made_at)}",
        "",
    ]
    if not report.jobs:
        lines += [_word("none", lang), ""]
    for place, job in enumerate(report.jobs, 1):
        lines += _job_lines(place, job, catalogue, report.code_names, lang)
    lines += _section("mandates", [_mandate_line(one, lang) for one in report.mandates], lang)
    lines += _section("households", [_household_line(one) for one in report.households], lang)
    lines += [_word("kept", lang).format(report.kept_days), _word("facts", lang)]
    return "\n".join(lines)


def _job_lines(
    place: int,
    job: AskedAbout,
    catalogue: Catalogue,
    own: Mapping[str, tuple[str, str]],
    lang: str,
) -> list[str]:
    basis = basis_text(job.legal_basis, lang, own.get(job.legal_basis)) if job.legal_basis else ""
    rows = (
        ("job", job.job),
        ("asked", china_minute(job.asked_at)),
        ("owner", job.owner),
        ("purpose", purpose_text(job.purpose, lang)),
        ("basis", basis),
        ("matter", matter_text(job.matter, lang, own.get(job.matter))),
        ("peers", ", ".join(job.peers)),
        ("items", ", ".join(_item_text(catalogue, code, lang) for code in job.items)),
    )
    lines = [f"{place}."] + [f"   {_word(key, lang)}: {text}" for key, text in rows if text]
    if job.kind == "sum":
        lines.append(f"   {_word('sum', lang)}")
    elif job.state == "erased":
        lines.append(f"   {_word('erased', lang)}")
    elif not job.findings:
        lines.append(f"   {_word('open', lang)}")
    else:
        lines.append(f"   {_word('answers', lang)}:")
        lines += [f"     {_answer_line(one, catalogue, lang)}" for one in job.findings]
    return [*lines, ""]


def _answer_line(one: Finding, catalogue: Catalogue, lang: str) -> str:
    as_of = f" ({one.as_of})" if one.as_of else ""
    reason = f" [{one.reason}]" if one.reason else ""
    item = _item_text(catalogue, one.item, lang)
    return f"{one.peer} {item}: {outcome_text(one.outcome, lang)}{as_of}{reason}"


def _item_text(catalogue: Catalogue, code: str, lang: str) -> str:
    item = next((one for one in catalogue.items if one.code == code), None)
    return f"{code} {item.text('name', lang)}" if item else code


def _mandate_line(one: MandateAbout, lang: str) -> str:
    last = one.valid_to.isoformat() if one.valid_to else one.event
    ended = f", {_word('ended', lang)}: {one.ended}" if one.ended else ""
    return f"{one.number} {one.office} {_word('valid', lang)} {one.valid_from} - {last}{ended}"


def _household_line(one: HouseholdAbout) -> str:
    return f"{one.number} {one.application_no} {one.office} {one.role}"


def _section(key: str, lines: list[str], lang: str) -> list[str]:
    return [_word(key, lang), *(f"   {line}" for line in lines), ""] if lines else []


def _word(key: str, lang: str) -> str:
    return choose(_WORDS[key], lang)


def to_json(report: SubjectReport) -> dict[str, Any]:
    """The report for programs."""
    return {
        "requester": report.requester,
        "requester_name": report.requester_name,
        "made_at": report.made_at.isoformat(),
        "kept_days": report.kept_days,
        "jobs": [_job_json(one) for one in report.jobs],
        "mandates": [
            {
                "mandate_no": one.number,
                "owner": one.owner,
                "office": one.office,
                "matter": one.matter,
                "valid_from": one.valid_from.isoformat(),
                "valid_to": one.valid_to.isoformat() if one.valid_to else one.event,
                "ended": one.ended,
                "added_at": one.added_at.isoformat(),
            }
            for one in report.mandates
        ],
        "households": [
            {
                "household_no": one.number,
                "application_no": one.application_no,
                "owner": one.owner,
                "office": one.office,
                "role": one.role,
                "changed_at": one.changed_at.isoformat(),
            }
            for one in report.households
        ],
        **(
            {"code_names": {code: {"zh": zh, "en": en} for code, (zh, en) in report.code_names.items()}}
            if report.code_names
            else {}
        ),
    }


def _job_json(job: AskedAbout) -> dict[str, Any]:
    return {
        "job": job.job,
        "kind": job.kind,
        "owner": job.owner,
        "state": job.state,
        "purpose": job.purpose,
        "legal_basis": job.legal_basis,
        "matter": job.matter,
        "items": list(job.items),
        "peers": list(job.peers),
        "people": job.people,
        "asked_at": job.asked_at.isoformat(),
        "refs": list(job.refs),
        "answers": [
            {
                "item": one.item,
                "peer": one.peer,
                "outcome": one.outcome.value,
                "zh": outcome_text(one.outcome, "zh"),
                "en": outcome_text(one.outcome, "en"),
                "as_of": one.as_of.isoformat() if one.as_of else None,
                "reason": one.reason,
            }
            for one in job.findings
        ],
    }
