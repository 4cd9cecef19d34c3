"""Every fault of a catalogue at once; the schema of its file; code lists."""

import json
import tomllib

import jsonschema
import pytest

from matcher.types import Level
from node.domain.catalogue import BUILT_IN, check_text, load, parse, read_bytes
from node.domain.catalogue_form import MAX_ENTRIES, schema
from node.domain.catalogue_rules import ALLOWED_LEVELS
from node.domain.records import disclose
from node.errors import ConfigError
from node.index.planted import planted_value
from node.registers.row_parser import Amount, read_amount
from node.tabular.delimited import CellError
from tests.support.paths import ROOT

TEXT = BUILT_IN.read_text(encoding="utf-8")
ITEM = load().item("Z63")
SCHEMA = ROOT / "docs/catalogue.schema.json"


def faults_of(text, tmp_path):
    return {fault.key: fault for fault in check_text(tmp_path / "c.toml", text.encode()).faults}


def test_every_fault_is_named_with_what_was_found_and_what_is_allowed(tmp_path):
    """Attack: a catalogue that shows more than the class of an item permits, among other faults."""
    text = TEXT.replace('level = "threshold"', 'level = "value"', 1)  # C23, SF
    text = text.replace('sensitivity = "SM"', 'sensitivity = "P"', 1)  # D35
    text = text.replace("bounds_fen = [1_000_000, 5_000_000,", "bounds_fen = [5_000_000, 5_000_000,", 1)
    text = text.replace('unit = { zh = "辆", en = "vehicle" }', 'unit = { zh = "辆" }', 1)
    text = text.replace('combine = "latest"', 'combine = "any"', 1)
    text = "colour = 1\n" + text
    found = faults_of(text, tmp_path)
    assert set(found) == {
        "colour", "items[1].unit.en", "items[4].level", "items[4].table", "items[9].sensitivity",
        "items[14].combine", "tables[1].bounds_fen",
    }  # fmt: skip
    level = found["items[4].level"]
    assert level.found == "value"
    assert level.allowed == "item C23: the class SF may be disclosed as threshold, aggregate"
    assert found["items[9].sensitivity"].found == "P"
    assert "SM or more sensitive" in found["items[9].sensitivity"].allowed
    with pytest.raises(ConfigError) as caught:
        parse(tmp_path / "c.toml", text.encode())
    assert all(key in str(caught.value) for key in found)
    assert str(tmp_path / "c.toml") in str(caught.value)


def test_no_level_shows_more_than_domain_section_4_permits():
    assert ALLOWED_LEVELS["SF"] == ("threshold", "aggregate")
    assert not {"value", "count", "code"} & set(ALLOWED_LEVELS["SM"])
    assert "value" not in ALLOWED_LEVELS["SP"]


@pytest.mark.parametrize(
    ("text", "word"),
    [
        (TEXT + "#" * 1_100_000, "larger than"),
        (
            TEXT.replace("bounds_fen = [5_000_000]", f"bounds_fen = {list(range(1, 40))}", 1),
            "at most 32 items",
        ),
        (TEXT + "".join(f'[[items]]\ncode = "Y{n:02}"\n' for n in range(600)), "at most 500 items"),
        ("a = " + "[" * 5_000, "not a TOML file"),
        (
            TEXT.replace("entries = [", "entries = [" + '{ code = "1", zh = "一", en = "one" },' * 300, 1),
            "255",
        ),
    ],
    ids=["bytes", "bounds", "items", "nesting", "entries"],
)
def test_huge_lists_are_refused(tmp_path, text, word):
    path = tmp_path / "c.toml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError, match=word):
        load(path)
    assert MAX_ENTRIES == 255  # the place of an entry is one byte


def test_a_value_of_a_file_is_repeated_short_and_harmless(tmp_path):
    text = TEXT.replace('level = "count"', 'level = "\\u001b[2J' + "x" * 900 + '"', 1)
    (fault,) = faults_of(text, tmp_path).values()
    assert "\x1b" not in str(fault)
    assert len(fault.found) <= 60


def test_the_schema_in_the_documents_is_that_of_the_loader():
    """Write it again with: python -m tests.unit.domain.test_catalogue_faults"""
    assert json.loads(SCHEMA.read_text(encoding="utf-8")) == schema()
    document = schema()
    text = (ROOT / "docs/catalogue.md").read_text(encoding="utf-8")
    for part in (document, *document["$defs"].values()):
        for key in part["properties"]:
            assert f"`{key}`" in text or key in ("zh", "en"), key


FORMS = [
    ("none", TEXT),
    ("unknown key", TEXT.replace('time = "instant"', 'time = "instant"\ncolour = 1', 1)),
    ("version", TEXT.replace('version = "1.0"', 'version = "one"', 1)),
    ("level", TEXT.replace('level = "count"', 'level = "all"', 1)),
    ("own code", TEXT.replace('code = "C21"', 'code = "X45C21"', 1)),
    ("bad code", TEXT.replace('code = "C21"', 'code = "X4C21"', 1)),
    ("share", TEXT.replace('share = "conditional"', 'share = "open"', 1)),
    (
        "entries",
        TEXT.replace(
            '{ code = "10", zh = "未婚", en = "never married" }', '{ code = "一", zh = "一", en = "a" }'
        ),
    ),
]


@pytest.mark.parametrize(("case", "text"), FORMS, ids=[one[0] for one in FORMS])
def test_schema_and_loader_agree_on_the_form(case, text, tmp_path):
    plain = json.loads(json.dumps(tomllib.loads(text), default=lambda day: day.isoformat()))
    told = jsonschema.Draft202012Validator(schema()).is_valid(plain)
    assert (
        told == (not check_text(tmp_path / "c.toml", text.encode()).faults) == (case in ("none", "own code"))
    )


# ---- level code


@pytest.mark.parametrize(
    ("cell", "place"), [("10", 0), ("20", 1), ("已婚", 1), (" ４０ ", 3), ("未说明", 4), ("离婚", 3)]
)
def test_a_register_writes_a_code_or_its_word(cell, place):
    assert read_amount(Amount("value", "人"), cell, ITEM) == place
    assert disclose(ITEM, place) == place


@pytest.mark.parametrize("cell", ["1", "married", "010", "50", "已婚 ", "-1", "10.0"])
def test_any_other_cell_is_rejected_by_name(cell):
    if cell.strip() == "已婚":
        assert read_amount(Amount("value", "人"), cell, ITEM) == 1
        return
    with pytest.raises(CellError) as caught:
        read_amount(Amount("value", "人"), cell, ITEM)
    assert caught.value.reason == "unknown_code"
    assert cell not in str(caught.value)


def test_a_code_is_one_byte_and_planted_rows_stay_in_the_list():
    assert (ITEM.level, ITEM.width, ITEM.highest) == (Level.CODE, 1, 4)
    assert {planted_value(ITEM, number) for number in range(9)} == set(range(5))


def test_the_built_in_file_is_read_as_it_is():
    assert check_text(BUILT_IN, read_bytes(BUILT_IN)).faults == ()


if __name__ == "__main__":
    written = json.dumps(schema(), ensure_ascii=False, indent=2, sort_keys=True)
    SCHEMA.write_text(written + "\n", encoding="utf-8")
