"""A register file cut into blocks that processes can read apart from each other (design.md section 9).

A block is a sequence of whole lines. Without quotes, lines are rows; with quotes, the block is used only
if its last quote closes within it, since a row may contain line breaks. From the first block that breaks
these rules on, `delimited.Table` reads the rest of the file in order, as `row_parser.read` does: slower,
with the same result.
"""

import csv
import io
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path

from node.domain.records import Reject
from node.registers.row_parser import Amount
from node.tabular.delimited import (
    Layout,
    Row,
    Table,
    raise_empty,
)
from node.tabular.text_form import drop_tabs_at_quotes

BLOCK_BYTES = 1 << 20
BATCH_ROWS = 8192
_MOST_BYTES = 8 * BLOCK_BYTES  # of a block: a line is longer than any line may be


@dataclass(frozen=True, slots=True)
class Block:
    """Some of the rows of one source: lines of text as bytes, or rows that are split already.

    `first_line` counts from the header, which is line 1. `size` is what it adds to the progress.
    """

    layout: Layout
    amount: Amount | None
    first_line: int
    size: int
    data: bytes = field(default=b"", repr=False)
    rows: Sequence[Row | Reject] = field(default=(), repr=False)


def cut_file(
    path: Path, table: Table, amount: Amount | None, *, allow_empty: bool = False
) -> Iterator[Block]:
    """Blocks of an open file in order. Raises InputError as `Table.rows` does."""
    line, empty = 2, True
    for data in _whole_lines(path):
        if not _is_complete(data, table):
            table.skip(line - 2)
            yield from _cut_rows(table, amount, allow_empty=allow_empty or not empty)
            return
        yield Block(table.layout, amount, line, len(data), data)
        line += data.count(b"\n")
        empty = empty and not data.strip(b"\r\n")
    if empty and not allow_empty:
        raise_empty(path)


def batch_rows(layout: Layout, amount: Amount | None, rows: Iterable[Row | Reject]) -> Iterator[Block]:
    """Blocks of rows that are split already."""
    left = iter(rows)
    while some := list(islice(left, BATCH_ROWS)):
        yield Block(layout, amount, some[0].line, 0, rows=some)


def _cut_rows(table: Table, amount: Amount | None, *, allow_empty: bool) -> Iterator[Block]:
    yield from batch_rows(table.layout, amount, table.rows(allow_empty=allow_empty))


def _whole_lines(path: Path) -> Iterator[bytes]:
    """The file after its first line, in chunks of whole lines."""
    with path.open("rb") as file:
        header = file.readline()
        if b"\r" in header.removesuffix(b"\r\n"):
            yield b"\r"  # line ends are CR only: not cut here
            return
        tail = b""
        while chunk := file.read(BLOCK_BYTES):
            data = tail + chunk
            end = data.rfind(b"\n") + 1
            tail = data[end:]
            if end:
                yield data[:end]
            elif len(tail) > _MOST_BYTES:
                break
        if tail:
            yield tail


def _is_complete(data: bytes, table: Table) -> bool:
    """Whether the chunk has whole rows only, and no line end but LF and CR LF."""
    if len(data) > _MOST_BYTES or data.count(b"\r") != data.count(b"\r\n"):
        return False
    if b'"' not in data:
        return True
    form = table.layout.form
    text = drop_tabs_at_quotes(data.decode(form.encoding))
    try:
        deque(csv.reader(io.StringIO(text, newline=""), delimiter=form.delimiter, strict=True), maxlen=0)
    except csv.Error:
        return False
    return True
