"""A document as one HTML file without scripts or other files: for a browser, a printer and a screen reader.

Every text is escaped, and stands apart from the direction of others (`bdi`); what has no form of its own,
such as a mark that turns the direction of text, is shown by its code point. Each section has an id, and a
comment in front of it, so that `node.reports.parts` can name the one that was altered.
"""

from collections.abc import Iterator
from html import escape
from pathlib import Path
from typing import Final

from node.reports.cells import cell_text
from node.reports.document import Column, Document, Fact, Histogram, Paragraph, Row, Section, Table
from node.reports.glyphs import hidden
from node.reports.print_words import phrase

_CSS: Final = Path(__file__).with_name("report.css")
_POLICY: Final = "default-src 'none'; style-src 'unsafe-inline'"
PART: Final = "<!-- part "  # in front of each part, with its name behind


def render(document: Document) -> Iterator[bytes]:
    """The file, piece by piece."""
    lang = "zh-CN" if document.lang == "zh" else "en"
    yield (
        f'<!DOCTYPE html>\n<html lang="{lang}">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{_plain(document.title)} {_plain(document.job)}</title>\n"
        f"<style>\n{_CSS.read_text(encoding='utf-8')}</style>\n</head>\n<body>\n<main>\n"
    ).encode()
    body = f'<p class="body">{_text(document.body)}</p>\n' if document.body else ""
    yield _part("head", [body, f"<h1>{_text(document.title)}</h1>\n", _facts(document.facts)])
    for number, section in enumerate(document.sections, 1):
        yield _part(f"section-{number}", _section(section))
    notes = "".join(f"<li>{_text(note)}</li>\n" for note in document.notes)
    title = f"<h2>{_text(document.notes_title)}</h2>\n"
    yield _part("notes", [title, f"<ol>\n{notes}</ol>\n"])
    if document.signing:
        yield _part("signing", _section(document.signing), "signing")
    if document.appendix:
        body = "".join(line for one in document.appendix for line in _section(one))
        yield _part("appendix", [f"<h2>{_text(document.appendix_title)}</h2>\n", body], "appendix")
    yield (
        f"{PART}end -->\n</main>\n<footer>{_text(phrase('facts_only', document.lang))}</footer>\n"
        "</body>\n</html>\n"
    ).encode()


def _part(name: str, lines: Iterator[str] | list[str], style: str = "") -> bytes:
    kind = f' class="{style}"' if style else ""
    return f'{PART}{name} -->\n<section id="{name}"{kind}>\n{"".join(lines)}</section>\n'.encode()


def _facts(facts: tuple[Fact, ...]) -> str:
    rows = "".join(f"<dt>{_text(one.name)}</dt><dd>{_text(one.value)}</dd>\n" for one in facts)
    return f"<dl>\n{rows}</dl>\n"


def _section(section: Section) -> Iterator[str]:
    if isinstance(section, Paragraph):
        yield f"<p>{_text(section.text)}</p>\n"
        return
    table = section.table() if isinstance(section, Histogram) else section
    yield '<div class="wide"><table>\n'
    yield f"<caption>{_text(table.title)}</caption>\n<thead><tr>"
    for column in table.columns:
        yield f'<th scope="col"{_side(column)}>{_text(column.name)}</th>'
    yield "</tr></thead>\n"
    for group in table.groups:
        yield "<tbody>\n"
        if group.title:
            yield (
                f'<tr class="group"><th scope="rowgroup" colspan="{len(table.columns)}">'
                f"{_text(group.title)}</th></tr>\n"
            )
        for row in group.rows:
            yield _row(table, row)
        yield "</tbody>\n"
    yield "</table></div>\n"
    for remark in table.remarks:
        yield f'<p class="remark">{_text(remark)}</p>\n'


def _row(table: Table, row: Row) -> str:
    cells = []
    for number, (column, cell) in enumerate(zip(table.columns, row, strict=True)):
        text = _text(cell_text(column, cell))
        name = 'th scope="row"' if number == 0 else "td"
        cells.append(f"<{name}{_side(column)}>{text}</{name.split()[0]}>")
    return f"<tr>{''.join(cells)}</tr>\n"


def _side(column: Column) -> str:
    return ' class="right"' if column.kind.right else ""


def _text(text: str) -> str:
    """A text as an element that nothing around it can turn: escaped, lines kept."""
    lines = "<br>".join(_plain(line) for line in text.split("\n"))
    return f"<bdi>{lines}</bdi>"


def _plain(text: str) -> str:
    # A character reference would still be the character: its code point is written.
    return escape("".join(f"[U+{ord(one):04X}]" if hidden(one) else one for one in text))
