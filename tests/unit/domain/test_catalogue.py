# ruff: noqa: E501  (a case of a table is one line)
import json
import tomllib
from dataclasses import replace
from pathlib import Path

import pytest
from blake3 import blake3
from click.testing import CliRunner

from matcher.types import Level
from node.cli.catalogue import catalogue as command
from node.domain.catalogue import BUILT_IN, TEXTS, canonical_json, load, to_json
from node.domain.records import disclose
from node.errors import ConfigError, ItemNotOfferedError

TEXT = BUILT_IN.read_text(encoding="utf-8")
CATALOGUE = load()


def write(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "catalogue.toml"
    path.write_text(text, encoding="utf-8")
    return path


def in_item(code: str, old: str, new: str) -> str:
    """The built-in catalogue with one change inside one item."""
    start = TEXT.index(f'code = "{code}"')
    end = TEXT.find("[[items]]", start)
    end = len(TEXT) if end < 0 else end
    assert old in TEXT[start:end]
    return TEXT[:start] + TEXT[start:end].replace(old, new, 1) + TEXT[end:]


def test_built_in_items():
    rows = {(i.code, i.level, i.value_kind, i.combine, i.time, i.sensitivity) for i in CATALOGUE.items[:10]}
    assert rows == {
        ("Z59b", Level.EXISTENCE, "flag", "any", "instant", "P"),
        ("C21", Level.COUNT, "count", "count", "instant", "P"),
        ("C22", Level.COUNT, "count", "count", "instant", "SP"),
        ("B12r", Level.EXISTENCE, "flag", "any", "instant", "P"),
        ("C23", Level.THRESHOLD, "money", "sum", "instant", "SF"),
        ("D34", Level.BAND, "money", "sum", "instant", "SP"),
        ("D32", Level.BAND, "money", "sum", "period", "SP"),
        ("D32m", Level.VALUE, "count", "sum", "period", "P"),
        ("B11", Level.AGGREGATE, "money", "sum", "period", "SP"),
        ("D35", Level.AGGREGATE, "money", "sum", "period", "SM"),
    }
    assert {item.code for item in CATALOGUE.items[:10] if item.sum} == {"D32m", "B11", "D35"}
    assert CATALOGUE.item("C23").threshold == 5_000_000
    assert CATALOGUE.item("D34").bands == (1_000_000, 5_000_000, 20_000_000)
    assert CATALOGUE.item("D32").bands == (3_600_000, 7_200_000, 12_000_000)
    assert CATALOGUE.item("D32").period_months == 12


# domain.md section 4: for each code the sensitivity, and what a peer gets at most: E existence or status, C count,
# B band, T threshold flag, V value, A encrypted sums.
SECTION_4 = """A05 P E, Z78 P E, Z62 P E, Z63 SP E, A02 P E, D32 SP BA, B14 SP BA, B11 SP BA, B12 SP BA, B13 SF A,
B15 SP BA, D38 SP B, D34 SP B, C21 P C, Z61 P E, C22 SP CA, C23 SF TA, C23b SF TA, C23c SF T, C24 SF TA,
C25 SF TA, C26 SF TA, Z60 SF T, B12r P E, Z54 P E, D35 SM BA, D36 SP BA, D39b SM A, Z51 P E, Z57 SM E, Z52 SP E,
Z58 P B, Z59b P E, Z82 SP E"""
# Of an item with two levels in domain.md, the second item; and two measures of one code.
SECONDS = {"D32a": "D32", "D32m": "D32", "B11d": "B11", "C22a": "C22", "C23a": "C23", "C26c": "C26",
           "D35d": "D35", "Z60c": "Z60"}  # fmt: skip
LETTERS = {"E": ("existence", "code"), "C": ("count",), "B": ("band",), "T": ("threshold",)}


def test_every_item_of_the_domain_is_there_and_shows_no_more_than_it_says():
    listed = {code: (sens, shown) for code, sens, shown in (row.split() for row in SECTION_4.split(","))}
    assert {SECONDS.get(item.code, item.code) for item in CATALOGUE.items} == set(listed)
    for code, (sensitivity, shown) in listed.items():
        mine = [item for item in CATALOGUE.items if SECONDS.get(item.code, item.code) == code]
        levels = {item.level.name.lower() for item in mine} | {"aggregate" for item in mine if item.sum}
        allowed = {name for letter in shown for name in LETTERS.get(letter, ("aggregate",))}
        months = {"value"} if code == "D32" else set()  # months insured: P, its own item
        assert levels <= allowed | months, code
        assert all(levels & set(LETTERS.get(letter, ("aggregate",))) for letter in shown), code
        assert {item.sensitivity for item in mine if item.code != "D32m"} == {sensitivity}, code


def test_every_mandatory_attribute_in_both_languages():
    for item in CATALOGUE.items:
        for attribute in TEXTS:
            assert any("\u4e00" <= c <= "\u9fff" for c in item.text(attribute, "zh")), (item.code, attribute)
            assert item.text(attribute, "en").isascii(), (item.code, attribute)


DISCLOSED = [
    ("flag set", "Z59b", 1, 1),
    ("flag not set", "Z59b", 0, None),
    ("count", "C21", 3, 3),
    ("count of none", "C21", 0, None),
    ("deposits under", "C23", 4_999_999, None),
    ("deposits at the threshold", "C23", 5_000_000, None),
    ("deposits one fen over", "C23", 5_000_001, 1),
    ("no balance is the lowest band", "D34", 0, 0),
    ("upper bound is inclusive", "D34", 1_000_000, 0),
    ("one fen more is the next band", "D34", 1_000_001, 1),
    ("middle bound", "D34", 20_000_000, 2),
    ("over every bound", "D34", 20_000_001, 3),
    ("insurance", "D32", 7_200_001, 2),
]


@pytest.mark.parametrize(
    ("code", "total", "value"), [row[1:] for row in DISCLOSED], ids=[r[0] for r in DISCLOSED]
)
def test_disclose(code, total, value):
    assert disclose(CATALOGUE.item(code), total) == value


def test_aggregate_discloses_nothing_and_value_all():
    item = CATALOGUE.item("C23")
    assert disclose(replace(item, level=Level.AGGREGATE), 10**9) is None
    assert disclose(replace(item, level=Level.VALUE), 7) == 7


def test_digest_is_blake3_over_sorted_json_without_floats():
    def refuse(_):
        raise AssertionError("a float")

    text = canonical_json(CATALOGUE)
    parsed = json.loads(text, parse_float=refuse)
    assert text == json.dumps(parsed, sort_keys=True, ensure_ascii=False, separators=(",", ":")).encode()
    assert CATALOGUE.digest == blake3(text).digest() == load(BUILT_IN).digest
    assert to_json(CATALOGUE)["digest"] == CATALOGUE.digest.hex()


CHANGES = [
    ("threshold", TEXT.replace("[5_000_000]", "[5_000_001]")),
    ("band", TEXT.replace("20_000_000]", "20_000_001]")),
    ("definition", TEXT.replace("权属登记有效", "登记有效", 1)),
    ("freshness", TEXT.replace("freshness_days = 92", "freshness_days = 93")),
    ("version", TEXT.replace('version = "1.0"', 'version = "1.1"', 1)),
    ("frequency", TEXT.replace('frequency = "daily"', 'frequency = "weekly"', 1)),
]


@pytest.mark.parametrize("text", [row[1] for row in CHANGES], ids=[row[0] for row in CHANGES])
def test_every_change_changes_the_digest(tmp_path, text):
    assert text != TEXT
    assert load(write(tmp_path, text)).digest != CATALOGUE.digest


def test_comments_and_layout_do_not_change_the_digest(tmp_path):
    assert (
        load(write(tmp_path, "# a comment\n\n" + TEXT.replace("5_000_000]", "5000000]"))).digest
        == CATALOGUE.digest
    )


def test_every_item_has_nothing_unknown_in_the_file():
    assert [item["code"] for item in tomllib.loads(TEXT)["items"]] == list(CATALOGUE.codes)


REFUSED = [
    ("unknown key", in_item("C21", 'time = "instant"', 'time = "instant"\ncolour = 1'), "items[1].colour"),
    ("unknown top key", 'colour = 1\n' + TEXT, "colour"),
    ("one language missing", in_item("C21", 'unit = { zh = "辆", en = "vehicle" }', 'unit = { zh = "辆" }'), "items[1].unit.en"),
    ("empty text", in_item("C21", '"vehicle"', '" "'), "items[1].unit.en"),
    ("definition missing", in_item("Z59b", "definition =", "# definition ="), "items[0].definition"),
    ("bad code", TEXT.replace('code = "C21"', 'code = "c21"'), "items[1].code"),
    ("long code", TEXT.replace('code = "C21"', 'code = "C21ab"'), "items[1].code"),
    ("code twice", TEXT.replace('code = "C22"', 'code = "C21"'), "items[2].code"),
    ("table twice", TEXT.replace('code = "B-D32-2026"', 'code = "B-D34-2026"', 1), "tables[2].code"),
    ("bands do not ascend", TEXT.replace("[1_000_000, 5_000_000,", "[5_000_000, 5_000_000,"), "tables[1].bounds_fen"),
    ("two thresholds", TEXT.replace("[5_000_000]", "[5_000_000, 6_000_000]"), "tables[0].bounds_fen"),
    ("no bounds", TEXT.replace("[5_000_000]", "[]"), "tables[0].bounds_fen"),
    ("float bound", TEXT.replace("[5_000_000]", "[5_000_000.0]"), "tables[0].bounds_fen[0]"),
    ("text bound", TEXT.replace("[5_000_000]", '["5000000"]'), "tables[0].bounds_fen[0]"),
    ("negative bound", TEXT.replace("[5_000_000]", "[-1]"), "tables[0].bounds_fen[0]"),
    ("deposits as band", in_item("C23", 'level = "threshold"', 'level = "band"'), "items[4].level"),
    ("deposits as value", in_item("C23", 'level = "threshold"', 'level = "value"'), "items[4].level"),
    ("deposits as existence", in_item("C23", 'level = "threshold"', 'level = "existence"'), "items[4].level"),
    ("value of a sensitive item", in_item("D34", 'level = "band"', 'level = "value"'), "items[5].level"),
    ("threshold without table", in_item("C23", 'table = "T-C23-2026"', ""), "items[4].table"),
    ("table there is not", in_item("C23", 'table = "T-C23-2026"', 'table = "T-X"'), "items[4].table"),
    ("table of the wrong kind", in_item("C23", 'table = "T-C23-2026"', 'table = "B-D34-2026"'), "items[4].table"),
    ("table at an existence item", in_item("Z59b", "freshness_days", 'table = "T-C23-2026"\nfreshness_days'), "items[0].table"),
    ("table nobody uses", TEXT + '\n[[tables]]\ncode = "T-X"\nkind = "threshold"\nissuer = { zh = "一", en = "a" }\nvalid_from = 2026-01-01\nbounds_fen = [1]\n', "tables"),
    ("period without months", in_item("D32", "period_months = 12", ""), "items[6].period_months"),
    ("months without period", in_item("C21", 'time = "instant"', 'time = "instant"\nperiod_months = 3'), "items[1].period_months"),
    ("count of money", in_item("D34", 'value_kind = "money"', 'value_kind = "flag"'), "items[5].value_kind"),
    ("flag summed", in_item("Z59b", 'combine = "any"', 'combine = "sum"'), "items[0].combine"),
    ("freshness of none", in_item("C21", "freshness_days = 185", "freshness_days = 0"), "items[1].freshness_days"),
    ("freshness as text", in_item("C21", "freshness_days = 185", 'freshness_days = "185"'), "items[1].freshness_days"),
    ("unknown level", in_item("C21", '"count"', '"everything"'), "items[1].level"),
    ("no items", TEXT[: TEXT.index("[[items]]")], "items"),
    ("not TOML", "version = ", "TOML"),
    ("version without a minor number", TEXT.replace('version = "1.0"', 'version = "1"', 1), "version"),
    ("version as a number", TEXT.replace('version = "1.0"', "version = 1.0", 1), "version"),
    ("own item without a province", TEXT.replace('code = "C21"', 'code = "X01"'), "items[1].code"),
    ("share missing", in_item("C21", 'share = "conditional"', ""), "items[1].share"),
    ("example beyond the bands", in_item("D34", "example = 1", "example = 4"), "items[5].example"),
    ("count of medical data", in_item("Z57", 'level = "existence"', 'level = "count"'), "items[38].level"),
    ("code of medical data", in_item("Z63", 'sensitivity = "SP"', 'sensitivity = "SM"'), "items[14].level"),
    ("deposits made less sensitive", in_item("C23", 'sensitivity = "SF"', 'sensitivity = "P"'), "items[4].sensitivity"),
    ("medical made financial", in_item("D35", 'sensitivity = "SM"', 'sensitivity = "SF"'), "items[9].sensitivity"),
    ("codes summed", in_item("Z63", 'table = "L-Z63-2026"', 'table = "L-Z63-2026"\nsum = {}'), "items[14].sum"),
    ("codes added up", in_item("Z63", 'combine = "latest"', 'combine = "sum"'), "items[14].combine"),
    ("codes of a band table", in_item("Z63", "L-Z63-2026", "B-D34-2026"), "items[14].table"),
    ("a code twice", TEXT.replace('code = "20", zh', 'code = "10", zh'), "entries[1].code"),
    ("a word twice", TEXT.replace("丧偶", "已婚", 1), "entries[2].zh"),
    ("a word that is another code", TEXT.replace('zh = "丧偶"', 'zh = "１０"', 1), "entries[2].zh"),
    ("a list with bounds", TEXT.replace("entries = [", "bounds_fen = [1]\nentries = [", 1), "bounds_fen"),
    ("table over before it begins", TEXT.replace("valid_from = 2026-01-01\nbounds_fen = [5_000_000]", "valid_from = 2026-01-01\nvalid_to = 2025-12-31\nbounds_fen = [5_000_000]", 1), "tables[0].valid_to"),
    ("empty file", "", "version"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "key"), [row[1:] for row in REFUSED], ids=[row[0] for row in REFUSED])
def test_refused(tmp_path, text, key):
    path = write(tmp_path, text)
    with pytest.raises(ConfigError) as caught:
        load(path)
    assert str(path) in str(caught.value)
    assert key in str(caught.value)


def test_unreadable_files(tmp_path):
    with pytest.raises(ConfigError, match="cannot be read"):
        load(tmp_path / "none.toml")
    with pytest.raises(ConfigError, match="cannot be read"):
        load(tmp_path)
    (tmp_path / "gbk.toml").write_bytes("version = '核对项目目录'".encode("gb18030"))
    with pytest.raises(ConfigError, match="not UTF-8"):
        load(tmp_path / "gbk.toml")


UNKNOWN = [("C32", "D32"), ("b12r", "B12r"), ("449999190001010034", "")]


@pytest.mark.parametrize(("code", "near"), UNKNOWN)
def test_an_unknown_item_names_the_nearest_one(code, near):
    with pytest.raises(ItemNotOfferedError) as caught:
        CATALOGUE.item(code)
    assert "`heqiao catalogue` lists the items" in caught.value.hint
    assert f"did you mean {near}?" in caught.value.hint if near else "did you mean" not in caught.value.hint
    assert "449999190001010034" not in str(caught.value) + caught.value.hint


def test_command():
    shown = CliRunner().invoke(command, [], env={"COLUMNS": "140", "HEQIAO_HOME": None})
    assert shown.exit_code == 0
    assert CATALOGUE.digest.hex() in shown.output
    for item in CATALOGUE.items:
        assert item.code in shown.output
        assert item.name_zh in shown.output
    assert "> 50,000 yuan" in shown.output
    printed = CliRunner().invoke(command, ["--json"], env={"HEQIAO_HOME": None})
    assert json.loads(printed.output) == {**to_json(CATALOGUE), "signed": False}
    again = CliRunner().invoke(command, ["show", "--json"], env={"HEQIAO_HOME": None})
    assert again.output == printed.output
    assert CliRunner().invoke(command, ["--colour"]).exit_code == 2
