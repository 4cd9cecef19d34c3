"""`heqiao report --format` and `heqiao report verify`: homes as the commands make them, no running node."""

import csv
import hashlib
import json
import shutil
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from keys.signing_chain import sign
from node.cli.report_keys import own_signer
from node.config import Home
from node.database import database_url, open_store
from node.database.signing_keys import pin_next
from node.errors import InputError
from node.reports import each, files
from node.reports.each import Run
from tests.support.cli_runner import heqiao, ok
from tests.support.members import add_peer
from tests.support.paths import ROOT
from tests.support.reports import CATALOGUE, SUMS, VERIFICATION

EXPECTED = ROOT / "tests/unit/reports/expected"


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """Nodes 45, whose files are in `signed`, and 44, which knows 45."""
    place = tmp_path_factory.mktemp("place")
    for code in ("44", "45"):
        ok("init", "--home", place / code, "--code", code, "--name", code)
    ok("card", "--home", place / "45", "--out", place / "45.card")
    add_peer(place / "44", place / "45.card")
    signer = own_signer(Home.find(place / "45").load())
    files.write(VERIFICATION, CATALOGUE, place / "signed", files.FORMATS, "zh", signer)
    return place


def test_all_formats_of_a_file_without_signature(place, tmp_path):
    out = tmp_path / "out"
    made = json.loads(
        ok("report", "--home", place / "45", EXPECTED / "verification", "--out", out, "--unsigned",
           "--format", "all", "--lang", "en", "--json")
    )  # fmt: skip
    assert made["signed"] is False
    assert made["files"] == sorted(made["files"], key=made["files"].index)
    assert {path.name for path in out.iterdir()} == set(made["files"])
    assert {path.stat().st_mode & 0o777 for path in out.iterdir()} == {0o600}
    assert b'<html lang="en">' in (out / "report.html").read_bytes()
    assert (out / "report.pdf").read_bytes().startswith(b"%PDF-1.7")


def test_formats_are_chosen_and_the_rest_is_refused(place, tmp_path):
    command = ("report", "--home", place / "45", EXPECTED / "sums", "--out", tmp_path / "o", "--unsigned")
    text = ok(*command, "--format", "pdf, html")
    assert f"report: {tmp_path}/o/report.html, {tmp_path}/o/report.pdf" in text
    assert {path.name for path in (tmp_path / "o").iterdir()} == {"report.html", "report.pdf"}
    code, _, err = heqiao(*command, "--format", "docx")
    assert code == 2
    assert "text, json, csv, xlsx, html, pdf or all" in err


def test_one_household(place):
    text = ok("report", "--home", place / "45", EXPECTED / "verification", "--household", "H2", "--json")
    assert json.loads(text)["subjects"] == ["H2/01"]
    code, _, err = heqiao("report", "--home", place / "45", EXPECTED / "verification", "--household", "H9")
    assert code == 1
    assert "no such household" in err
    code, _, err = heqiao("report", "--home", place / "45", EXPECTED / "sums", "--household", "H9")
    assert (code, "a sum has no households" in err) == (1, True)


def test_a_file_is_not_signed_as_if_the_node_had_found_it(place, tmp_path):
    """Somebody could have altered it: without --unsigned its path is a job's id, which no node knows."""
    code, _, err = heqiao(
        "report", "--home", place / "45", EXPECTED / "verification", "--out", tmp_path / "out"
    )
    assert code == 1
    assert err
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    "name", ["report.pdf", "report.xlsx", "report.html", "report.json", "report.sig.json", "."]
)
def test_files_are_checked_by_home_card_and_fingerprint(place, name):
    path = place / "signed" / name
    for words in (
        ("--home", place / "45"),
        ("--home", place / "44"),
        ("--key", place / "45.card"),
        ("--key", own_signer(Home.find(place / "45").load()).fingerprint),
    ):
        made = json.loads(ok("report", "verify", path, *words, "--json"))
        assert made["valid"] is True
        assert {one["code"] for one in made["files"]} == {"45"}
        assert len(made["files"]) == (6 if name in (".", "report.sig.json") else 1)


def test_an_altered_file_exits_1_and_names_the_group(place, tmp_path):
    plain = json.loads((place / "signed" / "report.json").read_text(encoding="utf-8"))
    plain["findings"][0]["value"] = 3
    (tmp_path / "r.json").write_text(json.dumps(plain, ensure_ascii=False), encoding="utf-8")
    code, out, err = heqiao("report", "verify", tmp_path / "r.json", "--home", place / "44")
    assert (code, out) == (1, "r.json: NOT as signed; altered: findings\n")
    assert "not as a node signed it: r.json" in err
    code, out, _ = heqiao("report", "verify", tmp_path / "r.json", "--home", place / "44", "--json")
    assert code == 1
    assert json.loads(out)["files"][0]["altered"] == ["findings"]


def test_a_signature_elsewhere_is_named(place, tmp_path):
    (tmp_path / "a.pdf").write_bytes((place / "signed" / "report.pdf").read_bytes())
    words = ("report", "verify", tmp_path / "a.pdf", "--key", place / "45.card")
    code, out, _ = heqiao(*words)
    assert (code, "only the attached record is proved" in out) == (1, True)
    assert "as signed" in ok(*words, "--signature", place / "signed" / "report.sig.json")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ((), "nothing says which key"),
        (("--key", "nobody"), "neither a card nor a fingerprint"),
        (("--key", "0123456789abcdef"), "not as a node signed it"),
    ],
)
def test_a_key_must_be_given_and_be_the_right_one(place, words, said):
    code, _, err = heqiao("report", "verify", place / "signed" / "report.json", *words)
    assert (code, said in err) == (1, True)
    assert "heqiao: hint:" in err


def test_help_of_both():
    assert "heqiao report verify FILE" in ok("report", "--help")
    assert "Usage: heqiao report verify [OPTIONS] FILE" in ok("report", "verify", "--help")


def test_a_sum_is_signed_too(place, tmp_path):
    signer = own_signer(Home.find(place / "45").load())
    files.write(SUMS, CATALOGUE, tmp_path, files.FORMATS, "en", signer)
    assert ok("report", "verify", tmp_path, "--home", place / "44").count("as signed") == 6


def test_a_folder_for_each_household(place, tmp_path):
    command = ("report", "--home", place / "45", EXPECTED / "verification", "--out", tmp_path, "--unsigned",
               "--each-household", "--format", "pdf,json")  # fmt: skip
    assert json.loads(ok(*command, "--json"))["households"] == 2
    index = list(csv.DictReader((tmp_path / "index.csv").read_text(encoding="utf-8-sig").splitlines()))
    assert len(index) == 2 * 2
    for row in index:
        content = (tmp_path / row["file"]).read_bytes()
        assert row["sha256"] == hashlib.sha256(content).hexdigest()
        assert Path(row["file"]).parent.name == row["number"]
        assert {path.name for path in (tmp_path / row["number"]).iterdir()} == {"report.pdf", "report.json"}
        plain = json.loads((tmp_path / row["number"] / "report.json").read_text(encoding="utf-8"))
        assert {one.partition("/")[0] for one in plain["subjects"]} == {row["household"]}
        assert plain["number"] == row["number"]


def test_a_run_over_households_goes_on_where_it_stopped(place, tmp_path):
    signer = own_signer(Home.find(place / "45").load())

    def run(formats=("html", "json"), report=VERIFICATION):
        made = each.write_each(report, Run.of(tmp_path, CATALOGUE, formats, "zh", signer))
        return [one.is_new for one in made]

    assert run() == [True, True]
    assert run() == [False, False]
    first = next(tmp_path.iterdir())
    (first / "report.sig.json").write_text("{}", encoding="utf-8")
    assert sorted(run()) == [False, True], "one was cut short"
    assert run(("html",)) == [False, False]
    assert run(("html", "csv")) == [True, True]
    other = replace(VERIFICATION, state="cancelled")
    assert run(report=other) == [True, True], "the same number and other content"
    altered = first / "report.html"
    altered.write_bytes(altered.read_bytes().replace(b"C21", b"C22"))
    (first / "report.json").unlink()
    assert sorted(run(report=other)) == [False, True], "one was altered"
    for folder in filter(Path.is_dir, tmp_path.iterdir()):
        assert ok("report", "verify", folder, "--home", place / "44").count(": as signed") >= 2


def test_two_reports_of_one_number_are_an_error(tmp_path, monkeypatch):
    monkeypatch.setattr(each, "number_of", lambda _report: "450000-20260701-000000000000-1")
    with pytest.raises(InputError, match="two households"):
        each.write_each(VERIFICATION, Run.of(tmp_path, CATALOGUE, ("text",), "zh"))


def test_an_unknown_format_of_a_run_is_refused(tmp_path):
    with pytest.raises(InputError, match="no format 'docx'"):
        Run.of(tmp_path, CATALOGUE, ("docx",), "zh")


def test_a_key_that_named_its_successor_still_counts_and_one_that_a_card_replaced_does_not(place, tmp_path):
    shutil.copytree(place / "44", tmp_path / "44")
    config = Home.find(tmp_path / "44").load()
    signer, now = own_signer(Home.find(place / "45").load()), datetime.now(UTC)
    statement = sign("45", 2, signer.secret, bytes(range(32)), now, now + timedelta(days=1))
    with open_store(database_url(config)).transaction("pin", write=True) as tx:
        assert pin_next(tx, statement, now)
    words = ("report", "verify", place / "signed" / "report.json", "--home", tmp_path / "44")
    assert "of 45 45, an earlier key" in ok(*words)
    ok("init", "--home", tmp_path / "new", "--code", "45", "--name", "45")
    ok("card", "--home", tmp_path / "new", "--out", tmp_path / "new.card")
    add_peer(tmp_path / "44", tmp_path / "new.card")
    code, out, _ = heqiao(*words)
    assert (code, "signed by a key that is not known here" in out) == (1, True)
