"""Commands under dual control, killed before every step: done, or not done and a new approval is asked."""

import json
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from keys.store.atomic_files import read_passphrase
from keys.store.header import by_passphrase
from keys.store.key_store import KeyStore
from keys.store.wrap import KdfCost
from node.clock import utc_now
from node.config import load, open_key_store
from node.context import open_node
from node.database import approvals as rows
from node.database import database_url, open_store
from node.database import peers as peer_rows
from node.governance import approvals
from node.rotation.kinds import SIGNING
from testbed.fingerprints import of_card
from tests.support.cli_runner import heqiao, ok
from tests.support.killed_commands import copy, each_step
from tests.support.members import make_member

CHEAP = KdfCost(iterations=1, lanes=1, memory_kib=8)
LEADER, OTHER, THIRD = "李雷", "韩梅", "外人"


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A home under dual control, its administrators, and a peer's card; all open in a moment."""
    base = tmp_path_factory.mktemp("made") / "world"
    base.mkdir()
    ok("ca", "init", "--dir", base / "ca", "--federation", "test")
    for code in ("44", "45"):
        make_member(base, code)
    ok("card", "--home", base / "45", "--out", base / "45.card")
    for name in (LEADER, OTHER, THIRD):
        ok("admins", "key", "--dir", base / name, "--name", name)
    for name in (LEADER, OTHER):
        ok("admins", "add", "--home", base / "44", base / name / "admin.json")
    for folder in ("44", LEADER, OTHER, THIRD):
        secret = read_passphrase(base / folder / "passphrase")
        KeyStore.open(base / folder / "keys", secret).rewrap(by_passphrase(secret, CHEAP))
    toml = base / "44/node.toml"
    toml.write_text(toml.read_text().replace("#required = false", "required = true", 1))
    for folder in ("ca", "45"):
        shutil.rmtree(base / folder)
    return base


def requests(world):
    """State of every request by its id."""
    store = open_store(database_url(load(world / "44/node.toml")))
    with store.transaction("look") as tx:
        found = {row.id: approvals.state_of(row, utc_now()) for row in rows.list_approvals(tx)}
    store.dispose()
    return found


def knows_peer(world):
    node = open_node(load(world / "44/node.toml"))
    with node.store.transaction("look") as tx:
        found = peer_rows.find_peer(tx, "45")
    node.store.dispose()
    return found is not None


def knows_third(world):
    listed = json.loads(ok("admins", "list", "--home", world / "44", "--json"))["admins"]
    return THIRD in [one["name"] for one in listed]


def signing(world):
    """State of each signing key; the node opens, and signs with the one that is active."""
    config = load(world / "44/node.toml")
    node, store = open_node(config), open_key_store(config)
    found = {key.epoch: key.state.value for key in SIGNING.read(node, store)}
    node.store.dispose()
    (active,) = (epoch for epoch, state in found.items() if state == "active")
    assert node.keys.signing == store.get(f"signing.{active}")
    return found


def retire_first(world):
    """A signing key that may be destroyed."""
    rotate = (
        "keys",
        "rotate",
        "signing",
        "--home",
        world / "44",
        "--grace-days",
        "0",
        "--as",
        world / LEADER,
    )
    approve(world, asked_by(rotate))
    ok(*rotate)
    ok("keys", "retire", "signing", "--now", "--home", world / "44")


def asked_by(command):
    code, _, err = heqiao(*command)
    assert code == 1
    assert "this needs a second administrator: request " in err
    return err.partition("request ")[2][:16]


def approve(world, request):
    ok("approve", request, "--home", world / "44", "--as", world / OTHER)


@dataclass(frozen=True)
class Case:
    """A guarded command, and whether what it does is done."""

    command: Sequence[str]
    is_done: Callable[[Path], bool]
    prepare: Callable[[Path], object] = lambda world: None

    def on(self, world):
        given = [world / one if one in ("45.card", f"{THIRD}/admin.json") else one for one in self.command]
        if "45.card" in self.command:
            given += of_card(world / "45.card")
        return (*given, "--home", world / "44", "--as", world / LEADER)


CASES = {
    "peer": Case(("peers", "add", "45.card", "--grant", "45"), knows_peer),
    "administrator": Case(("admins", "add", f"{THIRD}/admin.json"), knows_third),
    "rotation": Case(
        ("keys", "rotate", "signing"), lambda world: signing(world).get(2) in ("active", "grace")
    ),
    "tls": Case(
        ("keys", "rotate", "tls"),
        lambda world: (
            open_key_store(load(world / "44/node.toml")).epochs("tls") == [1, 2]
            and (world / "44/request.json").read_bytes() != (world / "44.request").read_bytes()
        ),
        lambda world: shutil.copy(world / "44/request.json", world / "44.request"),
    ),
    "destruction": Case(
        ("keys", "destroy", "signing", "--confirm"),
        lambda world: signing(world).get(1, "destroyed") == "destroyed",
        retire_first,
    ),
}


LONG = ("peer", "rotation", "tls", "destruction")


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=[pytest.mark.long] * (name in LONG)) for name in CASES]
)
def test_a_guarded_command_killed_before_every_step(made, tmp_path, name):
    """The approval is good still, or it is used: then it is done, or asked for anew. Once it is done, it is
    not done again without another approval.
    """
    case, before, seen = CASES[name], tmp_path / "before", []
    copy(made, before)
    case.prepare(before)
    request = asked_by(case.on(before))
    approve(before, request)
    assert not case.is_done(before)
    for world in each_step(before, tmp_path, case.on):
        state, done = requests(world)[request], case.is_done(world)
        assert state in ("approved", "used")
        assert state == "used" or not done
        seen.append((state, done))
        code, out, err = heqiao(*case.on(world))
        if state == "used" and code == 1:
            assert case.is_done(world) == done
            if "this needs a second administrator" in err:
                again = err.partition("request ")[2][:16]
                assert again != request
                approve(world, again)
                heqiao(*case.on(world))
            else:
                assert done, err
                assert "heqiao: hint:" in err
        else:
            assert code == 0, err
            assert state == "approved" or "nothing to destroy" in out
        assert case.is_done(world)
        assert requests(world)[request] == "used"
        ok("audit", "verify", "--home", world / "44")
    assert (seen[0], seen[-1]) == (("approved", False), ("used", True))


def test_an_approval_killed_before_every_step(made, tmp_path):
    case = CASES["peer"]
    before, seen = tmp_path / "before", []
    copy(made, before)
    request = asked_by(case.on(before))

    def command(world):
        return ("approve", request, "--home", world / "44", "--as", world / OTHER)

    for world in each_step(before, tmp_path, command):
        state = requests(world)[request]
        seen.append(state)
        code, _, err = heqiao(*command(world))
        assert code == 0 if state == "waiting" else "is approved" in err
        assert requests(world) == {request: "approved"}
        ok(*case.on(world))
        ok("audit", "verify", "--home", world / "44")
    assert (seen[0], seen[-1], set(seen)) == ("waiting", "approved", {"waiting", "approved"})


def test_a_request_killed_before_every_step(made, tmp_path):
    """Nothing is written, or one request, which asking again names."""
    case, seen = CASES["peer"], []
    for world in each_step(made, tmp_path, case.on, ends=1):
        found = requests(world)
        seen.append(len(found))
        request = asked_by(case.on(world))
        assert set(found) <= {request} == set(requests(world))
        approve(world, request)
        ok(*case.on(world))
        ok("audit", "verify", "--home", world / "44")
    assert (seen[0], set(seen)) == (0, {0, 1})
