"""Spreadsheets for tests: .xlsx by openpyxl, .ods by hand; a small .xls by xlwt is kept as bytes."""

import zipfile
from xml.sax.saxutils import escape, quoteattr

from openpyxl import Workbook

from tests.support.paths import ROOT

XLS = ROOT / "tests" / "vectors" / "sheets" / "cars.xls"
_ODS = "application/vnd.oasis.opendocument.spreadsheet"
_SPACES = "".join(
    f' xmlns:{short}="urn:oasis:names:tc:opendocument:xmlns:{long}:1.0"'
    for short, long in (("office", "office"), ("table", "table"), ("text", "text"))
)
_CALCEXT = ' xmlns:calcext="urn:org:documentfoundation:names:experimental:calc:xmlns:calcext:1.0"'


def write_xlsx(path, rows, *, sheet="Sheet", change=None):
    """Rows as they are: text, numbers, dates; `change` is given workbook and sheet before it is saved."""
    book = Workbook()
    page = book.active
    page.title = sheet
    for row in rows:
        page.append(list(row))
    if change is not None:
        change(book, page)
    book.save(path)
    return path


def write_ods(path, rows, more=""):
    """Texts and numbers; `more` are attributes of the first cell."""
    lines = []
    for row in rows:
        cells = []
        for cell in row:
            kind = "string" if isinstance(cell, str) else "float"
            value = f" office:value={quoteattr(str(cell))}" if kind == "float" else ""
            cells.append(
                f'<table:table-cell office:value-type="{kind}"{value}{more}>'
                f"<text:p>{escape(str(cell))}</text:p></table:table-cell>"
            )
            more = ""
        lines.append(f"<table:table-row>{''.join(cells)}</table:table-row>")
    content = (
        f'<?xml version="1.0" encoding="UTF-8"?><office:document-content{_SPACES}{_CALCEXT}><office:body>'
        f'<office:spreadsheet><table:table table:name="A">{"".join(lines)}</table:table>'
        "</office:spreadsheet></office:body></office:document-content>"
    )
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("mimetype", _ODS, zipfile.ZIP_STORED)
        archive.writestr("META-INF/manifest.xml", "<manifest/>")
        archive.writestr("content.xml", content)
    return path


def change_part(path, name, change):
    """Write a spreadsheet again with one part of its archive changed."""
    with zipfile.ZipFile(path) as archive:
        parts = {one: archive.read(one) for one in archive.namelist()}
    parts[name] = change(parts[name])
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for one, content in parts.items():
            archive.writestr(one, content)
    return path
