"""`heqiao keys rotate --due` under dual control: each rotation is asked for, and done once it is approved."""

import json
import sqlite3

import pytest

from tests.support.ca_member import drawn, made  # noqa: F401  a member with fast key stores
from tests.support.cli_runner import heqiao, ok
from tests.support.due_keys import age, due, member, outcomes, states, world  # noqa: F401


@pytest.fixture
def guarded(world):
    for name in ("李雷", "韩梅"):
        ok("admins", "key", "--dir", world / name, "--name", name)
        ok("admins", "add", "--home", world / "44", world / name / "admin.json")
    toml = world / "44/node.toml"
    toml.write_text(toml.read_text().replace("#required = false", "required = true", 1))
    return world


def approve(world, request):
    ok("approve", request, "--home", world / "44", "--as", world / "韩梅")


def asked(found):
    """The id of each request by purpose."""
    return {
        one["purpose"]: one["message"].partition("request ")[2][:16]
        for one in found["outcomes"]
        if one["outcome"] == "asked"
    }


def test_each_rotation_is_asked_for_and_approved(guarded):
    age(guarded, "oprf", "signing", "tls", "salt")
    me = ("--as", guarded / "李雷")
    first = due(guarded, *me)
    assert outcomes(first) == {"oprf": "asked", "signing": "asked", "tls": "asked", "salt": "left"}
    assert [states(guarded, one) for one in ("oprf", "signing", "tls")] == [{1: "active"}] * 3
    assert "approve" in first["outcomes"][0]["hint"]
    requests = asked(first)
    assert asked(due(guarded, *me)) == requests  # the same ones
    approve(guarded, requests["oprf"])
    assert outcomes(due(guarded, *me)) == {"oprf": "done", "signing": "asked", "tls": "asked", "salt": "left"}
    assert states(guarded, "oprf") == {1: "grace", 2: "active"}
    approve(guarded, requests["signing"])
    approve(guarded, requests["tls"])
    assert outcomes(due(guarded, *me)) == {"signing": "done", "tls": "done", "salt": "left"}
    assert outcomes(due(guarded, *me)) == {"tls": "left", "salt": "left"}
    lines = ok("audit", "list", "--home", guarded / "44").splitlines()
    used = [one["details"]["id"] for one in map(json.loads, lines) if one["event"] == "approval_used"]
    assert used == [requests[one] for one in ("oprf", "signing", "tls")]


def test_an_approval_of_the_single_command_counts(guarded):
    age(guarded, "signing")
    me = ("--as", guarded / "李雷")
    code, _, err = heqiao("keys", "rotate", "signing", "--home", guarded / "44", *me)
    assert code == 1
    request = err.partition("request ")[2][:16]
    assert asked(due(guarded, *me)) == {"signing": request}
    approve(guarded, request)
    assert outcomes(due(guarded, *me)) == {"signing": "done"}


def test_what_is_approved_is_one_rotation(guarded):
    """An approval of epoch 2 does not make epoch 3."""
    age(guarded, "signing")
    me = ("--as", guarded / "李雷")
    approve(guarded, asked(due(guarded, *me))["signing"])
    ok("keys", "rotate", "signing", "--home", guarded / "44", *me)
    with sqlite3.connect(guarded / "44/heqiao.db") as base:
        base.execute("UPDATE key_epochs SET activated_at = '2010-01-01 00:00:00' WHERE purpose = 'signing'")
    base.close()
    assert outcomes(due(guarded, *me)) == {"signing": "asked"}
    assert states(guarded, "signing") == {1: "grace", 2: "active"}


def test_without_an_administrator(guarded):
    """Rotations are refused and said; what needs no approval is done."""
    me, home = ("--as", guarded / "李雷"), guarded / "44"
    rotate = ("keys", "rotate", "oprf", "--home", home, "--grace-days", "0", *me)
    approve(guarded, heqiao(*rotate)[2].partition("request ")[2][:16])
    ok(*rotate)
    age(guarded, "signing")
    found = due(guarded, code=1)
    assert outcomes(found) == {"oprf": "done", "signing": "failed"}
    assert states(guarded, "oprf") == {1: "retired", 2: "active"}
    assert "under dual control" in found["outcomes"][1]["message"]
    assert states(guarded, "signing") == {1: "active"}
