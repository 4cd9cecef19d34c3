"""The HTML page of a document: well-formed, self-contained, and every text is text."""

from datetime import date
from html.parser import HTMLParser

from hypothesis import given
from hypothesis import strategies as st

from node.reports.document import Column, Document, Fact, Group, Kind, Paragraph, Table
from node.reports.html import html_page

VOID = {"meta"}
COLUMNS = (Column("what"), Column("n", Kind.NUMBER), Column("d", Kind.DAY), Column("s", Kind.SHARE))


class Reader(HTMLParser):
    """What a browser would see: tags in order, and text outside the style."""

    def __init__(self, page):
        super().__init__()
        self.open, self.tags, self.texts = [], set(), []
        self.feed(page.decode())
        self.close()
        assert self.open == []

    def handle_starttag(self, tag, attributes):
        self.tags.add(tag)
        assert not {name for name, _ in attributes} & {"src", "href", "onload", "onclick", "style"}
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, text):
        if "style" not in self.open:
            self.texts.append(text)


def page_of(text, lang="zh"):
    row = (text, 1234567, date(2026, 6, 30), (1, 2))
    table = Table(text, COLUMNS, (Group((row, (None, None, None, None)), text),), (text,))
    return html_page(Document(lang, text, "", (Fact(text, text),), (table, Paragraph(text)), text, (text,)))


@given(st.text(max_size=250))
def test_any_text_stays_text(text):
    found = Reader(page_of(text))
    assert found.tags <= {
        *[
            "html",
            "head",
            "meta",
            "title",
            "style",
            "body",
            "h1",
            "h2",
            "table",
            "tr",
            "th",
            "td",
            "bdi",
            "p",
            "ul",
            "li",
        ]
    }
    shown = "".join(one for one in text if one.isprintable())
    assert not shown or "".join(found.texts).count(shown) >= 9
    assert {"1,234,567", "2026-06-30", "1 of 2", "-"} <= set(found.texts)


def test_markup_and_marks_that_turn_text_round():
    page = page_of("<script>alert(1)</script>\u202e&amp;\x00").decode()
    assert ("<script" in page, "\u202e" in page, "\x00" in page) == (False, False, False)
    assert "default-src 'none'" in page
