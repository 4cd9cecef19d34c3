"""The file of a source: any mapping comes back as it was written, any bytes are a source or a clear error."""

import json
import re
from contextlib import nullcontext
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from node.domain.catalogue import load
from node.domain.records import Reject
from node.errors import ConfigError, InputError
from node.registers.code_lists import decode_rows
from node.registers.requests import ImportRequest
from node.registers.row_parser import ALIASES
from node.registers.source_file import SourceFile, make_request, parse_source
from node.registers.source_import import Gate
from node.tabular.changes import Changes
from node.tabular.delimited import Row, clean, find_layout
from tests.support.paths import ROOT

ITEMS, TODAY = load(), date(2026, 7, 1)
TEXT = st.text(st.characters(exclude_categories=("Cs", "Cc")), min_size=1, max_size=20)
FIELDS = sorted(set(ALIASES) - {"amount_yuan", "amount_fen"})


def quoted(text):
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")


def section(name, pairs):
    return "\n".join([f"[{name}]", *(f"{quoted(key)} = {quoted(value)}" for key, value in pairs.items())])


@given(
    st.dictionaries(st.sampled_from(FIELDS), TEXT),
    st.dictionaries(TEXT.map(clean), TEXT, max_size=8),
    TEXT,
    st.sampled_from([item.code for item in ITEMS.items if item.value_kind != "money"]),
)
def test_a_mapping_comes_back_as_it_was_written(tmp_path_factory, columns, codes, title, item):
    text = "\n".join([
        section("source", {"item": item, "title": title}),
        '[database]\nurl_variable = "U"\nquery = "SELECT 1"',
        section("columns", columns),
        section("codes.value", codes),
    ])  # fmt: skip
    folder = tmp_path_factory.mktemp("s")
    found = parse_source(folder / "s.toml", text.encode(), folder)
    request = make_request(found, ITEMS, folder, TODAY)
    assert (request.columns, request.codes, request.item) == (columns, {"value": codes}, item)
    assert (found.source.title, request.query, request.url_variable) == (title, "SELECT 1", "U")


@given(st.binary(max_size=200) | st.text(max_size=200).map(lambda text: text.encode("utf-8", "replace")))
def test_any_bytes_are_a_source_or_a_clear_error(tmp_path_factory, content):
    folder = tmp_path_factory.getbasetemp()
    with pytest.raises(ConfigError) as caught:
        parse_source(folder / "s.toml", content, folder)
    assert caught.value.hint


CODES = {"value": {"01": "1", "02": "0", "*": "0"}, "id_type": {"1": "居民身份证"}}


@given(st.lists(st.tuples(st.sampled_from(["01", "０１", " 02 ", "9", ""]), st.sampled_from(["1", "2", ""]))))
def test_codes_are_what_the_list_says_and_others_cost_the_row(pairs):
    layout = find_layout(ROOT, ("id_no", "value", "id_type"), ALIASES, {})
    rows = [Row(line, ("x", *pair)) for line, pair in enumerate(pairs, 2)]
    for (value, kind), found in zip(pairs, decode_rows(layout, CODES, rows), strict=True):
        if kind == "2":
            assert isinstance(found, Reject)
            assert found.reason == "unknown_code"
            continue
        assert list(found.cells) == [
            "x",
            {"01": "1", "０１": "1", "": ""}.get(value, "0"),
            "居民身份证" if kind else "",
        ]


@pytest.mark.parametrize(
    ("read", "usable", "changes", "refused"),
    [
        (100, 95, False, False),
        (100, 94, False, True),
        (9, 9, False, True),
        (99, 1, True, False),
        (100, 94, True, True),
    ],
)
def test_a_source_that_got_worse_while_it_was_read_is_not_published(read, usable, changes, refused):
    text = b'[source]\nitem = "C21"\n[database]\nurl_variable = "U"\ntable = "t"\n[floor]\nleast_rows = 10\n'
    found = parse_source(ROOT, text, ROOT)
    request = ImportRequest("C21", changes=Changes("a", "b", "1") if changes else None)
    with pytest.raises(InputError, match="changed while") if refused else nullcontext():
        Gate(found, request)(read, usable)


def test_the_schema_is_the_one_in_the_documents():
    """Write it again with: python -m tests.unit.registers.test_source_file"""
    assert json.loads((ROOT / "docs/source.schema.json").read_text(encoding="utf-8")) == schema()


def test_the_example_of_the_document_and_its_keys(tmp_path):
    text = (ROOT / "docs/sources.md").read_text(encoding="utf-8")
    examples = re.findall(r"```toml\n(.*?)```", text, re.DOTALL)
    (tmp_path / "vehicles.url").touch(0o600)
    (tmp_path / "deposits.xlsx").touch()
    requests = [
        make_request(parse_source(tmp_path / "s.toml", one.encode(), tmp_path), ITEMS, tmp_path, TODAY)
        for one in examples
    ]
    assert [one.item for one in requests] == ["C23", "C21"]
    for part in schema()["$defs"].values():
        for key in part["properties"]:
            assert f"`{key}`" in text or key in ("item", "title"), key


def schema():
    return SourceFile.model_json_schema()


if __name__ == "__main__":
    written = json.dumps(schema(), ensure_ascii=False, indent=2, sort_keys=True)
    (ROOT / "docs/source.schema.json").write_text(written + "\n", encoding="utf-8")
