"""The words of printed reports and spreadsheets in Chinese and English. Pure."""

from collections.abc import Mapping, Sequence
from typing import Final

from node.domain.findings import PeerSummary
from node.domain.legal_bases import name_of
from node.domain.matters import MATTERS
from node.reports.headings import sentence
from node.reports.wording import choose

_PHRASES: Mapping[str, tuple[str, str]] = {
    "title": ("居民家庭经济状况跨省核对报告", "Cross-provincial household verification report"),
    "issuing_body": ("{name}居民家庭经济状况核对机构", "Verification body of {name}"),
    "signing": ("签名、盖章", "Signatures and seal"),
    "prepared_by": ("经办人（签名）", "prepared by (signature)"),
    "checked_by": ("复核人（签名）", "checked by (signature)"),
    "seal": ("办理机构（盖章处）", "issuing body (seal)"),
    "received_by": ("当事人签收（签名）", "received by (signature)"),
    "signing_date": ("　　　年　　月　　日", "Date: ____-__-__"),
    "unsigned": ("本文件没有电子签名。", "This file has no electronic signature."),
    "signed_with": (
        "本文件有电子签名，密钥指纹 {key}。电子签名证明内容未被改动，盖章表明由谁签发。",
        "This file is signed electronically; fingerprint of the key: {key}. "
        "The electronic signature proves that nothing was altered, the seal who issues it.",
    ),
    "appendix": ("附：技术信息", "Appendix: technical detail"),
    "subjects": ("核对对象", "people verified"),
    "counted": ("{households:,} 户 {people:,} 人", "households: {households:,}; people: {people:,}"),
    "household_summary": ("家庭汇总", "Households"),
    "members": ("成员核对结果", "Members"),
    "coverage": ("各省应答情况", "How far each province answered"),
    "definitions": ("项目口径", "What each item counts"),
    "household": ("户 {name}（{people} 人）", "household {name}, members: {people}"),
    "member": ("成员 {name}", "member {name}"),
    "relative": ("义务人 {name}", "relative {name}"),
    "number_line": ("报告编号：{number}", "Report number: {number}"),
    "item": ("项目", "item"),
    "members_with": ("有记录人数", "members with it"),
    "amounts": ("数量、档次", "count, band"),
    "together": ("合计 {amount}", "together {amount}"),
    "provinces_answered": ("已全部答复省份", "provinces that answered all"),
    "roll_up_note": (
        "同一项目在几个省都有记录的，人数只计一次，数量相加，金额档次相加为范围；未答复的省份没有计入。",
        "A member with records in several provinces counts once; counts are added up, and bands of amounts "
        "to a range. Provinces that did not answer are not in it.",
    ),
    "valued": ("{text}：{value}", "{text}: {value}"),
    "as_of": ("截至 {day}", "as of {day}"),
    "answered": ("已答复 / 应答复", "answered / asked"),
    "gaps": ("未全部答复的项目", "items not fully answered"),
    "people_found": ("有记录人数", "people with a record"),
    "definition": ("统计口径", "definition and period"),
    "bounds": ("档次、限额", "bands, threshold"),
    "freshness": ("数据时效", "fresh for"),
    "own_province": ("{name}（本省）", "{name} (own province)"),
    "basis": ("{name}（{code}）", "{name} ({code})"),
    "unknown_basis": ("{code}（未列入法律依据代码表）", "{code} (not on the list of legal bases)"),
    "days": ("{days} 天", "{days} days"),
    "too_many": (
        "人数超过 {most} 人，逐人结果见同一编号的 XLSX、CSV 和 JSON 文件；以下为汇总。",
        "More than {most} people: the answers for each person are in the XLSX, CSV and JSON files of the "
        "same number; here are the figures.",
    ),
    "band": ("档次", "band"),
    "province": ("省份", "province"),
    "share": ("分布", "distribution"),
    "people": ("人数", "people"),
    "sheet_report": ("概况", "Report"),
    "sheet_people": ("人员", "People"),
    "sheet_details": ("明细", "Details"),
    "sheet_technical": ("技术信息", "Technical"),
    "sheet_sums": ("汇总", "Sums"),
    "person": ("成员", "member"),
    "household_no": ("户", "household"),
    "outcome": ("结果", "outcome"),
    "value": ("数值", "value"),
    "value_text": ("数量、档次", "count, band"),
    "reason": ("原因", "reason"),
    "item_name": ("项目名称", "name of the item"),
    "facts_only": ("只核对、不认定", "Facts only, no decision"),
    "page": ("第 {page} 页，共 {pages} 页", "Page {page} of {pages}"),
    "missing": (
        "字库中没有的字符以方框和编码显示。",
        "A character that the font lacks is shown as a box with its code point.",
    ),
    "attached": (
        "本文件附有可机读的报告数据 report.json；用 heqiao report verify 验证。",
        "The report as data, report.json, is attached to this file; check it with heqiao report verify.",
    ),
}

# Columns of sums.csv as headings of a sheet.
_LISTING: Mapping[str, tuple[str, str]] = {
    "item": ("项目代码", "Item"),
    "item_zh": ("项目名称", "Name of the item in Chinese"),
    "item_en": ("项目英文名称", "Name of the item"),
    "peer": ("省份", "Province"),
    "outcome": ("结果代码", "Outcome (code)"),
    "outcome_zh": ("结果说明", "Why there are no figures, in Chinese"),
    "outcome_en": ("结果英文说明", "Why there are no figures"),
    "reason": ("规则代码", "Rule (code)"),
    "asked": ("查询人数", "People asked about"),
    "count": ("计入人数", "People in it"),
    "total": ("合计", "Total"),
    "mean": ("均值", "Mean"),
    "deviation": ("标准差", "Std. deviation"),
    "unit": ("单位", "Unit"),
    "mode": ("方式", "Mode"),
    "epsilon": ("噪声参数 ε", "Epsilon of the noise"),
    "band": ("档次序号", "Band (number)"),
    "band_zh": ("档次", "Band in Chinese"),
    "band_en": ("档次英文", "Band"),
    "band_count": ("该档人数", "People in the band"),
    "as_of_from": ("数据时点（最早）", "As of (oldest)"),
    "as_of_to": ("数据时点（最新）", "As of (newest)"),
}
_DIGITS: Final = ("一", "二", "三", "四", "五", "六", "七", "八", "九", "十", "十一", "十二")


def phrase(key: str, lang: str) -> str:
    """One phrase; raises InputError for an unknown language."""
    return choose(_PHRASES[key], lang)


def listing_heading(name: str, lang: str) -> str:
    """The heading of a column of sums.csv in a sheet; raises InputError for an unknown language."""
    return choose(_LISTING[name], lang)


def province(peer: PeerSummary, requester: str, lang: str) -> str:
    """A body that was asked, by code and name; the requesting province's own registers are marked as such."""
    name = f"{peer.peer} {peer.name}"
    return phrase("own_province", lang).format(name=name) if peer.peer == requester else name


def answering(peers: Sequence[PeerSummary], requester: str, lang: str) -> str:
    """The bodies that were asked."""
    return choose(("、", ", "), lang).join(province(one, requester, lang) for one in peers) or "-"


def basis_text(code: str, lang: str, own: tuple[str, str] | None = None) -> str:
    """A legal basis by its law and article, with its code; an unknown one by its code alone, and said so.

    `own` is the name that the province gave to a code of its own; a published code has its published name.
    """
    name = name_of(code) or own
    if name is None:
        return phrase("unknown_basis", lang).format(code=code) if code else "-"
    return phrase("basis", lang).format(name=choose(name, lang), code=code)


def matter_text(code: str, lang: str, own: tuple[str, str] | None = None) -> str:
    """A matter by its name; an unknown one by its code. `own` is the name that the province gave it."""
    name = MATTERS.get(code) or own
    return choose(name, lang) if name else code


def number_title(title: str, number: int, lang: str) -> str:
    """The title of a section with its number, as official documents have it."""
    digits = _DIGITS[number - 1] if number <= len(_DIGITS) else str(number)
    return choose((f"{digits}、{title}", f"{number}. {sentence(title)}"), lang)


def span(title: str, start: int, beside: Sequence[PeerSummary], count: int) -> str:
    """A title, and where tables are side by side which provinces this one has."""
    if start == 0 and len(beside) == count:
        return title
    return f"{title} ({', '.join(one.peer for one in beside)})"
