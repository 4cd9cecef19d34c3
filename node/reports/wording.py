"""The words of reports of both kinds in Chinese and English (domain.md sections 1, 4 and 7). Pure."""

from collections.abc import Mapping, Sequence

from matcher.sums import disclosure
from matcher.types import Level
from node.domain import mandate_words
from node.domain.catalogue import Item
from node.domain.findings import NAME_CONVERTED, Finding, Outcome, ReusedFrom
from node.domain.quotas import SUSPENDED, Measure, Window
from node.domain.sum_findings import EXPOSURE, MIN_OPENED, SumFinding, SumOutcome
from node.errors import InputError

LANGUAGES = ("zh", "en")

# key -> (Chinese, English)
_WORDS: Mapping[str, tuple[str, str]] = {
    "sum_title": ("跨省汇总统计报告", "Cross-provincial report of sums"),
    "sums": ("各省汇总", "sums per item and province"),
    "cohort": ("查询人数", "people asked about"),
    "matched": ("计入人数", "people in it"),
    "total": ("合计", "total"),
    "mean": ("均值", "mean"),
    "deviation": ("标准差", "std. deviation"),
    "bands": ("分档人数", "people by band"),
    "title": ("跨省居民家庭经济状况核对报告", "Cross-provincial household verification report"),
    "number": ("报告编号", "report number"),
    "job": ("核对编号", "job"),
    "requester": ("委托方（许可接收单位）", "requester (permitted recipient)"),
    "answering": ("应答方", "bodies asked"),
    "purpose": ("核对用途", "purpose"),
    "matter": ("救助事项", "matter"),
    "legal_basis": ("法律依据", "legal basis"),
    "created": ("受理", "accepted"),
    "finished": ("完成", "finished"),
    "due": ("应答期限", "due"),
    "catalogue": ("项目目录", "catalogue"),
    "estimated": ("估算", "estimated"),
    "reused": ("沿用 {day} 的核对结果", "result of {day} used again"),
    "reused_count": ("沿用先前核对结果", "earlier results used again"),
    "left_out": ("未询问的省份", "provinces not asked"),
    "attempt": (
        "{peer}：{asked} 询问，{ended} {state}，后再次询问",
        "{peer}: asked on {asked}, {state} on {ended}, asked again",
    ),
    "findings": ("各项目反馈", "findings per item"),
    "peers": ("各省应答", "answers per province"),
    "item": ("项目、数量、档次", "item, count, bands"),
    "people": ("人数", "people"),
    "provinces": ("分省人数", "by province"),
    "remarks": ("备注", "remarks"),
    "as_of": ("数据时点", "as of"),
    "answered_at": ("反馈时间", "answered at"),
    "peer": ("省份", "province"),
    "state": ("状态", "state"),
    "plan": ("检索方式", "plan"),
    "seconds": ("秒", "seconds"),
    "up": ("上行", "up"),
    "down": ("下行", "down"),
    "points": ("点数", "points"),
    "notes": ("说明", "notes"),
    "converted": (
        "繁简转换后姓名相同",
        "name equal after conversion between traditional and simplified characters",
    ),
    "suppressed": ("不予公布", "suppressed"),
    "noise": ("含噪声，ε = {:g}", "with noise, epsilon = {:g}"),
}
_OUTCOMES: Mapping[Outcome, tuple[str, str]] = {
    Outcome.FOUND: ("有记录", "record found"),
    Outcome.NOT_FOUND: ("无记录", "no record"),
    Outcome.OVER: ("超限", "over the threshold"),
    Outcome.NOT_OVER: ("未超限（或无记录）", "not over (or no record)"),
    Outcome.NAME_MISMATCH: ("姓名不符", "name differs"),
    Outcome.STALE: ("数据陈旧", "stale record"),
    Outcome.NOT_CONNECTED: ("未接入", "not connected"),
    Outcome.NOT_MANDATED: ("无授权", "no mandate"),
    Outcome.REFUSED: ("拒绝", "refused"),
    Outcome.OVERDUE: ("逾期未复", "overdue"),
    Outcome.UNAVAILABLE: ("暂不可用", "unavailable"),
    Outcome.NOT_COMPARABLE: ("口径不一致", "definitions differ"),
}
_STATES: Mapping[str, tuple[str, str]] = {
    "done": ("完成", "done"),
    "answered": ("已答复", "answered"),
    "partly": ("部分答复", "answered in part"),
    "none": ("无答复", "no answer"),
    "cancelled": ("已取消", "cancelled"),
    "queued": ("待办", "queued"),
    "running": ("办理中，尚有省份未复", "in progress, some provinces have not answered"),
    "waiting": ("待复", "awaited"),
    "not_offered": ("未开通所查项目", "offers none of the items"),
    "not_granted": ("未授予本省", "grants none of the items"),
    "not_admitted": ("未接纳本省节点", "does not admit this node"),
    **{outcome.lower(): words for outcome, words in _OUTCOMES.items()},
}
_PURPOSES: Mapping[str, tuple[str, str]] = {
    "statistics": ("统计汇总", "statistics"),
    "new_application": ("新申请", "new application"),
    "review": ("在保复核", "review of current recipients"),
    "report": ("举报核查", "check after a report"),
    "monitoring": ("动态监测", "monitoring"),
    "other": ("其他", "other"),
}
_PLANS: Mapping[str, tuple[str, str]] = {
    "mirror": ("镜像", "mirror"),
    "buckets": ("分桶", "buckets"),
}
# Why a partition was looked up as it was, and what happened meanwhile (matcher/retrieval_plan.py).
_PLAN_REASONS: Mapping[str, tuple[str, str]] = {
    "kept": ("已有镜像", "the mirror as it was"),
    "synced": ("先同步镜像", "brought up to date first"),
    "no_room": ("镜像空间已用完", "no room for a mirror"),
    "no_folder": ("不保存镜像", "no mirrors are kept"),
    "disk": ("磁盘未能写入镜像", "the disk did not take the mirror"),
    "tokens kept": ("沿用监测所留令牌", "tokens kept for monitoring"),
    "changed": ("核对期间数据有更新", "published anew meanwhile"),
    "restarted": ("重新询问", "asked anew"),
}
_MEASURES: Mapping[Measure, tuple[str, str]] = {
    Measure.POINTS: ("核对点数", "points"),
    Measure.SENSITIVE_POINTS: ("敏感项目点数", "points of sensitive items"),
    Measure.SUMS: ("求和次数", "sums"),
    Measure.SUM_POINTS: ("求和点数", "points of sums"),
    Measure.BYTES: ("下载流量", "bytes fetched"),
}
_WINDOWS: Mapping[Window, tuple[str, str]] = {
    Window.HOUR: ("每小时", "hourly"),
    Window.DAY: ("每日", "daily"),
    Window.DAYS_30: ("30日", "30-day"),
}
# what is suspended -> (Chinese, English)
_SUSPENDED: Mapping[Measure, tuple[str, str]] = {
    Measure.POINTS: ("核对", "verifications"),
    Measure.SENSITIVE_POINTS: ("敏感项目核对", "verifications of sensitive items"),
    Measure.SUMS: ("求和", "sums"),
    Measure.SUM_POINTS: ("求和", "sums"),
    Measure.BYTES: ("下载", "fetches"),
}
# rule by which a peer refuses, or of disclosure control -> (Chinese, English)
_RULES: Mapping[str, tuple[str, str]] = {
    disclosure.MIN_COHORT: ("计入人数低于下限", "fewer people in it than the minimum"),
    disclosure.NO_VARIANCE: ("各人数额相同", "all contributions alike"),
    disclosure.DOMINANCE: ("一人占比过高", "one person's share too large"),
    disclosure.DIFFERENCING: ("与先前查询人数过近", "too near to an earlier sum"),
    disclosure.MULTIPLICITY: ("个别人员被重复计入", "single people counted several times"),
    MIN_OPENED: ("匹配人数过少，未发回求和结果", "too few matches for a sum to be returned"),
    EXPOSURE: ("再求和会暴露计入人员，未发回", "another sum would show who is in it"),
    disclosure.SMALL_CELL: ("该档人数过少", "too few people in the cell"),
    disclosure.PRIVACY_BUDGET: ("隐私预算已用完", "the privacy budget is spent"),
    "catalogue_major": ("项目目录主版本不同", "another major version of the catalogue"),
    "catalogue_changed": ("提交后本省项目目录已变更", "the own catalogue changed after the submission"),
    "not_shared": ("该项目不予共享", "the item is not shared"),
    disclosure.INCONSISTENT: ("校验不符", "the sum contradicts itself"),
    "awaited": ("尚未答复，正在催办", "not answered yet; asked again"),
    **{
        f"quota.{measure}.{window}": (
            f"{when[0]}{what[0]}配额已用完",
            f"{when[1]} quota of {what[1]} used up",
        )
        for measure, what in _MEASURES.items()
        for window, when in _WINDOWS.items()
    },
    **{
        f"quota.{measure}.{SUSPENDED}": (f"对方已暂停本省{what[0]}", f"the province has suspended {what[1]}")
        for measure, what in _SUSPENDED.items()
    },
}


def choose(pair: tuple[str, str], lang: str) -> str:
    """The text of a pair in that language. Raises InputError for an unknown language."""
    if lang not in LANGUAGES:
        raise InputError("a report is written in zh or en", "choose one of the two")
    return pair[LANGUAGES.index(lang)]


def word(key: str, lang: str) -> str:
    """One of the report's own words; raises InputError for an unknown language."""
    return choose(_WORDS[key], lang)


def outcome_text(outcome: Outcome, lang: str) -> str:
    """An outcome in words."""
    return choose(_OUTCOMES[outcome], lang)


def answer_text(finding: Finding, lang: str) -> str:
    """The outcome of one answer, whether a name that differs is equal after conversion, and of which day a
    result is that was used again.
    """
    text, bracket = outcome_text(finding.outcome, lang), choose(("{}（{}）", "{} ({})"), lang)
    if finding.reason == NAME_CONVERTED:
        text = bracket.format(text, word("converted", lang))
    if finding.reused_from is not None:
        text = bracket.format(text, reused_text(finding.reused_from, lang))
    return text


def reused_text(source: ReusedFrom, lang: str) -> str:
    """Of which day a result is that was used again."""
    return word("reused", lang).format(day=source.day.isoformat())


def state_text(state: str, lang: str) -> str:
    """The state of a peer or of its coverage of an item; a state of a later version as it is."""
    return choose(_STATES.get(state, (state, state)), lang)


def plan_text(plan: str, lang: str) -> str:
    """A retrieval plan; one of a later version, or several, as they are."""
    return "+".join(choose(_PLANS.get(one, (one, one)), lang) for one in plan.split("+"))


def plan_reason_text(reason: str, lang: str) -> str:
    """Why a retrieval plan was taken, `kept` or `mirror: kept`; one of a later version as it is."""
    plan, colon, why = reason.rpartition(": ")
    said = choose(_PLAN_REASONS.get(why, (why, why)), lang)
    comma = choose(("，", ", "), lang)
    return f"{plan_text(plan, lang)}{comma}{said}" if colon else said


def purpose_text(purpose: str, lang: str) -> str:
    """The purpose of a query; one that a county named itself is not changed."""
    return choose(_PURPOSES.get(purpose, (purpose, purpose)), lang)


def item_text(item: Item | None, code: str, lang: str) -> str:
    """Code and name; the code alone where this catalogue does not know the item."""
    return f"{code} {item.text('name', lang)}" if item else code


def value_text(item: Item | None, value: int | None, lang: str) -> str:
    """A disclosed value at the item's level, in words."""
    if item is None or value is None:
        return "" if value is None else str(value)
    if item.level is Level.BAND:
        return band_text(item, value, lang)
    if item.level is Level.THRESHOLD and item.threshold is not None:
        return f"> {_yuan(item.threshold, lang)}"
    if item.level is Level.CODE:
        return code_text(item, value, lang)
    if item.level is Level.EXISTENCE:
        return outcome_text(Outcome.FOUND, lang)
    unit = item.text("unit", lang)
    return f"{value:,} {unit}" if lang == "zh" or value == 1 else f"{value:,} {_plural(unit)}"


def band_text(item: Item, index: int, lang: str) -> str:
    """The range of one band."""
    return _range_text(item.bands, index, lang) if 0 <= index <= len(item.bands) else str(index)


def code_text(item: Item, place: int, lang: str) -> str:
    """The words of one code, and the code itself; its place where the loaded catalogue has no such code."""
    if not 0 <= place < len(item.codes):
        return str(place)
    found = item.codes[place]
    return f"{found.text(lang)} ({found.code})" if lang == "en" else f"{found.text(lang)}（{found.code}）"


def value_texts(item: Item, lang: str) -> tuple[str, ...]:
    """What an answer of an item may say: its bands, its codes, or its threshold; nothing for others."""
    if item.level is Level.BAND:
        return tuple(band_text(item, band, lang) for band in range(len(item.bands) + 1))
    if item.level is Level.CODE:
        return tuple(code_text(item, place, lang) for place in range(len(item.codes)))
    return (value_text(item, 1, lang),) if item.level is Level.THRESHOLD else ()


def example_text(item: Item, lang: str) -> str:
    """The example answer of an item in words: an amount for the level aggregate, else what a label says."""
    if item.level is Level.AGGREGATE:
        return amount_text(item, item.example, lang)
    if item.level is Level.EXISTENCE:
        return outcome_text(Outcome.FOUND if item.example else Outcome.NOT_FOUND, lang)
    if item.level is Level.THRESHOLD:
        return value_text(item, 1, lang) if item.example else outcome_text(Outcome.NOT_OVER, lang)
    return value_text(item, item.example, lang)


def rule_text(rule: str, lang: str) -> str:
    """The meaning of a rule; empty for one of a later version."""
    return choose(_RULES.get(rule, ("", "")), lang)


def reason_text(reason: str, lang: str) -> str:
    """Why there is no answer, in words: a rule, or what a mandate lacks; one of a later version as it is."""
    return rule_text(reason, lang) or mandate_words.reason_text(reason, lang)


def sum_outcome_lines(found: SumFinding, lang: str) -> tuple[str, ...]:
    """Why a province gives no figures, in words; a rule without words, of a later version, by its name."""
    held = found.outcome is SumOutcome.SUPPRESSED
    outcome = word("suppressed", lang) if held else state_text(found.outcome.lower(), lang)
    if not found.reason or found.reason == found.outcome.lower():
        return (outcome,)
    words = rule_text(found.reason, lang)
    # Its name, which programs read in the file, is wider than the column on a terminal of 80 columns.
    return (outcome, words) if words else (f"{outcome}{choose(('：', ': '), lang)}{found.reason}",)


def amount_text(item: Item | None, amount: int, lang: str) -> str:
    """A total, mean or deviation: yuan for money, else in the item's unit."""
    if item is None:
        return f"{amount:,}"
    return _yuan(amount, lang) if item.value_kind == "money" else f"{amount:,} {item.text('unit', lang)}"


def noise_text(found: SumFinding, lang: str) -> str:
    """That figures have noise, and how much; nothing for exact ones."""
    return word("noise", lang).format(found.epsilon) if found.mode == "dp" else ""


def sum_band_text(item: Item | None, index: int, lang: str) -> str:
    """The range of one band of an item's histogram; its number where the loaded catalogue differs."""
    bounds = item.sum.bands if item and item.sum else ()
    return _range_text(bounds, index, lang) if bounds and index <= len(bounds) else str(index)


def _range_text(bounds: Sequence[int], index: int, lang: str) -> str:
    # One of len(bounds) + 1 bands of money; bounds are inclusive upper bounds, in fen.
    if index == 0:
        return f"≤ {_yuan(bounds[0], lang)}"
    if index == len(bounds):
        return f"> {_yuan(bounds[-1], lang)}"
    return f"> {_number(bounds[index - 1])}, ≤ {_yuan(bounds[index], lang)}"


def _yuan(fen: int, lang: str) -> str:
    # Noise may have brought a sum below zero.
    sign = "-" if fen < 0 else ""
    return f"{sign}{_number(abs(fen))} {'元' if lang == 'zh' else 'yuan'}"


def _number(fen: int) -> str:
    yuan, cents = divmod(fen, 100)
    return f"{yuan:,}.{cents:02d}" if cents else f"{yuan:,}"


def _plural(unit: str) -> str:
    return "people" if unit == "person" else f"{unit}s"
