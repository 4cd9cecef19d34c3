"""A listing as a CSV file for programs and spreadsheets."""

from collections.abc import Iterator
from datetime import date

from node.reports.document import Cell, Listing
from node.tabular.csv_writer import csv_lines


def render(listing: Listing) -> Iterator[bytes]:
    """Lines with a byte order mark first, so that spreadsheets read UTF-8; no cell is read as a formula."""
    return csv_lines(_rows(listing), mark=True)


def _rows(listing: Listing) -> Iterator[tuple[object, ...]]:
    yield tuple(column.name for column in listing.columns)
    for row in listing.rows:
        yield tuple(map(_value, row))


def _value(cell: Cell) -> object:
    if cell is None:
        return ""
    return cell.isoformat() if isinstance(cell, date) else cell
