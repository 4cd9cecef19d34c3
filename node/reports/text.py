"""A document as tables for a terminal or a text file; full-width characters take two columns."""

import io
from collections.abc import Iterable
from datetime import date

from rich import box
from rich import table as rich_table
from rich.console import Console, Group, RenderableType
from rich.padding import Padding
from rich.text import Text

from node.reports.document import Cell, Column, Document, Fact, Histogram, Kind, Paragraph, Section, Table

FILE_WIDTH = 120  # columns of a text file
_BELOW = (0, 0, 1, 0)  # an empty line


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
    for fact in facts:
        grid.add_row(_plain(fact.name), _plain(fact.value))
    return grid


def _section(section: Section) -> RenderableType:
    if isinstance(section, Paragraph):
        return _plain(section.text)
    return _table(section.table() if isinstance(section, Histogram) else section)


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
    return Group(shown, *map(_plain, table.remarks))


def _cell(column: Column, cell: Cell) -> Text:
    if cell is None:
        return Text("-")
    if isinstance(cell, str):
        return _plain(cell)
    if isinstance(cell, date):
        return Text(cell.isoformat())
    if isinstance(cell, tuple):
        return Text("\n".join(dict.fromkeys(day.isoformat() for day in cell)))
    if column.kind is Kind.SECONDS:
        return Text(f"{cell:.1f}")
    return Text(_size(cell) if column.kind is Kind.SIZE else f"{cell:,}")


def _size(count: float) -> str:
    if count < 1000:
        return f"{count} B"
    return f"{count / 1000:.1f} kB" if count < 1_000_000 else f"{count / 1_000_000:.1f} MB"


def _plain(text: str) -> Text:
    # A Text takes no markup; what a peer sent must not control the terminal either.
    return Text("".join(c if c.isprintable() or c == "\n" else "\ufffd" for c in text))
