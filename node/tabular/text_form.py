"""How a delimited file is written: its encoding and its delimiter, decided before a row is used.

A guess that could be wrong is not made: the file is refused, with the option that settles it
(`--encoding`, `--delimiter`). The whole file is read once for the encoding, a chunk at a time; its first
256 KiB decide over the delimiter (docs/import.md, "What is guessed").
"""

import codecs
import csv
import io
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, NoReturn

from node.errors import InputError

CHUNK = 1 << 20  # bytes read at once
SAMPLE = 1 << 18  # bytes that decide over the delimiter
MAX_LINE = 1 << 20  # characters; besides a row, at most one line is in memory
ENCODINGS = ("utf-8", "gb18030")
DELIMITERS: Mapping[str, str] = {"comma": ",", "tab": "\t", "semicolon": ";", "pipe": "|"}

_BYTES = 4  # that one character takes at most, in either encoding
_UTF16_MARKS = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
_NAMES = {mark: name for name, mark in DELIMITERS.items()}
_TITLES = {"utf-8": "UTF-8", "gb18030": "GB18030"}
_TWO_BYTES = bytes(range(0xC2, 0xE0))  # first bytes of two-byte characters in UTF-8
# A word that is letters of two bytes in UTF-8 and Chinese characters of GB2312 as well, not beside a letter
# of ASCII as the é of José is.
_TWO_READINGS = re.compile(
    rb"[\xc2-\xdf](?<![\x80-\xffA-Za-z][\xc2-\xdf])[\xa1-\xbf](?:[\xc2-\xdf][\xa1-\xbf])+(?![\x80-\xffA-Za-z])"
)
_LONGER = re.compile(rb"[\xe0-\xff]")
_ACCENTED = re.compile("[A-Za-z][\u00c0-\u024f]|[\u00c0-\u024f][A-Za-z]")
_CHINESE = re.compile("[\u0800-\U0010ffff]")
_GB2312 = re.compile(rb"(?:[\x00-\x7f]|[\xa1-\xf7][\xa1-\xfe])*")


@dataclass(frozen=True, slots=True)
class TextForm:
    """Delimiter and encoding of a text; empty where nobody stated it, or where a source has none."""

    delimiter: str = ""
    encoding: str = ""

    @property
    def delimiter_name(self) -> str:
        """As `--delimiter` takes it."""
        return _NAMES.get(self.delimiter, "")


def find_form(path: Path, raw: BinaryIO, stated: TextForm) -> TextForm:
    """The form of an open file; what is `stated` is taken, and checked where it can be.

    Raises InputError for a file that is no text, is in neither encoding or in both, or that two delimiters
    fit, naming the byte or line and the option that settles it.
    """
    encoding = _find_encoding(path, raw, stated.encoding)
    raw.seek(0)
    sample = raw.read(SAMPLE)
    lines = list(io.StringIO(sample.decode(encoding, "ignore").lstrip("\ufeff"), newline=""))
    whole = lines if len(sample) < SAMPLE else lines[:-1]
    delimiter = stated.delimiter or _find_delimiter(path, whole)
    return TextForm(delimiter, encoding)


def unusable(path: Path, problem: str, hint: str) -> InputError:
    """The error for a file that cannot be used as a whole."""
    return InputError(f"{path}: {problem}", hint)


def too_long_line(path: Path, line: int) -> InputError:
    """The error for a line longer than any line may be."""
    return unusable(
        path, f"line {line} is longer than {MAX_LINE} characters", "is this a delimited text file?"
    )


# ---- encoding


@dataclass(frozen=True, slots=True)
class _Fault:
    """The first byte that is not of an encoding: its offset in the file, its line, and that line's bytes."""

    offset: int
    line: int
    content: bytes


def _find_encoding(path: Path, raw: BinaryIO, stated: str) -> str:
    if stated:
        fault = _first_fault(path, raw, stated)
        if fault is not None:
            raise unusable(
                path,
                f"not {_TITLES[stated]} as stated (wrong at byte {fault.offset}, line {fault.line})",
                "leave out --encoding, or save the file as UTF-8",
            )
        return stated
    not_utf8 = _first_fault(path, raw, "utf-8")
    if not_utf8 is None:
        _refuse_lines(path, raw, _gb18030_in_utf8, "can be read as UTF-8 and as GB18030")
        return "utf-8"
    not_gb = _first_fault(path, raw, "gb18030")
    if not_gb is None:
        _refuse_lines(path, raw, _utf8_in_gb18030, f"is UTF-8, line {not_utf8.line} is GB18030")
        return "gb18030"
    if _is_text(not_gb.content, "utf-8") and _is_text(not_utf8.content, "gb18030"):
        _refuse_mixture(path, not_gb.line, f"is UTF-8, line {not_utf8.line} is GB18030")
    raise unusable(
        path,
        f"neither UTF-8 (wrong at byte {not_utf8.offset}) nor GB18030 (wrong at byte {not_gb.offset}), "
        f"in lines {not_utf8.line} and {not_gb.line}",
        "save the file as UTF-8 and run the command again",
    )


def _first_fault(path: Path, raw: BinaryIO, encoding: str) -> _Fault | None:
    offset, first = 0, 1
    for data in _pieces(path, raw):
        try:
            data.decode(encoding)
        except UnicodeDecodeError as error:
            start = max(data.rfind(b"\n", 0, error.start), data.rfind(b"\r", 0, error.start)) + 1
            content = re.split(rb"[\r\n]", data[start:], maxsplit=1)[0]
            return _Fault(offset + error.start, first + _count_lines(data[: error.start]), content)
        offset += len(data)
        first += _count_lines(data)
    return None


def _refuse_lines(path: Path, raw: BinaryIO, find: Callable[[bytes], int | None], what: str) -> None:
    """Refuse a file that is valid in one encoding, with a line that is likely in the other one.

    `find` gives the number of such a line within a piece, from 0.
    """
    first = 1
    for data in _pieces(path, raw):
        at = find(data)
        if at is not None:
            _refuse_mixture(path, first + at, what)
        first += _count_lines(data)


def _refuse_mixture(path: Path, line: int, what: str) -> NoReturn:
    raise unusable(
        path,
        f"the encoding is not certain: line {line} {what}",
        "export the file again in one encoding; if it is in one, say which: --encoding utf-8 or gb18030",
    )


def _gb18030_in_utf8(data: bytes) -> int | None:
    """A line without any longer character, in which a word of two-byte letters is Chinese in GB18030."""
    if len(data.translate(None, _TWO_BYTES)) == len(data):
        return None
    for found in _TWO_READINGS.finditer(data):
        start = max(data.rfind(b"\n", 0, found.start()), data.rfind(b"\r", 0, found.start())) + 1
        line = re.split(rb"[\r\n]", data[start:], maxsplit=1)[0]
        if not _LONGER.search(line):
            return _count_lines(data[:start])
    return None


def _utf8_in_gb18030(data: bytes) -> int | None:
    """A line that is valid UTF-8 too, and not only because of some common Chinese characters."""
    if data.isascii():
        return None
    text = data.decode("utf-8", "replace").replace("\r\n", "\n").replace("\r", "\n")
    for at, line in enumerate(text.split("\n")):
        if not line.isascii() and "\ufffd" not in line and _reads_as_utf8(line):
            return at
    return None


def _reads_as_utf8(line: str) -> bool:
    # Common characters of GB2312 are often Greek or Cyrillic letters too. What reads as Chinese in UTF-8 is
    # hardly ever a line of GB18030, and is not guessed at.
    return bool(
        _CHINESE.search(line.lstrip("\ufeff"))
        or _ACCENTED.search(line)
        or not _GB2312.fullmatch(line.encode())
    )


def _is_text(line: bytes, encoding: str) -> bool:
    try:
        return not line.decode(encoding).isascii()
    except UnicodeDecodeError:
        return False


def _count_lines(data: bytes) -> int:
    return data.count(b"\n") + data.count(b"\r") - data.count(b"\r\n")


def _pieces(path: Path, raw: BinaryIO) -> Iterator[bytes]:
    """The file in pieces of whole lines. Raises InputError for what is no text, or has an endless line."""
    raw.seek(0)
    tail, offset, first = b"", 0, 1
    while chunk := raw.read(CHUNK):
        if offset == 0:
            _refuse_binary(path, chunk)
        if b"\0" in chunk:
            raise unusable(
                path, f"there is a NUL at byte {offset + chunk.index(0)}", "save the file as UTF-8 text (CSV)"
            )
        offset += len(chunk)
        data = tail + chunk
        # A CR that ends the piece may be half of CR LF.
        end = max(data.rfind(b"\n"), data.rfind(b"\r", 0, -1)) + 1
        tail = data[end:]
        if len(tail) > _BYTES * (MAX_LINE + 1):
            raise too_long_line(path, first + _count_lines(data[:end]))
        if end:
            first += _count_lines(data[:end])
            yield data[:end]
    if offset == 0:
        _refuse_binary(path, b"")
    if tail:
        yield tail


def _refuse_binary(path: Path, head: bytes) -> None:
    if not head.strip():
        raise unusable(path, "the file is empty", "check that the export finished")
    if head.startswith(_UTF16_MARKS):
        raise unusable(path, "the file is UTF-16", "save it as UTF-8 and run the command again")
    if head.startswith((b"PK\x03\x04", b"\xd0\xcf\x11\xe0")):
        raise unusable(path, "the file is a spreadsheet or an archive", "export it as CSV")


# ---- delimiter


def _find_delimiter(path: Path, lines: Sequence[str]) -> str:
    """Comma or tab, whichever divides the header; where both do, the one that fits all the rows."""
    by_comma, by_tab = (_split(lines, delimiter) for delimiter in ",\t")
    if len(by_tab[0]) == 1:
        _refuse_other_rows(path, by_comma, by_tab, "commas", "tabs")
        return ","
    if len(by_comma[0]) == 1:
        _refuse_other_rows(path, by_tab, by_comma, "tabs", "commas")
        return "\t"
    if not any("\t" in cell.strip("\t") for cell in by_comma[0]):
        return ","  # tabs round the cells, as systems add them to keep a number as text
    comma_fits, tab_fits = map(_fits, (by_comma, by_tab))
    if comma_fits == tab_fits:
        raise unusable(
            path,
            f"the header can be divided by commas ({len(by_comma[0])} columns) and by tabs "
            f"({len(by_tab[0])}), and the rows do not tell which is right",
            "say which with --delimiter comma or --delimiter tab",
        )
    return "," if comma_fits else "\t"


def _split(lines: Sequence[str], delimiter: str) -> list[list[str]]:
    """The header, from the first line alone, and the rows that are not blank."""
    header = next(csv.reader(lines[:1], delimiter=delimiter), []) or [""]
    table = [header]
    with suppress(csv.Error):  # an endless cell; the rows before it decide
        table.extend(row for row in csv.reader(lines[1:], delimiter=delimiter) if row)
    return table


def _fits(table: Sequence[Sequence[str]]) -> bool:
    return len({len(row) for row in table}) == 1


def _refuse_other_rows(
    path: Path, own: Sequence[Sequence[str]], other: Sequence[Sequence[str]], of_header: str, of_rows: str
) -> None:
    divided = len(own[0]) > 1 and len(own) > 1
    if divided and all(len(row) == 1 for row in own[1:]) and all(len(row) > 1 for row in other[1:]):
        raise unusable(
            path,
            f"the header is divided by {of_header}, the rows by {of_rows}",
            f"divide the header by {of_rows} too, then run the command again",
        )
