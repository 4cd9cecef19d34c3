"""An objection to a report, and the job that looks again at what it is about, under mandates of today."""

import json
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from node.client.cases import Cases
from node.client.platform import Platform
from node.domain.days import china_day
from node.domain.declared import DeclaredHousehold
from node.domain.findings import Outcome, Report
from node.domain.job_access import NODE_ACCESS, JobAccess
from node.domain.objections import NewObjection, Target
from node.domain.subjects import Subjects
from node.domain.verification import Verification
from node.errors import InvalidRequestError, NotFoundError, PreconditionError, RefusedError
from node.jobs import engine, mandates, objections
from node.jobs.retention import erase_due, read_due
from node.reports.common import number_of
from node.reports.households import household_of, of_household
from tests.support.cli_runner import ok
from tests.support.cluster import Province, run_job, wait_report

JOB = "seen"
STRANGER = JobAccess("platform/other", frozenset(["platform/other"]))


def new(report: Report, **fields: object) -> NewObjection:
    today = china_day(report.created_at)
    return replace(NewObjection(JOB, "", Target(), "张三", "车辆已转让", today, today), **fields)  # type: ignore[arg-type]


def test_it_is_recorded_against_the_report_of_the_household(
    provinces: dict[str, Province], report: Report, found: list[str]
) -> None:
    household = household_of(found[0])
    with Platform.open(provinces["45"].home, f"127.0.0.1:{provinces['45'].platform_port}") as platform:
        cases = Cases(platform)
        added = cases.add_objection(new(report, target=Target(person=found[0], item="C21", peer="44")))
        assert added.report_number == number_of(of_household(report, household))
        assert (added.state, added.raised_by, added.grounds) == ("open", "张三", "车辆已转让")
        assert added.last_day == (china_day(report.created_at) + timedelta(days=5)).isoformat()
        (listed,) = [one for one in cases.objections(JOB, waiting=True) if one.id == added.id]
        assert (listed.raised_by, listed.grounds, listed.person) == ("", "", "")
        whole = cases.add_objection(new(report))
        assert whole.report_number == number_of(report)
        assert cases.close_objection(whole.id, "withdrawn").result == "withdrawn"
        with pytest.raises(PreconditionError, match="closed"):
            cases.recheck(whole.id)


BAD = {
    "names no such household": {"target": Target(household="nobody")},
    "has no such item": {"target": Target(item="C23")},
    "has no such province": {"target": Target(peer="33")},
    "who objects": {"raised_by": " "},
    "grounds have": {"grounds": "x" * 1_001},
    "no identity number": {"grounds": "我的号码449999190001010034"},
    "not the number of that report": {"report_number": "450000-20260701-202122530672-0"},
}


@pytest.mark.parametrize("words", BAD)
def test_what_is_not_recorded(provinces: dict[str, Province], report: Report, words: str) -> None:
    with pytest.raises(InvalidRequestError, match=words):
        objections.add(provinces["45"].node, NODE_ACCESS, new(report, **BAD[words]))


def test_days_must_be_possible(provinces: dict[str, Province], report: Report) -> None:
    today = china_day(report.created_at)
    for received, raised in ((today - timedelta(days=1), today), (today, today - timedelta(days=1)),
                             (today, today + timedelta(days=1))):  # fmt: skip
        with pytest.raises(InvalidRequestError):
            objections.add(provinces["45"].node, NODE_ACCESS, new(report, received=received, raised=raised))


def test_a_recheck_asks_only_what_was_objected_to(
    provinces: dict[str, Province], report: Report, found: list[str], tmp_path: Path
) -> None:
    """Linked, for review, with old and new answers; the report is signed, and read back."""
    node = provinces["45"].node
    row = objections.add(node, NODE_ACCESS, new(report, target=Target(person=found[1], item="C21")))
    address = f"127.0.0.1:{provinces['45'].platform_port}"
    home = ("--home", str(provinces["45"].home), "--node", address)
    ok("objections", "recheck", *home, row.id, "--job", "again", "--json")
    out = tmp_path / "out"
    ok("report", "again", *home, "--out", str(out), "--format", "json,text", "--json")
    plain = json.loads((out / "report.json").read_text(encoding="utf-8"))
    assert (plain["purpose"], plain["subjects"], plain["items"]) == ("review", [found[1]], ["C21"])
    again = plain["recheck"]
    assert (again["job"], again["number"]) == (JOB, row.report_number)
    assert (again["objection"]["id"], again["objection"]["grounds"]) == (row.id, "车辆已转让")
    assert [one["subject"] for one in again["findings"]] == [found[1]]
    ok("report", "verify", str(out / "report.json"), "--home", str(provinces["45"].home))
    shown = json.loads(ok("objections", "show", *home, row.id, "--json"))
    assert (shown["state"], shown["recheck_job"]) == ("rechecking", "again")


def test_attack_a_recheck_under_a_revoked_mandate(
    provinces: dict[str, Province], request_: Verification, report: Report, found: list[str]
) -> None:
    """The mandates are looked at anew: what was answered before is not asked again."""
    province, people = provinces["45"], Subjects.of(request_.subjects)
    row = objections.add(province.node, NODE_ACCESS, new(report, target=Target(person=found[-1])))
    mandates.revoke(province.node, [people[people.refs.index(found[-1])].mandate])
    job, again = objections.recheck(province.node, NODE_ACCESS, row.id)
    assert province.server is not None
    province.server.start_job(job, again)
    looked = wait_report(province.node, job)
    assert {(one.outcome, one.reason) for one in looked.findings} == {(Outcome.NOT_MANDATED, "revoked")}
    assert looked.recheck is not None
    assert Outcome.FOUND in {one.outcome for one in looked.recheck.findings}


def test_attack_a_recheck_that_asks_more(
    provinces: dict[str, Province], request_: Verification, report: Report, found: list[str]
) -> None:
    """Neither other items, nor other numbers of a person, nor the job of somebody else."""
    node = provinces["45"].node
    row = objections.add(node, NODE_ACCESS, new(report, target=Target(person=found[2])))
    again = replace(request_, purpose="review", recheck_of=JOB, recheck_purpose=request_.purpose)
    other_item = replace(again, items=("Z59b",))
    with pytest.raises(InvalidRequestError, match="asks only about people, items and provinces"):
        engine.submit(node, "more-items", other_item)
    one = Subjects.of(request_.subjects)[0]
    renamed = replace(again, subjects=(replace(one, name="李四"),))
    with pytest.raises(InvalidRequestError, match="asks only about"):
        engine.submit(node, "other-person", renamed)
    with pytest.raises(NotFoundError):
        engine.submit(node, "no-job", replace(again, recheck_of="nobody"))
    for call in (
        lambda: objections.read(node, STRANGER, row.id),
        lambda: objections.recheck(node, STRANGER, row.id),
        lambda: objections.close(node, STRANGER, row.id, "changed"),
        lambda: objections.add(node, STRANGER, new(report)),
    ):
        with pytest.raises((NotFoundError, RefusedError)):
            call()
    assert objections.list_(node, STRANGER) == []


def test_what_households_declare_stays_here_and_stands_in_the_report(
    provinces: dict[str, Province], request_: Verification, found: list[str]
) -> None:
    household = household_of(found[3])
    people = Subjects.of([one for one in Subjects.of(request_.subjects) if one.household == household])
    declared = DeclaredHousehold(household, income=1_000, items={"C21": 0}, applicant=found[3])
    asked = replace(request_, subjects=people, declared=(declared,))
    shown = run_job(provinces["45"], "declared", asked)
    assert shown.declared == (declared,)
    assert [office for office, _ in shown.offices]
    with Platform.open(provinces["45"].home, f"127.0.0.1:{provinces['45'].platform_port}") as platform:
        fetched = platform.report(platform.submit(asked, "declared"))
    assert (fetched.declared, fetched.offices) == (shown.declared, shown.offices)
    stranger = replace(asked, declared=(replace(declared, household="nobody"),))
    with pytest.raises(InvalidRequestError, match="declared household 1 is not on the list"):
        engine.submit(provinces["45"].node, "stranger", stranger)


def test_cases_are_erased_when_their_time_is_over(provinces: dict[str, Province], report: Report) -> None:
    """Counted first, then erased, with one audit row: what was closed or due before the moment."""
    node = provinces["45"].node
    objections.add(node, NODE_ACCESS, new(report))
    later = replace(node, clock=lambda: node.clock() + timedelta(days=400))
    due = read_due(later)
    assert due.cases >= 1
    erased, _ = erase_due(later)
    assert erased.cases == due.cases
    assert objections.list_(node, NODE_ACCESS) == []
