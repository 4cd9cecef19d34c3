"""Offices by the commands: from a key at the office to a signed list and a revoked certificate."""

import json
from pathlib import Path

from synth.numbers import check_character
from tests.support.ca_member import made  # noqa: F401  a fixture
from tests.support.cli_runner import fails, heqiao, ok
from tests.support.killed_commands import copy
from tests.support.mandate_lists import mandate, mandate_rows, write_rows


def test_numbers_of_forms() -> None:
    """The check characters are those of the second implementation."""
    out = ok(
        "mandates",
        "number",
        "450103",
        "--matter",
        "01",
        "--day",
        "2026-07-01",
        "--first",
        "8",
        "--count",
        "2",
    )
    bodies = ("450103202607010100008", "450103202607010100009")
    assert out.split() == [body + check_character(body) for body in bodies]
    for wrong in (
        ("4501", "--matter", "01"),
        ("450103", "--matter", "55"),
        ("450103", "--matter", "01", "--day", "x"),
    ):
        assert heqiao("mandates", "number", *wrong)[0] == 2


def test_an_office_is_certified_signs_and_is_revoked(made: Path, tmp_path: Path) -> None:
    base = copy(made, tmp_path / "base")
    home, asked, authority = base / "44", base / "request.json", base / "authority.json"
    office, held = base / "office", base / "certificate.json"
    ok("offices", "key", "--dir", office, "--code", "449999", "--name", "青秀区民政局")
    card = office / "office.json"
    assert "no authority" in fails("offices", "issue", "--home", home, card, "--out", held)
    ok("offices", "request", "--home", home, "--out", asked)
    # Asked again, it is the same key.
    again = base / "again.json"
    ok("offices", "request", "--home", home, "--out", again)
    assert json.loads(again.read_text())["key"] == json.loads(asked.read_text())["key"]
    ok("ca", "offices", "--dir", base / "ca", asked, "--out", authority)
    ok("offices", "accept", "--home", home, authority)
    number = json.loads(ok("offices", "issue", "--home", home, card, "--out", held, "--json"))["number"]
    other = base / "other"
    ok("offices", "key", "--dir", other, "--code", "459999", "--name", "x")
    error = fails("offices", "issue", "--home", home, other / "office.json", "--out", base / "x")
    assert "not one of province 44" in error
    rows = mandate_rows(mandate(no="M", office="青秀区民政局"))
    listed, signed = write_rows(base / "m.csv", rows), base / "signed.json"
    ok("offices", "sign", "--dir", office, "--certificate", held, listed, "--out", signed)
    (row,) = json.loads(signed.read_text(encoding="utf-8"))["mandates"]
    assert len(row["signature"]) == 88
    foreign = write_rows(base / "foreign.csv", mandate_rows(mandate(no="M")))
    error = fails("offices", "sign", "--dir", office, "--certificate", held, foreign, "--out", base / "y")
    assert "office: an office signs its own mandates only" in error
    assert not (base / "y").exists()
    error = fails("offices", "sign", "--dir", other, "--certificate", held, listed, "--out", base / "z")
    assert "not of this office's key" in error
    keys = json.loads(ok("keys", "status", "--home", home, "--json"))["keys"]
    assert "office" in {one["purpose"] for one in keys}
    ok("offices", "revoke", "--home", home, number)
    (known,) = json.loads(ok("offices", "list", "--home", home, "--json"))["offices"]
    assert (known["number"], bool(known["revoked"])) == (number, True)
    assert "no office has" in fails("offices", "revoke", "--home", home, "0" * 16)
