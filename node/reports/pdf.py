"""A document as PDF/A-3a and PDF/UA-1, by typst, with the signed report.json attached.

The form is report.typ; texts go to it as data and are never read as markup. It reads no file, no font of the
machine and no network. The same document, font and typst give the same bytes.
"""

import json
import re
from collections.abc import Sequence
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

from node.domain.days import china_time
from node.errors import InputError
from node.reports.cells import cell_text
from node.reports.document import Document, Histogram, Paragraph, Section, Table
from node.reports.glyphs import Pieces, characters, font_files, import_extra, pieces
from node.reports.headings import sentence
from node.reports.print_words import phrase

STANDARDS: Final = ("a-3a", "ua-1")
_FORM: Final = Path(__file__).with_name("report.typ")
_LONGEST: Final = 2_000_000  # characters of all texts; more is hundreds of pages, and minutes
_WIDEST: Final = 46  # columns that a line of a cell counts for the width of its column
_TONES: Final = (0, 30, 55, 72)
_PAGE: Final = 102  # columns that fit on a line of the page
_SHORT: Final = 14  # columns of a line that is not broken where there is room, as in "no record"
_PADDING: Final = 3  # columns that the space around a cell takes
_UNBROKEN: Final = re.compile(r"[^\s\u2e80-\uffef]+|[\u2e80-\uffef]")  # what a line never breaks within
_WIDE: Final = 0x2E80  # from here on a character takes two columns


def render(document: Document, number: str, moment: datetime, record: bytes = b"") -> bytes:
    """The PDF file: `moment` is the date that it carries, `record` the report.json to attach, if any.

    Raises InputError for a report that is too long to print, ConfigError without the extra `report`.
    """
    return _compile(document, number, moment, record, "pdf")[0]


def pictures(document: Document, number: str, moment: datetime, ppi: int = 110) -> list[bytes]:
    """Each page as a PNG file, to look at."""
    return _compile(document, number, moment, b"", "png", ppi)


def _compile(
    document: Document, number: str, moment: datetime, record: bytes, kind: str, ppi: int = 110
) -> list[bytes]:
    plain = json.dumps(_plain(document, number, moment, with_record=bool(record)), ensure_ascii=False)
    if len(plain) > _LONGEST:
        raise InputError(
            "this report is too long for a PDF", "print it household by household, or take XLSX or HTML"
        )
    texts = {"document": plain, "record": record.decode()}
    more: dict[str, Any] = {"pdf_standards": list(STANDARDS)} if kind == "pdf" else {"ppi": float(ppi)}
    stamp = int(moment.timestamp())
    made = _compiler().compile(format=kind, sys_inputs=texts, timestamp=stamp, **more)
    return list(made) if isinstance(made, list) else [bytes(made)]


@lru_cache(maxsize=1)
def _compiler() -> Any:
    # Kept: to read the fonts takes longer than to set a page.
    typst = import_extra("typst", "a PDF")
    fonts = typst.Fonts(
        include_system_fonts=False, include_embedded_fonts=False, font_paths=[str(font_files()[0].parent)]
    )
    return typst.Compiler(str(_FORM), font_paths=fonts, ignore_system_fonts=True)


def _plain(document: Document, number: str, moment: datetime, *, with_record: bool = True) -> dict[str, Any]:
    day, lang = china_time(moment), document.lang
    more = ("missing", "attached") if with_record else ("missing",)
    notes = (*document.notes, *(phrase(key, lang) for key in more))
    return {
        "lang": lang,
        "region": "CN" if lang == "zh" else "GB",
        "title": _shown(document.title),
        "title_plain": f"{document.title} {number}",
        "author": "Heqiao",
        "date": {"year": day.year, "month": day.month, "day": day.day, "hour": 0, "minute": 0, "second": 0},
        "number": number,
        "body": _shown(document.body),
        "number_line": phrase("number_line", lang).format(number=number),
        "facts": [[_shown(one.name), _shown(one.value)] for one in document.facts if one.value != number],
        "sections": [_section(one, lang) for one in document.sections],
        "notes_title": _shown(document.notes_title),
        "notes": [_shown(note) for note in notes],
        "signing": None if document.signing is None else _table(document.signing),
        "appendix_title": _shown(document.appendix_title),
        "appendix": [_section(one, lang) for one in document.appendix],
        "words": {
            "page": phrase("page", lang),
            "facts_only": phrase("facts_only", lang),
            "attachment": phrase("attached", lang),
        },
    }


def _section(section: Section, lang: str) -> dict[str, Any]:
    if isinstance(section, Paragraph):
        return {"kind": "text", "text": _shown(section.text)}
    return _bars(section, lang) if isinstance(section, Histogram) else _table(section)


def _table(table: Table) -> dict[str, Any]:
    texts = [
        [
            [cell_text(column, cell) for column, cell in zip(table.columns, row, strict=True)]
            for row in group.rows
        ]
        for group in table.groups
    ]
    rows = [row for group in texts for row in group]
    return {
        "kind": "table",
        "title": _shown(table.title),
        "columns": [{"name": _shown(one.name), "right": one.kind.right} for one in table.columns],
        "widths": _widths(
            [[one.name, *(row[number] for row in rows)] for number, one in enumerate(table.columns)],
            [one.kind.right for one in table.columns],
        ),
        "groups": [
            {"title": _shown(group.title), "rows": [[_shown(text) for text in row] for row in lines]}
            for group, lines in zip(table.groups, texts, strict=True)
        ],
        "remarks": [_shown(one) for one in table.remarks],
    }


def _widths(columns: Sequence[Sequence[str]], figures: Sequence[bool]) -> list[float]:
    """The shares of the page that columns take: by their longest lines, never less than what cannot break.

    A Latin word does not break, nor does a line of a column of figures; the rest is what gives way.
    """
    wanted, least = [], []
    for texts, is_figure in zip(columns, figures, strict=True):
        lines = [line for text in texts for line in text.split("\n")]
        longest = _PADDING + max(6, min(max(map(_length, lines), default=1), _WIDEST))
        words = [word for line in lines for word in _UNBROKEN.findall(line)]
        wanted.append(longest)
        whole = [length for line in lines if (length := _length(line)) <= _SHORT]
        unbroken = max([*map(_length, words), *whole], default=1)
        least.append(longest if is_figure else min(longest, _PADDING + unbroken))
    spare, more = _PAGE - sum(least), sum(wanted) - sum(least)
    if sum(wanted) <= _PAGE or spare <= 0 or more <= 0:
        return [float(one) for one in wanted]
    return [low + (high - low) * spare / more for low, high in zip(least, wanted, strict=True)]


def _length(text: str) -> int:
    return sum(2 if ord(one) >= _WIDE else 1 for one in text)


def _bars(histogram: Histogram, lang: str) -> dict[str, Any]:
    top = max((cell or 0 for one in histogram.series for cell in one.cells), default=0) or 1
    rows = []
    for index, band in enumerate(histogram.bands):
        for number, one in enumerate(histogram.series):
            cell = one.cells[index] if index < len(one.cells) else None
            rows.append(
                {
                    "band": _shown(band if number == 0 else ""),
                    "series": _shown(one.label),
                    "share": None if cell is None else max(cell, 0) * 100 / top,
                    "tone": _TONES[number % len(_TONES)],
                    "value": "" if cell is None else f"{cell:,}",
                }
            )
    return {
        "kind": "bars",
        "title": _shown(histogram.title),
        "item": _shown(histogram.item),
        "hidden": _shown(histogram.hidden),
        "head": [_shown(sentence(phrase(key, lang))) for key in ("band", "province", "share", "people")],
        "rows": rows,
    }


def _shown(text: str) -> str | Pieces:
    return pieces(text, characters())
