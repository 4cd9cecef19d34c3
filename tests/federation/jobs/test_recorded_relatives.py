"""Relatives with a duty of support, of households on record: in no figure of the household."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from node.client.platform import Platform
from node.client.records import HouseholdChoice, Records
from node.domain.declared import DeclaredHousehold
from node.reports.comparisons import compare
from node.reports.declared import without_relatives
from tests.support.cli_runner import ok
from tests.support.cluster import Province, World, serve_all, wait_report
from tests.support.mandate_lists import household, mandate


@pytest.fixture(scope="module")
def node(small: World, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Province]:
    with serve_all(small.copy(tmp_path_factory.mktemp("relatives"), "45", "44")) as provinces:
        yield provinces["45"]


@pytest.fixture(scope="module")
def address(node: Province) -> str:
    return f"127.0.0.1:{node.platform_port}"


@pytest.fixture(scope="module")
def records(node: Province, address: str) -> Iterator[Records]:
    with Platform.open(node.home, address) as platform:
        yield Records(platform)


def test_a_relative_is_in_no_figure_of_the_household(
    node: Province, records: Records, address: str, tmp_path: Path
) -> None:
    """By the record alone: the household's number is enough, and nothing is declared."""
    records.put_households([household("H41", application_no="受理〔2026〕8号"), household("H42")])
    records.add_mandates([mandate(no="M-41", household_no="H41"), mandate(no="M-42", household_no="H42")])
    asked = ("--household", "H41", "--household", "H42", "--items", "C21", "--peers", "44")
    job = (*asked, "--purpose", "review", "--job", "apart", "--out", tmp_path, "--format", "json")
    ok("verify", "--home", node.home, "--node", address, *job)
    report = json.loads((tmp_path / "report.json").read_text(encoding="utf-8"))
    assert [(one["household"], one["application_no"], one["relatives"]) for one in report["declared"]] == [
        ("H41", "受理〔2026〕8号", ["H41/9"]),
        ("H42", "A-2026-1", ["H42/9"]),
    ]
    assert report["compared"] == []
    # What a household declares is compared with its members: the relative's refusal is no gap of theirs.
    figures = (
        DeclaredHousehold("H42", income=100, items={"C21": 0}, application_no="SQ-9", applicant="H42/1"),
    )
    choice = HouseholdChoice(
        ("C21",), ("44",), "review", "SA-2026-46", numbers=("H41", "H42"), declared=figures
    )
    records.verify(choice, "beside")
    found = wait_report(node.node, "beside")
    assert [(one.household, one.application_no, one.relatives) for one in found.declared] == [
        ("H42", "SQ-9", ("H42/9",)),
        ("H41", "受理〔2026〕8号", ("H41/9",)),
    ]
    assert {(one.subject, one.reason) for one in found.findings if one.reason} == {
        ("H41/9", "relative_without_consent"),
        ("H42/9", "relative_without_consent"),
    }
    (vehicles,) = [one for one in compare(found, node.node.catalogue) if one.what == "C21"]
    assert (vehicles.amount.complete, vehicles.difference) == (True, 0)
    members, relatives = without_relatives(found)
    assert [one for one in members.subjects if one.endswith("/9")] == []
    assert relatives is not None
    assert relatives.subjects == ("H41/9", "H42/9")
