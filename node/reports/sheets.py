"""The sheets of a verification: a row for each person, and the details of what was found. Pure.

Rows are made while they are written: a county's list has 60,000 people, and eight items of five provinces.
"""

from collections.abc import Iterator, Mapping

import numpy as np

from node.domain.catalogue import Catalogue
from node.domain.findings import Finding, Outcome, Report
from node.reports.answer_cells import answer_cell
from node.reports.common import known_items, minute
from node.reports.declared import declared_sheets
from node.reports.document import Cell, Column, Kind, Row, Sheet
from node.reports.grid import Grid
from node.reports.headings import headed_columns
from node.reports.households import household_of
from node.reports.print_words import phrase
from node.reports.wording import answer_text, item_text, value_text, word

# What a row of a person says, and needs no details.
_PLAIN = frozenset((Outcome.NOT_FOUND, Outcome.NOT_OVER))


def sheets(report: Report, catalogue: Catalogue, lang: str) -> tuple[Sheet, ...]:
    """People, and details of answers other than "no record". Raises InputError for an unknown language."""
    grid = Grid.of(report)
    kept = np.array([one.outcome not in _PLAIN for one in grid.answers], dtype=bool)
    detailed = np.zeros_like(grid.place, dtype=bool)
    if len(kept):
        detailed = (grid.place >= 0) & kept[grid.place]
    return (
        Sheet(
            phrase("sheet_people", lang),
            _people_columns(report, catalogue, lang),
            _people(grid, catalogue, lang),
            len(report.subjects),
        ),
        Sheet(
            phrase("sheet_details", lang),
            _detail_columns(lang),
            _details(grid, detailed, catalogue, lang, _moments(report)),
            int(detailed.sum()),
        ),
        *declared_sheets(report, catalogue, lang),
    )


def _people_columns(report: Report, catalogue: Catalogue, lang: str) -> tuple[Column, ...]:
    known = known_items(catalogue)
    asked = [
        f"{item_text(known.get(code), code, lang)}\n{peer.peer} {peer.name}"
        for code in report.items
        for peer in report.peers
    ]
    return headed_columns(map(Column, (phrase("household_no", lang), phrase("person", lang), *asked)))


def _people(grid: Grid, catalogue: Catalogue, lang: str) -> Iterator[Row]:
    known = known_items(catalogue)
    # Few answers differ, so each is put into words once; the last is that of a place without an answer.
    texts: list[Cell] = [answer_cell(one, known.get(one.item), lang) for one in grid.answers]
    texts.append(None)
    for subject, places in zip(grid.subjects, grid.place, strict=True):
        yield (household_of(subject), subject, *[texts[at] for at in places.tolist()])


def _detail_columns(lang: str) -> tuple[Column, ...]:
    columns = (
        Column(phrase("person", lang)),
        Column(phrase("item", lang)),
        Column(phrase("item_name", lang)),
        Column(word("peer", lang)),
        Column(phrase("outcome", lang)),
        Column(phrase("value", lang), Kind.NUMBER),
        Column(phrase("value_text", lang)),
        Column(word("as_of", lang), Kind.DAY),
        Column(word("answered_at", lang)),
        Column(phrase("reason", lang)),
    )
    return headed_columns(columns)


def _moments(report: Report) -> Mapping[str, str]:
    return {peer.peer: minute(peer.answered_at) for peer in report.peers if peer.answered_at}


def _details(
    grid: Grid, detailed: np.ndarray, catalogue: Catalogue, lang: str, moments: Mapping[str, str]
) -> Iterator[Row]:
    known = known_items(catalogue)

    def row(said: Finding) -> Row:
        item = known.get(said.item)
        name = item.text("name", lang) if item else None
        text = value_text(item, said.value, lang) or None
        outcome = answer_text(said, lang)
        # An earlier answer that was used again came on its own day.
        came = said.reused_from.day.isoformat() if said.reused_from else moments.get(said.peer)
        return (said.item, name, said.peer, outcome, said.value, text, said.as_of, came, said.reason or None)

    rows = list(map(row, grid.answers))
    for subject, places, kept in zip(grid.subjects, grid.place, detailed, strict=True):
        for at in places[kept].tolist():
            yield (subject, *rows[at])
