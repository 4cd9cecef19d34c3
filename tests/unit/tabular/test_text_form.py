"""Encoding and delimiter of a file: found for certain, or the file is refused."""

import io
import itertools
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from node.errors import InputError
from node.tabular import text_form
from node.tabular.delimited import TO_FIND
from node.tabular.text_form import TextForm, find_form
from tests.support.effort import examples

PATH = Path("list.csv")
# The common characters of GB 2312, first level, as Python's own codec has them.
COMMON = [bytes(pair).decode("gb2312") for pair in itertools.product(range(0xB0, 0xD7), range(0xA1, 0xFF))]
NAMES = st.text(st.sampled_from(COMMON), min_size=2, max_size=4)
ENCODED = st.tuples(NAMES, st.sampled_from(text_form.ENCODINGS))


def find(content: bytes, stated=TO_FIND):
    return find_form(PATH, io.BytesIO(content), stated)


def find_or_refuse(content):
    try:
        return find(content), ""
    except InputError as error:
        return None, f"{error} {error.hint}"


@settings(max_examples=examples(400))
@given(st.lists(ENCODED, min_size=1, max_size=6), st.sampled_from(["\n", "\r\n", "\r"]), st.data())
def test_rows_of_two_encodings_are_refused_or_read_as_written(rows, end, data):
    mark = end.encode()
    content = mark.join([b"id_no,name", *(f"1,{name}".encode(encoding) for name, encoding in rows)])
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(text_form, "CHUNK", data.draw(st.sampled_from([3, 16, 1 << 20])))
        form, said = find_or_refuse(content)
    if form is None:
        assert "--encoding" in said or "neither" in said
        assert not any(name in said for name, _ in rows)
        return
    read = content.decode(form.encoding).split(end)[1:]
    assert read == [f"1,{name}" for name, _ in rows]


@pytest.mark.parametrize("encoding", text_form.ENCODINGS)
def test_a_file_of_common_names_in_one_encoding_is_never_refused(encoding):
    pairs = "".join(f"1,{one}{other}\n" for one, other in itertools.product(COMMON[::37], COMMON[::11]))
    assert find(("证件号码,姓名\n" + pairs).encode(encoding)) == TextForm(",", encoding)


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("chunk", [5, 1 << 20])
@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ([("ab", "utf-8"), ("张三", "utf-8"), ("李四", "gb18030")], "line 3 is UTF-8, line 4 is GB18030"),
        ([("李四", "gb18030"), ("ab", "utf-8"), ("张三", "utf-8")], "line 4 is UTF-8, line 2 is GB18030"),
        ([("李四", "gb18030"), ("李四", "gb18030"), ("José", "utf-8")], "line 4 is UTF-8, line 2 is GB18030"),
        (
            [("张三", "utf-8"), ("ab", "utf-8"), ("谭思", "gb18030")],
            "line 4 can be read as UTF-8 and as GB18030",
        ),
    ],
)
def test_the_lines_are_named(monkeypatch, end, chunk, rows, said):
    monkeypatch.setattr(text_form, "CHUNK", chunk)
    content = end.encode().join([b"id_no,name", *(f"1,{name}".encode(encoding) for name, encoding in rows)])
    with pytest.raises(InputError) as caught:
        find(content)
    assert said in str(caught.value)


@pytest.mark.parametrize(
    "text",
    [
        "José",
        "Müller,Ångström",
        "Иванов",
        "ئابدۇرەھىم",
        "Ελένη",
        "20°C",
        "5×3",
        "£5",
        "Ali·Veli",
        "naïve café",
    ],
)
def test_words_of_other_scripts_are_utf8(text):
    assert find(f"id_no,name\n1,{text}\n".encode()).encoding == "utf-8"


def test_what_is_stated_is_taken_where_it_can_be():
    tan = "id_no,name\n1,谭思\n".encode("gb18030")
    assert find(tan, TextForm("", "gb18030")) == TextForm(",", "gb18030")
    assert find(b"id_no,note\tname\n1,x\ty\n", TextForm("\t")) == TextForm("\t", "utf-8")
    with pytest.raises(InputError, match=r"not UTF-8 as stated .wrong at byte 13, line 2"):
        find("id_no,name\n1,张三\n".encode("gb18030"), TextForm("", "utf-8"))


TWO = [
    ("id_no\t,name\t\n1\t,x\t\n", ","),
    ("id_no,\tname\n1,\tx\n", ","),
    ("id_no\tamount (yuan, fen)\n1\t2\n", "\t"),
    ("id_no,note (a\tb)\n1,2\n", ","),
    ('id_no\t"amount, yuan"\n1\t2,5\n', "\t"),
]


@pytest.mark.parametrize(("text", "delimiter"), TWO)
def test_one_of_two_delimiters(text, delimiter):
    assert find(text.encode()).delimiter == delimiter
