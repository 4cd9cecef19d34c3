"""Rows of a large worksheet, written ten times as fast as cell by cell.

xlsxwriter escapes and formats each cell anew, 12 µs; a county's list has 2.5 million cells and few different
ones. Here xlsxwriter makes the XML of each different cell once, and rows are put together of it. They go to
the file in which the library keeps finished rows (`constant_memory`), which is no documented part of it: with
a version that no longer has it rows are written cell by cell.
"""
# ruff: noqa: SLF001  (see above; `can_write` asks for each of them)

import io
from collections.abc import Callable, Sequence
from typing import Any, Final

_NEEDED: Final = ("fh", "previous_row", "_write_single_row", "_write_cell", "_check_dimensions")
_MOST_KEPT: Final = 2_000  # different cells of a column; one with more, such as names, is not worth keeping
_START: Final = '<c r="A1"'  # behind it a cell is the same wherever it is


def can_write(page: Any) -> bool:
    """Whether this version of xlsxwriter keeps rows as expected here."""
    return all(hasattr(page, name) for name in _NEEDED) and getattr(page, "constant_memory", False)


# What a cell holds and its format: a text or a number.
Made = tuple[str | int | float, Any]


class RowWriter:
    """Writes whole rows of a worksheet, each below the last one."""

    def __init__(
        self, page: Any, cell_types: Any, letters: Sequence[str], make: Callable[[int, Any], Made]
    ) -> None:
        """`cell_types` is the module xlsxwriter.worksheet, `letters` the names of the columns.

        `make` says of a column's number and a cell other than None what is written.
        """
        self._page, self._types, self._make = page, cell_types, make
        self._starts = [f'<c r="{one}' for one in letters]
        self._kept: list[dict[Any, str] | None] = [{} for _ in letters]

    def write(self, at: int, cells: Sequence[Any]) -> None:
        """Row `at`, counted from 0; None is an empty cell."""
        page = self._page
        if at > page.previous_row:
            page._write_single_row(at)
        number = f'{at + 1}"'
        parts = [f'<row r="{number}>']
        for column, (cell, kept, start) in enumerate(zip(cells, self._kept, self._starts, strict=True)):
            if cell is not None:
                rest = None if kept is None else kept.get(cell)
                parts.append(start + number + (rest or self._new(column, cell)))
        parts.append("</row>")
        page._check_dimensions(at, 0)
        page._check_dimensions(at, len(cells) - 1)
        page.fh.write("".join(parts))
        page.previous_row = at + 1

    def _new(self, column: int, cell: Any) -> str:
        """The XML of a cell behind its place, as the library writes it."""
        content, form = self._make(column, cell)
        kind = self._types.CellStringTuple if isinstance(content, str) else self._types.CellNumberTuple
        file, self._page.fh = self._page.fh, io.StringIO()
        try:
            self._page._write_cell(0, 0, kind(content, form))
            text = self._page.fh.getvalue()
        finally:
            self._page.fh = file
        rest = str(text.removeprefix(_START))
        kept = self._kept[column]
        if kept is not None and not isinstance(cell, float):  # 1.0 would be the same key as 1
            kept[cell] = rest
            if len(kept) > _MOST_KEPT:
                self._kept[column] = None
        return rest
