"""The words of a report in Chinese and English (domain.md sections 1, 4 and 7). Pure."""

from collections.abc import Mapping, Sequence

from matcher.types import Level
from node.domain.catalogue import Catalogue, Item
from node.domain.findings import Outcome, Report
from node.errors import InputError

LANGUAGES = ("zh", "en")
OBJECTION_DAYS = 5  # after receipt of the report (domain.md section 2)

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
    "job": ("核对编号", "job"),
    "requester": ("委托方（许可接收单位）", "requester (permitted recipient)"),
    "purpose": ("核对用途", "purpose"),
    "legal_basis": ("法律依据", "legal basis"),
    "created": ("受理", "accepted"),
    "finished": ("完成", "finished"),
    "due": ("应答期限", "due"),
    "catalogue": ("项目目录", "catalogue"),
    "findings": ("各项目反馈", "findings per item"),
    "peers": ("各省应答", "answers per province"),
    "item": ("项目、数量、档次", "item, count, bands"),
    "people": ("人数", "people"),
    "provinces": ("分省人数", "by province"),
    "remarks": ("备注", "remarks"),
    "as_of": ("数据时点", "as of"),
    "peer": ("省份", "province"),
    "state": ("状态", "state"),
    "plan": ("检索方式", "plan"),
    "seconds": ("秒", "seconds"),
    "up": ("上行", "up"),
    "down": ("下行", "down"),
    "points": ("点数", "points"),
    "notes": ("说明", "notes"),
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
}
_STATES: Mapping[str, tuple[str, str]] = {
    "done": ("完成", "done"),
    "answered": ("已答复", "answered"),
    "partly": ("部分答复", "answered in part"),
    "none": ("无答复", "no answer"),
    "cancelled": ("已取消", "cancelled"),
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
    "buckets": ("分桶", "buckets"),
    "filter": ("过滤器", "filter"),
    "partition": ("整区", "partition"),
}


def word(key: str, lang: str) -> str:
    """One of the report's own words; raises InputError for a language there is not."""
    return _WORDS[key][column(lang)]


def outcome_text(outcome: Outcome, lang: str) -> str:
    """An outcome in the words of the trade."""
    return _OUTCOMES[outcome][column(lang)]


def state_text(state: str, lang: str) -> str:
    """The state of a peer or of its coverage of an item; a state of a later version as it is."""
    return _STATES.get(state, (state, state))[column(lang)]


def plan_text(plan: str, lang: str) -> str:
    """A retrieval plan; one of a later version, or several, as they are."""
    return "+".join(_PLANS.get(one, (one, one))[column(lang)] for one in plan.split("+"))


def purpose_text(purpose: str, lang: str) -> str:
    """The purpose of a query; one that a county named itself stays as it is."""
    return _PURPOSES.get(purpose, (purpose, purpose))[column(lang)]


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
        return f"> {yuan(item.threshold, lang)}"
    if item.level is Level.EXISTENCE:
        return outcome_text(Outcome.FOUND, lang)
    unit = item.text("unit", lang)
    return f"{value:,} {unit}" if lang == "zh" or value == 1 else f"{value:,} {_plural(unit)}"


def band_text(item: Item, index: int, lang: str) -> str:
    """The range of one band."""
    return range_text(item.bands, index, lang) if 0 <= index <= len(item.bands) else str(index)


def range_text(bounds: Sequence[int], index: int, lang: str) -> str:
    """The range of one of len(bounds) + 1 bands of money; bounds are inclusive upper bounds, in fen."""
    if index == 0:
        return f"≤ {yuan(bounds[0], lang)}"
    if index == len(bounds):
        return f"> {yuan(bounds[-1], lang)}"
    return f"> {_number(bounds[index - 1])}, ≤ {yuan(bounds[index], lang)}"


def notes(report: Report, catalogue: Catalogue, lang: str) -> tuple[str, ...]:
    """What every reader of a report must be told."""
    recipient = report.requester_name or report.requester
    purpose = purpose_text(report.purpose, lang)
    strange = report.catalogue_digest != catalogue.digest.hex()
    if column(lang) == 0:
        lines = [
            "只核对、不认定：本报告只陈述事实，不作是否符合救助条件的结论。",
            "未接入、拒绝、逾期、暂不可用的省份没有作答，不等于无记录。",
            "门槛类项目只反馈是否超过公布的限额；未超限与无记录不作区分。",
            "姓名不符者不计入有记录人数，须由经办人核实；各项数据以所列数据时点为准。",
            f"当事人对结果有异议的，可在收到报告之日起{OBJECTION_DAYS}日内提出。",
            f"许可接收单位：{recipient}；许可用途：{purpose}。不得转交第三方或用于其他用途。",
        ]
        return (*lines, *(["本报告依据的项目目录与此处所用目录不同，项目名称与档次可能有出入。"] * strange))
    lines = [
        "Facts only: this report verifies and does not decide on eligibility (只核对、不认定).",
        "A province that is not connected, refused, overdue or unavailable gave no answer: "
        "that is not 'no record'.",
        "Threshold items say only whether the published threshold is exceeded: "
        "not over and no record look alike.",
        "People whose name differs are not counted as found: an officer must check them. "
        "Figures are as of the dates shown.",
        f"Objections can be raised within {OBJECTION_DAYS} days after receipt of the report.",
        f"Permitted recipient: {recipient}. Permitted purpose: {purpose}. "
        "Not to be passed on or used otherwise.",
    ]
    differs = "The report rests on another catalogue than the one at hand: names and bands may differ."
    return (*lines, *([differs] * strange))


def column(lang: str) -> int:
    """Which of a pair of words. Raises InputError for a language there is not."""
    if lang not in LANGUAGES:
        raise InputError("a report is written in zh or en", "choose one of the two")
    return LANGUAGES.index(lang)


def yuan(fen: int, lang: str) -> str:
    """An amount of money; noise may have brought a sum below zero."""
    sign = "-" if fen < 0 else ""
    return f"{sign}{_number(abs(fen))} {'元' if lang == 'zh' else 'yuan'}"


def _number(fen: int) -> str:
    yuan, cents = divmod(fen, 100)
    return f"{yuan:,}.{cents:02d}" if cents else f"{yuan:,}"


def _plural(unit: str) -> str:
    return "people" if unit == "person" else f"{unit}s"
