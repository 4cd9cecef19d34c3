"""`heqiao keys rotate --due` on a home made by the commands: all that is due, in order, each thing said."""

import json
import os
import sqlite3
import time
from datetime import UTC, datetime, timedelta

import pytest

from keys.rotation import GROUPS
from keys.store.kinds import generate_secret
from node.cli import keys_due
from node.config import load, open_key_store
from node.context import open_node
from node.rotation import driver
from node.rotation.kinds import KINDS, OPRF
from node.rotation.status import read_due
from tests.support.ca_member import drawn, issue, made, take_salt  # noqa: F401  a member with fast key stores
from tests.support.cli_runner import heqiao, ok
from tests.support.command_server import command_server
from tests.support.due_keys import AGE, age, due, member, outcomes, states, status, world  # noqa: F401
from tests.support.single_node import number

WAGES = f"id_no,amount_fen\n{number(1)},500\n{number(2)},700\n"


def test_kinds_are_those_that_are_planned():
    assert [kind.purposes for kind in dict.fromkeys(KINDS.values())] == list(GROUPS)


def test_nothing_is_due(world):
    before = {path: path.read_bytes() for path in (world / "44/keys").iterdir()}
    assert due(world) == {"due": [], "outcomes": []}
    assert ok("keys", "rotate", "--due", "--home", world / "44") == "nothing is due\n"
    assert ok("keys", "rotate", "--due", "--dry-run", "--home", world / "44") == "nothing is due\n"
    assert {path: path.read_bytes() for path in (world / "44/keys").iterdir()} == before


ALONE = {
    "oprf": ("oprf", ("oprf",)),
    "sum": ("sum", ("sum", "paillier", "sumcheck")),
    "paillier": ("sum", ("sum", "paillier", "sumcheck")),
    "signing": ("signing", ("signing",)),
}


@pytest.mark.parametrize("aged", ALONE)
def test_each_kind_alone(world, aged):
    lead, purposes = ALONE[aged]
    (world / "wages.csv").write_text(WAGES, encoding="utf-8")
    ok("import", "--home", world / "44", "B11", world / "wages.csv")
    age(world, aged)
    planned = due(world, "--dry-run")
    assert [(one["action"], one["purpose"], one["epoch"], one["reason"]) for one in planned["due"]] == [
        (action, lead, 2, "age") for action in ("make", "rekey", "switch")
    ]
    assert status(world)["due"] == planned["due"]
    assert states(world, lead) == {1: "active"}
    (one,) = due(world)["outcomes"]
    assert (one["purpose"], one["outcome"], one["epoch"], one["resumed"]) == (lead, "done", 2, False)
    for purpose in purposes:
        assert states(world, purpose) == {1: "grace", 2: "active"}
    assert due(world) == {"due": [], "outcomes": []}
    ok("audit", "verify", "--home", world / "44")


def test_all_together_and_in_order(world):
    age(world, "oprf", "sum", "paillier", "sumcheck", "signing", "tls", "salt", "storage", "enrol")
    found = due(world)
    assert [(one["purpose"], one["outcome"]) for one in found["outcomes"]] == [
        ("oprf", "done"), ("sum", "done"), ("signing", "done"), ("salt", "left"), ("tls", "done")
    ]  # fmt: skip
    assert [states(world, purpose) for purpose in ("oprf", "sum", "signing")] == [
        {1: "grace", 2: "active"}
    ] * 3
    assert states(world, "tls") == {1: "active", 2: "pending"}
    assert states(world, "salt") == {1: "active"}
    assert outcomes(due(world)) == {"salt": "left", "tls": "left"}


def test_it_says_what_it_did_and_left(world):
    age(world, "oprf", "salt")
    out = ok("keys", "rotate", "--due", "--home", world / "44")
    lines = out.splitlines()
    assert lines[0].startswith("oprf: due since ")
    assert lines[1].startswith("  oprf.2 is active: ")
    assert lines[-2].startswith("salt: due since ")
    assert lines[-1].startswith("  left: the CA makes the next salt")
    assert "due: salt: due since" in ok("keys", "status", "--home", world / "44")


def test_the_request_for_a_certificate(world):
    """Made once; it waits for the CA, and is made again only where it is not there."""
    age(world, "tls")
    request = world / "44/request.json"
    before = request.read_bytes()
    (one,) = due(world)["outcomes"]
    assert (one["outcome"], one["epoch"], one["request"]) == ("done", 2, str(request))
    first = request.read_bytes()
    assert first != before
    (one,) = due(world)["outcomes"]
    assert (one["outcome"], "the CA must answer" in one["message"]) == ("left", True)
    assert request.read_bytes() == first
    request.write_bytes(before)  # as a run that is killed between the key and the request leaves it
    (one,) = due(world)["outcomes"]
    assert (one["outcome"], one["epoch"]) == ("done", 2)
    assert states(world, "tls") == {1: "active", 2: "pending"}
    issue(world, "44")
    ok("join", "--home", world / "44", world / "44.bundle")
    assert states(world, "tls") == {1: "grace", 2: "active"}
    assert due(world)["outcomes"] == []


def test_a_certificate_that_ends(world, monkeypatch):
    now = datetime.now(UTC)
    monkeypatch.setattr(keys_due, "utc_now", lambda: now + timedelta(days=397 - 29))
    found = due(world, "--dry-run")["due"]
    assert [one["reason"] for one in found if one["purpose"] == "tls"] == ["age"]  # 335 days come first
    text = (world / "44/node.toml").read_text()
    (world / "44/node.toml").write_text(text.replace("#tls_days = 335", "tls_days = 390"))
    found = due(world, "--dry-run")["due"]
    assert [one["reason"] for one in found if one["purpose"] == "tls"] == ["certificate"]


def test_a_salt_from_its_bundle_to_its_end(world, monkeypatch, drawn):
    """Each step is only named: an administrator does it."""
    monkeypatch.setattr(
        "node.rotation.salt.generate_secret",
        lambda purpose, *rest: drawn if purpose == "paillier" else generate_secret(purpose, *rest),
    )

    def left():
        (one,) = due(world)["outcomes"]
        assert (one["purpose"], one["outcome"]) == ("salt", "left")
        return one["message"]

    home = world / "44"
    take_salt(world)
    assert "begins" in left()
    assert states(world, "oprf") == {1: "active"}
    ok("keys", "rotate", "salt", "--home", home)
    assert "import in full" in left()
    ok("import", "--home", home, "C21", world / "r.csv")
    assert "switches" in left()
    assert states(world, "salt") == {1: "active", 2: "pending"}
    ok("keys", "rotate", "salt", "--home", home, "--grace-days", "0")
    found = due(world)
    assert outcomes(found) == {"oprf": "done", "sum": "done", "salt": "left"}  # what is under it ends too
    assert states(world, "salt") == {1: "grace", 2: "active"}
    assert "keys retire salt" in left()
    ok("keys", "retire", "salt", "--home", home)
    assert due(world)["outcomes"] == []


def test_a_key_that_waits_for_the_next_salt_is_not_rotated(world, monkeypatch, drawn):
    monkeypatch.setattr(
        "node.rotation.salt.generate_secret",
        lambda purpose, *rest: drawn if purpose == "paillier" else generate_secret(purpose, *rest),
    )
    take_salt(world)
    age(world, "oprf", "sum", "paillier")
    ok("keys", "rotate", "salt", "--home", world / "44")
    with sqlite3.connect(world / "44/heqiao.db") as base:
        base.execute("UPDATE key_epochs SET created_at = '2010-01-01 00:00:00' WHERE epoch = 1")
    base.close()
    assert outcomes(due(world)) == {"salt": "left"}


def test_a_grace_that_is_over(world):
    ok("keys", "rotate", "oprf", "--home", world / "44", "--grace-days", "0")
    found = due(world)
    assert [(one["action"], one["epoch"], one["reason"]) for one in found["due"]] == [("retire", 1, "grace")]
    (one,) = found["outcomes"]
    assert [(key["purpose"], key["epoch"], key["state"]) for key in one["moved"]] == [("oprf", 1, "retired")]
    assert due(world)["outcomes"] == []


class StoppedError(Exception):
    """In place of a kill."""


def begin(world):
    def stop(stage, *_):
        if stage == "make":
            raise StoppedError

    config = load(world / "44/node.toml")
    keys = open_key_store(config)
    node = open_node(config, keys=keys)
    with pytest.raises(StoppedError):
        driver.rotate(OPRF, node, keys, OPRF.policy(config), progress=stop)
    node.store.dispose()
    return keys.get("oprf.2")


def test_what_was_begun_is_finished(world):
    secret = begin(world)
    found = due(world)
    assert [(one["action"], one["reason"]) for one in found["due"]] == [
        ("rekey", "begun"),
        ("switch", "begun"),
    ]
    (one,) = found["outcomes"]
    assert (one["outcome"], one["epoch"], one["resumed"]) == ("done", 2, True)
    assert open_key_store(load(world / "44/node.toml")).get("oprf.2") == secret
    assert due(world)["outcomes"] == []


def test_an_error_in_one_kind_does_not_keep_back_the_rest(world):
    """A clock behind the last switch of one key; the others are rotated."""
    ok("keys", "rotate", "oprf", "--home", world / "44")
    with sqlite3.connect(world / "44/heqiao.db") as base:
        base.execute("UPDATE key_epochs SET activated_at = '2099-01-01 00:00:00' WHERE epoch = 2")
    base.close()
    age(world, "signing", "tls")
    found = due(world, code=1)
    assert [one["reason"] for one in found["due"] if one["purpose"] == "oprf"] == ["clock"]
    assert outcomes(found) == {"oprf": "failed", "signing": "done", "tls": "done"}
    (failed,) = [one for one in found["outcomes"] if one["outcome"] == "failed"]
    assert "the clock is before 2099-01-01" in failed["message"]
    assert failed["hint"]
    assert states(world, "oprf") == {1: "grace", 2: "active"}
    assert states(world, "signing") == {1: "grace", 2: "active"}
    code, out, _ = heqiao("keys", "rotate", "--due", "--home", world / "44")
    assert (code, "  failed: the clock is before 2099-01-01" in out, "  hint: " in out) == (1, True, True)


def test_a_node_that_does_not_open_still_requests_its_certificate(world):
    """Its key store is from before a rotation: that is said of each kind that needs the whole node."""
    ok("keys", "rotate", "oprf", "--home", world / "44")
    path = world / "44/keys/oprf.2.key"
    path.rename(world / "aside")
    age(world, "signing", "tls")
    found = due(world, code=1)
    assert outcomes(found) == {"signing": "failed", "tls": "done"}
    assert "oprf.2 is in the database, and not in the key store" in found["outcomes"][0]["message"]
    (world / "aside").rename(path)
    assert outcomes(due(world)) == {"signing": "done", "tls": "left"}


def test_two_at_once(world):
    """One rotates and the other says so, or finds nothing to do: never two rotations."""
    age(world, "oprf")
    both = command_server().run_together(*[("keys", "rotate", "--due", "--home", world / "44")] * 2)
    ended = [(one.stdout, one.stderr, one.returncode) for one in both]
    assert 0 in [code for *_, code in ended]
    assert all("Traceback" not in err and (code == 0 or "failed:" in out) for out, err, code in ended), ended
    assert states(world, "oprf") == {1: "grace", 2: "active"}


def test_a_platform(world):
    """Has a TLS key to renew, and nothing else that rotates."""
    home = world / "p"
    ok("init", "--home", home, "--role", "platform", "--code", "44", "--name", "民政")
    ok("ca", "issue", "--dir", world / "ca", home / "request.json", "--out", world / "p.bundle")
    ok("join", "--home", home, world / "p.bundle")
    for path in (home / "keys").glob("*.key"):
        os.utime(path, (time.time() - AGE,) * 2)
    found = json.loads(ok("keys", "rotate", "--due", "--home", home, "--json"))
    assert outcomes(found) == {"tls": "done"}
    config = load(home / "node.toml")
    assert {one.step.purpose for one in read_due(config, open_key_store(config), datetime.now(UTC))} == {
        "tls"
    }


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (("--due",), "--due needs --home"),
        (("--home", "44"), "name a kind of keys, or give --due"),
        (("--due", "oprf", "--home", "44"), "give them after its name"),
        (("--home", "44", "oprf", "--home", "44"), "give them after its name"),
    ],
)
def test_wrong_usage(arguments, expected):
    code, out, err = heqiao("keys", "rotate", *arguments)
    assert (code, out, expected in err) == (2, "", True), err
