"""A report as an HTML file, read by html.parser: text, tables, nothing active."""

from html.parser import HTMLParser

import pytest

from node.reports import household, html
from tests.support.reports import CATALOGUE, REPORTS, VERIFICATION
from tests.support.signed_reports import FORMULA, LONG, MARKUP, hostile_report

VOID = {"meta", "br"}
ALLOWED = {
    "html", "head", "meta", "title", "style", "body", "main", "section", "h1", "h2", "dl", "dt", "dd", "div",
    "table", "caption", "thead", "tbody", "tr", "th", "td", "p", "ol", "li", "bdi", "br", "footer",
}  # fmt: skip


class Reader(HTMLParser):
    """The elements with their attributes, and the texts in order; every element must be closed."""

    def __init__(self, content):
        super().__init__(convert_charrefs=True)
        self.elements, self.texts, self.open = [], [], []
        self.feed(content)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if self.open[-1:] != ["style"]:
            self.texts.append(data)

    def all(self, tag):
        return [attrs for name, attrs in self.elements if name == tag]


def read(report, lang="zh"):
    document = household.document(report, CATALOGUE, lang)
    return Reader(b"".join(html.render(document)).decode())


@pytest.mark.parametrize("name", [name for name in REPORTS if name.startswith("verification")])
@pytest.mark.parametrize("lang", ["zh", "en"])
def test_it_is_accessible_and_nothing_in_it_is_active(name, lang):
    found = read(REPORTS[name], lang)
    assert found.open == []
    assert {tag for tag, _ in found.elements} <= ALLOWED
    assert {key for _, attrs in found.elements for key in attrs} <= {
        "lang", "charset", "http-equiv", "content", "name", "id", "class", "scope", "colspan"
    }  # fmt: skip
    assert found.all("html") == [{"lang": {"zh": "zh-CN", "en": "en"}[lang]}]
    assert all(attrs.get("scope") in ("col", "row", "rowgroup") for attrs in found.all("th"))
    assert len(found.all("caption")) == len(found.all("table"))
    assert len(found.all("h1")) == 1
    assert {"default-src 'none'; style-src 'unsafe-inline'"} <= {
        one.get("content") for one in found.all("meta")
    }


def test_hostile_texts_are_text():
    found = read(hostile_report())
    text = "".join(found.texts)
    assert "script" not in {tag for tag, _ in found.elements}
    for one in (MARKUP, FORMULA, LONG, "[U+202E]", "[U+2066]反[U+2069]", "𠮷[U+E863]", "a[U+0007]b"):
        assert one in text, one
    assert "\u202e" not in text


def test_findings_stand_before_what_is_technical():
    text = "".join(read(VERIFICATION).texts)
    places = [
        text.index(one)
        for one in ("报告编号", "一、家庭汇总", "二、成员核对结果", "三、各省应答情况", "附：技术信息")
    ]
    assert places == sorted(places)
    assert all(text.index(one) > places[-1] for one in ("检索方式", "点数", "上行"))


def test_each_province_has_the_time_of_its_answer():
    texts = "".join(read(VERIFICATION).texts)
    answers = texts[texts.index("各省应答情况") : texts.index("附：技术信息")]
    assert "反馈时间" in answers
    assert answers.count("2026-07-01 16:00+08:00") == 1, "one province answered at a known time"


def test_nothing_decides():
    for lang in ("zh", "en"):
        text = "".join(read(VERIFICATION, lang).texts)
        for note in (
            *household.document(VERIFICATION, CATALOGUE, lang).notes,
            "只核对、不认定",
            "Facts only, no decision",
        ):
            text = text.replace(note, "")
        assert not [one for one in ("eligible", "符合", "不合格", "通过", "认定") if one in text]
