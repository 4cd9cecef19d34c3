"""Units of amounts: what a header or `--unit` says, and amounts in them as fen (docs/import.md, "Units").

A header that names another unit than that of its field is converted exactly, or refused: an amount in
10,000 yuan that is taken for yuan turns OVER into NOT_OVER.
"""

from collections.abc import Mapping
from re import compile as pattern

from node.domain.catalogue import Item
from node.errors import InputError
from node.tabular.delimited import CellError, clean

# Decimals that an amount in this unit may have, down to one fen.
MONEY: Mapping[str, int] = {
    "亿元": 10,
    "百万元": 8,
    "万元": 6,
    "千元": 5,
    "百元": 4,
    "元": 2,
    "角": 1,
    "分": 0,
}
_SPELLINGS = {
    **{unit: unit for unit in MONEY},
    **dict.fromkeys(("圆", "yuan"), "元"),
    **dict.fromkeys(("万圆", "wanyuan", "10kyuan", "10,000yuan", "10000yuan"), "万元"),
    **dict.fromkeys(("千圆", "thousandyuan", "kyuan", "1,000yuan", "1000yuan"), "千元"),
    "百圆": "百元",
    "百万圆": "百万元",
    "millionyuan": "百万元",
    "亿圆": "亿元",
    "jiao": "角",
    "fen": "分",
    **dict.fromkeys(("个月", "月份", "month", "months"), "月"),
    **dict.fromkeys(("year", "years"), "年"),
    **dict.fromkeys(("日", "day", "days"), "天"),
    **dict.fromkeys(("台", "vehicle", "vehicles"), "辆"),
    **dict.fromkeys(("dwelling", "dwellings"), "套"),
    **dict.fromkeys(("名", "person", "people", "persons"), "人"),
}


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_OTHERS = _words(
    "月 年 天 辆 套 人 户 件 间 幢 栋 次 笔 股 份 张 周 季度 季 小时 % ‰ m2 sqm m 平米 平方 平方米 亩 公顷 "
    "公里 千米 吨 公斤 千克 kg 美元 美金 港元 港币 澳门元 澳门币 欧元 日元 英镑 韩元 新台币 台币 澳元 加元 "
    "外币 原币 usd hkd mop twd eur jpy gbp $ us$ hk$ € £ dollar dollars euro euros hour hours cent cents"
)
_SCALES = "十百千万亿"
_SCALE_WORDS = _words("wan w qian k 10k yi hundred thousand million billion 100 1000 10000 1,000 10,000")
_CURRENCY = pattern(r"^(?:人民币|rmb|cny|¥)|(?:人民币|rmb|cny)$")
_LABEL = pattern(r"^(?:计量)?单位[:=为]?|^unit[:=]?")
_BRACKETS = pattern(r"[(\[{【〔《<]([^()\[\]{}【】〔〕《》<>]*)[)\]}】〕》>]")
_SEPARATOR = pattern(r"[/_|:;\-–—·]")
_BETWEEN_WORDS = pattern(r"(?<=[a-z0-9])\s+(?=[a-z0-9])")
_SCALED = pattern(r"[十百千万亿]+[元圆]|[美港日欧澳加韩]元")
_SUFFIX = pattern(r"[十百千万亿]+[元圆]$|[美港日欧澳加韩]元$|[美港]币$|[^单公次]元$|^元$")
_NUMBER_OF = pattern(r"(个月|季度|[年月周天日人户辆套间件次笔])数$")
_NUMBER = r"([0-9]{1,3}(?:,[0-9]{3})+|[0-9]+)"
_FORMS = {unit: pattern(rf"{_NUMBER}(?:\.([0-9]{{1,{size}}}))?") for unit, size in MONEY.items() if size}
_TOO_FINE = {unit: pattern(rf"[0-9,]+\.[0-9]{{{size + 1},}}") for unit, size in MONEY.items()}


def header_unit(header: str) -> str | None:
    """The unit that a header names, None where it names none.

    `余额(万元)`, `余额（单位：万元）`, `余额/万元`, `金额_万元`, `余额万元` are 万元. A unit not known in
    full, such as 万 alone or 万辆, is returned as it is written. Raises ValueError where there are two.
    """
    text = "".join(_BETWEEN_WORDS.sub("_", clean(header).lower()).split())
    rest = _BRACKETS.sub("", text)
    found = {*map(_bracket_unit, _BRACKETS.findall(text)), _last_word(rest), _end_unit(rest)} - {None}
    found |= {_SPELLINGS.get(scaled, scaled) for scaled in _SCALED.findall(text)}
    if len(found) > 1:
        raise ValueError("a header names two units")
    return next(iter(found), None)


def _unit(text: str) -> str | None:
    """The unit that a word is or ends in, None for one that names none; a scaled one is always a unit."""
    word = _CURRENCY.sub("", _LABEL.sub("", text).replace("_", "")).strip("-/:")
    known = _SPELLINGS.get(word, word)
    if not word:
        return None
    if known in MONEY or known in _OTHERS or word in _SCALE_WORDS or not word.strip(_SCALES):
        return known
    base = word.lstrip(_SCALES)
    scaled = base != word and _SPELLINGS.get(base, base) in {*MONEY, *_OTHERS}
    return word if scaled else _end_unit(word)


def _bracket_unit(text: str) -> str | None:
    """The unit in brackets: 万元, 单位:万元, 万元/年 (money for a time)."""
    words = text.split("/") if _unit(text) is None else [text]
    return next((unit for unit in map(_unit, words) if unit), None)


def _last_word(text: str) -> str | None:
    """The unit after the last separator: 余额/万元, balance_yuan, balance_wan_yuan."""
    words = [word for word in _SEPARATOR.split(text) if word]
    if len(words) > 2 and words[-2] in _SCALE_WORDS:
        return _unit(words[-2] + words[-1]) or words[-2] + words[-1]
    return _unit(words[-1]) if len(words) > 1 else None


def _end_unit(text: str) -> str | None:
    """The unit at the end of a header without brackets or a separator, such as 余额万元 or 缴费月数."""
    amount = _SUFFIX.search(text)
    if amount:
        word = amount[0] if amount[0][0] in _SCALES + "美港日欧澳加韩" else "元"
        return _SPELLINGS.get(word, word)
    number = _NUMBER_OF.search(text)
    return _SPELLINGS.get(number[1], number[1]) if number else None


def own_unit(field: str, item: Item) -> str:
    """The unit of a field where nothing else is said."""
    if item.value_kind != "money":
        return _counted(item)
    return "分" if field == "amount_fen" else "元"


def _counted(item: Item) -> str:
    return _SPELLINGS.get(item.unit_zh, item.unit_zh)


def check_unit(item: Item, stated: str) -> str:
    """The unit that `--unit` states, in its usual spelling. Raises InputError if the item has none such."""
    unit = _SPELLINGS.get("".join(clean(stated).lower().split()), clean(stated))
    if item.value_kind == "money":
        if unit in MONEY:
            return unit
        raise InputError(
            f"{item.code}: amounts cannot be read in that unit", f"known units: {', '.join(MONEY)}"
        )
    if unit != _counted(item):
        raise InputError(
            f"{item.code} is counted in {item.unit_zh} ({item.unit_en}), and in no other unit",
            "leave --unit away, or convert the values in the source",
        )
    return unit


def find_unit(where: str, header: str, field: str, item: Item, stated: str | None) -> str:
    """The unit of the column of an amount: what `--unit` and the header say, else the unit of its field.

    Raises InputError where the two disagree, or for a unit that cannot be converted exactly.
    """
    try:
        named = header_unit(header)
    except ValueError:
        raise InputError(f"{where}: the header of {field} names two units", "rename the header") from None
    if named is not None and stated is not None and named != stated:
        raise InputError(
            f"{where}: the header of {field} names another unit ({named}) than --unit ({stated})",
            "find out which is right; leave --unit away, or correct the header",
        )
    unit = stated or named
    if item.value_kind != "money":
        if unit is not None and unit != _counted(item):
            raise InputError(
                f"{where}: the header of {field} names the unit {unit}, but {item.code} is counted in "
                f"{item.unit_zh} ({item.unit_en})",
                "convert the values in the source, or map another column",
            )
        return _counted(item)
    unit = unit or own_unit(field, item)
    if unit not in MONEY:
        raise InputError(
            f"{where}: the header of {field} names the unit {unit}, which is not converted",
            f"correct the header, or convert the amounts; known units: {', '.join(MONEY)}",
        )
    return unit


def parse_money(field: str, text: str, unit: str, most: int) -> int:
    """Fen of an amount in a unit of money other than 分, exactly. Raises CellError.

    An amount that is no whole number of fen is refused.
    """
    amount = clean(text)
    if not amount:
        raise CellError(field, "empty_amount", "the amount is empty")
    found = _FORMS[unit].fullmatch(amount)
    if found is None:
        if amount.startswith(("-", "−", "(")):
            raise CellError(field, "negative_amount", "the amount is negative")
        if _TOO_FINE[unit].fullmatch(amount):
            message = f"an amount in {unit} has at most {MONEY[unit]} decimals"
            raise CellError(field, "too_many_decimals", message)
        raise CellError(field, "bad_amount", f"the amount is not a number in {unit} such as 1,234.50")
    digits = found[1].replace(",", "") + (found[2] or "").ljust(MONEY[unit], "0")
    # The length first: int() of a long text is slow, and its error would repeat the text.
    if len(digits.lstrip("0")) > len(str(most)) or int(digits) > most:
        raise CellError(field, "amount_too_large", f"the amount is larger than {most}")
    return int(digits)
