"""A document as tables for a terminal or a text file; full-width characters take two columns."""

import io
from collections.abc import Iterable
from dataclasses import replace

from rich import box
from rich import table as rich_table
from rich.cells import cell_len
from rich.console import Console, ConsoleOptions, Group, RenderableType, RenderResult
from rich.measure import Measurement
from rich.padding import Padding
from rich.text import Text

from node.reports.cells import cell_text
from node.reports.document import Cell, Column, Document, Fact, Histogram, Kind, Paragraph, Section, Table
from node.telemetry.printable import printable

FILE_WIDTH = 120  # columns of a text file
_BELOW = (0, 0, 1, 0)  # an empty line
_GAP = 2  # columns between two columns of a table
_NARROWEST = 16  # that a column of text becomes before numbers are broken


def render(document: Document) -> RenderableType:
    """The whole document: title, facts, sections, notes."""
    return Group(
        Text(document.title, style="bold"),
        Padding(_facts(document.facts), _BELOW),
        *(Padding(_section(one), _BELOW) for one in document.sections),
        Text(document.notes_title, style="bold"),
        *(_plain(f"- {note}") for note in document.notes),
    )


def text_file(documents: Iterable[Document]) -> bytes:
    """Documents one below the other, as a text file holds them."""
    console = Console(file=io.StringIO(), width=FILE_WIDTH, color_system=None, force_terminal=False)
    with console.capture() as capture:
        for document in documents:
            console.print(render(document))
            console.print()
    return ("\n".join(line.rstrip() for line in capture.get().splitlines()) + "\n").encode()


def _facts(facts: Iterable[Fact]) -> RenderableType:
    grid = rich_table.Table.grid(padding=(0, 2))
    grid.add_column(no_wrap=True)
    grid.add_column(overflow="fold")  # Chinese text has no spaces to break at
    for fact in facts:
        grid.add_row(_plain(fact.name), _plain(fact.value))
    return grid


def _section(section: Section) -> RenderableType:
    if isinstance(section, Paragraph):
        return _plain(section.text)
    return _HistogramTables(section) if isinstance(section, Histogram) else _table(section)


class _HistogramTables:
    """A histogram with as many provinces beside each other as the terminal has room for."""

    def __init__(self, histogram: Histogram) -> None:
        self._histogram = histogram

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        series, hidden = self._histogram.series, self._histogram.hidden
        texts = [f"{cell:,}" for one in series for cell in one.cells if cell is not None]
        widest = max(map(cell_len, (hidden, *texts, *(one.name for one in series))))
        first = max(map(cell_len, (self._histogram.item, *self._histogram.bands)))
        fit = max(1, (options.max_width - first) // (widest + _GAP))
        for at in range(0, len(series), fit):
            if at:
                yield Text("")
            yield _table(replace(self._histogram, series=series[at : at + fit]).table())


def _table(table: Table) -> RenderableType:
    shown = rich_table.Table(
        title=table.title, title_justify="left", box=box.HORIZONTALS, pad_edge=False,
        collapse_padding=True, show_edge=False,
    )  # fmt: skip
    for column in table.columns:
        shown.add_column(
            _plain(column.name),
            justify="right" if column.kind.right else "left",
            overflow="fold",
            no_wrap=column.kind in (Kind.DAY, Kind.DAYS),
        )
    for group in table.groups:
        if group.title:
            shown.add_row(Text.assemble(_plain(group.title), style="bold"))
        for row in group.rows:
            shown.add_row(*map(_cell, table.columns, row))
        shown.add_section()
    return Group(_FittedTable(shown, [column.kind for column in table.columns]), *map(_plain, table.remarks))


class _FittedTable:
    """A table that, where the terminal is too narrow, breaks texts and units but no number."""

    def __init__(self, table: rich_table.Table, kinds: list[Kind]) -> None:
        self._table, self._kinds = table, kinds

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        columns = zip(self._kinds, self._table.columns, strict=True)
        needs = [_measure(console, options, kind, column) for kind, column in columns]
        pairs = list(zip(self._kinds, needs, strict=True))
        missing = sum(need.maximum for need in needs) + _GAP * (len(needs) - 1) - options.max_width
        texts = sum(min(_NARROWEST, need.maximum) for kind, need in pairs if kind is Kind.TEXT)
        fixed = sum(need.minimum for kind, need in pairs if kind is not Kind.TEXT)
        if missing > 0 and texts + fixed + _GAP * (len(needs) - 1) <= options.max_width:
            for column, (kind, need) in zip(self._table.columns, pairs, strict=True):
                if kind is not Kind.TEXT:
                    column.width = max(need.minimum, need.maximum - missing)
                    missing -= need.maximum - column.width
        yield self._table


def _measure(console: Console, options: ConsoleOptions, kind: Kind, column: rich_table.Column) -> Measurement:
    head = Measurement.get(console, options, column.header)
    cells = [Measurement.get(console, options, cell) for cell in column.cells]
    widest = max((cell.maximum for cell in cells), default=0)
    narrowest = max((cell.minimum for cell in cells), default=0)
    breaks = kind in (Kind.TEXT, Kind.AMOUNT)
    return Measurement(max(head.minimum, narrowest if breaks else widest), max(head.maximum, widest))


def _cell(column: Column, cell: Cell) -> RenderableType:
    return _indented(cell) if isinstance(cell, str) else Text(cell_text(column, cell))


def _indented(text: str) -> RenderableType:
    # A line that is broken stays as far in as it began.
    lines = text.split("\n")
    if not any(line.startswith(" ") for line in lines):
        return _plain(text)
    inset = [(len(line) - len(line.lstrip(" ")), line.lstrip(" ")) for line in lines]
    return Group(*(Padding(_plain(line), (0, 0, 0, depth)) for depth, line in inset))


def _plain(text: str) -> Text:
    # A Text takes no markup; what a peer sent must not control the terminal either.
    return Text(printable(text))
