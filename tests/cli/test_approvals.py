"""Dual control, by the commands: two people, exactly what was asked, once."""

import json
import sqlite3
from datetime import UTC, datetime, timedelta

import pytest

from node.governance import approvals
from node.governance import approvals as approving
from tests.support.cli_runner import ok
from tests.support.dual_control import (
    adding,
    approve,
    as_,
    ask,
    controlled,  # noqa: F401  a fixture
    events,
    refused,
    waiting,
)
from tests.support.members import add_peer


@pytest.fixture
def world(controlled):
    return controlled


def commands(world):
    home = world / "44"
    return {
        "rotate": ("keys", "rotate", "oprf", "--home", home),
        "signing": ("keys", "rotate", "signing", "--home", home),
        "tls": ("keys", "rotate", "tls", "--home", home),
        "peer": (*adding(world), "--grant", "45"),
        "grant": ("peers", "grant", "--home", home, "45", "45,C23:45"),
        "admin": ("admins", "add", "--home", home, world / "外人/admin.json"),
    }


def know_45(world):
    """Without dual control, before the story begins."""
    toml = world / "44/node.toml"
    text = toml.read_text()
    toml.write_text(text.replace("required = true", "required = false"))
    add_peer(world / "44", world / "45.card")
    toml.write_text(text)


@pytest.mark.parametrize("name", ["rotate", "signing", "tls", "peer", "grant", "admin"])
def test_one_asks_and_another_approves(world, name):
    command = commands(world)[name]
    if name == "grant":
        know_45(world)
    before = (world / "44/heqiao.db").exists()
    request = ask(world, *command)
    assert before
    assert ask(world, *command) == request  # asking again is the same request
    (row,) = waiting(world)
    assert (row["id"], row["state"], row["requester"], row["approver"]) == (request, "waiting", "李雷", None)
    assert row["details"]
    assert "asked by 李雷" in approve(world, request)
    assert waiting(world)[0]["state"] == "approved"
    ok(*command, *as_(world, "李雷"))
    printed = [details for event, details in events(world) if event == "approval_used"]
    assert [(one["id"], one["requester"], one["approver"]) for one in printed] == [(request, "李雷", "韩梅")]
    assert waiting(world) == []
    assert waiting(world, "--all")[0]["state"] == "used"
    ok("audit", "verify", "--home", world / "44")


def test_used_once_and_for_exactly_what_was_asked(world):
    add = adding(world)
    approve(world, ask(world, *add, "--grant", "45"))
    other = ask(world, *add, "--grant", "45,44")  # more than was approved
    ok(*add, "--grant", "45", *as_(world, "李雷"))
    again = ask(world, *add, "--grant", "45")  # the approval is used up
    assert len({again, other}) == 2
    assert json.loads(ok("peers", "list", "--home", world / "44", "--json"))["peers"][0]["grants"] == ["45"]
    remove = ("peers", "remove", "--home", world / "44", "45")
    approve(world, ask(world, *remove, name="韩梅"), "李雷")
    # 韩梅 asked, not 李雷
    assert "this needs a second administrator" in refused(*remove, *as_(world, "李雷"))
    ok(*remove, *as_(world, "韩梅"))


def test_destroying_names_the_keys(world):
    rotate = ("keys", "rotate", "oprf", "--home", world / "44", "--grace-days", "0")
    approve(world, ask(world, *rotate))
    ok(*rotate, *as_(world, "李雷"))
    ok("keys", "retire", "oprf", "--home", world / "44", "--now")
    destroy = ("keys", "destroy", "oprf", "--home", world / "44", "--confirm")
    request = ask(world, *destroy)
    (keys,) = waiting(world)[0]["details"].values()
    assert [key.split()[0] for key in keys] == ["oprf.1"]
    approve(world, request)
    assert "oprf.1 is destroyed" in ok(*destroy, *as_(world, "李雷"))


def test_who_may_not(world):
    command = commands(world)["rotate"]
    assert "with `--as`" in refused(*command)
    assert "no administrator of this home" in refused(*command, *as_(world, "外人"))
    request, home = ask(world, *command), world / "44"
    assert "cannot approve their own requests" in refused(
        "approve", request, "--home", home, *as_(world, "李雷")
    )
    assert "no administrator" in refused("approve", request, "--home", home, *as_(world, "外人"))
    assert "no request" in refused("approve", "0" * 16, "--home", home, *as_(world, "韩梅"))
    assert "no administrator is named" in refused("approve", request, "--home", home)
    approve(world, request)
    assert "is approved" in refused("approve", request, "--home", home, *as_(world, "韩梅"))


def test_a_single_administrator(world):
    with sqlite3.connect(world / "44/heqiao.db") as base:
        base.execute("DELETE FROM admins WHERE name = '韩梅'")
    base.close()
    assert "needs two administrators" in refused(*commands(world)["rotate"], *as_(world, "李雷"))


@pytest.mark.parametrize("moment", ["before the approval", "after it"])
def test_it_expires(world, monkeypatch, moment):
    command = commands(world)["rotate"]
    request = ask(world, *command)
    if moment == "after it":
        approve(world, request)
    monkeypatch.setattr(approving, "utc_now", lambda: datetime.now(UTC) + timedelta(hours=25))
    if moment == "before the approval":
        assert "is expired" in refused("approve", request, "--home", world / "44", *as_(world, "韩梅"))
    assert ask(world, *command) != request


ALTERED = {
    "other details": "UPDATE approvals SET details = replace(details, '45', '11')",
    "other details and digest": "UPDATE approvals SET details = '{}', digest = '" + "ab" * 32 + "'",
    "longer": "UPDATE approvals SET expires_at = '2999-01-01T00:00:00+00:00'",
    "another requester": "UPDATE approvals SET requester = '韩梅'",
    "approved by nobody": "UPDATE approvals SET approver = '韩梅', given_signature = x'00'",
    "approved by themselves": "UPDATE approvals SET approver = '李雷', given_signature = asked_signature",
    "used again": "UPDATE approvals SET used_at = NULL, id = 'abcdabcdabcdabcd'",
}


@pytest.mark.parametrize("change", ALTERED)
def test_an_altered_row_is_no_approval(world, change):
    add = (*adding(world), "--grant", "45")
    request = ask(world, *add)
    if "approved" not in change:
        approve(world, request)
    with sqlite3.connect(world / "44/heqiao.db") as base:
        base.execute(ALTERED[change])
    base.close()
    refused(*add, *as_(world, "李雷"))
    assert json.loads(ok("peers", "list", "--home", world / "44", "--json"))["peers"] == []


def test_an_approver_who_left(world):
    command = commands(world)["admin"]
    approve(world, ask(world, *command))
    ok(*command, *as_(world, "李雷"))
    rotate = commands(world)["rotate"]
    approve(world, ask(world, *rotate), "外人")
    remove = ("admins", "remove", "--home", world / "44", "外人")
    approve(world, ask(world, *remove))
    ok(*remove, *as_(world, "李雷"))
    assert "is no longer an administrator" in refused(*rotate, *as_(world, "李雷"))
    assert json.loads(ok("admins", "list", "--home", world / "44", "--json"))["admins"][0]["name"]


def test_off_by_default(world):
    assert "oprf.2 is active" in ok("keys", "rotate", "oprf", "--home", world / "45")
    assert approvals.NEEDED == 2


def test_who_asked_withdraws_and_nobody_else(world):
    command = commands(world)["rotate"]
    request = ask(world, *command)
    away = ("approvals", "withdraw", request, "--home", world / "44")
    assert "no administrator is named" in refused(*away)
    assert f"you made no request {request}" in refused(*away, *as_(world, "韩梅"))
    assert "belongs to no administrator" in refused(*away, *as_(world, "外人"))
    approve(world, request)
    assert f"request {request} is withdrawn" in ok(*away, *as_(world, "李雷"))
    assert waiting(world, "--all") == []
    assert f"you made no request {request}" in refused(*away, *as_(world, "李雷"))
    assert ask(world, *command) != request  # its approval is gone too
    told = [(event, one["by"]) for event, one in events(world) if one.get("id") == request and "by" in one]
    assert told == [("withdrawal_refused", "韩梅"), ("approval_withdrawn", "李雷")]


def test_a_used_request_is_not_withdrawn(world):
    command = commands(world)["signing"]
    request = ask(world, *command)
    approve(world, request)
    ok(*command, *as_(world, "李雷"))
    away = ("approvals", "withdraw", request, "--home", world / "44", *as_(world, "李雷"))
    assert f"request {request} is used" in refused(*away)
