"""`heqiao keys rotate oprf`, `retire` and `destroy` on a home made by the commands."""

import json
import shutil

import pytest

from node.config import load, open_key_store
from tests.support.cli_runner import heqiao, ok


@pytest.fixture
def home(member, tmp_path):
    shutil.copytree(member / "44", tmp_path / "44")
    return tmp_path / "44"


def actions(found):
    return [(step["action"], step["epoch"]) for step in found["steps"]]


def run(*arguments):
    return json.loads(ok("keys", *arguments, "--json"))


def states(home):
    return {
        key["epoch"]: key["state"]
        for key in run("status", "--home", home)["keys"]
        if key["purpose"] == "oprf"
    }


def test_a_life(home):
    plan = run("rotate", "oprf", "--home", home, "--dry-run")
    assert actions(plan) == [("make", 2), ("rekey", 2), ("switch", 2)]
    assert states(home) == {1: "active"}
    done = run("rotate", "oprf", "--home", home, "--grace-days", "0")
    assert (done["epoch"], done["resumed"], done["entries"]) == (2, False, plan["entries"])
    assert states(home) == {1: "grace", 2: "active"}
    assert actions(run("retire", "oprf", "--home", home, "--dry-run")) == [("retire", 1)]
    assert [key["epoch"] for key in run("retire", "oprf", "--home", home)["moved"]] == [1]
    assert states(home) == {1: "retired", 2: "active"}
    code, out, err = heqiao("keys", "destroy", "oprf", "--home", home)
    assert (code, "erase oprf.1" in out, "--confirm" in err) == (2, True, True)
    assert [key["state"] for key in run("destroy", "oprf", "--home", home, "--confirm")["moved"]] == [
        "destroyed"
    ]
    assert open_key_store(load(home / "node.toml")).epochs("oprf") == [2]
    ok("audit", "verify", "--home", home)


def test_words(home):
    assert "1. make the key oprf.2" in ok("keys", "rotate", "oprf", "--home", home, "--dry-run")
    assert "oprf.2 is active" in ok("keys", "rotate", "oprf", "--home", home)
    assert "nothing to retire" in ok("keys", "retire", "oprf", "--home", home)
    assert "oprf.1 is retired" in ok("keys", "retire", "oprf", "--home", home, "--now")
    assert "nothing to destroy" not in ok("keys", "destroy", "oprf", "1", "--home", home, "--confirm")


def test_a_key_store_from_before_the_rotation(home, tmp_path):
    shutil.copytree(home / "keys", tmp_path / "old")
    ok("keys", "rotate", "oprf", "--home", home)
    shutil.rmtree(home / "keys")
    shutil.copytree(tmp_path / "old", home / "keys")
    code, _, err = heqiao("import", "--home", home, "--clean")
    assert (code, "oprf.2 is in the database, and not in the key store" in err) == (1, True)
    shutil.rmtree(tmp_path / "old")


@pytest.mark.parametrize("epoch", ["1", "2", "9"])
def test_a_key_in_use_or_unknown(home, epoch):
    ok("keys", "rotate", "oprf", "--home", home)
    code, _, err = heqiao("keys", "destroy", "oprf", epoch, "--home", home, "--confirm")
    assert code == 1
    assert ("no such key" if epoch == "9" else "cannot become destroyed") in err
