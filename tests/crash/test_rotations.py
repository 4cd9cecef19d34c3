"""Rotations of an index, killed before every step: the old or the new epoch whole, and again finishes it.

Those of the keys of sums, and the first step of the salt's, draw a Paillier key, which takes too long to be
done for every step: tests/federation/rotation kills them at chosen points.
"""

import json
import os
from dataclasses import dataclass

import pytest

from keys.store.kinds import generate_secret
from matcher import identity
from node.config import load, open_key_store
from node.context import open_node
from node.rotation.tls import is_requested
from tests.support.cli_runner import heqiao, ok
from tests.support.killed_commands import copy, each_step
from tests.support.single_node import Held, number

PERSON = identity.parse(number(1))
TOLD = ("left by a command that was killed", "if `heqiao keys destroy` was interrupted, run it again")


@dataclass(frozen=True)
class Case:
    """A command; the states before and after it of the keys `purpose`; the commands before it."""

    purpose: str
    command: tuple[str, ...]
    before: dict[int, str]
    after: dict[int, str]
    first: tuple[tuple[str, ...], ...] = ()

    def on(self, world):
        return (*self.command, "--home", world / "44")


ROTATE = ("keys", "rotate", "oprf", "--workers", "0")
RETIRE = ("keys", "retire", "oprf", "--now")
SALT = ("keys", "rotate", "salt")
DUE = ("keys", "rotate", "--due", "--workers", "0")
IMPORT = ("import",)
AGE = ("age",)
CASES = {
    "what is due": Case("signing", DUE, {1: "active"}, {1: "grace", 2: "active"}, (AGE,)),
    "oprf": Case("oprf", ROTATE, {1: "active"}, {1: "grace", 2: "active"}),
    "oprf retired": Case("oprf", RETIRE, {1: "grace", 2: "active"}, {1: "retired", 2: "active"}, (ROTATE,)),
    "oprf destroyed": Case(
        "oprf",
        ("keys", "destroy", "oprf", "--confirm"),
        {1: "retired", 2: "active"},
        {2: "active"},
        (ROTATE, RETIRE),
    ),
    "salt switched": Case(
        "salt", SALT, {1: "active", 2: "pending"}, {1: "grace", 2: "active"}, (SALT, IMPORT)
    ),
    "salt given up": Case(
        "oprf", (*SALT, "--abandon"), {1: "active", 2: "pending"}, {1: "active", 2: "retired"}, (SALT, IMPORT)
    ),
    "salt retired": Case(
        "salt",
        ("keys", "retire", "salt", "--now"),
        {1: "grace", 2: "active"},
        {1: "retired", 2: "active"},
        (SALT, IMPORT, SALT),
    ),
    "salt destroyed": Case(
        "salt",
        ("keys", "destroy", "salt", "--confirm"),
        {1: "retired", 2: "active"},
        {2: "active"},
        (SALT, IMPORT, SALT, ("keys", "retire", "salt", "--now")),
    ),
}


def run(world, command):
    if command == AGE:
        for purpose in ("signing", "tls"):
            os.utime(world / f"44/keys/{purpose}.1.key", (1_000_000_000,) * 2)
    elif command == IMPORT:
        ok("import", "--home", world / "44", "C21", world / "r.csv")
    else:
        ok(*command, "--home", world / "44")


def states(world, purpose):
    """Of each epoch; the node opens, and finds its person under every epoch that it answers."""
    node = open_node(load(world / "44/node.toml"))
    try:
        assert Held(node, "C21").open(PERSON)
    finally:
        node.store.dispose()
    found = json.loads(heqiao("keys", "status", "--home", world / "44", "--json")[1])
    assert all(any(text in problem for text in TOLD) for problem in found["problems"]), found["problems"]
    return {key["epoch"]: key["state"] for key in found["keys"] if key["purpose"] == purpose}


def nothing_is_left(world):
    """Each key was rotated once; the rest is for the CA and, with its salt, for an administrator."""
    assert states(world, "tls") == {1: "active", 2: "pending"}
    assert is_requested(load(world / "44/node.toml"), open_key_store(load(world / "44/node.toml")))
    found = json.loads(ok("keys", "rotate", "--due", "--home", world / "44", "--json"))
    assert {one["purpose"]: one["outcome"] for one in found["outcomes"]} == {"salt": "left", "tls": "left"}


@pytest.mark.long
@pytest.mark.parametrize("name", CASES)
def test_killed_before_every_step(base, drawn, tmp_path, monkeypatch, name):
    monkeypatch.setattr(
        "node.rotation.salt.generate_secret",
        lambda purpose, *rest: drawn if purpose == "paillier" else generate_secret(purpose, *rest),
    )
    case, world, seen = CASES[name], tmp_path / "before", []
    copy(base, world)
    for command in case.first:
        run(world, command)
    assert states(world, case.purpose) == case.before
    for place in each_step(world, tmp_path, case.on):
        found = states(place, case.purpose)
        seen.append(found)
        if found == case.after and name in ("oprf", "salt switched"):
            continue  # again it would be the next rotation
        ok(*case.on(place))
        assert states(place, case.purpose) == case.after
        ok("audit", "verify", "--home", place / "44")
        if name == "what is due":
            nothing_is_left(place)
    assert (seen[0], seen[-1]) == (case.before, case.after)
