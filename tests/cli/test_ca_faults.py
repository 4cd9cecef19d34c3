"""What goes wrong at the CA: a clear error, nothing changed, and a second try."""

import json
import resource
from datetime import UTC, datetime, timedelta

import pytest

from keys.pki.certificates import load_roots
from keys.pki.issuing import Authority, create_ca
from keys.pki.revocation import load_list, make_lists, serial_of
from keys.pki.roots import sign_root
from keys.store.key_pairs import load_tls_key
from node.federation import authority_folder
from tests.support.ca_member import (
    store_of,
)
from tests.support.cli_runner import FULL, fails, ok
from tests.support.command_server import command_server
from tests.support.killed_commands import copy


@pytest.fixture
def world(made, tmp_path):
    copy(made, tmp_path / "world")
    return tmp_path / "world"


COMMANDS = {
    "roll": ("roll", "--out", "roots.json"),
    "salt": ("salt", "--out", "salts"),
    "revoke": ("revoke", "--code", "44", "--out", "new.pem"),
}


@pytest.fixture(params=COMMANDS)
def command(request, world):
    first, *rest = COMMANDS[request.param]
    at = rest.index("--out") + 1
    rest[at] = world / rest[at]
    return ("ca", first, "--dir", world / "ca", *rest)


def load_ca(world):
    (root,) = load_roots((world / "ca/ca.pem").read_bytes())
    return Authority(root, load_tls_key(store_of(world / "ca").get("ca.1")))


def held(world):
    return {path: path.read_bytes() for path in (world / "ca").rglob("*") if path.is_file()}


@pytest.mark.parametrize("fault", ["passphrase", "damaged key", "newer store", "other root"])
def test_what_does_not_open(world, command, fault):
    before = held(world)
    path, wrong, expected = {
        "passphrase": ("passphrase", b"another one", "does not open this key store"),
        "damaged key": ("keys/ca.1.key", bytes(64), "ca.1"),
        "newer store": ("keys/store.json", None, "version 9"),
        "other root": ("ca.pem", None, "not that of the CA's key"),
    }[fault]
    path = world / "ca" / path
    if fault == "newer store":
        wrong = json.dumps({**json.loads(before[path]), "version": 9}).encode()
    if fault == "other root":
        ok("ca", "init", "--dir", world / "other", "--federation", "test")
        wrong = (world / "other/ca.pem").read_bytes()
    path.write_bytes(wrong)
    assert expected in fails(*command)
    path.write_bytes(before[path])
    assert held(world) == before
    ok(*command)


def test_a_full_disk(world, command):
    """No file of the command fits any more."""
    before = held(world)
    done = command_server().run(command, program=FULL)
    assert (done.returncode, done.stdout) == (1, "")
    assert f"heqiao: error: {world}" in done.stderr  # of which file
    assert "File too large" in done.stderr
    assert "Traceback" not in done.stderr
    assert held(world) == before
    assert resource.getrlimit(resource.RLIMIT_FSIZE)[0] == resource.RLIM_INFINITY
    ok(*command)


def test_the_clock_was_set_back(world, command):
    """Behind the last list: a new one would look older, and nobody would take it."""
    store, root = store_of(world / "ca"), load_ca(world)
    path, ahead = world / "ca/revoked.pem", datetime.now(UTC) + timedelta(days=1)
    kept = path.read_bytes()
    path.write_bytes(make_lists([root], kept, (), ahead))
    if "salt" in command:  # which has no date
        ok(*command)
        return
    assert "the clock is before the last list" in fails(*command)
    assert load_roots((world / "ca/ca.pem").read_bytes()) == (root.certificate,)
    assert not command[-1].exists()
    path.write_bytes(kept)
    ok(*command)
    assert store.epochs("ca") == ([1, 2] if "roll" in command else [1])


def test_a_root_from_a_clock_that_is_ahead(world):
    old, ahead = load_ca(world), datetime.now(UTC) + timedelta(days=1)
    new = create_ca("test", ahead, generation=2)
    (world / "roots.json").write_bytes(sign_root(old, new.certificate).to_json())
    take = ("peers", "roots", "--home", world / "44", world / "roots.json")
    assert "the new root is not valid now" in fails(*take)
    assert (world / "44/tls/ca.pem").read_bytes() == old.pem


def test_another_administrator_is_at_it_for_long(world, command, monkeypatch):
    monkeypatch.setattr(authority_folder, "WAIT_S", 0.2)
    before = held(world)
    with store_of(world / "ca").locked():
        assert "another command is changing this key store" in fails(*command)
        assert held(world) == before
    ok(*command)


def test_two_administrators_at_once(world):
    """The second one waits; nothing that one revoked is lost by what the other did."""
    request = world / "44/request.json"
    ok("ca", "issue", "--dir", world / "ca", request, "--out", world / "44.bundle")
    before = load_list((world / "ca/revoked.pem").read_bytes(), load_ca(world).pem).serials
    issued = [
        one.stem for one in (world / "ca/issued").glob("*.pem") if serial_of(one.read_bytes()) not in before
    ]
    assert len(issued) == 2
    commands = [("ca", "revoke", "--dir", world / "ca", name, "--out", world / name) for name in issued]
    ended = dict(zip(issued, command_server().run_together(*commands), strict=True))
    root = (world / "ca/ca.pem").read_bytes()
    gone = load_list((world / "ca/revoked.pem").read_bytes(), root).serials
    for name, done in ended.items():
        assert done.returncode == 0, done.stderr
        assert serial_of((world / f"ca/issued/{name}.pem").read_bytes()) in gone


def test_a_member_that_is_two_roots_behind(world):
    """They run one after the other."""
    roll = ("ca", "roll", "--dir", world / "ca")
    ok(*roll, "--out", world / "second.json")
    ok(*roll, "--switch")
    ok(*roll, "--end")
    ok(*roll, "--out", world / "third.json")
    take = ("peers", "roots", "--home", world / "44")
    assert "not signed by a root of this home" in fails(*take, world / "third.json")
    ok(*take, world / "second.json")
    assert "trusts two roots already" in fails(*take, world / "third.json")
    for number in (2, 3):  # a certificate of each root, and then without the one before
        (world / "44.bundle").unlink(missing_ok=True)
        request = world / "44/request.json"
        ok("ca", "issue", "--dir", world / "ca", request, "--out", world / "44.bundle")
        ok("join", "--home", world / "44", world / "44.bundle")
        ok("peers", "revocations", "--home", world / "44", world / "ca/revoked.pem")
        ok(*take, "--drop-old")
        if number == 2:
            ok(*take, world / "third.json")
            ok(*roll, "--switch")
    assert "all sound" in ok("keys", "verify", "--home", world / "44")


def test_a_root_that_was_erased(world):
    """The old root signs nothing any more, also from a folder that was put back."""
    roll = ("ca", "roll", "--dir", world / "ca")
    ok(*roll, "--out", world / "roots.json")
    ok(*roll, "--switch")
    both = (world / "ca/ca.pem").read_bytes()
    ok(*roll, "--end")
    assert store_of(world / "ca").epochs("ca") == [2]
    (world / "ca/ca.pem").write_bytes(both)
    assert "not that of the CA's key" in fails(*roll, "--switch")
