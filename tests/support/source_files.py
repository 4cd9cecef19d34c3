"""Small registers for tests of the reader, and the rows read from them."""

from datetime import date
from pathlib import Path

from node.domain.catalogue import load
from node.registers.row_parser import Record, Reject, SourceRow, Tally, combine, read

CATALOGUE = load()
PAYROLL, CARS, DEPOSITS, INSURANCE = (CATALOGUE.item(code) for code in ("Z59b", "C21", "C23", "D32"))
DAY = date(2026, 6, 30)
A, B, C = "449999190001010034", "33999919000101008X", "449999200002290038"
NAME = "张三丰"


def put(tmp_path: Path, content: str | bytes, encoding: str = "utf-8") -> Path:
    path = tmp_path / "register.csv"
    path.write_bytes(content if isinstance(content, bytes) else content.encode(encoding))
    return path


def rows_of(path: Path, item=CARS, **options) -> list[SourceRow | Reject]:
    return list(read(path, item, **options))


def only(path: Path, item=CARS, **options) -> SourceRow:
    (row,) = rows_of(path, item, **options)
    assert isinstance(row, SourceRow), row
    return row


def reason(tmp_path: Path, content: str | bytes, item=CARS, **options) -> str:
    (row,) = rows_of(put(tmp_path, content), item, **options)
    assert isinstance(row, Reject)
    return row.reason


def take(tmp_path: Path, content: str, item=CARS) -> tuple[list[Record], Tally]:
    return combine(read(put(tmp_path, content), item), item, DAY)
