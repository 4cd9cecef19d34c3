"""A document as one HTML page that needs nothing else: no script, no picture, no address."""

from collections.abc import Iterator
from datetime import date
from html import escape

from node.reports.document import Cell, Column, Document, Histogram, Kind, Paragraph, Section, Table

_STYLE = (
    "body{font:15px/1.5 'Noto Sans CJK SC','Microsoft YaHei','PingFang SC',sans-serif;max-width:60em;"
    "margin:2em auto;padding:0 1em;color:#1a1a1a}h1{font-size:1.4em}h2{font-size:1.1em;margin-top:1.6em}"
    "table{border-collapse:collapse;width:100%}th,td{padding:.25em .6em;border-bottom:1px solid #ccc;"
    "text-align:left;vertical-align:top;overflow-wrap:anywhere}td.n,th.n{text-align:right;"
    "font-variant-numeric:tabular-nums}@media print{body{margin:0;max-width:none}}"
)
_LANGUAGES = {"zh": "zh-CN", "en": "en"}
_POLICY = "default-src 'none'; style-src 'unsafe-inline'"


def html_page(document: Document) -> bytes:
    """The whole document, UTF-8; every text is escaped, and marks that turn text round are kept apart."""
    title = _text(document.title)
    parts = [
        f'<!DOCTYPE html><html lang="{_LANGUAGES[document.lang]}"><head><meta charset="utf-8">',
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">',
        f"<title>{_plain(document.title)}</title><style>{_STYLE}</style></head><body><h1>{title}</h1><table>",
        *(f"<tr><th>{_text(one.name)}</th><td>{_text(one.value)}</td></tr>" for one in document.facts),
        "</table>",
        *(part for section in document.sections for part in _section(section)),
    ]
    if document.notes:
        notes = "".join(f"<li>{_text(note)}</li>" for note in document.notes)
        parts.append(f"<h2>{_text(document.notes_title)}</h2><ul>{notes}</ul>")
    return "\n".join([*parts, "</body></html>\n"]).encode()


def _section(section: Section) -> Iterator[str]:
    if isinstance(section, Paragraph):
        yield f"<p>{_text(section.text)}</p>"
        return
    table = section.table() if isinstance(section, Histogram) else section
    if table.title:
        yield f"<h2>{_text(table.title)}</h2>"
    yield from _table(table)


def _table(table: Table) -> Iterator[str]:
    heads = "".join(f"<th{_class(column)}>{_text(column.name)}</th>" for column in table.columns)
    yield f"<table><tr>{heads}</tr>"
    for group in table.groups:
        if group.title:
            yield f'<tr><th colspan="{len(table.columns)}">{_text(group.title)}</th></tr>'
        for row in group.rows:
            cells = zip(table.columns, row, strict=True)
            inner = "".join(f"<td{_class(column)}>{_cell(column, cell)}</td>" for column, cell in cells)
            yield f"<tr>{inner}</tr>"
    yield "</table>"
    yield from (f"<p>{_text(remark)}</p>" for remark in table.remarks)


def _class(column: Column) -> str:
    return ' class="n"' if column.kind.right else ""


def _cell(column: Column, cell: Cell) -> str:
    if cell is None:
        return "-"
    if isinstance(cell, str):
        return _text(cell)
    if isinstance(cell, date):
        return cell.isoformat()
    if isinstance(cell, tuple):
        return _pair(*cell)
    return f"{cell:.1f}" if column.kind is Kind.SECONDS else f"{cell:,}"


def _pair(first: object, second: object) -> str:
    if isinstance(first, int) and isinstance(second, int):
        return f"{first:,} of {second:,}"
    return str(first) if first == second else f"{first} – {second}"


def _text(text: str) -> str:
    """In an element of its own direction."""
    return f"<bdi>{_plain(text)}</bdi>"


def _plain(text: str) -> str:
    """Escaped, without control characters and marks that turn text round."""
    return escape("".join(one for one in text if one.isprintable()))
