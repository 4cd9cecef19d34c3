"""Code lists of a source: what its codes mean in a register file (docs/sources.md)."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from node.domain.records import Reject
from node.tabular.delimited import CellError, Layout, Row, clean

CODED: Final = ("id_type", "value")  # fields that may have a code list
OTHER: Final = "*"  # any code that the list does not name
CodeLists = Mapping[str, Mapping[str, str]]


def coded_fields(layout: Layout, codes: CodeLists) -> list[str]:
    """The fields of a source that have a code list. Raises InputError where one has no column."""
    layout.require(*codes)
    return list(codes)


def decode_rows(layout: Layout, codes: CodeLists, rows: Iterable[Row | Reject]) -> Iterator[Row | Reject]:
    """Rows with the meaning of each code in its place; a code that is not in the list costs the row.

    An empty cell is left empty unless the list says what it means.
    """
    lists = [(field, layout.columns[field], codes[field]) for field in coded_fields(layout, codes)]
    if not lists:
        yield from rows
        return
    for row in rows:
        if isinstance(row, Reject):
            yield row
            continue
        cells = list(row.cells)
        try:
            for field, place, known in lists:
                cells[place] = _decode(field, known, clean(cells[place]))
        except CellError as error:
            yield layout.reject(row.line, error)
        else:
            yield Row(row.line, cells)


def _decode(field: str, known: Mapping[str, str], code: str) -> str:
    found = known.get(code, known.get(OTHER) if code else "")
    if found is None:
        raise CellError(field, "unknown_code", "the code is not in the code list of the source")
    return found
