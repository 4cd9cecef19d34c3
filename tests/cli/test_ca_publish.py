"""The revocation list again, for the next 30 days."""

import json
from datetime import UTC, datetime, timedelta

import pytest

from keys.pki.revocation import load_list, make_list
from node.clock import utc_now
from node.config import load
from node.context import open_node
from node.domain.days import china_day
from node.services import checks
from tests.support.ca_member import ca, load_ca
from tests.support.cli_runner import fails, ok
from tests.support.killed_commands import copy


@pytest.fixture
def world(made, tmp_path):
    return copy(made, tmp_path / "world")


def test_the_list_again(world):
    """A higher number, a new date, and everything that was revoked."""
    root = (world / "ca/ca.pem").read_bytes()
    before = load_list((world / "ca/revoked.pem").read_bytes(), root)
    printed = json.loads(ok(*ca(world, "publish", "--out", world / "list", "--json")))
    after = load_list((world / "list").read_bytes(), root)
    assert (world / "ca/revoked.pem").read_bytes() == (world / "list").read_bytes()
    assert (after.number, after.serials) == (before.number + 1, before.serials)
    assert (printed["list"], printed["revoked_in_all"]) == (after.number, 1)
    assert printed["next"] == china_day(after.made_at + timedelta(days=30)).isoformat()
    taken = json.loads(ok("peers", "revocations", "--home", world / "44", world / "list", "--json"))
    assert (taken["list"], taken["next"]) == (after.number, printed["next"])


def test_the_first_list_of_a_federation(world):
    (world / "ca/revoked.pem").unlink()
    assert json.loads(ok(*ca(world, "publish", "--out", world / "list", "--json")))["list"] == 1
    assert "no such folder" in fails(*ca(world, "publish", "--out", world / "none/list"))


def test_a_list_of_tomorrow_is_refused(world):
    """With the date of a wrong clock it would count as new for too long."""
    before = (world / "ca/revoked.pem").read_bytes()
    (world / "list").write_bytes(make_list(load_ca(world), before, [], datetime.now(UTC) + timedelta(days=2)))
    assert "was made in the future" in fails("peers", "revocations", "--home", world / "44", world / "list")


@pytest.mark.parametrize(
    ("days", "good", "text"),
    [
        (0, True, "list 2, 1 revoked, 0 days old"),
        (36, False, "36 days old: serves nobody after"),
        (96, False, "96 days old: THIS NODE SERVES AND ASKS NOBODY"),
    ],
)
def test_doctor(world, days, good, text):
    node = open_node(load(world / "44/node.toml"), lambda: utc_now() + timedelta(days=days))
    (found,) = [one for one in checks.check_node(node) if one.check == "revocations"]
    node.store.dispose()
    assert (found.good, found.text.startswith(text) or text in found.text) == (good, True)
    assert good or "heqiao ca publish" in found.hint


def test_doctor_before_the_first_list(world):
    (world / "44/tls/revoked.pem").unlink()
    node = open_node(load(world / "44/node.toml"), lambda: utc_now() + timedelta(days=40))
    (found,) = [one for one in checks.check_node(node) if one.check == "revocations"]
    node.store.dispose()
    assert (found.good, "no list yet; certificate 40 days old" in found.text) == (False, True)
