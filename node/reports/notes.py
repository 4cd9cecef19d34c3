"""What every reader of a report must know, in Chinese and English (domain.md section 2). Pure."""

from collections.abc import Mapping

from node.domain.catalogue import Catalogue
from node.domain.findings import Report
from node.domain.matters import URGENT_BASIS
from node.domain.sum_findings import SumReport
from node.domain.sum_rules import STATISTICS
from node.reports.wording import choose, purpose_text

OBJECTION_DAYS = 5  # after receipt of the report (domain.md section 2)

_VERIFICATION: Mapping[str, tuple[str, ...]] = {
    "zh": (
        "只核对、不认定：本报告只陈述事实，不作是否符合救助条件的结论。",
        "未接入、口径不一致、拒绝、逾期、暂不可用的没有答复，不等于无记录。",
        "门槛类项目只反馈是否超过公布的限额；未超限与无记录不作区分。",
        "姓名不符者不计入有记录人数，须由经办人核实；各项数据以所列数据时点为准。",
        f"当事人对结果有异议的，可在收到报告之日起{OBJECTION_DAYS}日内提出。",
    ),
    "en": (
        "Facts only: this report verifies and does not decide on eligibility (只核对、不认定).",
        "Not connected, definitions differ, refused, overdue or unavailable: there was no answer, "
        "and that is not 'no record'.",
        "Threshold items say only whether the published threshold is exceeded: "
        "not over and no record look alike.",
        "People whose name differs are not counted as found: an officer must check them. "
        "Figures are as of the dates shown.",
        f"Objections can be raised within {OBJECTION_DAYS} days after receipt of the report.",
    ),
}
_SUMS: Mapping[str, tuple[str, ...]] = {
    "zh": (
        "本报告只有汇总数，不含任何个人结果；查询省不知道名单中哪些人计入。",
        "“不予公布”表示按所列规则不公布，不论有无记录；不是“未接入”，也不是零。",
        "未接入、拒绝、逾期、暂不可用的省份没有作答，不等于零。",
        "同一人在几个省都有记录的，各省分别计入；合计为各省已有登记的数额，可能不全。",
        "标有“含噪声”的数字（人数、合计、分档）均加了随机噪声，只宜作整体判断。",
    ),
    "en": (
        "Totals only: nothing here is about one person, "
        "and the province that asked cannot tell which of its people are in a sum.",
        "Suppressed means that a rule holds the figures back, whoever was found: "
        "it is neither 'not connected' nor zero.",
        "A province that is not connected, refused, overdue or unavailable gave no answer: that is not zero.",
        "Somebody with records in several provinces is in the sum of each. "
        "Registers may be incomplete, and so are their sums.",
        "Figures marked as noisy (people, total, bands) all carry random noise: read them as a whole.",
    ),
}
_RECIPIENT = (
    "许可接收单位：{recipient}；许可用途：{purpose}。不得转交第三方或用于其他用途。",
    "Permitted recipient: {recipient}. Permitted purpose: {purpose}. Not to be passed on or used otherwise.",
)
_OTHER_CATALOGUE = "The report rests on another catalogue than the one at hand: names and bands may differ."
_VERIFICATION_DIFFERS = (
    "本报告依据的项目目录与此处所用目录不同，项目名称与档次可能有出入。",
    _OTHER_CATALOGUE,
)
_SUMS_DIFFER = ("本报告依据的项目目录与此处所用目录不同，名称与档次可能有出入。", _OTHER_CATALOGUE)


_URGENT = (
    "紧急核对（社会救助法第50条）：先行救助，授权书随后补交；逾期未补的不得再次先行核对。",
    "Urgent check (Social Assistance Law, article 50): help comes first and mandates follow; "
    "people whose mandates are overdue are not checked urgently again.",
)


def verification_notes(report: Report, catalogue: Catalogue, lang: str) -> tuple[str, ...]:
    """The notes of a verification. Raises InputError for an unknown language."""
    closing = _closing(report, report.purpose, catalogue, _VERIFICATION_DIFFERS, lang)
    urgent = (choose(_URGENT, lang),) if report.legal_basis == URGENT_BASIS else ()
    return (*urgent, *_VERIFICATION[lang], *closing)


def sum_notes(report: SumReport, catalogue: Catalogue, lang: str) -> tuple[str, ...]:
    """The notes of sums. Raises InputError for an unknown language."""
    closing = _closing(report, STATISTICS, catalogue, _SUMS_DIFFER, lang)
    return (*_SUMS[lang], *closing)


def recipient_note(report: Report | SumReport, purpose: str, lang: str) -> str:
    """Who may have the answers, and for what: it stands below each table of answers too."""
    recipient = report.requester_name or report.requester
    return choose(_RECIPIENT, lang).format(recipient=recipient, purpose=purpose_text(purpose, lang))


def _closing(
    report: Report | SumReport, purpose: str, catalogue: Catalogue, differs: tuple[str, str], lang: str
) -> tuple[str, ...]:
    permitted = recipient_note(report, purpose, lang)
    if report.catalogue_digest == catalogue.digest.hex():
        return (permitted,)
    return (permitted, choose(differs, lang))
