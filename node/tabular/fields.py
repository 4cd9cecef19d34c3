"""Cells to values: identity numbers, names and dates, with a reason for each refusal."""

from collections.abc import Iterable, Mapping
from datetime import date
from functools import lru_cache
from pathlib import Path
from re import compile as pattern

from matcher.errors import IdentityError
from matcher.identity import FOREIGN, FOREIGN_OLD, PERMIT, RESIDENT, TYPES, parse
from matcher.names import is_name, normalise_name
from matcher.types import Identity
from node.domain.records import Reject
from node.files import write_atomically
from node.tabular.csv_writer import csv_lines
from node.tabular.damage import is_error_value
from node.tabular.delimited import CellError, Layout, Row, clean

IDENTITY_ALIASES = {
    "id_no": ("id_no", "证件号码", "身份证号", "身份证号码", "公民身份号码"),
    "id_type": ("id_type", "证件类型"),
    "former_id_no": ("former_id_no", "曾用证件号码"),
    "name": ("name", "姓名"),
}


ID_TYPES: Mapping[str, tuple[str, ...]] = {
    **{name: (name,) for name in TYPES},
    "居民身份证": (RESIDENT,),
    "港澳台居民居住证": (PERMIT,),
    "外国人永久居留身份证": (FOREIGN, FOREIGN_OLD),
}


MAX_FORMER = 8  # former numbers of one person


MAX_NAME = 100  # characters


_DATES = (
    pattern(r"([0-9]{4})-([0-9]{1,2})-([0-9]{1,2})"),
    pattern(r"([0-9]{4})/([0-9]{1,2})/([0-9]{1,2})"),
    pattern(r"([0-9]{4})年([0-9]{1,2})月([0-9]{1,2})日"),
    pattern(r"([0-9]{4})([0-9]{2})([0-9]{2})"),
)


_EARLIEST = date(1900, 1, 1)


def write_rejects(path: Path, rejects: Iterable[Reject]) -> None:
    """Write the rejects as CSV (file,line,column,reason,message), all or nothing."""
    rows = ((r.file, r.line, r.column, r.reason, r.message) for r in rejects)
    header = ("file", "line", "column", "reason", "message")
    write_atomically(path, csv_lines((header, *rows), mark=True))


def read_identities(layout: Layout, row: Row) -> tuple[Identity, ...]:
    """The subject's identities, current first; raises CellError."""
    current = _parse_identity("id_no", layout.cell(row, "id_no"))
    stated = clean(layout.cell(row, "id_type")).lower()
    if stated:
        accepted = ID_TYPES.get(stated)
        if accepted is None:
            raise CellError("id_type", "unknown_type", "the document type is not a known one")
        if current.id_type not in accepted:
            message = "the identity number is not of the document type given beside it"
            raise CellError("id_type", "type_conflict", message)
    former = clean(layout.cell(row, "former_id_no"))
    if not former:
        return (current,)
    parts = [part for part in former.split(";") if part.strip()]
    if len(parts) > MAX_FORMER:
        raise CellError("former_id_no", "too_many", f"more than {MAX_FORMER} former numbers")
    return tuple(dict.fromkeys((current, *(_parse_identity("former_id_no", part) for part in parts))))


def read_name(layout: Layout, row: Row) -> str:
    """The normalised name, empty where none is given; raises CellError."""
    name = layout.cell(row, "name")
    if not name:
        return ""
    if len(name) > MAX_NAME or not is_name(name) or is_error_value(name):
        raise CellError("name", "bad_name", f"a name is one line of at most {MAX_NAME} characters")
    return normalise_name(name)


@lru_cache(maxsize=1024)
def parse_date(text: str) -> date | None:
    """A date as YYYY-MM-DD, YYYYMMDD, YYYY/M/D or YYYY年M月D日; None for anything else."""
    for form in _DATES:
        found = form.fullmatch(clean(text))
        if found:
            year, month, day = map(int, found.groups())
            try:
                parsed = date(year, month, day)
            except ValueError:
                return None
            return parsed if parsed >= _EARLIEST else None
    return None


def _parse_identity(field: str, raw: str) -> Identity:
    try:
        return parse(raw)
    except IdentityError as error:
        raise CellError(field, error.reason, str(error)) from None
