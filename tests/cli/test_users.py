"""`heqiao users`, and commands that need a person: `heqiao --as ACCOUNT`."""

import io
import json
import sys
from datetime import timedelta
from pathlib import Path

import pyotp
import pytest

from node.clock import utc_now
from node.database import audit_log
from node.database import users as rows
from tests.support.cli_runner import heqiao, ok
from tests.support.cluster import open_home, silence_log
from tests.support.federation import Federation, set_config

PASSWORD = "correct horse battery"
PROVINCE = "450000000000"


@pytest.fixture
def home(tmp_path: Path) -> Path:
    silence_log(tmp_path)
    return Federation.create().make_home(tmp_path / "45", "45")


@pytest.fixture
def password(tmp_path: Path) -> Path:
    file = tmp_path / "password"
    file.write_text(PASSWORD, encoding="utf-8")
    file.chmod(0o600)
    return file


def typed(monkeypatch: pytest.MonkeyPatch, *lines: str) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO("".join(f"{line}\n" for line in lines)))


def add(home: Path, account: str, *roles: str) -> str:
    words = ("users", "add", account, "--roles", ",".join(roles)) if roles else ("users", "init", account)
    text = ok(*words, "--name", "吴敏", "--unit", PROVINCE, "--home", home, "--json")
    return json.loads(text)["initial_password"]


def enrol(home: Path, monkeypatch: pytest.MonkeyPatch, account: str, initial: str) -> pyotp.TOTP:
    """As the person would, with a key of the authenticator that the test knows."""
    secret = pyotp.random_base32()
    monkeypatch.setattr(pyotp, "random_base32", lambda: secret)
    before = pyotp.TOTP(secret).at(utc_now() - timedelta(seconds=30))
    typed(monkeypatch, initial, before, initial, PASSWORD, PASSWORD, "y")
    out = ok("users", "enrol", account, "--home", home)
    assert secret in out
    assert f"{account} is ready" in out
    monkeypatch.undo()
    return pyotp.TOTP(secret)


def test_from_the_first_account_to_a_named_command(
    home: Path, password: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    initial = add(home, "wu")
    code, _, err = heqiao("users", "init", "he", "--name", "x", "--unit", PROVINCE, "--home", home)
    assert code == 1
    assert "has accounts already" in err
    totp = enrol(home, monkeypatch, "wu", initial)
    ops = enrol(home, monkeypatch, "sun", add(home, "sun", "system"))
    set_config(home, "users", required=True)
    retention = ("retention", "run", "--home", home)
    code, _, err = heqiao(*retention)
    assert (code, "wants to know who runs the command" in err) == (1, True)
    named = ("--as", "sun", "--password-file", password)
    typed(monkeypatch, ops.now())
    code, _, err = heqiao(*named, *retention)
    assert (code, "security administrator may" in err) == (1, True)
    typed(monkeypatch, "000000")
    code, _, err = heqiao("--as", "wu", "--password-file", password, *retention)
    assert (code, "attempts left: 4" in err) == (1, True)
    typed(monkeypatch, totp.now())
    words = ("users", "confirm", "sun", "--home", home)
    assert "confirmed: sun" in ok("--as", "wu", "--password-file", password, *words)
    assert ok("keys", "status", "--home", home)  # reading needs nobody
    node = open_home(home)
    with node.store.transaction("look") as tx:
        last = list(audit_log.events(tx))[-1]
        assert rows.find_user(tx, "wu") is not None
    node.store.dispose()
    details = json.loads(last.details)
    assert (last.event, details["account"], details["user"]) == ("user_confirmed", "sun", "wu")
    assert details["user_unit"] == PROVINCE


def test_the_list_and_bad_input(home: Path) -> None:
    add(home, "wu")
    found = json.loads(ok("users", "list", "--home", home, "--json"))["users"]
    assert [(one["account"], one["state"], one["roles"]) for one in found] == [("wu", "active", ["security"])]
    assert "吴敏" in ok("users", "list", "--home", home)
    base = ("users", "add", "li", "--name", "x", "--home", home)
    for words, wanted in (
        ((*base, "--unit", PROVINCE, "--roles", "king"), "roles are preparer"),
        ((*base, "--unit", "45", "--roles", "audit"), "body code of 12 digits"),
        (
            (*base, "--unit", PROVINCE, "--roles", "audit,system"),
            "nobody may be system administrator",
        ),
        (("users", "disable", "wu", "--home", home), "last security administrator"),
        (("users", "disable", "none", "--home", home), "no such account"),
    ):
        code, _, err = heqiao(*words)
        assert code in (1, 2)
        assert wanted in err


def test_names_and_secrets_are_sealed(home: Path) -> None:
    initial = add(home, "wu")
    found = b"".join(path.read_bytes() for path in home.rglob("*") if path.is_file())
    for text in ("吴敏", initial, "$argon2id$"):
        assert text.encode() not in found
