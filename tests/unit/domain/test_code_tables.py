"""A province's own legal bases and matters: what is refused, all at once, and what a good file gives."""

from datetime import date, timedelta
from pathlib import Path

import pytest

from node.domain.code_tables import CodeTables, check_tables, schema
from node.domain.legal_bases import LEGAL_BASES, described, find_basis, usual_basis
from node.domain.mandate import PROGRAMMES
from node.domain.matters import MATTERS
from tests.support.paths import ROOT

GOOD = """
[[legal_bases]]
code = "GX-2020-21"
name = { zh = "《广西社会救助办法》第21条", en = "Guangxi Measures, art. 21" }
about = { zh = "跨省核对", en = "checks in other provinces" }
valid_from = 2020-05-01
valid_to = 2026-12-31

[[legal_bases]]
code = "GX-2024-3"
name = { zh = "《办法》第3条", en = "Measures, art. 3" }
for_people = false

[[matters]]
code = "91"
name = { zh = "困境儿童保障", en = "support for children in need" }
"""
LAW_DAY = date(2026, 7, 1)


def test_own_codes_stand_beside_the_published_ones() -> None:
    found = check_tables(GOOD).tables
    assert found is not None
    assert list(found.bases) == [*LEGAL_BASES, "GX-2020-21", "GX-2024-3"]
    assert found.matters == {**MATTERS, "91": ("困境儿童保障", "support for children in need")}
    assert found.own_names() == {
        "GX-2020-21": ("《广西社会救助办法》第21条", "Guangxi Measures, art. 21"),
        "GX-2024-3": ("《办法》第3条", "Measures, art. 3"),
        "91": ("困境儿童保障", "support for children in need"),
    }
    one = found.basis("GX-2020-21")
    assert one is not None
    assert one.for_people
    assert not found.bases["GX-2024-3"].for_people
    days = (date(2020, 4, 30), date(2020, 5, 1), date(2026, 12, 31), date(2027, 1, 1))
    assert [one.is_in_force(day) for day in days] == [False, True, True, False]
    assert described("GX-2020-21", "zh", found.own_bases) == "《广西社会救助办法》第21条：跨省核对"
    assert described("GX-2024-3", "en", found.own_bases) == "Measures, art. 3"
    assert found.basis("no-such") is None
    assert found.basis("SA-2026-12") == find_basis("SA-2026-12") != None  # noqa: E711 - of the law


BAD = {
    "a published code": (GOOD.replace("GX-2020-21", "SA-2026-41"), "legal_bases[0].code", "SA-2026-41"),
    "an article of the law": (GOOD.replace("GX-2020-21", "SA-2026-7"), "legal_bases[0].code", "SA-2026-7"),
    "a code twice": (GOOD.replace("GX-2024-3", "GX-2020-21"), "legal_bases[1].code", "GX-2020-21"),
    "an identity number": (GOOD.replace("GX-2020-21", "A459999198503120012"), "legal_bases[0].code", ""),
    "a small letter": (GOOD.replace("GX-2020-21", "gx-1"), "legal_bases[0].code", "gx-1"),
    "no English name": (GOOD.replace(', en = "Guangxi Measures, art. 21"', ""), "legal_bases[0].name.en", ""),
    "ends too early": (GOOD.replace("2026-12-31", "2020-04-30"), "legal_bases[0].valid_to", "2020-04-30"),
    "turned letters": (GOOD.replace("跨省核对", "跨省\u202e核对"), "legal_bases[0]", "跨省\ufffd核对"),
    "an unknown key": (GOOD.replace("for_people", "for_all"), "legal_bases[1].for_all", "False"),
    "a published matter": (GOOD.replace('"91"', '"01"'), "matters[0].code", "01"),
    "no TOML": ("[", "file", ""),
}  # fmt: skip


@pytest.mark.parametrize(("text", "key", "shown"), BAD.values(), ids=BAD)
def test_what_is_refused(text: str, key: str, shown: str) -> None:
    found = check_tables(text)
    assert found.tables is None
    assert [(one.key, one.found) for one in found.faults] == [(key, shown)]
    assert found.faults[0].allowed


def test_every_fault_at_once() -> None:
    text = GOOD.replace("GX-2020-21", "SA-2026-41").replace("GX-2024-3", "SA-2014-58")
    assert [one.key for one in check_tables(text).faults] == ["legal_bases[0].code", "legal_bases[1].code"]


def test_the_law_of_the_day() -> None:
    """The law counts since 2026-07-01, the interim measures until the day before (domain.md section 8)."""
    before = LAW_DAY - timedelta(days=1)
    for code, first_day in (("SA-2026-41", True), ("SA-2026-12", True), ("SA-2014-58", False)):
        basis = find_basis(code)
        assert basis is not None
        assert (basis.is_in_force(before), basis.is_in_force(LAW_DAY)) == (not first_day, first_day)
    usual = {purpose: usual_basis(purpose, LAW_DAY) for purpose in PROGRAMMES}
    assert usual == {
        "new_application": "SA-2026-41",
        "review": "SA-2026-46",
        "report": "SA-2026-41",
        "monitoring": "SA-2026-46",
        "other": "",
    }
    assert usual_basis("review", before) == "SA-2014-58"
    assert usual_basis("new_application", LAW_DAY, urgent=True) == "SA-2026-50"
    assert set(usual.values()) - {""} <= set(LEGAL_BASES)


def test_without_a_file_there_are_the_published_codes() -> None:
    assert CodeTables().own_names() == {}
    assert set(CodeTables().bases) == set(LEGAL_BASES)


def test_the_example_of_the_docs_is_good() -> None:
    docs = Path(ROOT / "docs/mandates.md").read_text(encoding="utf-8")
    example = docs.split("```toml\n")[1].split("```")[0]
    found = check_tables(example).tables
    assert found is not None
    assert found.own_names()
    assert set(schema()["properties"]) == {"legal_bases", "matters"}
