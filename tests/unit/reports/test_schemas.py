"""docs/report.schema.json describes every report.json with objects: whole ones fit, damaged ones do not."""

import copy
import json
from dataclasses import replace
from datetime import date

import jsonschema
import pytest

from node.domain.findings import ReusedFrom
from node.reports import files, kinds, schemas
from tests.support.case_reports import RECHECKED, SPENDING_CATALOGUE, SPENT
from tests.support.paths import ROOT
from tests.support.reports import CATALOGUE, REPORTS
from tests.support.signed_reports import SIGNER

SCHEMA = ROOT / "docs/report.schema.json"
AGAIN = ReusedFrom("v-0000000000000001", date(2026, 6, 3))
USED_AGAIN = replace(
    RECHECKED,
    due_estimated=True,
    left_out={"51": "not_offered"},
    issuing_body="某县核对中心",
    office_names={"459999": "某县民政局"},
    findings=tuple(replace(one, reused_from=AGAIN) for one in RECHECKED.findings),
    recheck=replace(
        RECHECKED.recheck,
        findings=tuple(replace(one, reused_from=AGAIN) for one in RECHECKED.recheck.findings),
    ),
)
WHOLE = {
    **{
        name: (replace(report, catalogue_digest=report.catalogue_digest.ljust(64, "0")), CATALOGUE)
        for name, report in REPORTS.items()
    },
    "re-check": (RECHECKED, CATALOGUE),
    "used again": (USED_AGAIN, CATALOGUE),
    "spending": (SPENT, SPENDING_CATALOGUE),
}
DAMAGE = {
    "an unknown key": lambda plain: plain.update(verdict="eligible"),
    "a key too few": lambda plain: plain.pop("number"),
    "another format": lambda plain: plain.update(format="heqiao-report/2"),
    "a count as text": lambda plain: plain["summary"].update(people="3"),
    "an unknown outcome": lambda plain: plain["findings"][0].update(outcome="YES"),
    "more than an answer": lambda plain: plain["findings"][0].update(name="某"),
    "no item": lambda plain: plain["findings"][0].pop("item"),
    "a digest too short": lambda plain: plain.update(catalogue_digest="00"),
    "a peer with a name too much": lambda plain: plain["peers"][0].update(address="10.0.0.1"),
    "a share of three": lambda plain: plain["spending"][0].update(share_permille=[1, 2, 3]),
    "another signature": lambda plain: plain["signature"].update(key="no key"),
}


def checker():
    return jsonschema.Draft202012Validator(
        json.loads(SCHEMA.read_text("utf-8")), format_checker=jsonschema.FormatChecker()
    )


def written(folder, report, catalogue, signer=SIGNER):
    files.write(report, catalogue, folder, ["json"], "zh", signer)
    return json.loads((folder / "report.json").read_text("utf-8"))


@pytest.mark.parametrize("name", WHOLE)
@pytest.mark.parametrize("signer", [SIGNER, None], ids=["signed", "unsigned"])
def test_every_report_fits_and_is_read_again(tmp_path, name, signer):
    report, catalogue = WHOLE[name]
    plain = written(tmp_path, report, catalogue, signer)
    checker().validate(plain)
    again = json.loads(json.dumps(kinds.to_json(kinds.load(tmp_path / "report.json"), catalogue)))
    assert again == {key: value for key, value in plain.items() if key != "signature"}


@pytest.mark.parametrize("name", DAMAGE)
def test_what_is_no_report_does_not_fit(tmp_path, name):
    plain = written(tmp_path, SPENT, SPENDING_CATALOGUE)
    assert checker().is_valid(plain)
    damaged = copy.deepcopy(plain)
    DAMAGE[name](damaged)
    assert not checker().is_valid(damaged)


def test_the_schema_is_the_one_in_the_documents():
    assert json.loads(SCHEMA.read_text("utf-8")) == schemas.schema()
    jsonschema.Draft202012Validator.check_schema(schemas.schema())


def write_schema() -> None:
    """Write docs/report.schema.json: `python -m tests.unit.reports.test_schemas`."""
    SCHEMA.write_text(json.dumps(schemas.schema(), indent=2, sort_keys=True) + "\n", encoding="utf-8")


if __name__ == "__main__":
    write_schema()
