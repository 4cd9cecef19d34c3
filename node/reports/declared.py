"""Sections, a sheet and keys of report.json about what households declare (domain.md section 7). Pure."""

from collections.abc import Iterator, Mapping
from dataclasses import asdict, replace
from datetime import date
from itertools import groupby
from typing import Any, Final

from matcher.types import Level
from node.domain.catalogue import Catalogue, Item
from node.domain.days import china_day
from node.domain.declared import TOTALS, DeclaredHousehold
from node.domain.findings import Report
from node.reports.common import known_items
from node.reports.comparisons import (
    BANDS,
    EXACT,
    EXISTENCE,
    NOT_ASKED,
    NOTHING,
    THRESHOLD,
    Amount,
    Comparison,
    Spending,
    causes,
    compare,
    spending,
)
from node.reports.declared_words import case_word, cause_text, id_type_text
from node.reports.document import Cell, Column, Fact, Group, Kind, Row, Section, Sheet, Table
from node.reports.headings import headed_columns, sentence
from node.reports.households import household_of
from node.reports.print_words import phrase
from node.reports.wording import LANGUAGES, amount_text, choose, item_text, value_text

MOST_HOUSEHOLDS: Final = 60  # whose figures are printed; of more there are figures, and the other formats
_MOST_PEERS: Final = 4  # provinces beside each other, with the amount and the share


def declared_sections(report: Report, catalogue: Catalogue, lang: str) -> tuple[Section, ...]:
    """Applications, declared beside verified, spending, causes: those that the report has."""
    found: list[Section] = []
    if report.declared and len(report.declared) <= MOST_HOUSEHOLDS:
        found += [_applications(report, lang), *_compared(report, catalogue, lang)]
    if len({household_of(ref) for ref in report.subjects}) <= MOST_HOUSEHOLDS:
        found += _spending(report, catalogue, lang)
    counts = causes(report)
    if counts and len(report.declared) > 1:
        rows: tuple[Row, ...] = tuple(
            (sentence(cause_text(one, lang)), number) for one, number in counts.items()
        )
        columns = (Column(case_word("causes", lang)), Column(case_word("households", lang), Kind.NUMBER))
        found.append(Table(case_word("cause_figures", lang), columns, (Group(rows),)))
    return tuple(found)


def case_facts(report: Report, catalogue: Catalogue, lang: str) -> tuple[Fact, ...]:
    """Lines of the head: who ordered it, which period and day it is about, how many items."""
    known = known_items(catalogue)
    asked = [known[code] for code in report.items if code in known]
    day, found = china_day(report.created_at), []
    if report.offices:
        names = choose(("、", ", "), lang).join(
            f"{office} {report.office_names.get(office, '')}".rstrip() for office, _ in report.offices
        )
        found.append(Fact(case_word("offices", lang), names))
    months = max((item.period_months or 0 for item in asked), default=0)
    if months:
        first = _months_before(day, months).isoformat()
        window = case_word("window_days", lang).format(first=first, last=day.isoformat(), months=months)
        found.append(Fact(case_word("window", lang), window))
    if any(item.time == "instant" for item in asked):
        found.append(Fact(case_word("asset_day", lang), day.isoformat()))
    counts = case_word("item_counts", lang).format(items=len(report.items), peers=len(report.peers))
    return (*found, Fact(case_word("item_count", lang), counts))


def _months_before(day: date, months: int) -> date:
    years, month = divmod(day.year * 12 + day.month - 1 - months, 12)
    for last in range(day.day, 0, -1):
        try:
            return date(years, month + 1, last)
        except ValueError:
            continue
    raise AssertionError("every month has a first day")


def without_relatives(report: Report) -> tuple[Report, Report | None]:
    """The members of the households, and the support-duty relatives where there are any, each as a report."""
    relatives = {ref for one in report.declared for ref in one.relatives}
    if not relatives & set(report.subjects):
        return report, None
    parts = []
    for wanted in (False, True):
        subjects = tuple(ref for ref in report.subjects if (ref in relatives) == wanted)
        findings = tuple(one for one in report.findings if (one.subject in relatives) == wanted)
        parts.append(replace(report, subjects=subjects, findings=findings))
    return parts[0], parts[1]


# ---- applications


def _applications(report: Report, lang: str) -> Table:
    members: dict[str, int] = {}
    for ref in report.subjects:
        members[household_of(ref)] = members.get(household_of(ref), 0) + 1
    rows = tuple(_application(one, members.get(one.household, 0), lang) for one in report.declared)
    keys = ("number", "numbers", "applicant", "persons", "causes")
    columns = tuple(Column(case_word(key, lang)) for key in keys)
    return Table(case_word("applications", lang), columns, (Group(rows),))


def _application(one: DeclaredHousehold, people: int, lang: str) -> Row:
    count = len(one.relatives)
    more = case_word("more_relatives", lang).format(count=count) if count else ""
    persons = case_word("people", lang).format(members=people - count, more=more)
    applicant = one.applicant
    if one.applicant_id_type:
        applicant += f"\n{id_type_text(one.applicant_id_type, lang)}"
    named = choose(("、", ", "), lang).join(cause_text(cause, lang) for cause in one.causes)
    return (
        one.household,
        "\n".join(filter(None, (one.application_no, one.acceptance_no))) or None,
        applicant or None,
        persons,
        named or None,
    )


# ---- declared beside verified


def _compared(report: Report, catalogue: Catalogue, lang: str) -> list[Table]:
    known = known_items(catalogue)
    groups = [
        Group(
            tuple(_compared_row(one, known, lang) for one in lines),
            f"{case_word('household', lang)} {household}",
        )
        for household, lines in groupby(compare(report, catalogue), key=lambda one: one.household)
    ]
    if not groups:
        return []
    keys = ("what", "declared", "verified", "difference", "remark")
    kinds = (Kind.TEXT, Kind.AMOUNT, Kind.AMOUNT, Kind.AMOUNT, Kind.TEXT)
    columns = tuple(Column(case_word(key, lang), kind) for key, kind in zip(keys, kinds, strict=True))
    title, note = case_word("compared", lang), case_word("compared_note", lang)
    return [Table(title, columns, tuple(groups), (note,))]


def _compared_row(one: Comparison, known: Mapping[str, Item], lang: str) -> Row:
    is_total, item = one.what in TOTALS, known.get(one.what)
    name = sentence(case_word(f"total_{one.what}", lang)) if is_total else item_text(item, one.what, lang)
    difference = one.difference
    return (
        name,
        _unit_text(item, one.declared, lang, money=is_total),
        _total_words(one.amount, lang) if is_total else amount_words(one.amount, item, lang),
        _signed(item, difference, lang, money=is_total) if difference is not None else None,
        _remark(one.amount, lang),
    )


def _total_words(amount: Amount, lang: str) -> str:
    if amount.known in (THRESHOLD, EXISTENCE):
        return case_word("see_items", lang)
    return amount_words(amount, None, lang, money=True)


def amount_words(amount: Amount, item: Item | None, lang: str, *, money: bool = False) -> str:
    """An amount in words: a figure, a range, or what is known instead."""
    if amount.known == EXACT:
        return _unit_text(item, amount.low, lang, money=money) or ""
    if amount.known == BANDS:
        low = _unit_text(item, amount.low, lang, money=money)
        return _range_words(low, _unit_text(item, amount.high, lang, money=money), bool(amount.low), lang)
    words = {THRESHOLD: "over", EXISTENCE: "exists", NOTHING: "nothing", NOT_ASKED: "not_asked"}
    return case_word(words[amount.known], lang)


def _range_words(low: str | None, high: str | None, is_above: bool, lang: str) -> str:
    """More than `low`, at most `high`; of an open range only one of the two."""
    if high is None:
        return case_word("more_than", lang).format(low=low)
    key = "between" if is_above else "at_most"
    return case_word(key, lang).format(low=low, high=high)


def _remark(amount: Amount, lang: str) -> str | None:
    keys = [f"known_{amount.known}"] if amount.known in (BANDS, THRESHOLD, EXISTENCE) else []
    if not amount.complete and amount.known != NOT_ASKED:
        keys.append("incomplete")
    return "\n".join(case_word(key, lang) for key in keys) or None


def _unit_text(item: Item | None, amount: int | None, lang: str, *, money: bool) -> str | None:
    if amount is None:
        return None
    if money:
        return yuan(amount, lang)
    return amount_text(None, amount, lang) if item is None else counted(item, amount, lang)


def _signed(item: Item | None, amount: int, lang: str, *, money: bool) -> str:
    text = _unit_text(item, amount, lang, money=money) or ""
    return f"+{text}" if amount > 0 else text


def counted(item: Item, amount: int, lang: str) -> str:
    """A number with the unit of its item."""
    return value_text(item, amount, lang) if item.level is Level.COUNT else amount_text(item, amount, lang)


def yuan(fen: int, lang: str) -> str:
    """An amount of money; fen only where there are any."""
    whole, cents = divmod(abs(fen), 100)
    number = f"{whole:,}.{cents:02d}" if cents else f"{whole:,}"
    return f"{'-' if fen < 0 else ''}{number} {choose(('元', 'yuan'), lang)}"


# ---- spending


def _spending(report: Report, catalogue: Catalogue, lang: str) -> list[Table]:
    lines, known, made = list(spending(report, catalogue)), known_items(catalogue), []
    incomes = {one.household: one.income for one in report.declared}
    shown = [peer for peer in report.peers if any(peer.peer in one.by_peer for one in lines)]
    for start in range(0, len(shown), _MOST_PEERS):
        beside = shown[start : start + _MOST_PEERS]
        groups = []
        for household, some in groupby(lines, key=lambda one: one.household):
            rows = tuple(
                _spending_row(one, [peer.peer for peer in beside], known[one.item], lang) for one in some
            )
            title = f"{case_word('household', lang)} {household}"
            if incomes.get(household) is None:
                title += f" ({case_word('no_income', lang)})"
            groups.append(Group(rows, title))
        columns = (
            Column(case_word("what", lang)),
            *(Column(f"{peer.peer} {peer.name}", Kind.AMOUNT) for peer in beside),
            Column(case_word("verified", lang), Kind.AMOUNT),
            Column(case_word("share", lang), Kind.AMOUNT),
        )
        title = case_word("spending", lang)
        made.append(Table(title, columns, tuple(groups), (case_word("spending_note", lang),)))
    return made


def _spending_row(one: Spending, peers: list[str], item: Item, lang: str) -> Row:
    cells: list[Cell] = [
        amount_words(one.by_peer[peer], item, lang) if peer in one.by_peer else None for peer in peers
    ]
    total = amount_words(one.amount, item, lang)
    return (item_text(item, one.item, lang), *cells, total, share_text(one.share, lang))


def share_text(share: tuple[int, int | None] | None, lang: str) -> str | None:
    """A share, or the range of one, in percent."""
    if share is None:
        return None
    low, high = share
    if low == high:
        return _percent(low)
    return _range_words(_percent(low), None if high is None else _percent(high), low > 0, lang)


def _percent(permille: int) -> str:
    return f"{permille // 10}.{permille % 10}%"


# ---- sheet, report.json


def declared_sheets(report: Report, catalogue: Catalogue, lang: str) -> tuple[Sheet, ...]:
    """A row for each household and declared figure, whatever the number of households."""
    count = sum(
        sum(total is not None for total in one.totals.values()) + len(one.items) for one in report.declared
    )
    if not count:  # of relatives and numbers alone there is nothing to compare
        return ()
    keys = ("household", "application_no", "acceptance_no", "causes", "what")
    columns = (
        *(Column(case_word(key, lang)) for key in keys),
        Column(case_word("declared", lang), Kind.NUMBER),
        Column(phrase("value", lang), Kind.NUMBER),
        Column(case_word("verified", lang)),
        Column(case_word("difference", lang), Kind.NUMBER),
        Column(case_word("remark", lang)),
    )
    shown, rows = headed_columns(columns), _sheet_rows(report, catalogue, lang)
    return (Sheet(case_word("sheet_declared", lang), shown, rows, count),)


def _sheet_rows(report: Report, catalogue: Catalogue, lang: str) -> Iterator[Row]:
    known, of = known_items(catalogue), {one.household: one for one in report.declared}
    comma = choose(("、", ", "), lang)
    for line in compare(report, catalogue):
        one, item = of[line.household], known.get(line.what)
        is_total = line.what in TOTALS
        total = sentence(case_word(f"total_{line.what}", lang)) if is_total else ""
        name = total or item_text(item, line.what, lang)
        is_money = is_total or (item is not None and item.value_kind == "money")
        if is_money:
            name += choose(("（元）", " (yuan)"), lang)
        elif item is not None and item.value_kind == "count":
            name += choose(("（{}）", " ({})"), lang).format(item.text("unit", lang))
        yield (
            line.household,
            one.application_no or None,
            one.acceptance_no or None,
            comma.join(cause_text(cause, lang) for cause in one.causes) or None,
            name,
            _number(line.declared, is_money=is_money),
            _number(line.amount.exact, is_money=is_money),
            _total_words(line.amount, lang) if is_total else amount_words(line.amount, item, lang),
            _number(line.difference, is_money=is_money),
            _remark(line.amount, lang),
        )


def _number(amount: int | None, *, is_money: bool) -> int | float | None:
    """A number of a spreadsheet: money in yuan, with fen only where there are any."""
    if amount is None or not is_money:
        return amount
    return amount // 100 if amount % 100 == 0 else amount / 100


def declared_rows(report: Report, catalogue: Catalogue) -> list[tuple[Row, Row]]:
    """Rows of findings.csv, each in two parts as there: the household, then what it declares."""
    known, found = known_items(catalogue), list[tuple[Row, Row]]()
    for one in report.declared:
        for name, total in one.totals.items():
            if total is not None:
                names = [case_word(f"total_{name}", lang) for lang in LANGUAGES]
                found.append(
                    ((one.household,), _listing(name, names, total, [yuan(total, "zh"), yuan(total, "en")]))
                )
        for code, amount in sorted(one.items.items()):
            item = known.get(code)
            names = [item.text("name", lang) if item else "" for lang in LANGUAGES]
            texts = [_unit_text(item, amount, lang, money=False) or "" for lang in LANGUAGES]
            found.append(((one.household,), _listing(code, names, amount, texts)))
    return found


def _listing(what: str, names: list[str], amount: int, texts: list[str]) -> Row:
    return (what, *names, None, "DECLARED", case_word("declared_row", "zh"), amount, *texts, None, "")


def declared_json(report: Report, catalogue: Catalogue) -> dict[str, Any]:
    """The keys of report.json that only a report with declared figures or offices has."""
    found: dict[str, Any] = {}
    if report.offices:
        found["offices"] = [[office, list(households)] for office, households in report.offices]
    if report.office_names:
        found["office_names"] = dict(report.office_names)
    if report.declared:
        found["declared"] = [_plain(one) for one in report.declared]
        found["compared"] = [_compared_json(one) for one in compare(report, catalogue)]
        found["causes"] = causes(report)
    lines = list(spending(report, catalogue))
    if lines:
        found["spending"] = [_spending_json(one) for one in lines]
    return found


def _plain(one: DeclaredHousehold) -> dict[str, Any]:
    return {**asdict(one), "causes": list(one.causes), "relatives": list(one.relatives)}


def _compared_json(one: Comparison) -> dict[str, Any]:
    return {
        "household": one.household,
        "what": one.what,
        "declared": one.declared,
        **_amount_json(one.amount),
        "difference": one.difference,
    }


def _spending_json(one: Spending) -> dict[str, Any]:
    return {
        "household": one.household,
        "item": one.item,
        **_amount_json(one.amount),
        "by_peer": {peer: _amount_json(amount) for peer, amount in one.by_peer.items()},
        "share_permille": list(one.share) if one.share else None,
    }


def _amount_json(amount: Amount) -> dict[str, Any]:
    return {"known": amount.known, "complete": amount.complete, "low": amount.low, "high": amount.high}
