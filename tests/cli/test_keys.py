"""`heqiao keys` on a home made by the commands."""

import json
import os
import shutil
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from keys.pki.enrolment import load_request
from keys.store.kinds import NODE_KEYS, fingerprint, generate_secret
from keys.types import EpochKey, KeyState
from node.config import load, open_key_store
from node.database import database_url, key_epochs, open_store
from tests.support.cli_runner import heqiao, ok
from tests.support.members import answer, make_member


@pytest.fixture(scope="module")
def member(tmp_path_factory):
    base = tmp_path_factory.mktemp("member")
    ok("ca", "init", "--dir", base / "ca", "--federation", "test")
    make_member(base, "45")
    return base


@pytest.fixture
def home(member, tmp_path):
    shutil.copytree(member / "45", tmp_path / "45")
    return tmp_path / "45"


@pytest.fixture
def unused(home):
    """A home whose database was never opened."""
    (home / "heqiao.db").unlink()
    return home


def store_of(home):
    return open_key_store(load(home / "node.toml"))


def test_status_of_a_sound_home(home):
    found = json.loads(ok("keys", "status", "--home", home, "--json"))
    assert found["good"] is True
    assert found["problems"] == []
    assert [(key["purpose"], key["epoch"], key["state"]) for key in found["keys"]] == [
        (purpose, 1, "active") for purpose in sorted(("salt", *NODE_KEYS))
    ]
    assert len({key["fingerprint"] for key in found["keys"]}) == len(NODE_KEYS) + 1
    table = ok("keys", "status", "--home", home)
    assert "certificate valid until" in table
    assert ok("keys", "verify", "--home", home).endswith(
        f"{len(NODE_KEYS) + 1} keys in " + str(home / "keys") + ", all sound\n"
    )


def test_no_secret_is_printed(home):
    store = store_of(home)
    printed = ok("keys", "status", "--home", home, "--json") + ok("keys", "status", "--home", home)
    for name in store.names():
        assert store.get(name).hex()[:16] not in printed.replace("-", "")


def test_a_new_tls_key_is_pending_until_it_has_a_certificate(unused):
    home = unused
    store_of(home).add("tls.2", generate_secret("tls"))
    store_of(home).add("signing.2", generate_secret("signing"))
    found = json.loads(ok("keys", "status", "--home", home, "--json"))
    states = {f"{key['purpose']}.{key['epoch']}": key["state"] for key in found["keys"]}
    assert (states["tls.1"], states["tls.2"]) == ("active", "pending")
    assert (states["signing.1"], states["signing.2"]) == ("grace", "active")


def test_faults_are_all_told(home):
    (home / "keys/oprf.1.key").write_bytes(b"rubbish")
    (home / "keys/salt.1.key").chmod(0o644)
    shutil.copy(home / "tls/ca.pem", home / "tls/node.pem")
    code, out, _ = heqiao("keys", "verify", "--home", home, "--json")
    shown = json.loads(out)
    assert (code, shown["good"]) == (1, False)
    text = "\n".join(shown["problems"])
    for words in ("oprf.1: not a sealed key", "salt.1.key: open to other accounts", "for another key"):
        assert words in text
    assert heqiao("keys", "status", "--home", home)[0] == 1


def test_a_home_that_has_not_joined(home):
    shutil.rmtree(home / "tls")
    code, out, _ = heqiao("keys", "verify", "--home", home)
    assert (code, out) == (1, "no certificate yet: this home has not joined a federation\n")


@pytest.mark.parametrize("command", ["status", "verify"])
def test_wrong_passphrase_and_newer_store(home, command):
    (home / "passphrase").write_text("geheim\n")
    code, _, err = heqiao("keys", command, "--home", home)
    assert code == 1
    assert "the passphrase does not open this key store" in err
    assert "geheim" not in err
    header = home / "keys/store.json"
    header.write_text(header.read_text().replace('"version": 1', '"version": 9'))
    code, _, err = heqiao("keys", command, "--home", home)
    assert code == 1
    assert "key store of version 9" in err


def test_rewrap(home, tmp_path):
    new = tmp_path / "new"
    new.write_text("ganz-neu\n")
    new.chmod(0o600)
    said = ok("keys", "rewrap", "--home", home, "--new-passphrase-file", new)
    assert f'passphrase_file = "{new}"' in said
    assert "ganz-neu" not in said
    code, _, err = heqiao("keys", "verify", "--home", home)
    assert code == 1
    assert "does not open" in err
    text = (home / "node.toml").read_text()
    (home / "node.toml").write_text(text.replace("[keys]", f'[keys]\npassphrase_file = "{new}"', 1))
    assert "all sound" in ok("keys", "verify", "--home", home)
    assert "key_store_rewrapped" in ok("audit", "list", "--home", home)


@pytest.mark.parametrize(
    "options", [(), ("--token", "x"), ("--pin-file", "x"), ("--token", "x", "--new-passphrase-file", "y")]
)
def test_rewrap_wants_one_way(home, options):
    assert heqiao("keys", "rewrap", "--home", home, *options)[0] == 2


DEFAULTS = {  # design.md section 6, and the grace of each
    "oprf": (90, 7),
    "sum": (180, 7),
    "signing": (730, 30),
    "storage": (730, 7),
    "tls": (335, 14),
    "salt": (3_650, 90),
}
LEADING = {"paillier": "sum", "sumcheck": "sum"}


def test_the_defaults_are_those_of_the_design(home):
    """Each key is due so many days after it was made; record and enrol keys never are."""
    known = json.loads(ok("keys", "policy", "--home", home, "--json"))["policy"]
    assert {one["key"]: (one["every_days"], one["grace_days"]) for one in known} == DEFAULTS
    keys = json.loads(ok("keys", "status", "--home", home, "--json"))["keys"]
    for key in keys:
        every, _ = DEFAULTS.get(LEADING.get(key["purpose"], key["purpose"]), (None, None))
        if every is None:
            assert key["due"] is None, key
        else:
            lasts = datetime.fromisoformat(key["due"]) - datetime.fromisoformat(key["made"])
            assert lasts == timedelta(days=every), key
    assert {key["purpose"] for key in keys if key["due"] is None} == {"record", "enrol"}
    assert {key["purpose"] for key in keys} >= {*DEFAULTS, *LEADING}


@pytest.mark.parametrize(("purpose", "days"), [(purpose, days) for purpose, (days, _) in DEFAULTS.items()])
def test_due_on_its_day_and_not_before(home, purpose, days):
    path = home / f"keys/{purpose}.1.key"
    for age, due in ((days - 1, []), (days + 1, [purpose])):
        os.utime(path, (time.time() - age * 86_400,) * 2)
        found = json.loads(ok("keys", "status", "--home", home, "--json"))["due"]
        assert sorted({one["purpose"] for one in found}) == due


def test_settings_of_before_are_refused(home):
    text = (home / "node.toml").read_text()
    (home / "node.toml").write_text(text.replace("#sum_days = 180", "paillier_days = 365"))
    code, _, err = heqiao("keys", "policy", "--home", home)
    assert code == 1
    assert "paillier_days" in err


def test_policy_and_what_is_due(home):
    known = json.loads(ok("keys", "policy", "--home", home, "--json"))["policy"]
    assert {"key": "oprf", "every_days": 90, "grace_days": 7} in known
    assert "90 days" in ok("keys", "policy", "--home", home)
    for name in ("oprf.1.key", "enrol.1.key"):
        os.utime(home / "keys" / name, (1_700_000_000,) * 2)
    keys = json.loads(ok("keys", "status", "--home", home, "--json"))["keys"]
    found = {key["purpose"]: key for key in keys}
    assert [found[one]["overdue"] for one in ("oprf", "signing", "storage")] == [True, False, False]
    assert found["enrol"]["due"] is None
    assert found["oprf"]["due"].startswith("2024-02-12")
    assert "OVERDUE" in ok("keys", "status", "--home", home)
    text = (home / "node.toml").read_text()
    (home / "node.toml").write_text(text.replace("#oprf_days = 90", "oprf_days = 5000"))
    assert "OVERDUE" not in ok("keys", "status", "--home", home)
    (home / "node.toml").write_text(text.replace("#oprf_days = 90", "oprf_days = 5"))
    code, _, err = heqiao("keys", "status", "--home", home)
    assert code == 1
    assert "[rotation]" in err
    assert "oprf_grace_days" in err


def test_states_of_the_database(unused):
    home = unused
    config, store = load(home / "node.toml"), store_of(home)
    now = datetime.now(UTC)
    assert json.loads(ok("keys", "status", "--home", home, "--json"))["database"] == "no database yet"
    assert not (home / "heqiao.db").exists()
    store.add("oprf.2", generate_secret("oprf"))
    rows = [
        EpochKey("oprf", 1, KeyState.GRACE, fingerprint("oprf", store.get("oprf.1")), now, now, now),
        EpochKey("oprf", 2, KeyState.ACTIVE, fingerprint("oprf", store.get("oprf.2")), now, now),
    ]
    with open_store(database_url(config)).transaction("test", write=True) as tx:
        for row in rows:
            key_epochs.add_epoch(tx, row, now)
    found = json.loads(ok("keys", "status", "--home", home, "--json"))
    states = {
        key["epoch"]: (key["state"], bool(key["grace_until"]))
        for key in found["keys"]
        if key["purpose"] == "oprf"
    }
    assert states == {1: ("grace", True), 2: ("active", False)}
    assert found["database"] == "read"
    with open_store(database_url(config)).transaction("test", write=True) as tx:
        key_epochs.add_epoch(tx, replace(rows[0], epoch=3, state=KeyState.PENDING), now)
        key_epochs.move_epochs(tx, rows[1:], [replace(rows[1], fingerprint="0" * 16)], now)
    shown = "\n".join(json.loads(heqiao("keys", "verify", "--home", home, "--json")[1])["problems"])
    assert "oprf.3: pending in the database, and not in the key store" in shown
    assert "oprf.2: another key than the one that the database knows" in shown


def test_rotate_tls(member, home):
    first = json.loads(ok("keys", "rotate", "tls", "--home", home, "--json"))
    again = json.loads(ok("keys", "rotate", "tls", "--home", home, "--json"))
    assert (first["epoch"], first["active"]) == (2, 1)
    assert again["fingerprint"] == first["fingerprint"]
    assert store_of(home).epochs("tls") == [1, 2]
    assert ok("audit", "list", "--home", home).count("key_state_changed") == 1
    hosts = load_request(member / "45/request.json").hosts
    assert load_request(home / "request.json").hosts == hosts
    answer(member / "ca", home / "request.json", home / "bundle")  # a second key, vouched for by the first
    states = {key["epoch"]: key["state"] for key in keys_of(home) if key["purpose"] == "tls"}
    assert states == {1: "active", 2: "pending"}
    ok("join", "--home", home, home / "bundle")
    states = {key["epoch"]: key["state"] for key in keys_of(home) if key["purpose"] == "tls"}
    assert states == {1: "grace", 2: "active"}
    assert json.loads(ok("keys", "rotate", "tls", "--home", home, "--json"))["epoch"] == 3


def keys_of(home):
    return json.loads(ok("keys", "status", "--home", home, "--json"))["keys"]


def test_rotate_tls_before_joining(home):
    shutil.rmtree(home / "tls")
    code, _, err = heqiao("keys", "rotate", "tls", "--home", home)
    assert (code, "no certificate yet" in err) == (1, True)
    assert store_of(home).epochs("tls") == [1]


@pytest.mark.parametrize("purpose", ["oprf", "signing"])
def test_a_key_that_a_killed_rotation_left_is_pending(home, purpose):
    """The node goes on with the key before; so says the status, before the first rotation and after it."""

    def states():
        return {key["epoch"]: key["state"] for key in keys_of(home) if key["purpose"] == purpose}

    open_store(database_url(load(home / "node.toml"))).dispose()
    store_of(home).add(f"{purpose}.2", generate_secret(purpose))
    assert states() == {1: "active", 2: "pending"}
    ok("keys", "rotate", purpose, "--home", home)
    store_of(home).add(f"{purpose}.3", generate_secret(purpose))
    assert states() == {1: "grace", 2: "active", 3: "pending"}
