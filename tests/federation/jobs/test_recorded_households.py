"""Households and mandates on record: who is asked about, why others are not, and what a person is told."""

import hashlib
import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import text

from node.client.platform import Platform
from node.client.records import HouseholdChoice, Records
from node.database import audit_log
from node.domain.households import mask_number
from node.domain.job_access import NODE_ACCESS
from node.domain.matters import URGENT_BASIS
from node.domain.subjects import Subject
from node.domain.verification import Verification
from node.errors import InvalidRequestError, NotFoundError
from node.jobs import engine, mandates
from node.jobs.retention import erase_due
from node.jobs.subject_report import report_subject
from tests.support.cli_runner import fails, heqiao, ok
from tests.support.cluster import FakeClock, Province, World, findings_of, serve_all, wait_report
from tests.support.mandate_lists import (
    HEAD,
    SON,
    SPOUSE,
    child_number,
    consent,
    household,
    household_rows,
    mandate,
    mandate_rows,
    person,
    write_rows,
)

ASKED = HouseholdChoice(("C21",), ("44",), "review", "SA-2026-46", numbers=("H1",))
NOT_FOUND = ("NOT_FOUND", "")
DAY = timedelta(days=1)


@pytest.fixture(scope="module")
def clock() -> FakeClock:
    return FakeClock(datetime.now(UTC))


@pytest.fixture(scope="module")
def node(small: World, tmp_path_factory: pytest.TempPathFactory, clock: FakeClock) -> Iterator[Province]:
    homes = small.copy(tmp_path_factory.mktemp("records"), "45", "44")
    with serve_all(homes, clock) as provinces:
        yield provinces["45"]


@pytest.fixture(scope="module")
def address(node: Province) -> str:
    return f"127.0.0.1:{node.platform_port}"


@pytest.fixture(scope="module")
def records(node: Province, address: str) -> Iterator[Records]:
    with Platform.open(node.home, address) as platform:
        yield Records(platform)


def command(node: Province, address: str, *words: object) -> tuple[object, ...]:
    return (*words[:2], "--home", node.home, "--node", address, *words[2:])


def said(node: Province, job: str) -> dict[str, tuple[str, str]]:
    found = findings_of(wait_report(node.node, job))
    return {ref: (outcome, reason) for (ref, _, _), (outcome, _, reason) in found.items()}


def events(node: Province, name: str) -> list[dict[str, object]]:
    with node.node.store.transaction("read audit") as tx:
        return [json.loads(one.details) for one in audit_log.events(tx) if one.event == name]


def test_the_commands_from_a_list_to_a_report(node: Province, address: str, tmp_path: Path) -> None:
    """Households and mandates from CSV, asked about by their number, then shown masked and in full."""
    rows = household_rows(household())
    assert "1 household added" in ok(
        *command(node, address, "households", "add", write_rows(tmp_path / "h.csv", rows))
    )
    listed = write_rows(tmp_path / "m.csv", mandate_rows(mandate()))
    checked = command(
        node, address, "mandates", "check", "--household", "H1", "--items", "C21", "--peers", "44"
    )
    code, out, _ = heqiao(*checked, "--json")
    assert code == 1
    assert {one["ref"]: one["reason"] for one in json.loads(out)["not_asked"]} == {
        "H1/1": "no_mandate",
        "H1/2": "no_mandate",
        "H1/3": "no_mandate",
        "H1/9": "relative_without_consent",
    }
    assert ok(*command(node, address, "mandates", "add", listed)) == "1 mandate added, 0 on record before\n"
    assert ok(*command(node, address, "mandates", "add", listed)) == "0 mandates added, 1 on record before\n"
    code, out, _ = heqiao(*checked, "--lang", "zh")
    assert code == 1
    assert "赡抚扶养义务人" in out
    job = (
        "--items",
        "C21",
        "--peers",
        "44",
        "--out",
        tmp_path / "out",
        "--job",
        "by-number",
        "--purpose",
        "review",
    )
    ok("verify", "--home", node.home, "--node", address, "--household", "H1", *job)
    assert said(node, "by-number") == {
        "H1/1": NOT_FOUND,
        "H1/2": NOT_FOUND,
        "H1/3": NOT_FOUND,
        "H1/9": ("NOT_MANDATED", "relative_without_consent"),
    }
    shown = ok(*command(node, address, "households", "show", "H1", "--json"))
    assert HEAD not in shown
    assert HEAD not in ok(*command(node, address, "households", "show", "H1"))
    assert mask_number(HEAD) in shown
    assert "韦＊" in shown
    assert events(node, "household_shown") == []
    assert HEAD in ok(*command(node, address, "households", "show", "H1", "--full", "--json"))
    assert events(node, "household_shown") == [{"by": "node", "owner": "node", "people": 4}]
    assert HEAD not in ok(*command(node, address, "mandates", "list"))


def test_a_relative_consents_by_an_own_mandate(node: Province, records: Records) -> None:
    records.put_households([household("H2")])
    assert records.add_mandates([mandate(no="M2", household_no="H2")]).added == 1
    # Attack: a mandate that names the relative, signed by somebody else for him.
    records.add_mandates([consent("M2-X", household_no="H2", signers=("韦一",), agents=("韦一",))])
    choice = replace(ASKED, numbers=("H2",))
    assert {one.ref: one.reason for one in records.check(choice)[1]} == {"H2/9": "relative_without_consent"}
    records.add_mandates([consent("M2-9", household_no="H2")])
    assert records.check(choice) == (4, ())
    assert records.end_mandates(["M2-9"]) == 1
    assert {one.ref: one.reason for one in records.check(choice)[1]} == {"H2/9": "relative_without_consent"}


def test_a_household_that_changed_signs_again_where_its_wording_says_so(
    records: Records, clock: FakeClock
) -> None:
    of_jiangsu = {"template_id": "jiangsu", "matter": "01", "regions": frozenset({"44"})}
    for no, more in (("H3", of_jiangsu), ("H4", {})):
        records.put_households([household(no)])
        records.add_mandates([mandate(no=f"M-{no}", household_no=no, **more)])
    fewer = [replace(household(no), people=household(no).people[:2]) for no in ("H3", "H4")]
    assert records.put_households(fewer, replace=True).changed == 2
    choice = replace(ASKED, numbers=("H3", "H4"), matter="01")
    changed = {one.ref: one.reason for one in records.check(choice)[1]}
    assert changed == {"H3/1": "household_changed", "H3/2": "household_changed"}
    with pytest.raises(InvalidRequestError):  # only that wording lapses with the check
        records.end_mandates(["M-H4"], "check_failed")
    assert records.end_mandates(["M-H3"], "check_failed") == 1
    assert {one.reason for one in records.check(choice)[1]} == {"lapsed"}


def test_a_mandate_on_record_counts_whatever_a_list_says(node: Province, records: Records) -> None:
    """Attack: the same number in a list, with more people."""
    records.put_households([household("H5")])
    stored = mandate(HEAD, no="M5", household_no="H5", signers=("韦一",))
    records.add_mandates([stored])
    wider = replace(stored.mandate, people=frozenset({HEAD, SPOUSE}))
    people = (person("1", "head", HEAD), person("2", "spouse", SPOUSE))
    subjects = tuple(Subject(one.member_no, "H5", one.name, one.identities, "M5") for one in people)
    for job, form in (("altered", wider), ("same", stored.mandate)):
        request = Verification(("C21",), ("44",), "review", "SA-2026-41", subjects, {"M5": form})
        assert engine.submit(node.node, job, request)
        node.server.start_job(job)
    differs = ("NOT_MANDATED", "differs_from_stored")
    assert said(node, "altered") == {"1": differs, "2": differs}
    unsigned = ("NOT_MANDATED", "not_all_signed")
    assert said(node, "same") == {"1": unsigned, "2": ("NOT_MANDATED", "person_not_named")}


def test_an_urgent_check_goes_first_and_its_mandate_follows(
    node: Province, records: Records, address: str, clock: FakeClock
) -> None:
    records.put_households([household("H6")])
    with pytest.raises(InvalidRequestError, match=URGENT_BASIS):
        records.verify(replace(ASKED, numbers=("H6",), legal_basis=URGENT_BASIS), "not-urgent")
    urgent = replace(ASKED, numbers=("H6",), legal_basis=URGENT_BASIS, urgent=True)
    records.verify(urgent, "urgent")
    # The relative is a hard stop, also when it is urgent.
    relative = ("NOT_MANDATED", "relative_without_consent")
    assert said(node, "urgent") == {
        "H6/1": NOT_FOUND, "H6/2": NOT_FOUND, "H6/3": NOT_FOUND, "H6/9": relative,
    }  # fmt: skip
    assert [
        one["urgent_without_mandate"]
        for one in events(node, "verification_submitted")
        if one["job"] == "urgent"
    ] == [4]
    assert {one.ref for one in records.mandates()[1]} == {"H6/1", "H6/2", "H6/3", "H6/9"}
    before = clock.now
    clock.now += timedelta(days=node.node.config.mandates.urgent_days) + 2 * DAY
    try:
        assert "OVERDUE" in ok(*command(node, address, "mandates", "list"))
        assert engine.submit(
            node.node, "again", Verification(
                ("C21",), ("44",), "review", URGENT_BASIS,
                (Subject("x", "x", "", person("1", "head", HEAD).identities, ""),), {}, urgent=True,
            ),
        )  # fmt: skip
        node.server.start_job("again")
        assert said(node, "again") == {"x": ("NOT_MANDATED", "urgent_overdue")}
    finally:
        clock.now = before
    done = records.add_mandates([mandate(no="M6", household_no="H6"), consent("M6-9", household_no="H6")])
    assert done.urgent_closed == 5
    assert records.mandates()[1] == []


def test_a_person_is_told_everything_and_the_chain_names_nobody(
    node: Province, address: str, tmp_path: Path, clock: FakeClock
) -> None:
    file = tmp_path / "number.txt"
    file.write_text(SON + "\n", encoding="utf-8")
    told = ("subject", "report", "--home", node.home, "--node", address, "--number-file", file)
    found = json.loads(ok(*told, "--json"))
    assert {one["job"] for one in found["jobs"]} == {"by-number", "urgent"}
    answers = [(one["outcome"], one["reason"]) for one in found["jobs"][0]["answers"]]
    assert answers == [("NOT_MANDATED", "relative_without_consent")]
    assert {one["household_no"] for one in found["households"]} >= {"H1", "H2", "H6"}
    assert "无授权" in ok(*told)
    assert "no mandate" in ok(*told, "--lang", "en")
    nobody = tmp_path / "nobody.txt"
    nobody.write_text(child_number()[:-1] + "0", encoding="utf-8")
    wrong = fails(*told[:-1], nobody)
    assert child_number()[:-1] not in wrong
    chain = json.dumps(events(node, "subject_reported"))
    assert SON not in chain
    assert all(each not in (node.home / "heqiao.db").read_bytes() for each in (SON.encode(), "韦一".encode()))
    # After their time the jobs are told as erased.
    before = clock.now
    clock.now += 200 * DAY
    try:
        erase_due(node.node)
        later = report_subject(node.node, NODE_ACCESS, person("9", "relative", SON).identities)
    finally:
        clock.now = before
    assert {one.job: one.state for one in later.jobs} == {"by-number": "erased", "urgent": "erased"}
    assert all(one.findings == () and one.peers == ("44",) for one in later.jobs)


FORM = b"%PDF-1.7\n" + bytes(700_000)


def test_a_scanned_form_is_sealed_and_checked(node: Province, records: Records, tmp_path: Path) -> None:
    records.add_mandates([mandate(no="M7", household_no="", doc_hash=hashlib.sha256(FORM).hexdigest())])
    assert records.add_form("M7", FORM) == "pdf"
    assert records.form("M7") == FORM
    for bad in (b"MZ" + bytes(10), FORM + b"x", b"%PDF-" + bytes(5 << 20)):
        with pytest.raises(InvalidRequestError):
            records.add_form("M7", bad)
    with pytest.raises(NotFoundError):
        records.add_form("nobody's", FORM)
    with node.node.store.transaction("look") as tx:
        sealed = tx.scalar(text("SELECT form_sealed FROM mandates WHERE form_sealed IS NOT NULL"))
    assert b"%PDF" not in bytes(sealed)
    with pytest.raises(NotFoundError):
        mandates.get_form(node.node, NODE_ACCESS, "M2")


def test_nothing_is_half_imported(node: Province, records: Records, address: str, tmp_path: Path) -> None:
    """A list with one bad row, and one that the node refuses in part: rejects with row, field and reason."""
    rows = mandate_rows(mandate(no="N1", household_no=""), mandate(no="N2", household_no="", event=""))
    listed = write_rows(tmp_path / "bad.csv", rows)
    error = fails(*command(node, address, "mandates", "add", listed))
    assert "row 3, valid_to" in error
    assert "no mandate was stored" in error
    assert "bad.csv,3,valid_to,empty" in (tmp_path / "rejects.csv").read_text(encoding="utf-8-sig")
    mandates.revoke(node.node, ["N3"])
    rows = mandate_rows(mandate(no="N4", household_no=""), mandate(no="n3", household_no=""))
    error = fails(*command(node, address, "mandates", "add", write_rows(tmp_path / "revoked.csv", rows)))
    assert "row 3, mandate_no: a mandate of this number was revoked" in error
    for no in ("N1", "N4"):
        with pytest.raises(NotFoundError):
            records.mandate(no)
    records.put_households([household("H30")])
    other = replace(household("H30"), office="459998")
    homes = household_rows(household("H31"), other)
    error = fails(*command(node, address, "households", "add", write_rows(tmp_path / "h.csv", homes)))
    assert "row 6, household_no" in error  # the node's refusal, by the first row of the household


def test_forms_are_judged_before_any_mandate_is_stored(
    node: Province, records: Records, address: str, tmp_path: Path
) -> None:
    """Five forms, four of which cannot be stored: every one is in the rejects, and nothing was stored."""
    scans = tmp_path / "scans"
    scans.mkdir()
    good, other = b"%PDF-1.7 good", b"%PDF-1.7 other"
    contents = {"good": good, "other": other, "text": b"text", "large": b"%PDF" + bytes(4_096 * 1024)}
    for name, content in contents.items():
        (scans / f"{name}.pdf").write_bytes(content)
    names, digest = [*contents, "missing"], hashlib.sha256(good).hexdigest()
    forms = [mandate(no=f"F{at}", household_no="", doc_hash=digest) for at in range(len(names))]
    rows = mandate_rows(*forms)
    listed = write_rows(
        tmp_path / "m.csv",
        [
            [*rows[0], "form_file"],
            *([*row, f"{name}.pdf"] for row, name in zip(rows[1:], names, strict=True)),
        ],
    )
    words = command(node, address, "mandates", "add", listed)
    error = fails(*words, "--forms", scans, "--rejects", tmp_path / "bad.csv")
    assert "4 rows in all" in error
    found = [line.split(",")[1:4] for line in (tmp_path / "bad.csv").read_text("utf-8-sig").splitlines()[1:]]
    assert found == [
        ["3", "form_file", "form_differs"],
        ["4", "form_file", "form_type"],
        ["5", "form_file", "form_too_large"],
        ["6", "form_file", "form_not_read"],
    ]
    with pytest.raises(NotFoundError):
        records.mandate("F0")
    code, out, err = heqiao(*words, "--json")
    assert (code, json.loads(out)["forms_not_stored"]) == (0, 5)
    assert "5 scanned forms not stored" in err


def test_a_list_of_revoked_numbers_with_bad_rows(
    node: Province, records: Records, address: str, tmp_path: Path
) -> None:
    records.add_mandates([mandate(no="R1", household_no="")])
    listed = write_rows(tmp_path / "list.csv", [["mandate_no"], ["R1"], ["a b"], ["c/d"]])
    error = fails(*command(node, address, "mandates", "revoke", "--list", listed))
    assert "2 rows in all" in error
    lines = (tmp_path / "rejects.csv").read_text("utf-8-sig").splitlines()[1:]
    assert [line.split(",")[1:4] for line in lines] == [
        ["3", "mandate_no", "bad_number"],
        ["4", "mandate_no", "bad_number"],
    ]
    assert records.mandate("R1").state == ""


def test_all_of_an_office_and_the_removal_of_a_household(
    node: Province, records: Records, address: str
) -> None:
    other = replace(household("H8"), office="459998")
    records.put_households([other])
    people, missing = records.check(replace(ASKED, numbers=(), office="459998"))
    assert (people, len(missing)) == (4, 4)
    ok(*command(node, address, "households", "remove", "H8", "--confirm"))
    with pytest.raises(InvalidRequestError):
        records.check(replace(ASKED, numbers=(), office="459998"))
