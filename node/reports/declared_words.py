"""The words of declared figures, spending and re-checks in Chinese and English. Pure."""

from collections.abc import Mapping
from typing import Final

from matcher.identity import FOREIGN, FOREIGN_OLD, PERMIT, RESIDENT
from node.reports.wording import choose

_PHRASES: Final[Mapping[str, tuple[str, str]]] = {
    "applications": ("申请信息", "Applications"),
    "household": ("户", "household"),
    "number": ("户", "no."),
    "numbers": ("申请编号、受理编号", "numbers of application, acceptance"),
    "application_no": ("申请编号", "application no."),
    "acceptance_no": ("受理编号", "acceptance no."),
    "applicant": ("申请人（证件类型）", "applicant (document)"),
    "persons": ("成员、赡抚扶养义务人", "members, support-duty relatives"),
    "causes": ("致困原因", "causes"),
    "compared": ("申报与核对", "Declared and verified"),
    "what": ("项目", "item"),
    "declared": ("申报", "declared"),
    "verified": ("核对（已反馈）", "verified (as disclosed)"),
    "difference": ("差额", "difference"),
    "remark": ("说明", "remark"),
    "total_income": ("收入合计", "total income"),
    "total_assets": ("财产合计", "total assets"),
    "total_spending": ("支出合计", "total spending"),
    "known_bands": ("仅知档次，不计差额", "bands only: no difference"),
    "known_threshold": ("仅知是否超限，不知数额", "only whether over the threshold: no amount"),
    "known_existence": ("仅知有无，不知数额", "only that there is a record: no amount"),
    "nothing": ("无记录", "no record"),
    "not_asked": ("未核对", "not verified"),
    "incomplete": ("部分省份未答复，不计差额", "not all provinces answered: no difference"),
    "over": ("超限", "over the threshold"),
    "exists": ("有记录", "record found"),
    "compared_note": (
        "申报数为申请人所报，核对数为各省反馈之和；统计口径和期间见“项目口径”。差额仅为两数之差，不作任何结论。",
        "Declared as the applicant states; verified is the sum of what provinces disclosed, defined below. "
        "A difference is one figure less the other, and no conclusion.",
    ),
    "spending": ("刚性支出", "Rigid spending"),
    "share": ("占申报收入", "share of declared income"),
    "spending_note": (
        "仅列已反馈的数额或档次；占比以申报收入为分母，以档次计算的为范围，不作任何结论。",
        "As disclosed. The share is of the declared income, a range where bands are known; no conclusion.",
    ),
    "cause_figures": ("致困原因分布", "Causes"),
    "households": ("户数", "households"),
    "no_income": ("未申报收入", "income not declared"),
    "more_than": ("> {low}", "> {low}"),
    "at_most": ("≤ {high}", "≤ {high}"),
    "see_items": ("见分项", "see the items"),
    "between": ("> {low}，≤ {high}", "> {low}, ≤ {high}"),
    "recheck": ("异议与复核", "Objection and re-check"),
    "earlier_number": ("原报告编号", "earlier report"),
    "earlier_gone": ("原报告已按期销毁", "the earlier report is erased"),
    "objection": (
        "异议 {id}：{received} 收到报告，{raised} 提出（期限 {last}，{when}）。",
        "Objection {id}: report received {received}, raised {raised} (until {last}, {when}).",
    ),
    "in_time": ("在期限内", "in time"),
    "late": ("已逾期", "late"),
    "raised_by": ("异议人：{name}", "Raised by: {name}"),
    "grounds": ("异议理由：{grounds}", "Grounds: {grounds}"),
    "earlier_answers": ("原结果与复核结果", "Earlier and new answers"),
    "member": ("成员", "member"),
    "province": ("省份", "province"),
    "old": ("原结果", "earlier"),
    "new": ("复核结果", "now"),
    "same": ("一致", "same"),
    "differs": ("不同", "differs"),
    "relatives": ("赡抚扶养义务人核对结果", "Support-duty relatives"),
    "offices": ("委托单位", "ordered by"),
    "window": ("收入支出期间", "period of income and spending"),
    "asset_day": ("财产时点", "assets as of"),
    "window_days": ("{first} 至 {last}（{months} 个月）", "{first} to {last} ({months} months)"),
    "item_count": ("核对项目数", "items verified"),
    "item_counts": ("{items} 项，{peers} 省", "{items} items, {peers} provinces"),
    "declared_row": ("申报", "declared"),
    "sheet_declared": ("申报与核对", "Declared"),
    "sheet_spending": ("刚性支出", "Spending"),
    "people": ("成员 {members} 人{more}", "members: {members}{more}"),
    "more_relatives": ("；义务人 {count} 人", "; relatives: {count}"),
}
_CAUSES: Final[Mapping[str, tuple[str, str]]] = {
    "illness": ("因病", "illness"),
    "disability": ("因残", "disability"),
    "schooling": ("因学", "schooling"),
    "disaster": ("因灾", "disaster"),
    "labour": ("缺劳力", "lack of labour"),
    "accident": ("因意外", "accident"),
    "other": ("其他", "other"),
}
_ID_TYPES: Final[Mapping[str, tuple[str, str]]] = {
    RESIDENT: ("居民身份证", "resident identity card"),
    PERMIT: ("港澳台居民居住证", "residence permit of HK, Macao, Taiwan residents"),
    FOREIGN: ("外国人永久居留身份证", "foreign permanent resident card"),
    FOREIGN_OLD: ("外国人永久居留证（旧）", "foreign permanent resident card (old form)"),
}


def case_word(key: str, lang: str) -> str:
    """One phrase; raises InputError for an unknown language."""
    return choose(_PHRASES[key], lang)


def cause_text(cause: str, lang: str) -> str:
    """A cause in words; one of a later version as it is."""
    return choose(_CAUSES.get(cause, (cause, cause)), lang)


def id_type_text(id_type: str, lang: str) -> str:
    """A kind of document in words."""
    return choose(_ID_TYPES.get(id_type, (id_type, id_type)), lang)
