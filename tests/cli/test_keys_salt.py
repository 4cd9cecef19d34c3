"""`heqiao ca salt` and `heqiao keys rotate salt` on homes made by the commands."""

import json
import shutil

import pytest

from tests.support.cli_runner import heqiao, ok
from tests.support.members import answer, join
from tests.support.single_node import number

REGISTER = f"id_no,name,record_no\n{number(1)},陈三,a\n"


@pytest.fixture(scope="module")
def member(tmp_path_factory):
    base = tmp_path_factory.mktemp("member")
    ok("ca", "init", "--dir", base / "ca", "--federation", "test")
    for code in ("44", "45"):
        ok("init", "--home", base / code, "--code", code, "--name", code)
        answer(base / "ca", base / code / "request.json", base / f"{code}.1")
        join(base / code, base / f"{code}.1", base / "ca")
    (base / "r.csv").write_text(REGISTER, encoding="utf-8")
    ok("import", "--home", base / "44", "C21", base / "r.csv")
    return base


@pytest.fixture
def world(member, tmp_path):
    shutil.copytree(member, tmp_path / "world")
    return tmp_path / "world"


def run(*arguments):
    return json.loads(ok(*arguments, "--json"))


def bundles(world, name="bundles", *more):
    made = run("ca", "salt", "--dir", world / "ca", "--out", world / name, *more)
    return made, {file.split("-")[0]: world / name / file for file in made["bundles"]}


def salts(world):
    found = run("keys", "status", "--home", world / "44")
    assert found["good"]
    return {key["epoch"]: key["state"] for key in found["keys"] if key["purpose"] == "salt"}


def test_a_life(world):
    home = world / "44"
    code, _, err = heqiao("keys", "rotate", "salt", "--home", home)
    assert (code, "no newer salt than version 1" in err, "heqiao ca salt" in err) == (1, True, True)
    made, files = bundles(world)
    assert (made["salt_version"], set(files)) == (2, {"44", "45"})
    before = (home / "tls/node.pem").read_bytes()
    assert run("join", "--home", home, files["44"])["salt_version"] == 2
    assert (home / "tls/node.pem").read_bytes() == before
    assert salts(world) == {1: "active", 2: "pending"}
    plan = run("keys", "rotate", "salt", "--home", home, "--dry-run")
    assert [step["action"] for step in plan["steps"]] == ["make", "import", "switch"]
    assert plan["missing"] == [{"item": "C21", "partitions": 35, "sums": False}]
    begun = run("keys", "rotate", "salt", "--home", home)
    assert (begun["begun"], begun["switched"], begun["missing"]) == (True, False, plan["missing"])
    assert run("keys", "status", "--home", home)["missing_salt"] == plan["missing"]
    code, _, err = heqiao("keys", "rotate", "salt", "--home", home)
    assert (code, "missing under salt 2: C21 (35 partitions)" in err) == (1, True)
    done = run("import", "--home", home, "C21", world / "r.csv")
    assert done["salts"] == [1, 2]
    done = run("keys", "rotate", "salt", "--home", home, "--grace-days", "0")
    assert (done["switched"], done["missing"]) == (True, [])
    assert salts(world) == {1: "grace", 2: "active"}
    moved = run("keys", "retire", "salt", "--home", home)["moved"]
    purposes = ["oprf", "paillier", "salt", "sum", "sumcheck"]
    assert sorted(key["purpose"] for key in moved) == purposes
    code, out, _ = heqiao("keys", "destroy", "salt", "--home", home)
    assert (code, "erase salt.1" in out) == (2, True)
    run("keys", "destroy", "salt", "--home", home, "--confirm")
    assert salts(world) == {2: "active"}
    ok("keys", "verify", "--home", home)
    ok("audit", "verify", "--home", home)
    code, _, err = heqiao("join", "--home", home, world / "44.1")
    assert (code, "version 1, this home has 2 already" in err) == (1, True)


def test_given_up(world):
    _, files = bundles(world)
    ok("join", "--home", world / "44", files["44"])
    ok("keys", "rotate", "salt", "--home", world / "44")
    code, _, err = heqiao("keys", "rotate", "oprf", "--home", world / "44")
    assert (code, "for the next salt" in err, "--abandon" in err) == (1, True, True)
    assert "oprf.2 is retired" in ok("keys", "rotate", "salt", "--home", world / "44", "--abandon")
    assert "oprf.3 is active" in ok("keys", "rotate", "oprf", "--home", world / "44")
    assert "no rotation of the salt" in ok("keys", "rotate", "salt", "--home", world / "44", "--abandon")


def test_bundles(world):
    """Each opens in its own home; who is revoked gets none; a version can be written again."""
    _, files = bundles(world)
    code, _, err = heqiao("join", "--home", world / "45", files["44"])
    assert (code, "the bundle is for node 44" in err) == (1, True)
    ok("ca", "revoke", "--dir", world / "ca", "--code", "45", "--out", world / "revoked")
    made, again = bundles(world, "again", "--again", "2")
    assert (made["salt_version"], set(again)) == (2, {"44"})
    ok("join", "--home", world / "44", files["44"])
    assert ok("join", "--home", world / "44", again["44"])
    code, _, err = heqiao("ca", "salt", "--dir", world / "ca", "--out", world / "again")
    assert (code, "exists already" in err) == (1, True)
    code, _, err = heqiao("ca", "salt", "--dir", world / "ca", "--out", world / "nine", "--again", "9")
    assert (code, "no salt of version 9" in err, "it has 1, 2" in err) == (1, True, True)


def test_who_joins_between_two_salts(world):
    """Takes both: the older first, which is in use, then the newer, which waits."""
    bundles(world)
    home = world / "33"
    ok("init", "--home", home, "--code", "33", "--name", "33")
    for version, name in ((1, "older"), (None, "newer")):
        more = ["--salt-version", version] if version else []
        answer(world / "ca", home / "request.json", world / name, *more)
        join(home, world / name, world / "ca")
    status = run("keys", "status", "--home", home)
    found = {key["epoch"]: key["state"] for key in status["keys"] if key["purpose"] == "salt"}
    assert found == {1: "active", 2: "pending"}
