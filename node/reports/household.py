"""A verification as a report on paper: households, members, items and provinces (domain.md section 7). Pure.

Findings come first: what each household has, then for each member a table of items and provinces. How each
province was asked, and what it cost, stands in the appendix. Nothing here says who is eligible.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import groupby
from typing import Final

from matcher.types import Level
from node.domain.catalogue import Catalogue, Item
from node.domain.findings import Finding, Report
from node.reports import verification
from node.reports.answer_cells import answer_cell
from node.reports.common import columns, facts, known_items, minute, number_of, peers_table
from node.reports.comparisons import amount_of
from node.reports.coverage import ANSWERED, HAS, summarise
from node.reports.declared import amount_words, case_facts, declared_sections, without_relatives
from node.reports.declared_words import case_word
from node.reports.document import (
    Cell,
    Column,
    Document,
    Fact,
    Group,
    Kind,
    Paragraph,
    Row,
    Section,
    Table,
)
from node.reports.grid import Grid
from node.reports.headings import headed
from node.reports.households import household_of
from node.reports.notes import recipient_note
from node.reports.part_reasons import part_reason_text
from node.reports.print_words import answering, number_title, phrase, province, span
from node.reports.rechecks import recheck_sections
from node.reports.signing import issuing_body, signing_table
from node.reports.wording import (
    item_text,
    purpose_text,
    state_text,
    value_text,
    value_texts,
    word,
)

MOST_PEOPLE: Final = 200  # whose tables are printed; of more people there are figures, and the other formats
_BESIDE: Final = 5  # provinces beside each other
_FACTS = ("number", "job", "requester", "answering", "purpose", "matter", "legal_basis", "catalogue")
_CLOCKS = ("created", "finished", "due")
_PEERS = ("peer", "state", "plan", "people", "seconds", "up", "down", "points")


def document(report: Report, catalogue: Catalogue, lang: str, signed_by: str = "") -> Document:
    """The report as it is printed; `signed_by` is the fingerprint of the key that will sign it.

    Raises InputError for an unknown language.
    """
    plain = verification.document(report, catalogue, lang)
    summary = summarise(report)
    printed = replace(
        plain,
        title=phrase("title", lang),
        facts=(
            *_head(report, lang),
            *case_facts(report, catalogue, lang),
            *facts(report, _CLOCKS, lang),
        ),
        sections=_number(
            (
                plain.sections[-2],
                *recheck_sections(report, catalogue, lang),
                *declared_sections(report, catalogue, lang),
                *_people(report, catalogue, lang, plain.sections[-3]),
                _answers(report, lang),
                _definitions(report, catalogue, lang),
            ),
            lang,
        ),
        appendix_title=phrase("appendix", lang),
        appendix=(
            Paragraph(f"{word('catalogue', lang)}: {report.catalogue_version}, {report.catalogue_digest}"),
            peers_table(report, _PEERS, lang, summary.people_by_peer),
        ),
        body=issuing_body(report, lang),
        signing=signing_table(report, lang, signed_by),
    )  # fmt: skip
    return headed(printed)


def _people(report: Report, catalogue: Catalogue, lang: str, figures: Section) -> tuple[Section, ...]:
    """Households and members; of too many people the figures alone."""
    if len(report.subjects) > MOST_PEOPLE:
        return Paragraph(phrase("too_many", lang).format(most=MOST_PEOPLE)), figures
    members, relatives = without_relatives(report)
    grid = Grid.of(members)
    return (
        _households(members, grid, catalogue, lang),
        *_members(members, grid, catalogue, lang),
        *(_relatives(relatives, catalogue, lang) if relatives else ()),
    )


def _number(sections: Sequence[Section], lang: str) -> tuple[Section, ...]:
    """The sections numbered; tables of one title, for more provinces than fit, share a number."""
    number, last, made = 0, "", list[Section]()
    for one in sections:
        if isinstance(one, Paragraph):
            made.append(one)
            continue
        title = one.title.partition(" (")[0]
        number += title != last
        last = title
        made.append(replace(one, title=number_title(one.title, number, lang)))
    return tuple(made)


def _head(report: Report, lang: str) -> tuple[Fact, ...]:
    more = {
        "number": number_of(report),
        "answering": answering(report.peers, report.requester, lang),
        "purpose": purpose_text(report.purpose, lang),
    }
    households = len({household_of(one) for one in report.subjects})
    counted = phrase("counted", lang).format(households=households, people=len(report.subjects))
    return (*facts(report, _FACTS, lang, **more), Fact(phrase("subjects", lang), counted))


# ---- households


def _households(report: Report, grid: Grid, catalogue: Catalogue, lang: str) -> Table:
    """For each household and item: how many members have it, and how far the provinces answered."""
    known = known_items(catalogue)
    groups = []
    numbered = enumerate(report.subjects)
    for name, members in groupby(sorted(numbered, key=_by_household), key=lambda one: household_of(one[1])):
        rows = [at for at, _ in members]
        title = phrase("household", lang).format(name=name, people=len(rows))
        lines = tuple(_household_row(grid, rows, code, known.get(code), lang) for code in report.items)
        groups.append(Group(lines, title))
    shown = (
        Column(phrase("item", lang)),
        Column(phrase("members_with", lang), Kind.SHARE),
        Column(phrase("amounts", lang)),
        Column(phrase("provinces_answered", lang)),
        Column(word("as_of", lang), Kind.DAYS),
    )
    return Table(phrase("household_summary", lang), shown, tuple(groups), (phrase("roll_up_note", lang),))


def _by_household(numbered: tuple[int, str]) -> tuple[str, int]:
    return household_of(numbered[1]), numbered[0]


def _household_row(grid: Grid, rows: Sequence[int], code: str, item: Item | None, lang: str) -> Row:
    asked = [at for at, (one, _) in enumerate(grid.questions) if one == code]
    said = {
        (row, at): found for row in rows for at in asked if (found := grid.said(row, at)) is not None
    }  # fmt: skip
    having = {row for (row, _), found in said.items() if found.outcome in HAS}
    values = [found for found in said.values() if found.outcome in HAS]
    full: list[str] = []
    partly: list[str] = []
    for at in asked:
        answers = [found for (_, one), found in said.items() if one == at]
        answered = sum(one.outcome in ANSWERED for one in answers)
        if answered:
            (full if answered == len(rows) else partly).append(grid.questions[at][1])
    texts = [f" ({', '.join(full)})"] if full else []
    texts += [f"\n{', '.join(partly)} ({state_text('partly', lang)})"] if partly else []
    coverage = f"{len(full)} / {len(asked)}{''.join(texts)}"
    days = [one.as_of for one in values if one.as_of is not None]
    return (
        item_text(item, code, lang),
        (len(having), len(rows)),
        _amounts(values, item, lang),
        coverage,
        (min(days), max(days)) if days else None,
    )


def _amounts(values: Sequence[Finding], item: Item | None, lang: str) -> str | None:
    if not values or item is None:
        return None
    if item.level is Level.COUNT:
        return value_text(item, sum(one.value or 0 for one in values), lang)
    if item.level in (Level.BAND, Level.CODE):
        lines = [value_text(item, one.value, lang) for one in values]
        if len(values) > 1 and item.level is Level.BAND and item.combine == "sum":
            together = amount_words(amount_of(item, values, complete=True), item, lang)
            lines.append(phrase("together", lang).format(amount=together))
        return "\n".join(lines)
    return value_text(item, 1, lang)


# ---- members


def _members(report: Report, grid: Grid, catalogue: Catalogue, lang: str, who: str = "member") -> list[Table]:
    """Tables of items and provinces, five provinces beside each other; a group for each member."""
    known, made = known_items(catalogue), []
    for start in range(0, len(report.peers), _BESIDE):
        beside = report.peers[start : start + _BESIDE]
        groups = tuple(
            Group(
                _member_rows(report, grid, number, start, known, lang), phrase(who, lang).format(name=subject)
            )
            for number, subject in enumerate(report.subjects)
        )
        shown = (
            Column(phrase("item", lang)),
            *(Column(province(one, report.requester, lang)) for one in beside),
        )
        title = span(phrase("members", lang), start, beside, len(report.peers))
        made.append(Table(title, shown, groups, (recipient_note(report, report.purpose, lang),)))
    return made


def _relatives(report: Report, catalogue: Catalogue, lang: str) -> list[Table]:
    """The same tables of support-duty relatives, who do not belong to the household."""
    made = _members(report, Grid.of(report), catalogue, lang, "relative")
    return [replace(one, title=case_word("relatives", lang)) for one in made]


def _member_rows(
    report: Report, grid: Grid, subject: int, start: int, known: Mapping[str, Item], lang: str
) -> tuple[Row, ...]:
    rows = []
    count = len(report.peers)
    for place, code in enumerate(report.items):
        first = place * count + start
        cells: list[Cell] = [
            answer_cell(grid.said(subject, at), known.get(code), lang)
            for at in range(first, min(first + _BESIDE, (place + 1) * count))
        ]
        rows.append((item_text(known.get(code), code, lang), *cells))
    return tuple(rows)


# ---- coverage, definitions


def _answers(report: Report, lang: str) -> Table:
    """How far each province answered: its part, and each item where it did not answer all."""
    summary = summarise(report)
    rows: list[Row] = []
    for peer in report.peers:
        state = state_text(peer.state, lang)
        covered = [(line.item, line.coverage[peer.peer]) for line in summary.items]
        answered = sum(one.answered for _, one in covered)
        asked = answered + sum(sum(one.missing.values()) for _, one in covered)
        gaps = [f"{code}: {state_text(one.state, lang)}" for code, one in covered if one.state != "answered"]
        rows.append(
            (
                province(peer, report.requester, lang),
                f"{state}\n({part_reason_text(peer.reason, lang)})" if peer.reason else state,
                minute(peer.answered_at) if peer.answered_at else None,
                (answered, asked),
                "\n".join(gaps) or None,
                summary.people_by_peer[peer.peer] if answered else None,
            )
        )
    shown = (
        *columns(lang, peer=Kind.TEXT, state=Kind.TEXT, answered_at=Kind.TEXT),
        Column(phrase("answered", lang), Kind.SHARE),
        Column(phrase("gaps", lang)),
        Column(phrase("people_found", lang), Kind.NUMBER),
    )
    return Table(phrase("coverage", lang), shown, (Group(tuple(rows)),))


def _definitions(report: Report, catalogue: Catalogue, lang: str) -> Table:
    """What each item counts: an answer without its definition and period cannot be read."""
    known = known_items(catalogue)
    rows: list[Row] = []
    for code in report.items:
        item = known.get(code)
        if item is None:
            rows.append((code, None, None, None))
            continue
        rows.append(
            (
                item_text(item, code, lang),
                f"{item.text('definition', lang)}\n{item.text('measure', lang)}",
                _bounds(item, lang),
                phrase("days", lang).format(days=item.freshness_days),
            )
        )
    keys = ("item", "definition", "bounds", "freshness")
    shown = tuple(Column(phrase(key, lang)) for key in keys)
    return Table(phrase("definitions", lang), shown, (Group(tuple(rows)),))


def _bounds(item: Item, lang: str) -> str | None:
    return "\n".join(value_texts(item, lang)) or None
