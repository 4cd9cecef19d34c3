"""A cell of a document as text, the same in every format. Pure."""

from datetime import date

from node.reports.document import Cell, Column, Kind

NOTHING = "-"


def cell_text(column: Column, cell: Cell) -> str:
    """What people read in a cell; lines are separated by a line feed."""
    if cell is None:
        return NOTHING
    if isinstance(cell, str):
        return cell
    if isinstance(cell, date):
        return cell.isoformat()
    if isinstance(cell, tuple):
        return _pair(cell)
    if column.kind is Kind.SECONDS:
        return f"{cell:.1f}"
    return _size(cell) if column.kind is Kind.SIZE else f"{cell:,}"


def _pair(cell: tuple[date, date] | tuple[int, int]) -> str:
    first, second = cell
    if isinstance(first, date) and isinstance(second, date):
        return first.isoformat() if first == second else f"{first.isoformat()}\n{second.isoformat()}"
    return f"{first:,} / {second:,}"


def _size(count: float) -> str:
    if count < 1000:
        return f"{count} B"
    return f"{count / 1000:.1f} kB" if count < 1_000_000 else f"{count / 1_000_000:.1f} MB"
