"""Cells to values: identity numbers, names and dates, with a reason for each refusal."""

from collections.abc import Callable, Iterable, Iterator, Mapping
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

PERSON_ALIASES = {
    "id_no": ("id_no", "证件号码", "身份证号", "身份证号码", "公民身份号码"),
    "id_type": ("id_type", "证件类型"),
    "former_id_no": ("former_id_no", "曾用证件号码"),
}
IDENTITY_ALIASES = {**PERSON_ALIASES, "name": ("name", "姓名")}


# Words for a document type: the types of number it may be, and where it is told the first digits.
_PERMIT_OF_HONG_KONG_MACAO = ((PERMIT,), ("81", "82"))
_PERMIT_OF_TAIWAN = ((PERMIT,), ("83",))
_FOREIGN_CARD = ((FOREIGN, FOREIGN_OLD), ("",))
ID_TYPES: Mapping[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    **{name: ((name,), ("",)) for name in TYPES},
    "居民身份证": ((RESIDENT,), ("",)),
    "港澳台居民居住证": ((PERMIT,), ("",)),
    "外国人永久居留身份证": _FOREIGN_CARD,
}
# The same in words that are usual beside them (domain.md section 5; 111 is the code of GA/T 517).
MORE_ID_TYPES: Mapping[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    **dict.fromkeys(
        ("身份证", "111", "二代身份证", "第二代居民身份证", "中华人民共和国居民身份证"),
        ID_TYPES["居民身份证"],
    ),
    **dict.fromkeys(("港澳居民居住证", "中华人民共和国港澳居民居住证"), _PERMIT_OF_HONG_KONG_MACAO),
    **dict.fromkeys(("台湾居民居住证", "中华人民共和国台湾居民居住证"), _PERMIT_OF_TAIWAN),
    **dict.fromkeys(("外国人永久居留证", "中华人民共和国外国人永久居留身份证"), _FOREIGN_CARD),
}


MAX_FORMER = 8  # former numbers of one person


MAX_NAME = 100  # characters


# Forms of a date by the word under which the tally counts them. A time of day other than midnight is
# refused: 16:00 may be the next day of China, written in UTC.
_MIDNIGHT = r"(?P<time>[ T]0?0:00(?::00(?:\.0+)?)?)?"
_DATES = {
    "date_dashes": pattern(r"([0-9]{4})-([0-9]{1,2})-([0-9]{1,2})" + _MIDNIGHT),
    "date_slashes": pattern(r"([0-9]{4})/([0-9]{1,2})/([0-9]{1,2})" + _MIDNIGHT),
    "date_dots": pattern(r"([0-9]{4})\.([0-9]{1,2})\.([0-9]{1,2})" + _MIDNIGHT),
    "date_chinese": pattern(r"([0-9]{4})年([0-9]{1,2})月([0-9]{1,2})日" + _MIDNIGHT),
    "date_digits": pattern(r"([0-9]{4})([0-9]{2})([0-9]{2})" + _MIDNIGHT),
}
_MONTH = pattern(r"([0-9]{4})(?:[-/]([0-9]{1,2})|([0-9]{2})|年([0-9]{1,2})月)")
# What spreadsheets and their users put round a number so that it stays text: '4501..., ="4501..."
_WRAPPED = pattern('[\'`\u2018\u2019](?P<marked>[^\'`\u2018\u2019"=]+)[\'\u2019]?|="(?P<formula>[^"]+)"')
_CHECKED = pattern(r"[0-9]{17}[0-9X]")  # a number that has a check digit
_NO_NUMBER = pattern(r"无|[-\u2010-\u2015\u2212、,;/]+")  # there is no former number
_BETWEEN_NUMBERS = pattern(r"[;,、/]")


_EARLIEST = date(1900, 1, 1)


def write_rejects(path: Path, rejects: Iterable[Reject]) -> None:
    """Write the rejects as CSV (file,line,column,reason,message), all or nothing."""
    rows = ((r.file, r.line, r.column, r.reason, r.message) for r in rejects)
    header = ("file", "line", "column", "reason", "message")
    write_atomically(path, csv_lines((header, *rows), mark=True))


def read_identities(layout: Layout, row: Row) -> tuple[Identity, ...]:
    """The subject's identities, current first; raises CellError."""
    current = parse_identity("id_no", layout.cell(row, "id_no"))
    stated = clean(layout.cell(row, "id_type")).lower()
    if stated:
        accepted = find_type(stated)
        if accepted is None:
            raise CellError("id_type", "unknown_type", "the document type is not a known one")
        types, heads = accepted
        if current.id_type not in types or not current.value.startswith(heads):
            message = "the identity number is not of the document type given beside it"
            raise CellError("id_type", "type_conflict", message)
    former = clean(layout.cell(row, "former_id_no"))
    if not former or _NO_NUMBER.fullmatch(former):
        return (current,)
    parts = [part for part in _BETWEEN_NUMBERS.split(former) if part.strip()]
    if len(parts) > MAX_FORMER:
        raise CellError("former_id_no", "too_many", f"more than {MAX_FORMER} former numbers")
    return tuple(dict.fromkeys((current, *(parse_identity("former_id_no", part) for part in parts))))


def find_type(stated: str) -> tuple[tuple[str, ...], tuple[str, ...]] | None:
    """Types of number, and first digits, of a document type in clean lower case; None for an unknown one."""
    return ID_TYPES.get(stated) or MORE_ID_TYPES.get(stated)


def names_no_number(former: str) -> bool:
    """Whether a cell for former numbers says that there is none."""
    text = clean(former)
    return not text or bool(_NO_NUMBER.fullmatch(text))


def unwrap(text: str) -> str:
    """A trimmed code without what a spreadsheet put round it to keep it text."""
    found = _WRAPPED.fullmatch(text)
    return text if found is None else found["marked"] or found["formula"]


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
    """A date such as 2026-06-30 or 2026年6月30日 (docs/import.md has all forms); None for anything else."""
    for form in _DATES.values():
        found = form.fullmatch(clean(text))
        if found:
            return _make_date(*map(int, found.groups()[:3]))
    return None


@lru_cache(maxsize=1024)
def parse_month(text: str) -> date | None:
    """The first day of a month written as 202606, 2026-06 or 2026年6月; None for anything else."""
    found = _MONTH.fullmatch(clean(text))
    if found is None:
        return None
    year, month = (int(part) for part in found.groups() if part)
    return _make_date(year, month, 1)


# ---- what was accepted in another form than the first one of docs/import.md, for the tally


def date_form(cell: str) -> str:
    """The word for the form of a date that was accepted, empty for 2026-06-30 or no date."""
    text = clean(cell)
    for word, form in _DATES.items():
        if found := form.fullmatch(text):
            return "date_with_time" if found["time"] else "" if word == "date_dashes" else word
    return "month" if _MONTH.fullmatch(text) else ""


def type_form(cell: str) -> str:
    """The word for a document type that was accepted by another name."""
    return "id_type_word" if clean(cell).lower() in MORE_ID_TYPES else ""


def former_form(cell: str) -> str:
    """The word for former numbers that are none, or separated by other signs than semicolons."""
    text = clean(cell)
    if not text:
        return ""
    if _NO_NUMBER.fullmatch(text):
        return "former_none"
    return "former_separator" if any(mark in text for mark in ",、/") else ""


def number_form(cell: str) -> str:
    """The word for an identity number with something round it."""
    return "id_wrapped" if _WRAPPED.fullmatch(cell.strip()) else ""


FORMS: Mapping[str, Callable[[str], str]] = {
    "id_no": number_form,
    "id_type": type_form,
    "former_id_no": former_form,
    "as_of": date_form,
}


def row_forms(layout: Layout, row: Row) -> Iterator[str]:
    """The words for the cells of one accepted row."""
    return filter(None, (form(layout.cell(row, field)) for field, form in FORMS.items()))


def _make_date(year: int, month: int, day: int) -> date | None:
    try:
        made = date(year, month, day)
    except ValueError:
        return None
    return made if made >= _EARLIEST else None


def parse_identity(field: str, raw: str) -> Identity:
    """The identity that a cell holds, or one of several numbers in it; raises CellError for `field`."""
    # Only a check digit proves that nothing but the number was in the cell. No NFKC: see matcher.identity.
    bare = unwrap(raw.strip())
    try:
        return parse(bare if _CHECKED.fullmatch(bare.upper()) else raw)
    except IdentityError as error:
        raise CellError(field, error.reason, str(error)) from None
