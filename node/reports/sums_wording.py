"""The words of a report of sums in Chinese and English. Pure."""

from collections.abc import Mapping

from matcher.sums import disclosure
from node.domain.catalogue import Catalogue, Item
from node.domain.sum_findings import SumFinding, SumOutcome, SumReport
from node.reports.wording import column, range_text, state_text, yuan

# rule of disclosure control -> (Chinese, English)
_RULES: Mapping[str, tuple[str, str]] = {
    disclosure.MIN_COHORT: ("计入人数低于下限", "fewer people in it than the minimum"),
    disclosure.NO_VARIANCE: ("各人数额相同", "all contributions alike"),
    disclosure.DOMINANCE: ("一人占比过高", "one person's share too large"),
    disclosure.DIFFERENCING: ("与先前查询人数过近", "too near to an earlier sum"),
    disclosure.SMALL_CELL: ("该档人数过少", "too few people in the cell"),
    disclosure.BUDGET: ("查询次数已用完", "the budget of queries is spent"),
    disclosure.PRIVACY_BUDGET: ("隐私预算已用完", "the privacy budget is spent"),
    disclosure.INCONSISTENT: ("校验不符", "the sum contradicts itself"),
}
_SUPPRESSED = ("不予公布", "suppressed")


def rule_text(rule: str, lang: str) -> str:
    """What a rule says; nothing for one of a later version."""
    words = _RULES.get(rule)
    return words[column(lang)] if words else ""


def outcome_lines(found: SumFinding, lang: str) -> tuple[str, ...]:
    """What a province says where it gives no figures, with the rule or cause by name, and then in words."""
    held = found.outcome is SumOutcome.SUPPRESSED
    told = _SUPPRESSED[column(lang)] if held else state_text(found.outcome.value.lower(), lang)
    if not found.reason or found.reason == found.outcome.value.lower():
        return (told,)
    mark = "：" if lang == "zh" else ": "
    words = rule_text(found.reason, lang)
    return (f"{told}{mark}{found.reason}", *((words,) if words else ()))


def outcome_text(found: SumFinding, lang: str) -> str:
    """The same in one line."""
    return " ".join(outcome_lines(found, lang))


def amount_text(item: Item | None, amount: int | None, lang: str) -> str:
    """A total, mean or deviation: yuan for money, else in the item's unit."""
    if amount is None:
        return "-"
    if item is None:
        return f"{amount:,}"
    return yuan(amount, lang) if item.value_kind == "money" else f"{amount:,} {item.text('unit', lang)}"


def mode_text(found: SumFinding, lang: str) -> str:
    """That figures have noise, and how much; nothing for exact ones."""
    if found.mode != "dp":
        return ""
    return (f"含噪声，ε = {found.epsilon:g}", f"with noise, epsilon = {found.epsilon:g}")[column(lang)]


def cell_text(cell: int | None, lang: str) -> str:
    """One cell of a histogram."""
    return _SUPPRESSED[column(lang)] if cell is None else f"{cell:,}"


def band_text(item: Item | None, index: int, lang: str) -> str:
    """The range of one band of an item's histogram; its number where the catalogue at hand differs."""
    bounds = item.sum.bands if item and item.sum else ()
    return range_text(bounds, index, lang) if bounds and index <= len(bounds) else str(index)


def notes(report: SumReport, catalogue: Catalogue, lang: str) -> tuple[str, ...]:
    """What every reader of a report of sums must be told."""
    strange = report.catalogue_digest != catalogue.digest.hex()
    recipient = report.requester_name or report.requester
    if column(lang) == 0:
        lines = [
            "本报告只有汇总数，不含任何个人结果；查询省不知道名单中哪些人计入。",
            "“不予公布”表示按所列规则不公布，不论有无记录；不是“未接入”，也不是零。",
            "未接入、拒绝、逾期、暂不可用的省份没有作答，不等于零。",
            "同一人在几个省都有记录的，各省分别计入；合计为各省已有登记的数额，可能不全。",
            "标有“含噪声”的数字（人数、合计、分档）均加了随机噪声，只宜作整体判断。",
            f"许可接收单位：{recipient}；许可用途：统计汇总。不得转交第三方或用于其他用途。",
        ]
        return (*lines, *(["本报告依据的项目目录与此处所用目录不同，名称与档次可能有出入。"] * strange))
    lines = [
        "Totals only: nothing here is about one person, "
        "and the province that asked cannot tell which of its people are in a sum.",
        "Suppressed means that a rule holds the figures back, whoever was found: "
        "it is neither 'not connected' nor zero.",
        "A province that is not connected, refused, overdue or unavailable gave no answer: that is not zero.",
        "Somebody with records in several provinces is in the sum of each. "
        "Registers may be incomplete, and so are their sums.",
        "Figures marked as noisy (people, total, bands) all carry random noise: read them as a whole.",
        f"Permitted recipient: {recipient}. Permitted purpose: statistics. "
        "Not to be passed on or used otherwise.",
    ]
    differs = "The report rests on another catalogue than the one at hand: names and bands may differ."
    return (*lines, *([differs] * strange))
