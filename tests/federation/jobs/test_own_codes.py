"""A province's own legal bases and matters, from its file to the report and to what a person is told."""

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from node.client.catalogue import CatalogueClient
from node.client.platform import Platform
from node.client.records import HouseholdChoice, Records
from node.errors import ConfigError
from node.federation.code_tables_file import load_code_tables
from node.reports import kinds
from tests.support.cli_runner import fails, heqiao, ok
from tests.support.cluster import Province, World, serve_all, wait_report
from tests.support.mandate_lists import HEAD, household, mandate

CODES = """
[[legal_bases]]
code = "GX-2020-21"
name = { zh = "《广西社会救助办法》第21条", en = "Guangxi Measures, art. 21" }

[[matters]]
code = "91"
name = { zh = "困境儿童保障", en = "support for children in need" }
"""
MATTER = ("困境儿童保障", "support for children in need")
NAME = ("《广西社会救助办法》第21条", "Guangxi Measures, art. 21")


@pytest.fixture(scope="module")
def node(small: World, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Province]:
    homes = small.copy(tmp_path_factory.mktemp("codes"), "45", "44")
    (homes["45"] / "codes.toml").write_text(CODES, encoding="utf-8")
    with (homes["45"] / "node.toml").open("a", encoding="utf-8") as file:
        file.write('\n[code_tables]\npath = "codes.toml"\n')
    with serve_all(homes) as provinces:
        yield provinces["45"]


def test_own_codes_reach_the_report_and_the_person(node: Province, tmp_path: Path) -> None:
    address = f"127.0.0.1:{node.platform_port}"
    with Platform.open(node.home, address) as platform:
        tables = CatalogueClient(platform).code_tables()
        assert tables == node.node.code_tables
        assert tables.matters["91"][0] == "困境儿童保障"
        records = Records(platform)
        records.put_households([household("H1")])
        records.add_mandates(
            [replace(mandate(no="M1"), mandate=replace(mandate(no="M1").mandate, matter="91"))]
        )
        asked = HouseholdChoice(("C21",), ("44",), "review", "GX-2020-21", numbers=("H1",), matter="91")
        records.verify(asked, "own-codes")
        report = wait_report(node.node, "own-codes")
        for found in (report, platform.report("own-codes")):
            assert (found.legal_basis_name, found.matter, found.matter_name) == (NAME, "91", MATTER)
    out = tmp_path / "out"
    words = ("--home", node.home, "--node", address)
    assert "Guangxi Measures, art. 21 (GX-2020-21)" in ok(
        "report", *words, "own-codes", "--out", out, "--lang", "en"
    )
    written = json.loads((out / "report.json").read_text(encoding="utf-8"))
    assert written["legal_basis_name"] == list(NAME)
    assert (written["matter"], written["matter_name"]) == ("91", list(MATTER))
    # Elsewhere the file says it by itself: no home with these codes is needed.
    again = kinds.load(out / "report.json")
    assert (again.legal_basis_name, again.matter_name) == (NAME, MATTER)  # type: ignore[union-attr]
    number = tmp_path / "number"
    number.write_text(HEAD, encoding="utf-8")
    told = ok("subject", "report", *words, "--number-file", number, "--lang", "en")
    assert "legal basis: Guangxi Measures, art. 21 (GX-2020-21)" in told
    assert "matter: support for children in need" in told


def test_the_commands_that_show_and_check_codes(node: Province, tmp_path: Path) -> None:
    shown = json.loads(ok("codes", "list", "--home", node.home, "--json"))
    own = [one["code"] for kind in ("legal_bases", "matters") for one in shown[kind] if one["own"]]
    assert own == ["GX-2020-21", "91"]
    assert "SA-2026-41" in ok("codes", "list")
    good, bad = tmp_path / "good.toml", tmp_path / "bad.toml"
    good.write_text(CODES, encoding="utf-8")
    assert "good; 1 legal basis, 1 matter" in ok("codes", "check", good)
    bad.write_text(CODES.replace("GX-2020-21", "SA-2026-41").replace('"91"', '"01"'), encoding="utf-8")
    code, out, _ = heqiao("codes", "check", bad, "--json")
    assert (code, json.loads(out)["good"]) == (1, False)
    assert json.loads(out)["faults"]
    config = node.node.config
    with pytest.raises(ConfigError, match=r"matters\[0\]\.code"):
        load_code_tables(
            config.model_copy(update={"code_tables": config.code_tables.model_copy(update={"path": bad})})
        )
    assert "codes check" in fails("codes", "check", tmp_path / "missing.toml")
