"""A document and sheets as a workbook, written row by row: a county's list has 60,000 people.

Every cell is a text or a number, never a formula or a link; the properties are constant, so that the same
report gives the same bytes.
"""

import io
import re
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime
from itertools import islice
from pathlib import Path
from typing import Any, Final

from node.reports.cells import cell_text
from node.reports.document import Cell, Column, Document, Histogram, Paragraph, Row, Section, Sheet, Table
from node.reports.glyphs import import_extra
from node.reports.print_words import phrase
from node.reports.sheet_rows import Made, RowWriter, can_write

ROWS: Final = 1_048_576  # of a sheet, its heading among them
LONGEST: Final = 32_767  # characters of a cell
_MOST_COLUMNS: Final = 16_384
_A4: Final = 9  # the number of that paper
_HAND: Final = 72  # points of a row that is signed by hand
_TOLD: Final = 1_000  # rows after which progress is told
_MADE: Final = datetime(2026, 1, 1, tzinfo=UTC)  # constant: the day of a report is a fact in it
_EXACT: Final = 10**15  # a spreadsheet keeps 15 digits
_FOREIGN: Final = re.compile("[\x00-\x08\x0b-\x1f\ud800-\udfff\ufffe\uffff]")
Told = Callable[[int], None]


def render(
    document: Document, sheets: tuple[Sheet, ...], folder: Path, told: Told = lambda _: None,
    rows_of_a_sheet: int = ROWS,
) -> bytes:  # fmt: skip
    """The workbook: the document first, then each sheet, which goes on in another when it is full.

    `folder` takes the unfinished sheets; `told` hears of rows that were written. Raises ConfigError without
    the extra `report`, OSError.
    """
    library, file = import_extra("xlsxwriter", "a workbook"), io.BytesIO()
    book = library.Workbook(
        file,
        {
            "constant_memory": True, "tmpdir": str(folder), "strings_to_formulas": False,
            "strings_to_urls": False, "strings_to_numbers": False,
        },
    )  # fmt: skip
    book.set_properties(
        {"title": _text(document.title), "author": "Heqiao", "created": _MADE.replace(tzinfo=None)}
    )
    form = _Forms(book)
    _write_document(book, form, document)
    for sheet in sheets:
        _write_sheet(book, form, sheet, told, rows_of_a_sheet)
    if document.appendix:
        page = book.add_worksheet(phrase("sheet_technical", document.lang))
        _widths(page, _columns_of(document.appendix))
        _write_sections(page, form, document.appendix, 0)
    _close(book)
    return file.getvalue()


def _close(book: Any) -> None:
    """Put the workbook together. Raises OSError as it is, which the library hides in an error of its own."""
    try:
        book.close()
    except Exception as error:
        cause = error.args[0] if error.args else None
        if isinstance(cause, OSError):
            raise cause from None
        raise


class _Forms:
    """The few formats of cells."""

    def __init__(self, book: Any) -> None:
        top = {"valign": "top", "text_wrap": True, "font_name": "SimSun", "font_size": 11}
        self.text = book.add_format(top)
        self.number = book.add_format({**top, "num_format": "#,##0", "text_wrap": False})
        self.fraction = book.add_format({**top, "num_format": "#,##0.0", "text_wrap": False})
        self.head = book.add_format({**top, "bold": True, "bg_color": "#EEF1F4", "bottom": 1})
        self.title = book.add_format({"bold": True, "font_size": 16, "font_name": "SimSun"})
        self.body = book.add_format({"font_size": 12, "font_color": "#9C1C1F", "font_name": "SimSun"})
        self.place = book.add_format({**top, "border": 1, "valign": "bottom"})
        self.section = book.add_format({"bold": True, "font_size": 12, "font_name": "SimSun"})


def _write_document(book: Any, form: _Forms, document: Document) -> None:
    page = book.add_worksheet(phrase("sheet_report", document.lang))
    _widths(page, _columns_of(document.sections))
    _for_print(page, document)
    at = 0
    for text, its_form in ((document.body, form.body), (document.title, form.title)):
        page.write_string(at, 0, _text(text), its_form)
        at += 1
    at += 1
    for fact in document.facts:
        page.write_string(at, 0, _text(fact.name), form.head)
        page.write_string(at, 1, _text(fact.value), form.text)
        at += 1
    at = _write_sections(page, form, document.sections, at + 1)
    page.write_string(at, 0, _text(document.notes_title), form.section)
    for number, note in enumerate(document.notes, 1):
        page.write_string(at + number, 0, _text(f"{number}. {note}"))
    if document.signing is not None:
        _write_signing(page, form, document.signing, at + len(document.notes) + 2)


def _for_print(page: Any, document: Document) -> None:
    """As wide as an A4 page, with numbered pages."""
    page.set_landscape()
    page.set_paper(_A4)
    page.fit_to_pages(1, 0)
    number = phrase("page", document.lang).replace("{page}", "&P").replace("{pages}", "&N")
    page.set_footer(f"&L{phrase('facts_only', document.lang)}&R{number}")


def _write_signing(page: Any, form: _Forms, table: Table, at: int) -> None:
    """The places to sign and to seal, with room for a hand."""
    page.write_string(at, 0, _text(table.title), form.section)
    for number, column in enumerate(table.columns):
        page.write_string(at + 1, number, _text(column.name), form.place)
    rows = [row for group in table.groups for row in group.rows]
    page.set_row(at + 2, _HAND)  # before that row is written out
    for down, row in enumerate(rows, 2):
        for number, (column, cell) in enumerate(zip(table.columns, row, strict=True)):
            page.write_string(at + down, number, _text(cell_text(column, cell)), form.place)
    for down, remark in enumerate(table.remarks, 2 + len(rows)):
        page.write_string(at + down, 0, _text(remark))


def _columns_of(sections: tuple[Section, ...]) -> int:
    return max((len(_table(one).columns) for one in sections if not isinstance(one, Paragraph)), default=2)


def _table(section: Any) -> Any:
    return section.table() if isinstance(section, Histogram) else section


def _widths(page: Any, columns: int) -> None:
    page.set_column(0, 0, 30)
    page.set_column(1, max(columns, 2) - 1, 26)


def _write_sections(page: Any, form: _Forms, sections: tuple[Section, ...], at: int) -> int:
    for section in sections:
        if isinstance(section, Paragraph):
            page.write_string(at, 0, _text(section.text))
            at += 2
            continue
        table = _table(section)
        page.write_string(at, 0, _text(table.title), form.section)
        _write_head(page, form, table.columns, at + 1)
        at += 2
        for group in table.groups:
            if group.title:
                page.write_string(at, 0, _text(group.title), form.head)
                at += 1
            for row in group.rows:
                _write_row(page, form, table.columns, row, at)
                at += 1
        for remark in table.remarks:
            page.write_string(at, 0, _text(remark))
            at += 1
        at += 1
    return at


def _write_sheet(book: Any, form: _Forms, sheet: Sheet, told: Told, most: int) -> None:
    rows = iter(sheet.rows)
    for number, size in enumerate(rows_by_sheet(sheet.count, most), 1):
        page = book.add_worksheet(sheet.title if number == 1 else f"{sheet.title} {number}")
        page.set_column(0, min(len(sheet.columns), _MOST_COLUMNS) - 1, 16)
        page.freeze_panes(1, 0)
        _write_head(page, form, sheet.columns, 0)
        told(_write_rows(page, form, sheet.columns, islice(rows, size), told))


def rows_by_sheet(count: int, most: int = ROWS) -> list[int]:
    """How many of `count` rows each sheet takes below its heading; `most` is for both. One sheet at least."""
    full, rest = divmod(count, most - 1)
    return [most - 1] * full + ([rest] if rest or not full else [])


def _write_rows(page: Any, form: _Forms, columns: tuple[Column, ...], rows: Iterator[Row], told: Told) -> int:
    """Write rows below the heading; how many of them were not told of yet."""
    waiting = 0
    write = _row_writer(page, form, columns)
    for at, row in enumerate(rows, 1):
        write(at, row)
        waiting += 1
        if waiting == _TOLD:
            told(waiting)
            waiting = 0
    return waiting


def _row_writer(page: Any, form: _Forms, columns: tuple[Column, ...]) -> Callable[[int, Row], None]:
    """What writes a row of a sheet, fast where this version of xlsxwriter allows it."""
    if not can_write(page):
        return lambda at, row: _write_row(page, form, columns, row, at)
    library, names = (
        import_extra("xlsxwriter", "a workbook"),
        import_extra("xlsxwriter.utility", "a workbook"),
    )

    def make(column: int, cell: Any) -> Made:
        if _is_number(cell):
            return cell, form.fraction if isinstance(cell, float) else form.number
        return _text(cell if isinstance(cell, str) else cell_text(columns[column], cell)), form.text

    letters = [names.xl_col_to_name(at) for at in range(len(columns))]
    return RowWriter(page, library.worksheet, letters, make).write


def _write_head(page: Any, form: _Forms, columns: tuple[Column, ...], at: int) -> None:
    for number, column in enumerate(columns):
        page.write_string(at, number, _text(column.name), form.head)


def _write_row(page: Any, form: _Forms, columns: tuple[Column, ...], row: Row, at: int) -> None:
    for number, cell in enumerate(row):
        if cell is None:
            continue
        if isinstance(cell, str):
            page.write_string(at, number, _text(cell), form.text)
        elif _is_number(cell):
            page.write_number(at, number, cell, form.fraction if isinstance(cell, float) else form.number)
        else:
            page.write_string(at, number, cell_text(columns[number], cell), form.text)


def _is_number(cell: Cell) -> bool:
    return isinstance(cell, int | float) and not isinstance(cell, date) and abs(cell) < _EXACT


def _text(text: str) -> str:
    """A text as a cell can hold it: what XML has no place for is written as its code point."""
    if _FOREIGN.search(text):
        text = _FOREIGN.sub(lambda one: f"[U+{ord(one[0]):04X}]", text)
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}…"
