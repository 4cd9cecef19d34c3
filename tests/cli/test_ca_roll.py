"""`heqiao ca roll` and `heqiao peers roots`, by the commands."""

import json
import shutil

import pytest

from keys.pki.certificates import has_issued, identity_of, load_certificate, load_roots
from keys.store.key_store import KeyStore
from tests.support.cli_runner import heqiao, ok
from tests.support.members import answer, join


@pytest.fixture(scope="module")
def member(tmp_path_factory):
    base = tmp_path_factory.mktemp("member")
    ok("ca", "init", "--dir", base / "ca", "--federation", "test")
    for code in ("44", "45"):
        ok("init", "--home", base / code, "--code", code, "--name", code)
        issue(base, code)
        join(base / code, base / f"{code}.bundle", base / "ca")
    return base


@pytest.fixture
def world(member, tmp_path):
    shutil.copytree(member, tmp_path / "world")
    return tmp_path / "world"


def issue(world, code):
    (world / f"{code}.bundle").unlink(missing_ok=True)
    return answer(world / "ca", world / code / "request.json", world / f"{code}.bundle")


def roll(world, *arguments):
    return json.loads(ok("ca", "roll", "--dir", world / "ca", *arguments, "--json"))


def roots(world, code, *arguments):
    return json.loads(ok("peers", "roots", "--home", world / code, *arguments, "--json"))["roots"]


def trusted(world, code):
    return load_roots((world / code / "tls/ca.pem").read_bytes())


def refused(*arguments):
    code, _, err = heqiao(*arguments)
    assert code == 1
    return err


def test_from_one_root_to_the_next(world):
    (old,) = roots(world, "44")
    made = roll(world, "--out", world / "roots.json")
    assert (made["issues"], len(made["also_trusted"])) == (old, 1)
    (new,) = made["also_trusted"]
    assert roots(world, "44", world / "roots.json") == [old, new]
    assert roots(world, "44", world / "roots.json") == [old, new]  # again changes nothing
    assert "certificate was issued by the old root" in refused(
        "peers", "roots", "--home", world / "44", "--drop-old"
    )
    assert "the old root still issues certificates" in refused("ca", "roll", "--dir", world / "ca", "--end")
    assert roll(world, "--switch")["issues"] == new
    assert roll(world, "--switch")["issues"] == new  # again changes nothing
    again = world / "again.json"
    assert "issues certificates already" in refused("ca", "roll", "--dir", world / "ca", "--out", again)
    issue(world, "44")
    issue(world, "45")
    ok("join", "--home", world / "44", world / "44.bundle")
    certificate = load_certificate((world / "44/tls/node.pem").read_bytes())
    assert [has_issued(root, certificate) for root in trusted(world, "44")] == [False, True]
    assert "take its new root" in refused("join", "--home", world / "45", world / "45.bundle")
    assert roots(world, "44", "--drop-old") == [new]
    issue(world, "44")
    ok("join", "--home", world / "44", world / "44.bundle")  # does not bring the old root back
    assert roots(world, "44") == [new]
    assert "all sound" in ok("keys", "verify", "--home", world / "44")
    ok("peers", "roots", "--home", world / "45", world / "roots.json")
    ok("join", "--home", world / "45", world / "45.bundle")
    listed = str(world / "ca/revoked.pem")
    assert roll(world, "--end") == {"issues": new, "also_trusted": [], "revocation_list": listed}
    assert roll(world, "--end")["issues"] == new
    store = KeyStore.open(world / "ca/keys", (world / "ca/passphrase").read_bytes().strip())
    assert store.epochs("ca") == [2]
    ok("audit", "verify", "--home", world / "44")


def test_who_joins_in_between_trusts_both(world):
    roll(world, "--out", world / "roots.json")
    roll(world, "--switch")
    ok("init", "--home", world / "33", "--code", "33", "--name", "33")
    issue(world, "33")
    join(world / "33", world / "33.bundle", world / "ca")
    assert len(trusted(world, "33")) == 2
    made = json.loads(ok("ca", "salt", "--dir", world / "ca", "--out", world / "salts", "--json"))
    for name in made["bundles"]:  # each by the root of the member's certificate
        ok("join", "--home", world / name.split("-")[0], world / "salts" / name)


def test_lists_of_both_roots(world):
    """Who trusts one root can check the list, before and after; nobody is let back in by it."""
    bad = identity_of((world / "45/tls/node.pem").read_bytes()).fingerprint
    ok("ca", "revoke", "--dir", world / "ca", bad, "--out", world / "one")
    ok("peers", "revocations", "--home", world / "44", world / "one")
    before = (world / "44/tls/revoked.pem").read_bytes()
    roll(world, "--out", world / "roots.json")
    roots(world, "44", world / "roots.json")
    roll(world, "--switch")
    issue(world, "44")
    ok("join", "--home", world / "44", world / "44.bundle")  # brings the list that both roots have signed
    (world / "44/tls/revoked.pem").write_bytes(before)
    refusal = refused("peers", "roots", "--home", world / "44", "--drop-old")
    assert "revocation list of this home is signed by the old root only" in refusal
    printed = json.loads(
        ok("ca", "revoke", "--dir", world / "ca", "--code", "44", "--out", world / "two", "--json")
    )
    assert printed["revoked_in_all"] == 3
    for code in ("44", "45"):  # 45 trusts the old root only
        taken = json.loads(ok("peers", "revocations", "--home", world / code, world / "two", "--json"))
        assert (taken["list"], taken["revoked"], taken["own_revoked"]) == (printed["list"], 3, True)
    assert len(roots(world, "44", "--drop-old")) == 1
    ok("peers", "revocations", "--home", world / "44", world / "two")


def test_a_list_that_lacks_somebody(world, monkeypatch):
    """Signed by a root that was stolen, say: what was revoked stays so."""
    bad = identity_of((world / "45/tls/node.pem").read_bytes()).fingerprint
    ok("ca", "revoke", "--dir", world / "ca", bad, "--out", world / "one")
    ok("peers", "revocations", "--home", world / "44", world / "one")
    (world / "ca/revoked.pem").unlink()
    for _ in range(2):
        ok("ca", "revoke", "--dir", world / "ca", "--code", "44", "--out", world / "other")
    assert "lacks certificates" in refused("peers", "revocations", "--home", world / "44", world / "other")


def test_a_root_of_somebody_else(world, tmp_path):
    ok("ca", "init", "--dir", tmp_path / "ca", "--federation", "test")
    ok("ca", "roll", "--dir", tmp_path / "ca", "--out", tmp_path / "roots.json")
    err = refused("peers", "roots", "--home", world / "44", tmp_path / "roots.json")
    assert "not signed by a root of this home" in err
    roll(world, "--out", world / "roots.json")
    text = (world / "roots.json").read_text()
    other = json.loads((tmp_path / "roots.json").read_text())["ca"]
    changed = json.loads(text) | {"ca": other}
    (world / "changed.json").write_text(json.dumps(changed))
    assert "not signed" in refused("peers", "roots", "--home", world / "44", world / "changed.json")
    assert len(trusted(world, "44")) == 1
