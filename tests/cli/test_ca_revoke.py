"""`heqiao ca revoke` and `heqiao peers revocations`, by the commands."""

import json
import shutil

import pytest

from keys.pki.certificates import identity_of
from tests.support.cli_runner import heqiao, ok
from tests.support.members import answer, make_member


@pytest.fixture(scope="module")
def member(tmp_path_factory):
    base = tmp_path_factory.mktemp("member")
    ok("ca", "init", "--dir", base / "ca", "--federation", "test")
    for code in ("45", "44"):
        make_member(base, code)
    return base


@pytest.fixture
def world(member, tmp_path):
    shutil.copytree(member, tmp_path / "world")
    return tmp_path / "world"


def fingerprint(world, code):
    return identity_of((world / code / "tls/node.pem").read_bytes()).fingerprint


def revoke(world, *arguments):
    return json.loads(ok("ca", "revoke", "--dir", world / "ca", *arguments, "--json"))


def take(world, code, name):
    return json.loads(ok("peers", "revocations", "--home", world / code, world / name, "--json"))


def test_one_certificate_and_then_a_province(world):
    printed = revoke(world, fingerprint(world, "44")[:10], "--out", world / "one")
    assert (printed["list"], printed["revoked"]) == (2, [fingerprint(world, "44")])
    printed = revoke(world, "--code", "45", "--out", world / "two")
    assert (printed["list"], printed["revoked"], printed["revoked_in_all"]) == (
        3,
        [fingerprint(world, "45")],
        2,
    )
    taken = take(world, "45", "one")
    assert (taken["list"], taken["revoked"], taken["own_revoked"]) == (2, 1, False)
    assert "all sound" in ok("keys", "verify", "--home", world / "45")
    taken = take(world, "45", "two")
    assert (taken["list"], taken["revoked"], taken["own_revoked"]) == (3, 2, True)
    code, out, _ = heqiao("keys", "verify", "--home", world / "45")
    assert (code, "the certificate of this node was revoked" in out) == (1, True)
    code, _, err = heqiao("peers", "revocations", "--home", world / "45", world / "one")
    assert (code, "list 2 is older than list 3" in err) == (1, True)
    assert take(world, "45", "two")["list"] == 3
    audit = ok("audit", "list", "--home", world / "45")
    assert audit.count("revocations_taken") == 3


def test_a_new_certificate_lets_a_province_back_in(world):
    revoke(world, "--code", "45", "--out", world / "list")
    take(world, "45", "list")
    answer(world / "ca", world / "45/request.json", world / "again.bundle")
    ok("join", "--home", world / "45", world / "again.bundle")
    assert "all sound" in ok("keys", "verify", "--home", world / "45")


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (("1234567",), "0 certificates have the fingerprint"),
        (("00000000ff",), "0 certificates have the fingerprint"),
        (("--code", "33"), "no certificate was issued to 33"),
    ],
)
def test_what_cannot_be_revoked(world, arguments, text):
    code, _, err = heqiao("ca", "revoke", "--dir", world / "ca", *arguments, "--out", world / "x")
    assert (code, text in err) == (1, True)
    assert not (world / "x").exists()
    assert heqiao("ca", "revoke", "--dir", world / "ca", "--out", world / "x")[0] == 2


def test_a_list_of_another_federation_is_refused(world):
    ok("ca", "init", "--dir", world / "other", "--federation", "test")
    shutil.copytree(world / "ca/issued", world / "other/issued", dirs_exist_ok=True)
    ok("ca", "revoke", "--dir", world / "other", "--code", "44", "--out", world / "foreign")
    before = (world / "45/tls/revoked.pem").read_bytes()
    for name in ("foreign", "45.bundle"):
        code, _, err = heqiao("peers", "revocations", "--home", world / "45", world / name)
        assert (code, "revocation list" in err) == (1, True)
    assert (world / "45/tls/revoked.pem").read_bytes() == before


def test_a_restored_home_refuses_what_was_revoked(world, tmp_path):
    revoke(world, "--code", "44", "--out", world / "list")
    take(world, "45", "list")
    ok("keys", "recipient", "--dir", world / "officer", "--name", "x")
    ok("keys", "backup", "--home", world / "45", "--out", world / "backup",
       "--recipient", world / "officer/recipient.json")  # fmt: skip
    ok("keys", "restore", world / "backup", "--home", tmp_path / "45", "--recipient-dir", world / "officer")
    assert (tmp_path / "45/tls/revoked.pem").read_bytes() == (world / "list").read_bytes()
