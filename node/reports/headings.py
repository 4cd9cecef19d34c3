"""Headings of printed reports in sentence case. Pure.

Words stand in the middle of a line too, and in tables of a terminal, so they are kept in lower case; in a
printed report a heading, a label and a line of text begin with a capital. Cells and references of people are
left as they are. Chinese has no case.
"""

from collections.abc import Iterable
from dataclasses import replace

from node.reports.document import Column, Document, Fact, Group, Histogram, Paragraph, Section, Table
from node.reports.wording import rule_text


def sentence(text: str) -> str:
    """A text whose first letter, where it is a plain Latin one, is a capital."""
    return text[:1].upper() + text[1:] if text[:1].isascii() else text


def headed(document: Document) -> Document:
    """The document with the headings of print."""
    signing = document.signing
    return replace(
        document,
        facts=tuple(Fact(sentence(one.name), one.value) for one in document.facts),
        sections=tuple(map(_section, document.sections)),
        notes_title=sentence(document.notes_title),
        appendix_title=sentence(document.appendix_title),
        appendix=tuple(map(_section, document.appendix)),
        signing=None if signing is None else _table(signing),
    )


def headed_columns(columns: Iterable[Column]) -> tuple[Column, ...]:
    """Columns with the headings of print."""
    return tuple(replace(one, name=sentence(one.name)) for one in columns)


def _section(section: Section) -> Section:
    if isinstance(section, Paragraph):
        return Paragraph(sentence(section.text))
    if isinstance(section, Histogram):
        return replace(section, title=sentence(section.title))
    return _table(section)


def _table(table: Table) -> Table:
    return replace(
        table,
        title=sentence(table.title),
        columns=headed_columns(table.columns),
        groups=tuple(Group(one.rows, sentence(one.title)) for one in table.groups),
        remarks=tuple(map(_remark, table.remarks)),
    )


def _remark(text: str) -> str:
    # The name of a rule, which programs read in other files, stays as it is.
    return text if rule_text(text.partition(":")[0], "en") else sentence(text)
