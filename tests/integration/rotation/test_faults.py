"""What goes wrong with any rotation, at the command: a clear error, the old epoch whole, and a second try."""

import json
import shutil
import sqlite3
from contextlib import closing
from datetime import timedelta

import pytest
from cryptography.exceptions import UnsupportedAlgorithm

from keys.errors import KeyStateError
from keys.pki.enrolment import make_card
from keys.signing_chain import MAX_CHAIN, follow
from keys.store.atomic_files import read_passphrase
from keys.store.header import by_passphrase
from keys.store.key_store import KeyStore
from keys.store.kinds import generate_secret
from keys.store.wrap import KdfCost
from keys.types import RotationPolicy
from matcher import label
from node.config import load, open_key_store
from node.context import open_node
from node.errors import ConflictError, PreconditionError, UnavailableError
from node.index import sum_table_writer
from node.rotation import driver, signing
from node.rotation.kinds import SIGNING
from tests.support.cached import paillier_key
from tests.support.cli_runner import FULL, heqiao, ok
from tests.support.command_server import command_server
from tests.support.rotation_home import member  # noqa: F401  the home that the commands made
from tests.support.single_node import cramped, number

KINDS = {"oprf": ("oprf",), "sum": ("sum", "paillier", "sumcheck"), "signing": ("signing",)}
CHEAP = KdfCost(iterations=1, lanes=1, memory_kib=8)
POLICY = RotationPolicy(timedelta(days=90), timedelta(days=7))


@pytest.fixture(scope="module")
def quick(member, tmp_path_factory):
    """The home with a key store that opens in a moment."""
    place = tmp_path_factory.mktemp("quick") / "44"
    shutil.copytree(member / "44", place)
    secret = read_passphrase(place / "passphrase")
    KeyStore.open(place / "keys", secret).rewrap(by_passphrase(secret, CHEAP))
    return place


@pytest.fixture
def home(quick, tmp_path):
    shutil.copytree(quick, tmp_path / "44")
    return tmp_path / "44"


@pytest.fixture(params=KINDS)
def kind(request):
    return request.param


@pytest.fixture(autouse=True)
def _one_paillier_key(monkeypatch, drawn):
    monkeypatch.setattr(
        "node.rotation.sums.generate_secret",
        lambda purpose, *rest: drawn if purpose == "paillier" else generate_secret(purpose, *rest),
    )


@pytest.fixture(scope="module")
def drawn():
    return paillier_key("drawn")


def states(place, kind):
    """State of each epoch; the keys that move together must agree."""
    status = json.loads(ok("keys", "status", "--home", place, "--json"))
    assert status["good"], status
    found = {}
    for key in status["keys"]:
        if key["purpose"] in KINDS[kind]:
            assert found.setdefault(key["epoch"], key["state"]) == key["state"]
    return found


def fails(code, *arguments):
    got, out, err = heqiao("keys", *arguments)
    assert (got, out) == (code, ""), err
    assert "Traceback" not in err
    assert "heqiao: hint:" in err
    return err


def rotates(place, kind, epoch=2):
    done = json.loads(ok("keys", "rotate", kind, "--home", place, "--json"))
    assert (done["purpose"], done["epoch"]) == (kind, epoch)


def test_a_wrong_passphrase(home, kind):
    kept = (home / "passphrase").read_bytes()
    (home / "passphrase").write_bytes(b"another one")
    assert "the passphrase does not open this key store" in fails(1, "rotate", kind, "--home", home)
    (home / "passphrase").write_bytes(kept)
    assert states(home, kind) == {1: "active"}
    rotates(home, kind)


def test_a_damaged_key(home, kind):
    path = next((home / "keys").glob(f"{KINDS[kind][-1]}.1*"))
    kept = path.read_bytes()
    path.write_bytes(kept[:-1] + bytes([kept[-1] ^ 1]))
    assert "the sealed key does not open" in fails(1, "rotate", kind, "--home", home)
    path.write_bytes(kept)
    assert states(home, kind) == {1: "active"}
    rotates(home, kind)


def test_a_store_of_a_newer_version(home, kind):
    path = home / "keys/store.json"
    kept = path.read_text()
    path.write_text(json.dumps({**json.loads(kept), "version": 9}))
    assert "version 9" in fails(1, "rotate", kind, "--home", home)
    path.write_text(kept)
    rotates(home, kind)


def test_a_database_of_a_newer_version(home, kind):
    base = sqlite3.connect(home / "heqiao.db")
    (kept,) = base.execute("SELECT version_num FROM alembic_version").fetchone()
    base.execute("UPDATE alembic_version SET version_num = '9999'")
    base.commit()
    fails(1, "rotate", kind, "--home", home)
    base.execute("UPDATE alembic_version SET version_num = ?", (kept,))
    base.commit()
    base.close()
    rotates(home, kind)


def test_the_clock_was_set_back(home, kind):
    rotates(home, kind)
    base = sqlite3.connect(home / "heqiao.db")
    base.execute("UPDATE key_epochs SET activated_at = '2099-01-01 00:00:00' WHERE epoch = 2")
    base.commit()
    assert "the clock is before 2099-01-01" in fails(1, "rotate", kind, "--home", home)
    base.execute("UPDATE key_epochs SET activated_at = '2026-01-01 00:00:00' WHERE epoch = 2")
    base.commit()
    base.close()
    assert states(home, kind) == {1: "grace", 2: "active"}
    rotates(home, kind, 3)


def test_a_destroyed_key(home, kind):
    rotates(home, kind)
    ok("keys", "retire", kind, "--now", "--home", home)
    ok("keys", "destroy", kind, "--confirm", "--home", home)
    assert states(home, kind) == {2: "active"}
    assert "nothing to destroy" in ok("keys", "destroy", kind, "1", "--confirm", "--home", home)
    assert "nothing to retire" in ok("keys", "retire", kind, "--now", "--home", home)
    assert "no such key" in fails(1, "destroy", kind, "7", "--confirm", "--home", home)
    assert "cannot become destroyed" in fails(1, "destroy", kind, "2", "--confirm", "--home", home)
    rotates(home, kind, 3)


def test_a_key_store_that_lacks_a_key_in_grace(home, kind):
    """Database and key store of different times."""
    rotates(home, kind)
    path = next((home / "keys").glob(f"{KINDS[kind][0]}.{2 if kind == 'signing' else 1}*"))
    path.rename(home / "aside")
    error = fails(1, "rotate", kind, "--home", home)
    assert f"{KINDS[kind][0]}." in error
    assert "restore" in error
    (home / "aside").rename(path)
    rotates(home, kind, 3)


def test_a_plan_changes_nothing(home, kind):
    before = {path: path.read_bytes() for path in (home / "keys").iterdir()}
    plan = json.loads(ok("keys", "rotate", kind, "--dry-run", "--home", home, "--json"))
    assert [step["action"] for step in plan["steps"]] == ["make", "rekey", "switch"]
    assert {path: path.read_bytes() for path in (home / "keys").iterdir()} == before
    assert states(home, kind) == {1: "active"}


def test_two_administrators_at_once(home, kind):
    """Both end with a rotation or a clear error; one epoch is active, and every key has its state."""
    both = command_server().run_together(*[("keys", "rotate", kind, "--home", home)] * 2)
    ended = [(one.stderr, one.returncode) for one in both]
    assert 0 in [code for _, code in ended], ended
    for caught, code in ended:
        assert code == 0 or (code == 1 and "heqiao: hint:" in caught and "Traceback" not in caught), caught
    found = states(home, kind)
    assert list(found.values()).count("active") == 1
    assert set(found.values()) <= {"active", "grace"}
    ok("audit", "verify", "--home", home)


@pytest.mark.parametrize("kind", ["oprf", "signing"])
def test_no_file_can_be_written(home, kind):
    done = command_server().run(("keys", "rotate", kind, "--home", home), program=FULL)
    assert (done.returncode, done.stdout) == (1, "")
    assert "that its disk has room" in done.stderr
    assert states(home, kind) == {1: "active"}
    rotates(home, kind)


def test_damaged_rows_of_sums(home, tmp_path, monkeypatch):
    """Named by item and area; the epoch before stays; a full import mends them, and the rotation ends."""
    register = tmp_path / "wages.csv"
    monkeypatch.setattr(sum_table_writer, "BLOCK_ROWS", 8)
    rows = "".join(f"{number(at)},{at}\n" for at in range(12))
    register.write_text("id_no,amount_fen\n" + rows, encoding="utf-8")
    ok("import", "--home", home, "B11", register)
    with closing(sqlite3.connect(home / "heqiao.db")) as base:
        (sealed,) = base.execute("SELECT values_sealed FROM sum_blocks WHERE number = 1").fetchone()
        damaged = sealed[:-1] + bytes([sealed[-1] ^ 1])
        base.execute("UPDATE sum_blocks SET values_sealed = ? WHERE number = 1", (damaged,))
        base.commit()
    for _ in range(2):
        error = fails(1, "rotate", "sum", "--home", home)
        assert "B11, area 44: the stored rows of sums are damaged" in error
        assert "heqiao import B11" in error
        assert states(home, "sum") == {1: "active", 2: "pending"}
    ok("import", "--home", home, "B11", register)
    rotates(home, "sum")
    assert states(home, "sum") == {1: "grace", 2: "active"}


# ---- of the signing key alone: the others are in their own files


@pytest.fixture
def opened(home):
    config = load(home / "node.toml")
    node = open_node(config)
    yield node, open_key_store(config)
    node.store.dispose()


def test_a_node_does_not_open_on_an_openssl_without_the_seal(home, monkeypatch):
    def missing(_key):
        raise UnsupportedAlgorithm("AES-GCM-SIV")

    monkeypatch.setattr(label, "AESGCMSIV", missing)
    with pytest.raises(PreconditionError, match="RFC 8452") as caught:
        open_node(load(home / "node.toml"))
    assert "3.2" in caught.value.hint


def test_another_administrator_is_first(opened):
    node, store = opened

    def meanwhile(stage, *_):
        if stage == "make":
            driver.rotate(SIGNING, node, open_key_store(node.config), POLICY)

    with pytest.raises((ConflictError, KeyStateError)) as caught:
        driver.rotate(SIGNING, node, store, POLICY, progress=meanwhile)
    assert caught.value.hint
    assert store.epochs("signing") == [1, 2]
    assert [key.state.value for key in SIGNING.read(node, store)] == ["grace", "active"]


def test_more_rotations_than_a_chain_holds(opened):
    """The last ones are shown; a peer from before them needs the card."""
    node, store = opened
    for _ in range(MAX_CHAIN + 2):
        driver.rotate(SIGNING, node, store, POLICY)
    signer = signing.read_signer(node.config, store)
    assert [one.number for one in signer.successions] == list(range(4, MAX_CHAIN + 4))
    card = make_card(store, "44", "x", "h:1", signing_epoch=signer.epoch, successions=signer.successions)
    assert follow("44", card.successions[0].old_key, card.successions, node.clock()) == signer.successions


def test_a_full_disk(opened):
    node, store = opened
    done = []

    def fill(full):
        while len(done) < 200:  # a few rows fit into the last page
            done.append(driver.rotate(SIGNING, full, store, POLICY).epoch)

    with cramped(node, 0) as full, pytest.raises(UnavailableError):
        fill(full)
    active = driver.rotate(SIGNING, node, store, POLICY).epoch
    assert active == 2 + len(done)
    assert node.ring.refresh().signing == store.get(f"signing.{active}")


def test_another_key_than_the_database_knows(opened):
    node, store = opened
    driver.rotate(SIGNING, node, store, POLICY)
    store.remove("signing.2")
    store.add("signing.2", bytes(range(32)))
    with pytest.raises(KeyStateError, match="another key than the database knows"):
        driver.rotate(SIGNING, node, store, POLICY)


def test_a_home_from_before_there_were_sums(home):
    for path in (home / "keys").iterdir():
        if path.name.split(".")[0] in KINDS["sum"]:
            path.unlink()
    assert "the key store has no such key" in fails(1, "rotate", "sum", "--home", home)
    rotates(home, "oprf")


def test_a_platform_has_nothing_to_rotate(tmp_path, kind):
    ok("init", "--home", tmp_path / "p", "--role", "platform", "--code", "44", "--name", "民政")
    assert "this home is of a platform" in fails(1, "rotate", kind, "--home", tmp_path / "p")
