"""Two administrators of a home under dual control, and what they do by the commands."""

import json
import shutil

import pytest

from testbed.fingerprints import of_card
from tests.support.cli_runner import heqiao, ok
from tests.support.members import make_member
from tests.support.once import made_once


def make_home(base):
    """The CA, home 44 under dual control with two administrators, a third person, and the card of 45."""
    ok("ca", "init", "--dir", base / "ca", "--federation", "test")
    for code in ("44", "45"):
        make_member(base, code)
    ok("card", "--home", base / "45", "--out", base / "45.card")
    for name in ("李雷", "韩梅", "外人"):
        ok("admins", "key", "--dir", base / name, "--name", name)
    for name in ("李雷", "韩梅"):
        ok("admins", "add", "--home", base / "44", base / name / "admin.json")
    toml = base / "44/node.toml"
    toml.write_text(toml.read_text().replace("#required = false", "required = true", 1))


@pytest.fixture
def controlled(tmp_path_factory, tmp_path):
    """A copy of what `make_home` made."""
    made = made_once(tmp_path_factory, "dual-control", make_home)
    return shutil.copytree(made, tmp_path / "world")


def as_(world, name):
    return ("--as", world / name)


def refused(*arguments):
    code, _, err = heqiao(*arguments)
    assert code == 1, err
    return err


def ask(world, *command, name="李雷"):
    """Run a command that needs an approval; the id of the request."""
    err = refused(*command, *as_(world, name))
    assert "this needs a second administrator: request " in err, err
    return err.partition("request ")[2][:16]


def approve(world, request, name="韩梅"):
    return ok("approve", request, "--home", world / "44", *as_(world, name))


def waiting(world, *more):
    return json.loads(ok("approvals", "list", "--home", world / "44", "--json", *more))["approvals"]


def events(world):
    lines = ok("audit", "list", "--home", world / "44").splitlines()
    return [(one["event"], one["details"]) for one in map(json.loads, lines)]


def adding(world):
    card = world / "45.card"
    return ("peers", "add", "--home", world / "44", card, *of_card(card))


def with_both(world, *command):
    """What the two of them do together; the id of the request, and what the command printed."""
    request = ask(world, *command)
    approve(world, request)
    return request, ok(*command, *as_(world, "李雷"))
