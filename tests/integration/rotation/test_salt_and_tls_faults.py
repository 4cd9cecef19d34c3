"""What goes wrong when the salt or the TLS key rotates: a clear error, nothing changed, a second try."""

import json
import sqlite3

import pytest

from keys.pki.certificates import tls_epoch
from keys.store.kinds import generate_secret
from node.config import load, open_key_store
from node.context import open_node
from node.index.update_lock import open_workspace
from tests.support.ca_member import base, drawn, issue, made, make_salt, take_salt  # noqa: F401  the member holds records  # noqa: F401  the CA and its member
from tests.support.cli_runner import FULL, fails, ok
from tests.support.command_server import command_server
from tests.support.killed_commands import copy


@pytest.fixture
def world(base, tmp_path):
    copy(base, tmp_path / "world")
    return tmp_path / "world"


@pytest.fixture(params=("salt", "tls"))
def kind(request):
    return request.param


@pytest.fixture(autouse=True)
def _one_paillier_key(monkeypatch, drawn):
    monkeypatch.setattr(
        "node.rotation.salt.generate_secret",
        lambda purpose, *rest: drawn if purpose == "paillier" else generate_secret(purpose, *rest),
    )


def command(world, kind):
    return ("keys", "rotate", kind, "--home", world / "44")


def status(world):
    found = json.loads(ok("keys", "status", "--home", world / "44", "--json"))
    assert found["good"], found
    return found["keys"]


def states(world, kind):
    return {key["epoch"]: key["state"] for key in status(world) if key["purpose"] == kind}


def finish(world, kind, epoch=2):
    """The whole rotation, from wherever it stands."""
    ok(*command(world, kind))
    if kind == "tls":
        issue(world, "44")
        ok("join", "--home", world / "44", world / "44.bundle")
        config = load(world / "44/node.toml")
        assert tls_epoch(open_key_store(config), config.tls.certificate.read_bytes()) == epoch
    else:
        ok("import", "--home", world / "44", "C21", world / "r.csv")
        ok(*command(world, kind))
    found = states(world, kind)
    assert (found[epoch], list(found.values()).count("active")) == ("active", 1)
    ok("audit", "verify", "--home", world / "44")


@pytest.mark.parametrize("fault", ["passphrase", "damaged key", "newer store"])
def test_what_does_not_open(world, kind, fault):
    name = {"passphrase": "passphrase", "damaged key": f"keys/{kind}.1.key", "newer store": "keys/store.json"}
    path = world / "44" / name[fault]
    kept, before = path.read_bytes(), states(world, kind)
    wrong = {
        "passphrase": lambda: b"another one",
        "damaged key": lambda: kept[:-1] + bytes([kept[-1] ^ 1]),
        "newer store": lambda: json.dumps({**json.loads(kept), "version": 9}).encode(),
    }[fault]()
    printed = {
        "passphrase": "does not open this key store",
        "damaged key": "the sealed key does not open",
        "newer store": "version 9",
    }[fault]
    path.write_bytes(wrong)
    assert printed in fails(*command(world, kind))
    path.write_bytes(kept)
    assert states(world, kind) == before
    finish(world, kind)


def test_a_database_of_a_newer_version(world, kind):
    before = states(world, kind)
    base = sqlite3.connect(world / "44/heqiao.db")
    (kept,) = base.execute("SELECT version_num FROM alembic_version").fetchone()
    base.execute("UPDATE alembic_version SET version_num = '9999'")
    base.commit()
    fails(*command(world, kind))
    base.execute("UPDATE alembic_version SET version_num = ?", (kept,))
    base.commit()
    base.close()
    assert states(world, kind) == before
    finish(world, kind)


def test_a_full_disk(world, kind):
    before = states(world, kind)
    done = command_server().run(command(world, kind), program=FULL)
    assert (done.returncode, done.stdout) == (1, "")
    assert "Traceback" not in done.stderr
    assert "heqiao: hint:" in done.stderr
    assert states(world, kind) == before
    finish(world, kind)


@pytest.mark.long
def test_two_administrators_at_once(world, kind):
    both = command_server().run_together(*[command(world, kind)] * 2)
    ended = [(one.stderr, one.returncode) for one in both]
    assert 0 in [code for _, code in ended]
    for printed, code in ended:
        assert code == 0 or (code == 1 and "heqiao: hint:" in printed and "Traceback" not in printed), printed
    assert states(world, kind) == {1: "active", 2: "pending"}
    ok("audit", "verify", "--home", world / "44")


def test_another_administrator_is_at_the_salt(world):
    node = open_node(load(world / "44/node.toml"))
    with open_workspace(node):
        assert "another import or rotation is running" in fails(*command(world, "salt"))
    node.store.dispose()
    finish(world, "salt")


def test_the_clock_was_set_back_before_the_salt_in_use(world):
    finish(world, "salt")
    take_salt(world)
    base = sqlite3.connect(world / "44/heqiao.db")
    base.execute("UPDATE key_epochs SET activated_at = '2099-01-01 00:00:00' WHERE state = 'active'")
    base.commit()
    before = states(world, "salt")
    assert "the clock is before 2099-01-01" in fails(*command(world, "salt"))
    assert states(world, "salt") == before
    base.execute("UPDATE key_epochs SET activated_at = '2026-01-01 00:00:00' WHERE state = 'active'")
    base.commit()
    base.close()
    finish(world, "salt", 3)


def test_a_member_that_is_two_salts_behind(world):
    """It takes the newest only, and moves to it."""
    third = make_salt(world)
    ok("keys", "verify", "--home", world / "44")
    (world / "44/keys/salt.2.key").unlink()  # as if it had never joined with the second
    ok("join", "--home", world / "44", third)
    finish(world, "salt", 3)
    assert states(world, "salt") == {1: "grace", 3: "active"}


def test_a_salt_that_was_destroyed(world):
    finish(world, "salt")
    home = ("--home", world / "44")
    assert "cannot become destroyed" in fails("keys", "destroy", "salt", "1", "--confirm", *home)
    ok("keys", "retire", "salt", "--now", *home)
    ok("keys", "destroy", "salt", "--confirm", *home)
    assert states(world, "salt") == {2: "active"}
    assert "nothing to destroy" in ok("keys", "destroy", "salt", "1", "--confirm", *home)
    assert "no such key" in fails("keys", "destroy", "salt", "7", "--confirm", *home)
    assert "cannot become destroyed" in fails("keys", "destroy", "salt", "2", "--confirm", *home)


def test_a_certificate_for_a_key_that_is_gone(world):
    """An old bundle does not bring an old key back; what is in use stays."""
    issue(world, "44")
    (world / "44.bundle").rename(world / "old.bundle")
    finish(world, "tls")
    (world / "44/keys/tls.1.key").unlink()
    before = (world / "44/tls/node.pem").read_bytes()
    fails("join", "--home", world / "44", world / "old.bundle")
    assert (world / "44/tls/node.pem").read_bytes() == before
    assert "all sound" in ok("keys", "verify", "--home", world / "44")
