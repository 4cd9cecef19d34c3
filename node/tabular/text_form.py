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
from functools import partial
from pathlib import Path
from typing import BinaryIO

from node.errors import InputError

CHUNK = 1 << 20  # bytes read at once
SAMPLE = 1 << 18  # bytes that decide over the delimiter
MAX_LINE = 1 << 20  # characters; besides a row, at most one line is in memory
ENCODINGS = ("utf-8", "gb18030")
DELIMITERS: Mapping[str, str] = {"comma": ",", "tab": "\t", "semicolon": ";", "pipe": "|"}

# Tabs between a quoted cell and the delimiters round it.
_TABS_AT_QUOTES = re.compile(r'(?<=")\t+(?=[,;|\r\n]|$)|(?<![^,;|\r\n])\t+(?=")')
_BYTES = 4  # that one character takes at most, in either encoding
_UTF16_MARKS = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
_NAMES = {mark: name for name, mark in DELIMITERS.items()}
_TITLES = {"utf-8": "UTF-8", "gb18030": "GB18030"}
_UNASSIGNED = re.compile(rb"[\xf1\xf2]")  # first bytes of planes 4 to 11 of Unicode, where no character is
_SELDOM = bytes(range(0xC2, 0xE0)) + b"\xf1\xf2"  # those, and first bytes of two-byte characters
# A word of letters of two bytes in UTF-8, not beside a letter of ASCII as the é of José is. In GB18030 it is
# always a word of Chinese characters.
_TWO_READINGS = re.compile(
    rb"[\xc2-\xdf](?<![\x80-\xffA-Za-z][\xc2-\xdf])[\x80-\xbf]"
    rb"(?:[\xc2-\xdf][\x80-\xbf])+(?![\x80-\xffA-Za-z])"
)
_ONE_SCRIPT = re.compile(
    "[\u00a0-\u024f]+|[\u0370-\u03ff]+|[\u0400-\u04ff]+|[\u0530-\u058f]+|[\u0590-\u05ff]+|[\u0600-\u06ff]+"
)
_LONGER = re.compile(rb"[\xe0-\xff]")
_ACCENTED = re.compile("[A-Za-z][\u00c0-\u024f]|[\u00c0-\u024f][A-Za-z]")
# A line of Chinese, or of another script of China, as opposed to the letters that a wrong reading gives.
_CHINESE = re.compile(
    "(?:[\x00-\x7f\u00b7\u0600-\u06ff]*[\u0f00-\u0fff\u1800-\u18af\u2000-\u206f\u2e80-\ua4cf"
    "\uac00-\ud7a3\ue000-\ufaff\ufe30-\ufe4f\uff00-\uffef\U00020000-\U000323af])+"
    "[\x00-\x7f\u00b7\u0600-\u06ff]*"
)
_GB18030_LETTERS = re.compile(rb"(?:[\x00-\x7f]|[\xa1-\xf7][\xa1-\xfe])*")  # those of GB2312


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


def drop_tabs_at_quotes(text: str) -> str:
    """Lines without the tabs between a quoted cell and its delimiters, which are no part of either."""
    return _TABS_AT_QUOTES.sub("", text) if "\t" in text and '"' in text else text


# ---- encoding


@dataclass(frozen=True, slots=True)
class _Place:
    """A byte of the file, in which line it is, and the bytes of that line."""

    offset: int
    line: int
    content: bytes


def _find_encoding(path: Path, raw: BinaryIO, stated: str) -> str:
    if stated:
        fault = _first(path, raw, partial(_fault, stated))
        if fault is not None:
            raise unusable(
                path,
                f"not {_TITLES[stated]} as stated (wrong at byte {fault.offset}, line {fault.line})",
                "leave out --encoding, or save the file as UTF-8",
            )
        return stated
    not_utf8 = _first(path, raw, partial(_fault, "utf-8"))
    if not_utf8 is None:
        found = _first(path, raw, _gb18030_in_utf8)
        if found is not None:
            raise _uncertain(path, f"line {found.line} can be read as UTF-8 and as GB18030")
        return "utf-8"
    other = f"line {not_utf8.line} is GB18030"
    not_gb = _first(path, raw, partial(_fault, "gb18030"))
    if not_gb is None:
        found = _first(path, raw, _utf8_in_gb18030)
        if found is not None:
            raise _uncertain(path, f"line {found.line} is UTF-8, {other}")
        return "gb18030"
    if _is_text(not_gb.content, "utf-8") and _is_text(not_utf8.content, "gb18030"):
        raise _uncertain(path, f"line {not_gb.line} is UTF-8, {other}")
    raise unusable(
        path,
        f"neither UTF-8 (wrong at byte {not_utf8.offset}) nor GB18030 (wrong at byte {not_gb.offset}); "
        f"see line {not_utf8.line}" + (f" and line {not_gb.line}" if not_gb.line != not_utf8.line else ""),
        "save the file as UTF-8 and run the command again",
    )


def _uncertain(path: Path, what: str) -> InputError:
    return unusable(
        path,
        f"the encoding is not certain: {what}",
        "export the file again in one encoding; if it is in one, say which: --encoding utf-8 or gb18030",
    )


def _first(path: Path, raw: BinaryIO, find: Callable[[bytes], int | None]) -> _Place | None:
    """The first place in the file that `find` gives within a piece of whole lines, as an offset."""
    offset = 0
    for data in _pieces(path, raw):
        at = find(data)
        if at is not None:
            start = _line_start(data, at)
            content = re.split(rb"[\r\n]", data[start:], maxsplit=1)[0]
            return _Place(offset + at, _count_lines(raw, offset + start) + 1, content)
        offset += len(data)
    return None


def _fault(encoding: str, data: bytes) -> int | None:
    """The first byte that is not of the encoding."""
    try:
        data.decode(encoding)
    except UnicodeDecodeError as error:
        return error.start
    return None


def _gb18030_in_utf8(data: bytes) -> int | None:
    """A place that is hardly text in UTF-8, but Chinese in GB18030.

    That is a character of an empty plane, or a word of two-byte letters in a line without any longer one.
    """
    if len(data.translate(None, _SELDOM)) == len(data):
        return None
    if unassigned := _UNASSIGNED.search(data):
        return unassigned.start()
    for found in _TWO_READINGS.finditer(data):
        if _ONE_SCRIPT.fullmatch(found[0].decode()) and not _GB18030_LETTERS.fullmatch(found[0]):
            continue  # a word of a real script, in characters that are rare in GB18030
        start = _line_start(data, found.start())
        if not _LONGER.search(re.split(rb"[\r\n]", data[start:], maxsplit=1)[0]):
            return found.start()
    return None


def _utf8_in_gb18030(data: bytes) -> int | None:
    """A line that is valid UTF-8 too, and not only because of some common Chinese characters."""
    if data.isascii():
        return None
    lines = data.decode("utf-8", "replace").replace("\r", "\n").split("\n")
    for line in lines:
        if "\ufffd" not in line and not line.isascii() and _reads_as_utf8(line):
            found = re.search(rb"(?<![^\r\n])" + re.escape(line.encode()) + rb"(?![^\r\n])", data)
            return found.start() if found else 0
    return None


def _reads_as_utf8(line: str) -> bool:
    # Characters of GB2312 are often Greek, Cyrillic or rarer letters too, which no list of people holds.
    # What reads as Chinese in UTF-8 is hardly ever a line of GB18030, and is not guessed at.
    text = line.lstrip("\ufeff")
    return bool(
        _CHINESE.fullmatch(text) or _ACCENTED.search(text) or not _GB18030_LETTERS.fullmatch(line.encode())
    )


def _is_text(line: bytes, encoding: str) -> bool:
    try:
        return not line.decode(encoding).isascii()
    except UnicodeDecodeError:
        return False


def _line_start(data: bytes, at: int) -> int:
    return max(data.rfind(b"\n", 0, at), data.rfind(b"\r", 0, at)) + 1


def _count_lines(raw: BinaryIO, size: int) -> int:
    """The lines in the first `size` bytes, which end with a line."""
    raw.seek(0)
    count, left = 0, size
    while left > 0 and (data := raw.read(min(CHUNK, left))):
        left -= len(data)
        if data.endswith(b"\r") and left > 0:
            data += raw.read(1)
            left -= 1
        count += data.count(b"\n") + data.count(b"\r") - data.count(b"\r\n")
    return count


def _pieces(path: Path, raw: BinaryIO) -> Iterator[bytes]:
    """The file in pieces of whole lines. Raises InputError for what is no text, or has an endless line."""
    raw.seek(0)
    tail, offset = b"", 0
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
            raise too_long_line(path, _count_lines(raw, offset - len(tail)) + 1)
        if end:
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
        _refuse_other_rows(path, by_comma, "\t")
        return ","
    if len(by_comma[0]) == 1:
        _refuse_other_rows(path, by_tab, ",")
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
    texts = lines if delimiter == "\t" else [drop_tabs_at_quotes(line) for line in lines]
    header = next(csv.reader(texts[:1], delimiter=delimiter), []) or [""]
    if any('"' in cell for cell in header):
        header = [""]  # it divides a quoted cell
    table = [header]
    with suppress(csv.Error):  # an endless cell; the rows before it decide
        table.extend(row for row in csv.reader(texts[1:], delimiter=delimiter) if row)
    return table


def _fits(table: Sequence[Sequence[str]]) -> bool:
    return len({len(row) for row in table}) == 1


def _refuse_other_rows(path: Path, table: Sequence[Sequence[str]], other: str) -> None:
    """Refuse a file whose header is divided in one way, and every row in the other."""
    header, *rows = table
    strange = [len(row) != len(header) and any(other in cell.strip(other) for cell in row) for row in rows]
    if len(header) > 1 and strange and all(strange):
        of_header, of_rows = ("tabs", "commas") if other == "," else ("commas", "tabs")
        raise unusable(
            path,
            f"the header is divided by {of_header}, the rows by {of_rows}",
            f"divide the header by {of_rows} too; if this is wrong, say so with --delimiter",
        )
