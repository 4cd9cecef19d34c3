"""A listing as a CSV file for programs and spreadsheets."""

from collections.abc import Iterator
from datetime import date

from node.reports.document import Cell, Listing, Row
from node.tabular.csv_writer import csv_line, csv_lines


def render(listing: Listing) -> Iterator[bytes]:
    """Lines with a byte order mark first, so that spreadsheets read UTF-8; no cell is read as a formula."""
    yield from csv_lines([[column.name for column in listing.columns]], mark=True)
    for lines in listing.rows.written(_first, _rest):
        yield "".join(lines).encode()


def _first(row: Row) -> str:
    # As if an empty cell followed, for the comma in front of the rest.
    return csv_line([*map(_value, row), ""]).removesuffix("\r\n") if row else ""


def _rest(row: Row) -> str:
    return csv_line(list(map(_value, row)))


def _value(cell: Cell) -> object:
    if cell is None:
        return ""
    return cell.isoformat() if isinstance(cell, date) else cell
